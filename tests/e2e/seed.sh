#!/bin/sh
# seed.sh BUILD SOURCE: the command that a user of YOLO types first, word by word.
set -eu
. "$(dirname "$0")/lib.sh"
training_set
PATH=$build:$PATH
# Two pictures: a step of the s model at 640 takes long enough.
mv data.yaml coco.yaml
find set/images/train -type f | sort | tail -n +3 | xargs rm
pid=""
trap '[ -z "$pid" ] || kill -KILL $pid 2>/dev/null; cd /; rm -rf "$tmp"' EXIT

for model in yolo11s yolov11s; do
    : >out # the background shell makes it later than grep looks
    vigil train --data coco.yaml --cfg $model.yaml --batch 32 --epochs 100 --imgsz 640 >out 2>err </dev/null &
    pid=$!
    until grep -q '^Training for 100 epochs' out; do
        kill -0 $pid 2>/dev/null || fail "the run did not begin"
        sleep 0.2
    done
    kill -INT $pid
    ends $pid 130 "the run after Ctrl-C"
    pid=""
    says out "Model: $model, 2 classes"
    says out "GFLOPs at 640"
    says out "batches of 32"
    says out "to train on, 2 pictures with 4 objects to validate"
    says err "SIGINT: stopped in epoch 1 of 100"
done
says err "go on with: vigil train --resume runs/train/exp2"
grep -qx 'batch: 32' runs/train/exp/args.yaml || fail "args.yaml does not say batch: 32"
mv coco.yaml gone
run 1 train --data coco.yaml --cfg yolo11s.yaml --batch 32 --epochs 100 --imgsz 640
is_error "No such file"
says err "at:  coco.yaml"
done_well

#!/bin/sh
# cfg.sh BUILD SOURCE: cfg=FILE, a file of arguments of either tool, in every command that YOLO's own program has, and in
# bench: what it says acts, what is typed wins, and what is another command's is passed over.
set -eu
. "$(dirname "$0")/lib.sh"
tab=$(printf '\t')
pictures pics 2
training_set

# All keys of the reference's configuration, at its defaults, as its trainings leave them.
for column in 2 3; do
    echo "task: detect" >full$column.yaml
    echo "mode: train" >>full$column.yaml
    grep -v '^#' "$source/tests/fixtures/yolo-keys.tsv" | while IFS="$tab" read -r key old new; do
        value=$([ $column = 2 ] && echo "$old" || echo "$new")
        case $key in task | mode | model | data | source | cfg | device) continue ;; esac
        [ "$value" = - ] || echo "$key: ${value:-null}"
    done >>full$column.yaml
    echo "save_dir: runs/detect/train" >>full$column.yaml
    echo "device: 0" >>full$column.yaml

    run 0 predict cfg=full$column.yaml model="$weights" source=pics imgsz=64 save=False
    [ ! -s err ] || fail "predict cfg= says something of what is at its default"
    run 0 track --cfg full$column.yaml model="$weights" source=lavfi:testsrc2=size=64x48:duration=0.2 imgsz=64 save=False
    [ $column = 2 ] || says err "note: tracker=tracktrack.yaml has no effect here: bytetrack.yaml is taken"
    run 0 export --cfg=full$column.yaml model="$weights" imgsz=32 output=one.onnx batch=1
    [ ! -s err ] || fail "export cfg= says something of what is at its default"
    run 1 val cfg=full$column.yaml model="$weights" data=nope.yaml
    is_error "cannot read the file"
done
run 0 bench cfg=full2.yaml model="$weights" imgsz=32 batch=1 threads=1 repeats=1 --json

# It acts, before and behind other words; what is typed wins wherever it stands.
printf 'model: %s\nsource: pics\nimgsz: 96\nsave: false\nmax_det: 2\nclasses: [18, 24, 25, 51]\n' "$weights" >mine.yaml
run 0 predict --weights "$weights" --source pics --imgsz 96 --max-det 2 --classes 18,24,25,51 --no-save --json
cp out wanted
run 0 yolo detect predict cfg=mine.yaml --json
cmp -s out wanted || fail "cfg= is not what it says"
run 0 predict --json imgsz=64 cfg=mine.yaml
! cmp -s out wanted || fail "imgsz before cfg= does not win"
cp out smaller
run 0 predict cfg=mine.yaml imgsz=64 --json
cmp -s out smaller || fail "imgsz behind cfg= does not win"
run 0 predict cfg=nope.yaml cfg=mine.yaml --json
cmp -s out wanted || fail "of two files the last one is not taken"
run 0 predict cfg= --weights "$weights" --source pics --imgsz 96 --max-det 2 --classes 18,24,25,51 --no-save --json
cmp -s out wanted || fail "cfg= without a value is not as if it were not given"

# What vigil itself writes.
run 0 train --data data.yaml --model yolo11n --imgsz 32 --batch 4 --epochs 1 --workers 0 --threads 1 --no-plots --name own
run 0 val cfg=runs/train/own/args.yaml model=runs/train/own/weights/best.safetensors threads=1
says out " all  "
run 0 predict cfg=runs/train/own/args.yaml model=runs/train/own/weights/best.safetensors source=pics

# A task is an option, too, in all of YOLO's spellings: weights that are made for another are an error.
for words in "yolo segment predict" "segment predict" "yolo predict segment" "yolo task=segment mode=predict" "predict --task segment"; do
    # shellcheck disable=SC2086
    run 2 $words model="$weights" source=pics
    is_error "it is made for the task detect, not for segment"
done
run 0 yolo task=detect mode=predict model="$weights" source=pics imgsz=64 save=False

# Its faults have their line, and are the file's: status 1. Others are of the command line.
printf 'imgsz: 64\n# nothing\nconf: 2\n' >wrong.yaml
run 1 predict cfg=wrong.yaml model="$weights" source=pics
is_error "2 is outside 0..1"
says err "wrong.yaml:3, conf"
printf 'imgsz: 64\nvisualize: true\n' >refused.yaml
run 1 predict cfg=refused.yaml model="$weights" source=pics
is_error "vigil predict has no visualize=true"
says err "refused.yaml:2, visualize"
printf 'imgsz: 64\nsave: false\nfoo: 3\n' >unknown.yaml
run 0 predict cfg=unknown.yaml model="$weights" source=pics
says err "note: foo=3 has no effect here: vigil has no such option"
printf 'task: pose\n' >pose.yaml
run 2 val cfg=pose.yaml model="$weights" data=data.yaml
is_error "it is made for the task detect, not for pose"
printf 'task: depth\n' >depth.yaml
run 1 val cfg=depth.yaml model="$weights" data=data.yaml
says err "depth.yaml:1, task"
run 2 export cfg=data.yaml model="$weights"
is_error "a dataset's YAML where arguments are wanted"
printf 'nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\nhead:\n  - [[-1], 1, Detect, [nc]]\n' >model.yaml
run 2 predict cfg=model.yaml source=pics
is_error "a model's YAML where arguments are wanted"
run 1 bench cfg=nope.yaml model="$weights"
is_error "cannot read the file"
printf -- '- 1\n' >list.yaml
run 1 predict cfg=list.yaml model="$weights" source=pics
is_error "arguments that are not a map"
run 2 predict --cfg
is_error "--cfg"
run 2 info --cfg mine.yaml
is_error 'no option "cfg"'
done_well

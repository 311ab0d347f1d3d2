#!/bin/sh
# demo_tasks.sh BUILD SOURCE: vigil demo --task, tiny, for each of the tasks: what it draws, trains, finds and says.
set -eu
. "$(dirname "$0")/lib.sh"

# demo TASK: for seconds, not minutes.
demo() {
    run 0 demo --task "$1" --pictures 14 --val-pictures 7 --imgsz 64 --epochs 2 --threads 1 --folder "runs/$1"
    says out "Drew 14 + 7 + 8 pictures of"
    equal "$(grep -c '^image [1-8]/8 ' out)" 8 "unseen pictures of $1"
    says out "on 7 pictures that were not trained on"
    for file in train/results.csv train/weights/best.safetensors; do
        [ -s "runs/$1/$file" ] || fail "no runs/$1/$file"
    done
    equal "$(find "runs/$1/predict" -name '*.jpg' | wc -l)" 8 "pictures of $1 with what was found"
}

# rows FOLDER FIELDS: all label rows have so many fields ("7-": so many at least), within the picture but for turned corners.
rows() {
    cat "$1"/dataset/labels/*/*.txt >rows
    [ -s rows ] || fail "no labels in $1"
    awk -v least="${2%-}" -v open="$(case $2 in *-) echo 1 ;; *) echo 0 ;; esac)" \
        '{ if (NF < least || (!open && NF > least)) exit 1 }' rows || fail "a row without $2 fields in $1"
}

demo segment
says out '$ vigil train data=runs/segment/dataset/dataset.yaml model=yolo11n-seg.yaml'
says out "mAP50 of masks"
rows runs/segment 7-
grep -q 'metrics/mAP50(M)' runs/segment/train/results.csv || fail "no column of masks"

demo pose
says out "model=yolo11n-pose.yaml"
says out "mAP50 of keypoints"
rows runs/pose 56
says runs/pose/dataset/dataset.yaml "kpt_shape: [17, 3]"
grep -q 'train/kobj_loss' runs/pose/train/results.csv || fail "no loss of visibility"

demo obb
says out "model=yolo11n-obb.yaml"
says out "mAP50 of turned boxes"
rows runs/obb 9

demo classify
says out "model=yolo11n-cls.yaml"
says out "top-1"
equal "$(ls -F runs/classify/dataset | grep /)" "$(printf 'train/\nunseen/\nval/')" "folders of classes"
equal "$(find runs/classify/dataset/train -name '*.jpg' | wc -l)" 14 "pictures to train on"
grep -q 'metrics/accuracy_top1' runs/classify/train/results.csv || fail "no accuracy"

# Weights know what they are for, and so does their data set.
for task in segment pose obb; do
    run 0 val --data "runs/$task/dataset/dataset.yaml" --weights "runs/$task/train/weights/best.safetensors" --imgsz 64 \
        --threads 1 --split test --no-plots
    says out "all          8 "
done

run 2 demo --task depth
is_error "--task depth: there is no such task"
done_well

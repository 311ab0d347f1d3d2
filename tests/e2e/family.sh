#!/bin/sh
# family.sh BUILD SOURCE: YOLOv8, YOLOv8-p2 and YOLOv5u go every way that YOLO11 goes: info, train, val, predict, fine-tune.
set -eu
. "$(dirname "$0")/lib.sh"

training_set

# short MODEL NAME ARGUMENT...: an epoch.
short() {
    model=$1
    name=$2
    shift 2
    run 0 train --data data.yaml --imgsz 64 --batch 4 --workers 1 --threads 1 --epochs 1 --no-plots --model "$model" \
        --name "$name" "$@"
}

for row in "yolov8n 3,157,200 8,16,32" "yolov8n-p2 3,354,144 4,8,16,32" "yolov5nu 2,654,816 8,16,32"; do
    set -- $row
    run 0 info "$1"
    says out "parameters   $2 (fused "
    says out "strides      $(echo "$3" | tr , ' ')"
    short "$1" "$1"
    says out "Model: $1, 2 classes"
    best=runs/train/$1/weights/best.safetensors
    run 0 info "$best"
    says out "strides      $(echo "$3" | tr , ' ')"
    says out "$(echo "$1" | sed 's/u$//')"
    run 0 val --data data.yaml --weights "$best" --imgsz 64 --threads 1 --workers 0 --no-plots
    equal "$(grep -c '^ *all  *2  *4 ' out)" 1 "row of all classes of $1"
    run 0 predict --weights "$best" --source set/images/val --imgsz 64 --no-save --conf 0.001
    says out "image 2/2"
done

# ---- fine-tuning: the weights' own model, whatever it is, and all of its tensors
short runs/train/yolov8n-p2/weights/best.safetensors again
says out "Transferred 367/367 items"
[ ! -s err ] || fail "a warning where all weights fit"

# ---- weights of another family: nearly nothing fits, which is said
short yolov8n other --weights runs/train/yolov5nu/weights/best.safetensors
says err "of the 298 tensors of yolov8n are in runs/train/yolov5nu/weights/best.safetensors"
says err "vigil info says of which"

# ---- a run of the Python tool is not gone on with
mkdir -p theirs/weights
cp "$weights" theirs/weights/last.pt
run 1 train --resume theirs
is_error "a checkpoint of the Python tool, whose run cannot be resumed here"
says err "vigil train --weights theirs/weights/last.pt --data"
run 1 train --resume theirs/weights/last.pt
is_error "a checkpoint of the Python tool, whose run cannot be resumed here"

# ---- names that are none
for row in "yolov9c YOLOv9 detection" "yolo12n.yaml YOLO12 detection" "yolo26n YOLO26 detection" "yolov10n YOLOv10 detection" \
    "yolov8n-seg.yaml YOLOv8 segmentation" "yolov8n-pose YOLOv8 pose" "rtdetr-l RT-DETR detection"; do
    run 2 info "${row%% *}"
    says err "no such model: ${row#* } is not run here"
    says err "yolov8n-p2.yaml"
done
run 2 info yolov8z
grep -qx "error: no such model" err || fail "a name that is none is said to be something"

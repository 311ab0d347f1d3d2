#!/bin/sh
# demo.sh: from a fresh clone to boxes on pictures, on data that this machine draws itself.
# Builds vigil (setup.sh), draws street scenes, and predicts on them with the weights of the tests. Those weights are
# random, not trained: the boxes mean nothing, but the time and the memory are those of a trained YOLO11n.
set -eu
cd "$(dirname "$0")"

n_pictures=8
weights=tests/golden/yolo11n_random.pt
pictures=runs/demo-pictures

./setup.sh
mkdir -p "$pictures"
build/make_pictures "$pictures" $n_pictures >/dev/null

cat <<TEXT

$n_pictures drawn pictures in $pictures, predicted with untrained weights ($weights):
the boxes mean nothing, the timing and the memory do.

TEXT
set -x
build/vigil predict --weights "$weights" --source "$pictures" --imgsz 640 --save --save-json \
    --project runs --name demo --exist-ok

#!/bin/sh
# Our own validation, again and again. vigil_val.sh PYTHON HERE VIGIL
"$1" -c "import sys; sys.path.insert(0, '$2'); import drawn_data; drawn_data.make('data')" || exit 77
"$3" train --model yolo11n.yaml --data data/data.yaml --epochs 1 --imgsz 96 --batch 8 --threads 1 --workers 1 --project runs >train.log 2>&1 || exit 1
weights=$(find runs -name 'last.*' | head -n 1)
exec timeout -s INT "$REAL_S" sh -c 'while :; do "$1" val --weights "$2" --data data/data.yaml --imgsz 96 --threads 1 >val.log 2>&1 || exit 1; done' sh "$3" "$weights"

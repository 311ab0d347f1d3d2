#!/bin/sh
# Our own training on drawn pictures. vigil_train.sh PYTHON HERE VIGIL
"$1" -c "import sys; sys.path.insert(0, '$2'); import drawn_data; drawn_data.make('data')" || exit 77
exec timeout -s INT "$REAL_S" "$3" train --model yolo11n.yaml --data data/data.yaml --epochs 2000 --patience 0 --imgsz 96 --batch 8 --threads 1 --workers 2 --project runs

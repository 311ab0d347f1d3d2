#!/bin/sh
# Our own prediction on a drawn video, with weights of a training of one epoch. vigil_predict.sh VIGIL
ffmpeg -nostdin -loglevel error -f lavfi -i testsrc=size=320x240:rate=30 -t 3 -c:v mpeg4 v.mp4 &&
    ffmpeg -nostdin -loglevel error -f lavfi -i testsrc=size=96x96:rate=4 -t 2 data-%d.png &&
    mkdir -p data/images data/labels && mv data-*.png data/images || exit 77
for i in 1 2 3 4 5 6 7 8; do echo "0 0.5 0.5 0.3 0.3" >data/labels/data-$i.txt; done
printf 'path: %s/data\ntrain: images\nval: images\nnames: {0: x}\n' "$PWD" >data/data.yaml
"$1" train --model yolo11n.yaml --data data/data.yaml --epochs 1 --imgsz 96 --batch 8 --threads 1 --workers 1 --project runs >train.log 2>&1 || exit 1
yes "$PWD/v.mp4" | head -100 >list.txt
exec timeout -s INT "$REAL_S" "$1" predict --weights "$(ls runs/*/weights/last.* runs/*/*/weights/last.* 2>/dev/null | head -n 1)" --source list.txt --imgsz 192 --threads 1 --project out

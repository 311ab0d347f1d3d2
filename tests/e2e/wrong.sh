#!/bin/sh
# wrong.sh BUILD SOURCE: one rule for exit statuses. 2: what was asked for is wrong; 1: it was right and could not be done.
# Whatever it is, the error says what, where there is a place where, and what to try.
set -eu
. "$(dirname "$0")/lib.sh"

# wrong STATUS WORD...: its standard error begins with what is wrong, and says what to try.
wrong() {
    run "$@"
    [ ! -s out ] || fail "an error, and yet standard output is not empty: vigil $*"
    grep -qE '^error: [^ ].{7,}$' err || fail "no words for what is wrong: vigil $*"
    grep -qE '^  try: [^ ].+$' err || fail "nothing to try: vigil $*"
    [ "$(grep -c '^error: ' err)" = 1 ] || fail "several errors for one: vigil $*"
    [ ! -e runs ] || fail "$(find runs) was left behind: vigil $*"
}

training_set
pictures pics 1
picture=$(ls -d pics/*)
w="--weights $weights"
printf '0 0.5 0.5 0.2 0.2\n' >label.txt
mkdir -p empty

# ---- of every command
for command in predict track check train attach stop val demo watch report info data convert version help; do
    wrong 2 $command --zebra
    wrong 2 $command --zebra=1
    wrong 2 $command zebra=1
    wrong 2 $command -z
done
for word in zebra export settings segment --zebra ""; do
    wrong 2 "$word"
done

# ---- predict: the command line is wrong
wrong 2 predict
wrong 2 predict $w
wrong 2 predict --source "$picture"
for option in --imgsz --conf --classes --device --policy --zones; do
    wrong 2 predict $w --source "$picture" $option
done
for option in imgsz=big imgsz=7 imgsz=480,640,3 imgsz=480,7 conf=2 conf=x iou=-1 max_det=0 classes=x classes=80 classes=-1 batch=0 threads=-1 \
    device=tpu device=opencl: isa=sse9 memory_limit=lots save=maybe line_width=-1 policy=latest zones=z.yaml show=True track=True \
    visualize=True embed=1 nms=True save_frames=True epochs=3 task=segment mode=train prove_flat=0; do
    wrong 2 predict $w --source "$picture" $option
done
live="predict $w --imgsz 64 --source lavfi:testsrc2=size=64x48"
for option in imgsz=64,7 conf=2 vid_stride=0 policy=often exit_on_end=perhaps duration=never retry_first=-1 token=x mqtt_qos=3 mqtt=here \
    webhook=here serve=here save_conf=True classes=80 segment_bytes=big tracker=other device=cuda input_format=mjpeg; do
    wrong 2 $live $option
done
wrong 2 track $w --source "$picture"
wrong 2 predict $w --source "$picture" tracker=foo
wrong 2 predict $w --source "$picture" tracker=foo.yaml
for word in benchmark checks settings copy-cfg cfg tune solutions hub login logout; do
    wrong 2 $word
    wrong 2 yolo $word
    wrong 2 yolo detect $word model=x.pt
    wrong 2 yolo mode=$word
done
wrong 2 yolo benchmark model=x.pt imgsz=640
grep -q '^  try: vigil bench --weights FILE ' err || fail "benchmark is not told of vigil bench"
for option in quantize=8 quantize=int8 quantize=w8a8 quantize=4 int8=True; do
    wrong 2 export $w imgsz=32 output=x.onnx $option
done
wrong 2 train --data data.yaml --model yolo11n quantize=8

# ---- predict: the world is not as it should be
wrong 1 predict --weights nope.pt --source "$picture"
wrong 1 predict --weights data.yaml --source "$picture"
wrong 1 predict $w --source nope
wrong 1 predict $w --source 'nope/*.jpg'
wrong 1 predict $w --source empty
wrong 1 predict $w --source nope.mp4
wrong 1 predict $w --source "$picture" --memory-limit 1M
wrong 1 predict --config nope.yaml
printf 'weights: %s\nsource: pics\nzebra: 1\n' "$weights" >job.yaml
wrong 1 predict --config job.yaml
wrong 1 $live --zones nope.yaml

# ---- train and val
wrong 2 train
wrong 2 train --model yolo11n
wrong 2 train --data data.yaml
wrong 2 train --data data.yaml --model yolo11q
for option in epochs=0 epochs=many batch=0 imgsz=480,640 optimizer=other cache=tape lr0=x freeze=a classes=9 classes=x device=tpu device_lost=no gpu_memory_limit=much workers=-1 \
    split=tst time=-1 time=long cutmix=0.5 save_txt=True fraction=2 memory_limit=much patience=-1; do
    wrong 2 train --data data.yaml --model yolo11n.yaml $option
done
wrong 1 train --data nope.yaml --model yolo11n
wrong 1 train --data label.txt --model yolo11n
wrong 1 train --data data.yaml --weights nope.pt
wrong 1 train --data data.yaml --model yolo11n --memory-limit 1M
wrong 1 train --resume nope
wrong 1 train --resume
wrong 2 train --resume nope --epochs 3
wrong 2 val
wrong 2 val --data data.yaml
wrong 2 val $w
for option in split=tst split=test imgsz=7 imgsz=640,7 conf=2 iou=x max_det=0 ap=8.5 batch=0 workers=-1 device=cuda classes=0 save_txt=True; do
    wrong 2 val --data data.yaml $w $option
done
wrong 1 val --data nope.yaml $w
wrong 1 val --data data.yaml --weights nope.pt

# ---- the others
wrong 2 check
wrong 1 check nope.yaml
wrong 2 info
wrong 2 info yolo11q
wrong 2 info yolo11n --imgsz 7
wrong 2 info yolo11n --train
wrong 1 info nope.pt
wrong 2 convert $w
wrong 2 convert $w --output a.pt
wrong 2 convert $w --output "$weights"
wrong 1 convert --weights nope.pt --output a.safetensors
wrong 2 predict --weights "$weights" --source push:cam
wrong 2 stop
wrong 1 stop nope
wrong 1 attach nope
wrong 1 attach
wrong 2 report
wrong 2 report nope --json --text
wrong 1 report nope
wrong 2 demo --epochs 0
wrong 2 watch
wrong 2 watch --pid x
wrong 2 watch --pid 1 -- true
wrong 2 watch --interval never -- true
wrong 2 watch --on-leaking dance -- true
wrong 2 watch --serve here -- true
wrong 1 watch --pid 4194303
wrong 1 watch --config nope.yaml -- true
wrong 1 watch --replay nope.csv
wrong 1 watch -- /no/such/program
done_well

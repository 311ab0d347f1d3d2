#!/bin/sh
# export.sh BUILD SOURCE: models written for other programs: what is said, where the file goes, what is refused, and that
# nothing half-written is left.
set -eu
. "$(dirname "$0")/lib.sh"
cp "$weights" best.pt
export SOURCE_DATE_EPOCH=1700000000

# Beside the weights, as the words of both programs have it.
run 0 export --weights best.pt --imgsz 160
says out "wrote best.onnx: yolo11n, images (1, 3, 160, 160), output0 (1, 84, 525), "
cp best.onnx first.onnx
run 0 yolo detect export model=best.pt format=onnx imgsz=160 simplify=True
cmp -s best.onnx first.onnx || fail "the same export twice differs"
says err "simplify"
run 0 export best.pt --format ONNX --output other.onnx
says out "images (1, 3, 320, 320), output0 (1, 84, 2100)" # as the weights were trained
says err "imgsz 320, as the weights were trained"
run 0 export best.pt --imgsz 150,200 --batch 2 --output other.onnx
says out "images (2, 3, 160, 224), output0 (2, 84, 735)"
says err "raised to 160,224"
run 0 export best.pt --imgsz 160 --dynamic --half --output half.onnx
says out "images (batch, 3, height, width), output0 (batch, 84, anchors)"
[ "$(wc -c <half.onnx)" -lt 6000000 ] || fail "half is no smaller"
run 0 export best.pt --imgsz 160 --nms --max-det 50 --output nms.onnx
says out "output0 (1, 50, 6)"
grep -q NonMaxSuppression nms.onnx || fail "--nms suppresses nothing"
# Weights of the other kind are the same model.
run 0 convert --weights best.pt --output best.safetensors
run 0 export best.safetensors --imgsz 160
cmp -s best.onnx first.onnx || fail ".safetensors gives another file than .pt"

# A checkpoint for the Python tool: read again, the same model, which predicts the same.
run 2 export best.pt --format pt
is_error "is the file that is read"
run 2 export best.pt --format pt --nms --output again.pt
is_error "it has no nms"
run 0 export best.safetensors --format pt --output again.pt
says out "wrote again.pt: yolo11n, a checkpoint of 80 classes, "
pictures pics 2
run 0 predict --weights best.pt --imgsz 160 --threads 2 --source pics --json --no-save
cp out want.jsonl
run 0 predict --weights again.pt --imgsz 160 --threads 2 --source pics --json --no-save
cmp -s out want.jsonl || fail "again.pt gives other boxes"

# A training that writes them itself, within its plan.
training_set
small --epochs 1 --name pt --save-pt >out 2>err || fail "train --save-pt"
for name in best last; do
    run 0 info "runs/train/pt/weights/$name.pt"
    says out "classes      2: box, ball"
    says out "format       pt"
done
run 0 export runs/train/pt/weights/best.safetensors --format pt --output from_best.pt
cmp -s from_best.pt runs/train/pt/weights/best.pt || fail "train and export write other checkpoints"

# What is wrong with the command line.
run 2 export
is_error "vigil export needs FILE"
run 2 export best.pt --opset 11
is_error "11 is outside 12..21"
run 2 export best.pt --opset 22
is_error "22 is outside 12..21"
run 2 export best.pt --format onxx
is_error 'no format "onxx"'
says err "did you mean onnx?"
run 2 export best.pt --output best.bin
is_error "does not end in .onnx"
ln -s best.onnx linked.onnx
cp best.pt weights.onnx
run 2 export weights.onnx
is_error "is the file that is read"
for format in torchscript openvino engine coreml saved_model pb tflite edgetpu tfjs paddle mnn ncnn imx rknn executorch axelera; do
    run 2 export best.pt format=$format
    is_error "vigil does not write $format: "
    says err "best"
done
run 2 export best.pt format=engine
says err "trtexec --onnx=best.onnx --saveEngine=best.engine"

# What cannot be done leaves the file that was there.
echo old >kept.onnx
echo "no weights" >bad.pt
run 1 export bad.pt --output kept.onnx
is_error ""
run 1 export nope.pt
is_error "No such file"
run 1 export best.pt --imgsz 160 --output nowhere/a.onnx
is_error "nowhere"
run 1 export best.safetensors --imgsz 160 --output kept.onnx --memory-limit 1M
is_error "the plan needs"
if [ "$(id -u)" != 0 ]; then
    mkdir closed
    chmod 500 closed
    run 1 export best.pt --imgsz 160 --output closed/a.onnx
    is_error "closed/a.onnx"
fi
# A file may not grow past 4 MB: as a full disk, for the program that writes.
got=0
(
    trap '' XFSZ
    ulimit -f 8000
    exec "$vigil" export best.pt --imgsz 160 --output kept.onnx
) >out 2>err || got=$?
equal "$got" 1 "exit status when there is no room"
is_error "cannot write"
equal "$(cat kept.onnx)" old "the file that was there"
[ "$(find . -name '*tmp*' | wc -l)" = 0 ] || fail "a temporary file was left behind"

done_well

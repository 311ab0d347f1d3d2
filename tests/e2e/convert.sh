#!/bin/sh
# convert.sh BUILD SOURCE: weights converted are the same weights: the same boxes to the last digit.
set -eu
. "$(dirname "$0")/lib.sh"
pictures pics 3

run 0 convert --weights "$weights" --output a.safetensors
says out "wrote a.safetensors: yolo11n, 2,624,080 parameters, 80 classes, 499 tensors"
says out "MB"
predict 0 --source pics --json --no-save
cp out from_pt.jsonl
[ -s from_pt.jsonl ] || fail "no boxes to compare"
run 0 predict --weights a.safetensors --imgsz 160 --threads 2 --source pics --json --no-save
cmp -s out from_pt.jsonl || fail "a.safetensors gives other boxes than the .pt"
run 0 convert model=a.safetensors output=b.safetensors
cmp -s a.safetensors b.safetensors || fail "a conversion of a conversion differs"

# Never onto itself, whatever its name.
run 2 convert --weights a.safetensors --output ./a.safetensors
is_error "would overwrite it"
ln -s a.safetensors c.safetensors
run 2 convert --weights a.safetensors --output c.safetensors
is_error "would overwrite it"
cmp -s a.safetensors b.safetensors || fail "the input was touched"

# What cannot be read or written leaves what was there.
echo old >old.safetensors
echo "no weights" >bad.pt
run 1 convert --weights bad.pt --output old.safetensors
is_error ""
equal "$(cat old.safetensors)" old "the file that was there"
run 1 convert --weights "$weights" --output nowhere/a.safetensors
is_error ""
head -c 100000 a.safetensors >short.safetensors
run 1 predict --weights short.safetensors --source pics
is_error "short.safetensors"
[ "$(find . -name '*tmp*' | wc -l)" = 0 ] || fail "a temporary file was left behind"

done_well

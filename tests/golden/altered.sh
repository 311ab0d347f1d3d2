#!/bin/sh
# altered.sh VIGIL_GOLDEN DIR: a checker that passes everything would be worthless. A golden file of each kind, with its
# last value altered, must fail; so must a truncated one; a strange one must be skipped, and counted.
set -eu
golden=$1
files=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n_wrong=0

# run NAME STATUS WORDS: the checker on $work/dir must end with STATUS and say WORDS.
run() {
    status=0
    "$golden" "$work/dir" >"$work/out" 2>&1 || status=$?
    if [ "$status" -ne "$2" ] || ! grep -q "$3" "$work/out"; then
        echo "wrong: $1: exit status $status, wanted $2 and \"$3\":"
        cat "$work/out"
        n_wrong=$((n_wrong + 1))
    else
        echo "as it should: $1"
    fi
    rm -rf "$work/dir"
}

# fresh FILE...: a folder with copies of these.
fresh() {
    rm -rf "$work/dir"
    mkdir "$work/dir"
    for name in "$@"; do
        cp "$files/$name" "$work/dir/"
        chmod u+w "$work/dir/$name"
    done
}

# alter FILE: its last four bytes become a large number, in whatever type.
alter() {
    size=$(wc -c <"$work/dir/$1")
    printf '\177\177\177\176' | dd of="$work/dir/$1" bs=1 seek=$((size - 4)) conv=notrunc 2>"$work/dd"
}

for file in generator_check forward_s_96 fused_n_sample letterbox nms predict_e2e ciou loss_a_regular loss_d_no_objects \
    metrics augment schedule train_n_nc3_64_lr5e-4 forward_yolov5n_64x96 train_yolov8n-p2_nc3_64; do
    fresh $file.safetensors
    run "$file as it is" 0 '1 checked .* 0 of them failed'
    fresh $file.safetensors
    alter $file.safetensors
    run "$file with one value altered" 1 FAIL
done

fresh forward_n_320_fp16weights.safetensors forward_n_320.safetensors yolo11n_random.pt
alter forward_n_320_fp16weights.safetensors
run "forward of a .pt with one value altered" 1 '1 of them failed'
fresh forward_n_320_fp16weights.safetensors
run "forward of a .pt without the .pt" 1 'yolo11n_random.pt'

# Byte 3,000,000 of the checkpoint lies within a large weight tensor.
fresh yolo11n_random.pt
run ".pt alone" 0 'found by trial'
fresh yolo11n_random.pt
printf '\001' | dd of="$work/dir/yolo11n_random.pt" bs=1 seek=3000000 conv=notrunc 2>"$work/dd"
run ".pt with one byte altered" 1 'FAIL'

fresh nms.safetensors
head -c 50000 "$files/nms.safetensors" >"$work/dir/nms.safetensors"
run "a truncated file" 1 FAIL

# 64 bytes of header, one float.
fresh
printf '\100\0\0\0\0\0\0\0%-64s\0\0\200\077' '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' >"$work/dir/strange.safetensors"
run "a file of no kind" 1 '1 unknown, skipped'
fresh
run "an empty folder" 1 'nothing was checked'
fresh ciou.safetensors
printf '\100\0\0\0\0\0\0\0%-64s\0\0\200\077' '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' >"$work/dir/strange.safetensors"
run "a file of no kind among others" 0 '1 unknown, skipped'

status=0
"$golden" >"$work/out" 2>&1 || status=$?
[ $status -eq 2 ] || { echo "wrong: no argument gives exit status $status"; n_wrong=$((n_wrong + 1)); }
status=0
"$golden" "$work/none" >"$work/out" 2>&1 || status=$?
[ $status -eq 2 ] || { echo "wrong: a folder that is not there gives exit status $status"; n_wrong=$((n_wrong + 1)); }
[ $n_wrong -eq 0 ]

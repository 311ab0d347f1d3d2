#!/bin/sh
# gpu_train.sh BUILD SOURCE: a training on a device: its losses beside the CPU's, memory that was planned and is held, a run that is
# killed and resumed there to the same bits, resumed elsewhere, and what is refused before it starts; the same with amp.
# The device is VIGIL_TEST_DEVICE's, else opencl:0 (PoCL's).
set -eu
. "$(dirname "$0")/lib.sh"
unset CUDA_VISIBLE_DEVICES OCL_ICD_VENDORS
device=${VIGIL_TEST_DEVICE:-opencl:0}
if ! "$vigil" devices | grep -q "^$device "; then
    echo "skipped: there is no device $device (apt-get install pocl-opencl-icd)"
    exit 77
fi
training_set
arguments="--data data.yaml --model yolo11n --imgsz 64 --batch 4 --epochs 2 --workers 1 --threads 1 --no-plots --project p --no-amp"

# tensors FILE: all of a weights file but its metadata, which have dates and names.
tensors() { python3 -c '
import json, sys
f = open(sys.argv[1], "rb")
n = int.from_bytes(f.read(8), "little")
head = json.loads(f.read(n))
rest = f.read()
for key in sorted(k for k in head if k != "__metadata__"):
    begin, end = head[key]["data_offsets"]
    sys.stdout.buffer.write(key.encode() + rest[begin:end])
' "$1" | cksum; }
losses() { cut -d, -f1,3-5,10-12 "p/$1/results.csv"; }
# near ONE OTHER: losses of the first epoch within 1 part in 1000, of the second within 1 in 50, and the figures' last digits: Adam's first
# steps are as large for the smallest gradient as for the largest, so what rounding makes of those shows.
near() {
    losses "$1" >one.csv
    losses "$2" >other.csv
    paste -d, one.csv other.csv | awk -F, 'NR > 1 { for (i = 1; i <= NF / 2; i++) { d = $i - $(i + NF / 2); if (d < 0) d = -d
        if (d > (NR == 2 ? 1e-3 : 0.02) * $i + 5e-5) exit 1 } n++ } END { exit n < 2 }' || fail "$1 and $2 differ: $(paste one.csv other.csv)"
    n_checks=$((n_checks + 1))
}

# ---- refused before the start, with the sum; nothing is left behind
run 1 train $arguments --device "$device" --gpu-memory-limit 10M
is_error 'a run with batches of 4 needs'
says err 'of the GPU (GPU model'
says err 'the limit is 10.0 MB'
[ ! -e p ] || fail "a run that was refused left a folder"
run 0 info yolo11n --memory --train --imgsz 64 --batch 4 --device "$device"
says out 'sum of GPU'
for what in weights gradients 'optimizer AdamW' 'average (EMA)' scratch; do
    grep -q "^  GPU  *$what  " out || fail "no row of the GPU's $what"
done

# ---- the CPU's losses
run 0 train $arguments --name cpu --device cpu
run 0 train $arguments --name whole --device "$device"
says out "device $device: "
planned=$(sed -n 's/^GPU memory: planned \([0-9.]* [KMG]*B\) (weights.*/\1/p' out)
[ -n "$planned" ] || fail "no plan of the GPU's memory"
grep -q "^GPU memory: planned $planned (GPU model .*), in use $planned" out || fail "the GPU's memory is not what was planned: $planned"
activations() { sed -n 's/^GPU memory: planned .*GPU activations \([0-9.]*\) MB.*/\1/p' out; }
all=$(activations)
near cpu whole

# ---- killed behind its first epoch and resumed there, and on the CPU; begun on the CPU and resumed there
killed() {
    "$vigil" train $arguments --name "$1" --device "$2" >killed.out 2>&1 &
    pid=$!
    while [ ! -e "p/$1/weights/last.safetensors" ]; do
        kill -0 $pid 2>/dev/null || fail "the run ended before it was killed: $(cat killed.out)"
        sleep 0.05
    done
    kill -KILL $pid
    wait $pid 2>/dev/null || true
}
killed begun "$device"
cp -r p/begun p/moved
run 0 train --resume p/begun
equal "$(tensors p/begun/weights/best.safetensors)" "$(tensors p/whole/weights/best.safetensors)" "best weights of a resumed run"
equal "$(losses begun)" "$(losses whole)" "losses of a resumed run"
run 0 train --resume p/moved --device cpu
says_not out 'device opencl'
near cpu moved
killed back cpu
run 0 train --resume p/back --device "$device"
says out "device $device: "
near cpu back

# ---- with amp, which is what one gets: less memory, losses near, and resumed to the same bits
arguments="${arguments% --no-amp}"
run 0 train $arguments --name mixed --device "$device"
less=$(activations)
awk "BEGIN { exit !($less > 0 && $less < 0.9 * $all) }" || fail "amp's activations and scratch take $less MB, float32's $all MB"
n_checks=$((n_checks + 1))
says_not err 'amp'
losses mixed >one.csv
losses cpu >other.csv
paste -d, one.csv other.csv | awk -F, 'NR > 1 { for (i = 1; i <= 3; i++) { d = $i - $(i + NF / 2); if (d < 0) d = -d
    if (d > 0.1 * $i) exit 1 } n++ } END { exit n < 2 }' || fail "amp's losses are far off: $(paste one.csv other.csv)"
killed stopped "$device"
run 0 train --resume p/stopped
equal "$(tensors p/stopped/weights/best.safetensors)" "$(tensors p/mixed/weights/best.safetensors)" "best weights of a resumed run with amp"
equal "$(losses stopped)" "$(losses mixed)" "losses of a resumed run with amp"
run 0 train $arguments --name note --device cpu --amp --epochs 1
says err 'amp has no effect here: a CPU trains in float32'

# ---- other tasks, whose loss is made on the CPU of what comes down: the CPU's numbers, and memory as planned
for task in segment:seg classify:cls; do
    name=${task%:*}
    "$vigil" demo --task "$name" --pictures 8 --val-pictures 4 --epochs 1 --imgsz 64 --folder "$name" >draw.log 2>&1 || true
    data=$name/dataset/dataset.yaml
    [ -e "$data" ] || data=$name/dataset
    of_task="--data $data --model yolo11n-${task#*:} --imgsz 64 --batch 4 --epochs 2 --threads 1 --no-plots --project p"
    run 0 train $of_task --name "$name-cpu" --device cpu
    run 0 train $of_task --name "$name-gpu" --device "$device" --no-amp
    planned=$(sed -n 's/^GPU memory: planned \([0-9.]* [KMG]*B\) (GPU model.*/\1/p' out)
    grep -q "^GPU memory: planned $planned (GPU model .*), in use $planned" out || fail "$name: the GPU's memory is not what was planned"
    for run in cpu gpu; do sed -n '2s/^1,[^,]*,\([^,]*\),\([^,]*\),.*/\1 \2/p' "p/$name-$run/results.csv"; done | awk '
        { for (i = 1; i <= 2; i++) { if (NR == 1) first[i] = $i; else { d = $i - first[i]; if (d < 0) d = -d; if (d > 2e-3 * first[i] + 5e-5) exit 1 } } }
        END { exit NR != 2 }' || fail "$name: losses differ"
    n_checks=$((n_checks + 2))
    run 0 train $of_task --name "$name-mixed" --device "$device"
done

# ---- its weights, and a batch that is chosen by what the device has
run 0 val --weights p/whole/weights/best.safetensors --data data.yaml --imgsz 64 --device "$device" --no-plots
run 0 info yolo11n --memory --train --imgsz 64 --batch -1 --device "$device" --gpu-memory-limit 70M --json
"$build/tests/json_check" any out || fail "info --train --json is no JSON"
small=$(sed -n 's/.*"training": {"batch": \([0-9]*\),.*/\1/p' out)
run 0 info yolo11n --memory --train --imgsz 64 --batch -1 --device "$device" --gpu-memory-limit 90M --json
[ "$(sed -n 's/.*"training": {"batch": \([0-9]*\),.*/\1/p' out)" -gt "$small" ] || fail "more of the GPU's memory is no larger batch"
done_well

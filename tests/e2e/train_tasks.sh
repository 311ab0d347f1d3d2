#!/bin/sh
# train_tasks.sh BUILD SOURCE: a small training of segment, pose, obb and classify on drawn pictures, once in one go and once
# interrupted and resumed: the same numbers in results.csv, all of them numbers.
set -eu
vigil=$1/vigil
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
n_failed=0

bad() {
    echo "FAIL $*"
    n_failed=$((n_failed + 1))
}

for pair in segment:seg pose:pose obb:obb classify:cls; do
    task=${pair%:*}
    # Draws the data; what it trains and detects does not matter here.
    "$vigil" demo --task "$task" --pictures 12 --val-pictures 6 --epochs 1 --imgsz 64 --folder "$task" >draw.log 2>&1 || true
    data=$task/dataset/dataset.yaml
    [ -e "$data" ] || data=$task/dataset
    train() {
        "$vigil" train data="$data" model="yolo11n-${pair#*:}.yaml" imgsz=64 epochs=5 batch=6 seed=0 plots=false workers=1 \
            project=. name="$1" >"$1.log" 2>&1
    }
    train "$task-a" || bad "$task: $(tail -3 "$task-a.log")"
    train "$task-b" &
    pid=$!
    until [ "$(cat "$task-b/results.csv" 2>/dev/null | wc -l)" -ge 2 ] || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
    kill -INT $pid 2>/dev/null || true
    wait $pid || true
    [ "$(wc -l <"$task-b/results.csv")" -ge 6 ] ||
        "$vigil" train resume="$task-b/weights/last.safetensors" >"$task-r.log" 2>&1 || bad "$task: $(tail -3 "$task-r.log")"
    cut -d, -f1,3- "$task-a/results.csv" >a.csv
    cut -d, -f1,3- "$task-b/results.csv" >b.csv
    cmp -s a.csv b.csv || bad "$task: resumed to other numbers"
    [ "$(wc -l <a.csv)" -eq 6 ] || bad "$task: $(wc -l <a.csv) lines of results"
    ! grep -qi nan a.csv || bad "$task: no numbers"
    "$vigil" bench --weights "$task-a/weights/last.safetensors" --imgsz 64 --repeats 1 --json >bench.json 2>bench.err ||
        bad "$task: bench: $(cat bench.err)"
    "$1/tests/json_check" any bench.json || bad "$task: bench --json is no JSON"
    echo "as it should: $task"
done
[ "$n_failed" -eq 0 ] || exit 1

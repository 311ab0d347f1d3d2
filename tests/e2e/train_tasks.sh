#!/bin/sh
# train_tasks.sh BUILD SOURCE: a small training of segment, pose, obb and classify on drawn pictures, once in one go and once
# interrupted and resumed: the same numbers in results.csv, all of them numbers. Then a validation that writes what it found.
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
    "$vigil" export --weights "$task-a/weights/best.safetensors" --format onnx --output m.onnx >export.log 2>&1 ||
        bad "$task: $(cat export.log)"
    grep -q ": yolo11n-${pair#*:}, images (1, 3, 64, 64), output0 (1, " export.log || bad "$task: $(cat export.log)"
    [ "$task" != segment ] || grep -q ", output1 (1, 32, 16, 16), " export.log || bad "$task: $(cat export.log)"
    # What the list of objects holds beside the category; a class of a whole picture is no object.
    case $task in
    segment) fields='"bbox": \[.*"score": .*"segmentation": {"size": \[.*"counts": "' ;;
    pose) fields='"bbox": \[.*"keypoints": \[.*"score": ' ;;
    obb) fields='"score": .*"rbox": \[.*"poly": \[' ;;
    classify) fields= ;;
    esac
    val() {
        "$vigil" val --data "$data" --weights "$task-a/weights/best.safetensors" --no-plots --project . --name "$task-v" \
            --exist-ok --save-txt --save-conf "$@" >"$task-v.log" 2>&1
    }
    if [ -n "$fields" ]; then
        val --conf 0.0001 --save-json || bad "$task: $(tail -3 "$task-v.log")"
        { printf '{"list": ' && cat "$task-v/predictions.json" && printf '}'; } >whole.json
        "$1/tests/json_check" any whole.json >/dev/null || bad "$task: predictions.json is no JSON"
        [ "$(grep -c "\"image_id\".*$fields" "$task-v/predictions.json")" -eq \
            "$(grep -c image_id "$task-v/predictions.json")" ] || bad "$task: $(head -c 300 "$task-v/predictions.json")"
        grep -q "^mAP is" "$task-v.log" || bad "$task: nothing is said of mAP"
        [ "$task" != obb ] || [ "$(cat "$task-v"/predictions_txt/Task1_*.txt | wc -l)" -eq \
            "$(grep -c image_id "$task-v/predictions.json")" ] || bad "$task: $(wc -l "$task-v"/predictions_txt/*)"
    else
        ! val --save-json || bad "$task: predictions.json of no objects"
        grep -q "predictions.json is a list of objects" "$task-v.log" || bad "$task: $(cat "$task-v.log")"
        val || bad "$task: $(tail -3 "$task-v.log")"
        [ "$(find "$task-v/labels" -name '*.txt' | wc -l)" -eq 6 ] || bad "$task: $(find "$task-v/labels" | wc -l) labels"
        ! grep -q "^mAP is" "$task-v.log" || bad "$task: mAP of whole pictures"
    fi
    [ -d "$task-v/labels" ] || bad "$task: no labels"
    echo "as it should: $task"
done
[ "$n_failed" -eq 0 ] || exit 1

#!/bin/sh
# names.sh BUILD SOURCE: names and texts that hold a terminal's sequences, C1 controls, overrides of direction, line ends
# and bytes that are no UTF-8, in every place that outside words come from. None reaches a terminal, a file or a page raw.
set -eu
. "$(dirname "$0")/lib.sh"

evil=$(printf 'a\033]0;t\007\033[31m\342\200\256\302\2331m\nb')
bytes=$(printf '%s\377\300\257\355\240\200' "$evil")
raw=$(printf '\033\\|\007\\|\342\200\256\\|\302\233\\|\377\\|\355\240\200')

# clean FILE...: nothing in them is acted upon. Line ends are looked at by `says_not`, where they would matter.
clean() {
    for file in "$@"; do
        [ -f "$file" ] || fail "$file is not there"
        if LC_ALL=C grep -aq "$raw" "$file"; then
            fail "raw bytes in $file: $(LC_ALL=C grep -a "$raw" "$file" | head -n 3 | cat -v)"
        fi
        iconv -f UTF-8 -t UTF-8 "$file" >/dev/null 2>&1 || fail "$file is no UTF-8"
        n_checks=$((n_checks + 1))
    done
}
# A line that begins with what stood behind the name's line end would be a line of the name's own.
said() {
    clean "$tmp/out" "$tmp/err"
    if grep -q '^b' "$tmp/out" "$tmp/err"; then fail "a name has made a line of its own"; fi
}

# told ARGUMENT...: vigil with these, which fail, in whatever status, and say why.
told() {
    got=0
    "$vigil" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
    { [ "$got" = 1 ] || [ "$got" = 2 ]; } || fail "exit status $got: vigil $*"
}

# Words of the command line.
for word in "$evil" "$bytes"; do
    told "$word"
    said
    told predict "--$word"
    said
    told predict --weights "$weights" --source x --imgsz "$word"
    said
    told predict --weights "$word.pt" --source x
    said
    told predict --weights "$weights" --source "$word.jpg"
    said
    told info "$word"
    said
    told report "$word"
    said
    told stop "$word"
    said
    told track --weights "$weights" --source "lavfi:$word" --imgsz 32 --no-save --duration 1s
    said
done

# Names of files and folders.
pictures pics 1
mkdir "$evil"
cp pics/scene_0.bmp "$evil/$bytes.bmp"
echo junk >"$evil/$evil.jpg"
told predict --weights "$weights" --imgsz 64 --source "$evil" --save-json --project "$evil" --name one
said
clean "$evil/one/predictions.jsonl"
told predict --weights "$weights" --imgsz 64 --source "$evil" --no-save --json
said
told info "$evil/$evil.jpg"
said

# Names of classes and text of labels.
mkdir -p set/images set/labels
cp pics/scene_0.bmp "set/images/one.bmp"
cp pics/scene_0.bmp "set/images/two.bmp"
printf '0 0.5 0.5 %s 0.1\n' "$(printf '%s' "$bytes" | tr -d '\n')" >set/labels/one.txt
printf '0 0.5 0.5 0.3 0.3\n' >set/labels/two.txt
printf 'path: %s\ntrain: images\nval: images\nnames: ["a\\e]0;t\\x07\\u202e\\x9b1m\\nb", "../../up"]\n' "$tmp/set" >data.yaml
run 0 train --data data.yaml --model yolo11n.yaml --epochs 1 --batch 1 --imgsz 32 --workers 1 --threads 1 --no-plots \
    --project trained --name one
said
says err 'set/labels/one.txt:1'
clean trained/one/args.yaml trained/one/results.csv
run 0 info trained/one/weights/best.safetensors
said
run 0 val --data data.yaml --weights trained/one/weights/best.safetensors --imgsz 32 --no-plots --project trained --name two
said
run 0 predict --weights trained/one/weights/best.safetensors --imgsz 64 --conf 0.00001 --source pics --save-crop --save-json \
    --project trained --name three
said
clean trained/three/predictions.jsonl
[ ! -e trained/three/up ] && [ ! -e trained/up ] || fail "a class name left the run folder"
find trained/three >found
clean found

# What a guarded job is called.
run 0 watch --interval 100ms --name job --record --view off -- sh -c 'sleep 0.3' "$bytes"
said
run 0 report runs/watch/job
clean out err runs/watch/job/report.html runs/watch/job/events.jsonl
run 0 report runs/watch/job --json
said
done_well

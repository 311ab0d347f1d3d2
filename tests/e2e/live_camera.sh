#!/bin/sh
# live_camera.sh BUILD SOURCE: a camera of this machine (V4L2), unplugged, plugged in again, standing still, in raw pictures and
# in JPEGs. The camera is tests/live/fake_camera.c, which answers FFmpeg as the kernel would.
set -eu
. "$(dirname "$0")/lib.sh"
. "$source/tests/live/live.sh"
# A library without the sanitizer cannot be preloaded into a program with it.
[ -z "${VIGIL_SANITIZED:-}" ] || { echo "skipped: a sanitizer's build"; exit 77; }
needs ffmpeg
cam=$tmp/cam
mkdir "$cam"

# watch NAME ARGUMENT...: vigil on the camera, in the background; its process is $watch_NAME.
watch() {
    name=$1
    shift
    back "$name" env FAKE_CAMERA="$cam" LD_PRELOAD="$tools/libfake_camera.so" "$vigil" predict --weights "$weights" --imgsz 64 \
        --threads 1 --retry-first 100ms --retry-most 400ms --stall-timeout 2s --save-json --name "$name" "$@"
    eval "watch_$name=$last"
}
ends() {
    eval "last=\$watch_$1"
    kill -TERM "$last"
    got=0
    wait "$last" || got=$?
    equal "$got" 143 "exit status of $1"
}
results() {
    wc -l <"runs/predict/$1/predictions.jsonl" 2>/dev/null || echo 0
}
# comes NAME N: until $1 has more than N results.
comes() {
    waited=0
    until [ "$(results "$1")" -gt "$2" ]; do
        waited=$((waited + 1))
        [ $waited -lt 900 ] || fail "no more than $(results "$1") results of $1 within 90 s"
        sleep 0.1
    done
    n_checks=$((n_checks + 1))
}

# ---- not there yet, plugged in, pulled, plugged in again, still, awake
watch raw --source /dev/video77 --save --wait-for-source
waits raw.err 'source waiting name="/dev/video77" fault=absent what=".*no such (camera|file|stream)'
touch "$cam/plugged"
waits raw.err 'source playing name="/dev/video77" size=640x480'
comes raw 3
rm "$cam/plugged"
waits raw.err 'source waiting name="/dev/video77" fault=lost'
seen=$(results raw)
touch "$cam/plugged"
comes raw $((seen + 3))
touch "$cam/still"
waits raw.err 'fault=stall'
seen=$(results raw)
rm "$cam/still"
comes raw $((seen + 3))
ends raw
for f in runs/predict/raw/*.mp4; do
    equal "$(ffprobe -v error -select_streams v:0 -show_entries stream=width,height -of csv=p=0 "$f")" 640,480 "size of $f"
done

# ---- a camera is asked for JPEGs, and for another size
ffmpeg -v error -f lavfi -i testsrc2=size=320x240 -frames:v 1 "$cam/frame.jpg" </dev/null
watch jpeg --source 77 --input-format mjpeg --input-size 320x240
waits jpeg.err 'source playing name="(/dev/video)?77" size=320x240 codec=mjpeg'
comes jpeg 3
# ---- one that gives nothing at all ends as quickly as others
touch "$cam/still"
waits jpeg.err 'fault=stall'
ends jpeg
done_well

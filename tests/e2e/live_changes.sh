#!/bin/sh
# live_changes.sh BUILD SOURCE: streams whose pictures, codec or clock change in the middle, and devices whose writer goes away.
set -eu
. "$(dirname "$0")/lib.sh"
. "$source/tests/live/live.sh"
needs ffmpeg
clip a.ts 320x240 2
clip b.ts 640x480 2
clip mpeg2.ts 320x240 2 -c:v mpeg2video -g 10
clip hevc.ts 320x240 2 -c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=10
clip late.ts 320x240 2 -c:v libx264 -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p -output_ts_offset 50000

# stream NAME PROBE'S OPTION... -- FILE...: those files as one stream over TCP, at eight times their pace.
stream() {
    name=$1
    shift
    options=""
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    back "serve_$name" "$tools/drip_server" rate=1000000 after=hold "$@"
    # shellcheck disable=SC2086
    probe "$name" scale=1 $options "tcp://127.0.0.1:$(port "serve_$name")"
}

# ---- another resolution, there and back
stream sizes until_sizes=3 -- a.ts b.ts a.ts b.ts a.ts
waits sizes.out '^stop_ms='
equal "$(count sizes connects)" 1 "connections"
at_least sizes sizes 3

# ---- another codec
stream codecs until_frames=130 stall_s=3 -- a.ts mpeg2.ts b.ts hevc.ts a.ts mpeg2.ts a.ts b.ts a.ts
waits codecs.out '^stop_ms='
at_least codecs frames 130

# ---- a clock that jumps by hours, forwards and backwards: frames' times never go back
stream clock until_frames=130 stall_s=3 -- a.ts late.ts a.ts late.ts a.ts
waits clock.out '^stop_ms='
at_least clock frames 130
at_least clock jumps 2
equal "$(count clock back)" 0 "frames whose time went back"
equal "$(count clock connects)" 1 "connections"

# ---- standard input: MJPEG, raw pictures, any container; its end is the end
clip pics.mjpeg 320x240 2 -c:v mjpeg
for input in "pics.mjpeg format=mjpeg" "pics.mjpeg" "a.ts"; do
    # shellcheck disable=SC2086
    set -- $input
    file=$1
    shift
    "$tools/capture_probe" ends=1 "$@" - <"$file" >probe.out 2>probe.err || fail "standard input from $file"
    at_least probe frames 29
done
head -c $((320 * 240 * 3 / 2 * 10)) /dev/zero >raw.yuv
"$tools/capture_probe" ends=1 format=yuv420p size=320x240 rate=10 - <raw.yuv >probe.out 2>probe.err || fail "raw pictures"
equal "$(count probe frames)" 10 "raw pictures"
printf '' | "$tools/capture_probe" ends=1 - >probe.out 2>probe.err && fail "an empty standard input passed"
grep -q '^error: ' probe.err || fail "an empty standard input without a word"

# ---- a device that is unplugged and plugged in again; its stand-in is a FIFO whose writer goes away
mkfifo camera.ts
probe device connect_s=5 camera.ts
back writer sh -c 'exec cat a.ts b.ts >camera.ts'
waits device.out '^state=playing frames=[1-9].* connects=1 '
waits device.err 'source waiting name="camera.ts" fault=(end|data|lost)'
for n in 2 3; do
    waits device.out "^state=waiting frames=.* connects=$((n - 1)) " # two writers at a time would be one stream
    back writer sh -c 'while ! cat a.ts a.ts >camera.ts; do sleep 0.1; done'
    waits device.out "^state=playing frames=[1-9].* connects=$n "
done
quits device
[ "$(count device stop_ms)" -lt 2000 ] || fail "it took $(count device stop_ms) ms to stop"

# ---- a folder with broken files: they are told, counted and skipped
mkdir folder
cp a.ts folder/1.ts
echo "no video" >folder/2.ts
: >folder/3.ts
head -c 30000 b.ts >folder/4.ts # cut short: what is there is read
cp b.ts folder/5.ts
"$tools/capture_probe" ends=1 folder/*.ts >probe.out 2>probe.err || fail "a folder with broken files"
at_least probe frames 60
equal "$(grep -c 'source skipped name="folder/1.ts" text="folder/[23].ts" fault=data' probe.err)" 2 "skipped files"
equal "$(count probe connects)" 3 "files that were read"
done_well

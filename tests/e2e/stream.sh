#!/bin/sh
# stream.sh BUILD SOURCE: predict on videos and streams, track, check: what is said, what is written, how it ends. Faults of
# streams have tests of their own (live_*.sh).
set -eu
. "$(dirname "$0")/lib.sh"
command -v ffmpeg >/dev/null || { echo "left out: it wants ffmpeg"; exit 77; }
live="--weights $weights --imgsz 64 --threads 1"
pids=""
trap 'for p in $pids; do kill -9 "$p" 2>/dev/null || true; done; rm -rf "$tmp"' EXIT

clip() { # FILE FRAMES
    ffmpeg -loglevel error -y -f lavfi -i "testsrc2=size=96x64:rate=25" -frames:v "$2" -pix_fmt yuv420p "$1" </dev/null ||
        fail "ffmpeg cannot make $1"
}
# stream STATUS ARGUMENT...
stream() {
    want=$1
    shift
    # shellcheck disable=SC2086
    run "$want" predict $live "$@"
}
# begin ARGUMENT...: vigil in the background, $pid; its words go to bg.out and bg.err.
begin() {
    rm -f bg.out bg.err # what an earlier one said is no word of this one's
    # shellcheck disable=SC2086
    "$vigil" "$@" >bg.out 2>bg.err </dev/null &
    pid=$!
    pids="$pids $pid"
}
# waits FILE TEXT: two minutes at most until a line has it.
waits() {
    waited=0
    until grep -qE -- "$2" "$1" 2>/dev/null; do
        waited=$((waited + 1))
        [ $waited -lt 1200 ] || { cat bg.out bg.err; fail "no \"$2\" in $1 within two minutes"; }
        sleep 0.1
    done
    n_checks=$((n_checks + 1))
}
clip a.mp4 12
clip b.mp4 7

# ---- a file: a line a frame, results, a summary
stream 0 --source a.mp4 --save-txt --save-json --conf 0.01
equal "$(grep -cE '^video 1/1 \(frame [0-9]+/12\) a\.mp4: 64x64 .*, [0-9.]+ms$' out)" 12 "lines of frames"
equal "$(grep -o '(frame [0-9]*' out | awk '{ if ($2 != NR) bad = 1 } END { print bad + 0 }')" 0 "frames in order"
grep -qE '^Speed: [0-9.]+ms decode, .*[0-9.]+ms latency per frame$' out || fail "no line of speed"
says out "Frames: 12 in "
says out ", 0 dropped"
says out "Memory: planned "
says out "Results saved to runs/predict/exp"
equal "$(wc -l <runs/predict/exp/predictions.jsonl)" 12 "lines of predictions.jsonl"
[ "$(find runs/predict/exp/labels -type f | wc -l)" -gt 0 ] || fail "no labels"
equal "$(ffprobe -v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 \
    runs/predict/exp/a.mp4)" 12 "frames of the video with boxes"
stream 0 --source a.mp4 --no-save --quiet
says_not out "video 1/1"
says out "Frames: 12"
[ ! -e runs/predict/exp2 ] || fail "a folder, and nothing to save"
stream 0 --source a.mp4 --no-save --vid-stride 5
says out "Frames: 3 in"

# ---- JSON is alone on standard output; ids with track
stream 0 --source a.mp4 --no-save --json --conf 0.01
equal "$(grep -c '^{.*}$' out)" 12 "objects"
equal "$(grep -vc '^{' out || true)" 0 "lines that are none"
says_not out '"id":'
says err "Frames: 12"
# shellcheck disable=SC2086
run 0 track $live --source a.mp4 --no-save --json --conf 0.01
says out '"id":'
# shellcheck disable=SC2086
run 0 detect track $live --source a.mp4 --save-json --no-save
says out "Results saved to runs/track/exp"

# ---- trackers by name and by file; the same frames give the same bytes
for tracker in botsort.yaml botsort bytetrack; do
    # shellcheck disable=SC2086
    run 0 track $live --source a.mp4 --no-save --json --conf 0.01 tracker=$tracker
    says out '"id":'
    # times differ
    sed 's/"ms":{[^}]*}//; s/"wall":"[^"]*"//' out | grep -o '"id":[0-9]*\|"xyxy":\[[^]]*\]' >"of.$tracker"
done
equal "$(cmp of.botsort.yaml of.botsort)" "" "the same tracker twice"
printf 'tracker_type: botsort\ngmc_method: none\ntrack_buffer: 90\n' >mine.yaml
# shellcheck disable=SC2086
run 0 track $live --source a.mp4 --no-save --conf 0.01 --tracker mine.yaml
printf 'track_bufer: 30\n' >>mine.yaml
# shellcheck disable=SC2086
run 1 track $live --source a.mp4 --no-save --tracker mine.yaml
is_error "no key of a tracker is named track_bufer"
says err "at:  mine.yaml:4"
says err "try: track_buffer"

# ---- folders, lists, several at once
mkdir clips
cp a.mp4 clips/1.mp4
cp b.mp4 clips/3.mp4
"$build/make_pictures" clips 1 >/dev/null
mv clips/scene_0.bmp clips/2.bmp
stream 0 --source clips --save-json --name mixed
says out "Frames: 20 in"
says out 'video 1/1 (frame 12) clips/1.mp4: '
says out 'video 1/1 (frame 13) clips/2.bmp: '
says out 'video 1/1 (frame 20) clips/3.mp4: '
equal "$(grep -c '"source":"clips","file":"clips/2.bmp"' runs/predict/mixed/predictions.jsonl)" 1 "results of the picture"
says_not runs/predict/mixed/predictions.jsonl '"source":"clips","stem"'
stream 0 --source 'clips/*.mp4' --no-save
says out "Frames: 19 in"
printf '# two\n./clips/3.mp4\n\na.mp4\n' >list.txt
stream 0 --source list.txt --no-save
says out "Frames: 19 in"
printf '# side by side\na.mp4\n\n./b.mp4\n' >both.streams
stream 0 --source both.streams --save-json --save --name both
says out "Frames: 19 in"
equal "$(grep -c '^video 2/2 (frame [0-9]*/7) b.mp4' out)" 7 "lines of the second"
[ -s runs/predict/both/a.mp4 ] && [ -s runs/predict/both/b.mp4 ] || fail "a video each"

# ---- drawn pictures: no line a frame, a log that does not grow with them
stream 0 --source "lavfi:testsrc2=size=96x64:rate=25:duration=12" --status-every 0
says_not out "video 1/1"
says out "Frames: 300 in"
[ "$(cat out err | wc -l)" -lt 20 ] || fail "300 frames are $(cat out err | wc -l) lines"
stream 0 --source "lavfi:testsrc2=size=96x64:rate=25,realtime" --duration 1s # of which a loaded machine may need all to begin
grep -q '^Frames: ' out || fail "no summary after its duration"
stream 0 --source "lavfi:testsrc2=size=96x64:rate=25:duration=0.4" --verbose
equal "$(grep -c '^video 1/1 (frame ' out)" 10 "lines with --verbose"

# ---- standard input: a video, an MJPEG stream that says so, and still a picture
piped() { # FRAMES ARGUMENT...
    frames=$1
    shift
    # shellcheck disable=SC2086
    "$vigil" predict $live --source - --no-save "$@" >out 2>err || fail "standard input: $*"
    says out "Frames: $frames in"
}
ffmpeg -loglevel error -i a.mp4 -f matroska - </dev/null | piped 12
ffmpeg -loglevel error -i a.mp4 -f mjpeg - </dev/null | piped 12 --input-format mjpeg
ffmpeg -loglevel error -i a.mp4 -f rawvideo -pix_fmt yuv420p - </dev/null |
    piped 12 --input-format rawvideo --input-size 96x64 --input-rate 25
# shellcheck disable=SC2086
"$vigil" predict $live --source - --no-save <clips/2.bmp >out 2>err || fail "a picture on standard input"
says out "image 1/1"

# ---- what is wrong is told, and leaves nothing
rm -rf runs
stream 1 --source nope.mp4
is_error "no such file or folder: nope.mp4"
printf 'a.mp4\n\nnope.mp4\n' >bad.streams
stream 1 --source bad.streams
is_error "no such file or folder: nope.mp4"
says err "at:  bad.streams:3"
stream 2 --source a.mp4 --policy newest
is_error "policy=newest"
says err "auto|every|latest"
stream 2 --source a.mp4 --vid-strid 2
is_error 'no option "vid-strid"'
says err "try: --vid-stride"
stream 2 --source clips/2.bmp --policy every
is_error "--policy is for videos, streams and cameras"
stream 2 --source a.mp4 --prove-flat
is_error "--prove-flat is for pictures"
# shellcheck disable=SC2086
run 2 track $live --source clips/2.bmp
is_error "no video, stream or camera: clips/2.bmp"
stream 1 --source a.mp4 --memory-limit 18M
is_error "the limit is 18.0 MB"
stream 2 --source a.mp4 --token x
is_error "token without serve"
head -c 300 a.mp4 >short.mp4
stream 1 --source short.mp4
grep -q '^error: ' err || fail "a broken video is no error"
[ ! -e runs ] || [ -z "$(find runs -type f)" ] || fail "a run that did not start left files"

# ---- a configuration; what the command line says wins, also when it says the default
cat >job.yaml <<YAML
weights: $weights
imgsz: 64
threads: 1
conf: 0.9999
save: no
sources:
  - a.mp4
  - source: \${CLIP}
    name: the door
    vid_stride: 2
YAML
CLIP=b.mp4 run 0 predict --config job.yaml
says out "Frames: 16 in"
says out "(frame 4/4) the door"
says out "(no detections)"
CLIP=b.mp4 run 0 predict --config job.yaml --source a.mp4 --conf 0.0001
says out "Frames: 12 in"
says_not out "(no detections)"
CLIP=b.mp4 run 0 check job.yaml
says out "the-door"
says out "file, every frame, ends, one frame of 2"
says out "Memory: planned "
says out "job.yaml is good"
run 1 check job.yaml
grep -q '^error: the environment has no CLIP' err || fail "check and the environment"
says err "at:  job.yaml:8"
for wrong in 'vid_strid: 2' 'conf: 2' 'weights: nope.pt' 'zones: nope.yaml' 'classes: 99' 'memory_limit: 1M' 'source: a.mp4'; do
    { grep -v "^${wrong%%:*}:" job.yaml; echo "$wrong"; } >wrong.yaml
    CLIP=b.mp4 run 1 check wrong.yaml
    grep -q '^error: ' err && grep -q '^  at:  ' err || fail "$wrong is not told"
done
run 2 check
is_error "vigil check needs CONFIG"
run 1 check nope.yaml
is_error "No such file"
[ ! -e runs ] || [ -z "$(find runs -type f)" ] || fail "check left files"
# The sample that is shipped, with a model and a camera that are here.
mkdir sample
sed -e "s|^weights:.*|weights: $weights|" "$source/examples/streams.yaml" >sample/streams.yaml
sed -e 's/person/class0/; s/bottle/class39/; s/cup/class41/' "$source/examples/zones.yaml" >sample/zones.yaml
(cd sample && CAMERA_PASSWORD=x VIGIL_TOKEN=y "$vigil" check streams.yaml) >out 2>err || fail "examples/streams.yaml is not good"
says out "is good"
n_checks=$((n_checks + 1))

# ---- SIGTERM: soon, and everything is whole
# shellcheck disable=SC2086
begin predict $live --source "lavfi:testsrc2=size=96x64:rate=25,realtime" --save --save-json --name term --status-every 200ms
waits bg.err '^lavfi:.*: playing 96x64, [0-9.]+ frames/s, [1-9][0-9,]* frames, 0 dropped'
kill -TERM "$pid"
began=$(date +%s)
ends "$pid" 143 "a stream that was stopped"
[ $(($(date +%s) - began)) -lt 30 ] || fail "SIGTERM took $(($(date +%s) - began)) s"
grep -q "stopped by SIGTERM" bg.err || fail "nobody said why it stopped"
grep -q '^Frames: ' bg.out || fail "no summary after SIGTERM"
tail -n 1 runs/predict/term/predictions.jsonl | grep -q '}$' || fail "the last line is cut"
recording=$(find runs/predict/term -name '*.mp4' | head -n 1)
[ "$(ffprobe -v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 "$recording")" -gt 0 ] ||
    fail "the recording cannot be played"

# ---- SIGHUP: the list again; a wrong one changes nothing
echo "lavfi:testsrc2=size=96x64:rate=25,realtime" >live.streams
# shellcheck disable=SC2086
begin predict $live --source live.streams --most-sources 2 --no-save --status-every 200ms
waits bg.err 'lavfi:testsrc2.* playing'
echo "lavfi:testsrc=size=64x96:rate=25,realtime" >>live.streams
kill -HUP "$pid"
waits bg.err '^vigil: reloaded: 2 sources'
waits bg.err 'lavfi:testsrc=.* playing 64x96'
echo "nope.mp4" >>live.streams
kill -HUP "$pid"
waits bg.err '^vigil: not reloaded: .*nope.mp4 .*live.streams:3'
echo "lavfi:testsrc=size=64x96:rate=25,realtime" >live.streams
: >bg.err
kill -HUP "$pid"
waits bg.err '^vigil: reloaded: 1 source$'
waits bg.err 'lavfi:testsrc=.* playing 64x96'
kill -INT "$pid"
ends "$pid" 130 "a stream that was interrupted"

# ---- what went wrong on the way is in the sum at the end
ffmpeg -loglevel error -y -f lavfi -i "testsrc2=size=96x64:rate=25" -frames:v 60 -pix_fmt yuv420p torn.ts </dev/null
stream 0 --source torn.ts --no-save --quiet
says_not out "Troubles"
for at in 12 20 28 36 44; do
    dd if=/dev/zero of=torn.ts bs=512 seek=$at count=2 conv=notrunc 2>/dev/null
done
stream 0 --source torn.ts --no-save --quiet
grep -qE '^Troubles: [0-9]+ damaged packets?' out || fail "no word of damaged packets"

# ---- a reader of JSON that went away ends it
# shellcheck disable=SC2086
"$vigil" predict $live --source "lavfi:testsrc2=size=96x64:rate=25" --no-save --json --duration 120s 2>err | head -n 3 >out
equal "$(wc -l <out)" 3 "lines before the reader went away"

done_well

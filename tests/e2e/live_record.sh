#!/bin/sh
# live_record.sh BUILD SOURCE: what a job on video leaves behind: after a good end, SIGTERM, SIGKILL, on a full disk.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || :; rm -rf "$tmp"' EXIT
live="lavfi:testsrc2=size=160x120:rate=25"

# frames FILE: its frames, all of which can be decoded.
frames() {
    ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$1" 2>"$tmp/err" || fail "ffprobe: $1"
    [ ! -s "$tmp/err" ] || fail "ffprobe finds faults in $1"
}

# record ARGUMENT...: a job on drawn pictures without end in the background, $pid.
record() {
    "$vigil" predict --weights "$weights" --imgsz 64 --threads 1 --source "$live" --policy every --save "$@" \
        >"$tmp/out" 2>"$tmp/err" </dev/null &
    pid=$!
}

# wait_segments FOLDER N: two minutes at most until so many recordings are there, the last of which has pictures in it.
wait_segments() {
    waited=0
    until [ "$(find "$1" -name 'testsrc2-*.mp4' -size +8k 2>/dev/null | wc -l)" -ge "$2" ]; do
        waited=$((waited + 1))
        [ $waited -lt 1200 ] || fail "no $2 recordings in $1"
        is_living "$pid" || fail "the job has ended"
        sleep 0.1
    done
    n_checks=$((n_checks + 1))
}

# A file: every frame in the video, the lines and the labels.
ffmpeg -v error -f lavfi -i testsrc2=size=162x122:rate=30:duration=2 -pix_fmt yuv420p -c:v libx264 clip.mp4
predict 0 --source clip.mp4 --conf 0.001 --max-det 5 --save-json --save-txt --save-crop --project runs --name file
equal "$(frames runs/file/clip.mp4)" 60 "frames of the recording"
equal "$(wc -l <runs/file/predictions.jsonl)" 60 "lines"
equal "$(find runs/file/labels -name 'clip_*.txt' | wc -l)" 60 "labels"
equal "$(find runs/file/labels -name clip_1.txt -o -name clip_60.txt | wc -l)" 2 "labels that count from 1"
equal "$(find runs/file/crops -name '*.jpg' | wc -l)" "$(cat runs/file/labels/*.txt | wc -l)" "crops"

# A copy lasts as long as its source, whose frames are its clock where it has no time stamps: twice the same.
length() {
    ffprobe -v error -show_entries format=duration -of csv=p=0 "$1"
}
ffmpeg -v error -f lavfi -i testsrc2=size=96x64:rate=10:duration=2 -pix_fmt yuv420p -c:v libx264 bare.h264 </dev/null
ffmpeg -v error -f lavfi -i testsrc2=size=96x64:rate=5:duration=2 -pix_fmt yuv420p -c:v libx264 slow.mkv </dev/null
for name in one two; do
    predict 0 --source bare.h264 --save-json --project runs --name $name
    equal "$(length runs/$name/bare.mp4)" 2.000000 "seconds of a copy"
    grep -o '"pts":[^,]*' runs/$name/predictions.jsonl >$name.pts
done
equal "$(cmp one.pts two.pts && tail -n 1 two.pts)" '"pts":1.900' "times of two runs"
predict 0 --source slow.mkv --project runs --name slow
equal "$(length runs/slow/slow.mp4)" 2.000000 "seconds of a copy"

# What files leave is made anew by the next run in the folder; what is no file goes on, though every frame of it counts.
for again in 12 24; do
    predict 0 --source "$live:duration=0.48" --policy every --save-json --project runs --name again --exist-ok
    equal "$(wc -l <runs/again/predictions.jsonl)" $again "lines of a source that is no file"
done
for again in first second; do
    predict 0 --source slow.mkv --policy latest --save-json --project runs --name anew --exist-ok
    [ "$(wc -l <runs/anew/predictions.jsonl)" -le 10 ] || fail "lines of the $again run are kept"
    [ -e runs/anew/slow.mp4 ] || fail "a file is recorded in segments"
done

# Lines that could not be written are lost, also of a source that is no file: the exit status says so, and the summary how many.
(
    trap '' XFSZ
    ulimit -f 16
    "$vigil" predict --weights "$weights" --imgsz 64 --threads 1 --source "$live:duration=8" --save-json --quiet --project runs \
        --name full >out 2>err </dev/null
) && fail "lost lines, and the exit status 0"
grep -qE '^Output jsonl: [1-9][0-9]* results written, 0 dropped, [1-9][0-9]* writes failed' out || fail "lost lines are not counted"

# A slip in a scheme makes a password no less a secret; a camera that is not there ends the job at once, unless told to wait.
for url in rstp://admin:secret@127.0.0.1:9/x 'rtsp://admin:sec#ret@127.0.0.1:9/x' rtsp://admin:secret@127.0.0.1:9/x; do
    "$vigil" predict --weights "$weights" --source "$url" >out 2>err </dev/null && fail "$url is played"
    ! grep -qE 'sec|ret@' out err || fail "a password is told"
done
says err "nobody answers at this address"
predict 1 --source rtsp://127.0.0.1:9/x --wait-for-source --duration 1s
says err "no picture came"

# A reader that has gone ends a job that has nothing else to do.
"$vigil" predict --weights "$weights" --imgsz 64 --threads 1 --source "$live" --json 2>err | head -n 3 >out
equal "$(wc -l <out)" 3 "lines that head let through"
says err "the reader is gone"

# Segments: begun by time, the newest kept; SIGTERM ends the last one well.
record --segment 2s --keep-segments 3 --project runs --name term
wait_segments runs/term 3
kill -TERM "$pid"
ends "$pid" 143 "a job ended by SIGTERM"
pid=
n=$(find runs/term -name '*.mp4' | wc -l)
[ "$n" -le 3 ] || fail "$n segments are kept, not 3"
for file in runs/term/*.mp4; do
    [ "$(frames "$file")" -ge 1 ] || fail "$file is empty"
done

# SIGKILL: what was written plays.
record --segment 1h --project runs --name kill
wait_segments runs/kill 1
kill -9 "$pid"
ends "$pid" 137 "a job ended by SIGKILL"
pid=
[ "$(frames runs/kill/testsrc2-*.mp4)" -ge 10 ] || fail "less than ten frames are left"

# A disk without room for a fragment: told once (a second time after a minute), and no file is left that does not play.
(
    ulimit -f 40 # of 512 bytes
    trap '' XFSZ # writes fail instead
    "$vigil" predict --weights "$weights" --imgsz 64 --threads 1 --source "lavfi:testsrc2=size=320x240:rate=25" \
        --policy every --save --segment 1s --duration 4 --project runs --name full
) 2>&1 </dev/null | cat >out
n=$(grep -c "sink failed" out) || :
[ "$n" = 1 ] || [ "$n" = 2 ] || fail "a full disk is told $n times"
n_checks=$((n_checks + 1))
says_not out "sink works again"
says out "File too large"
says out "record: 0 results written"
equal "$(find runs/full -name '*.mp4' | wc -l)" 0 "recordings without a fragment"

# A codec that is not there is told before anything is done.
predict 1 --source "$live" --save --video-codec h999 --project runs --name codec
is_error 'no video encoder "h999"'
[ ! -e runs/codec ] || fail "a folder is left of a job that did not begin"
done_well

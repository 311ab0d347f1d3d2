#!/bin/sh
# live_stop.sh BUILD SOURCE: SIGTERM ends a job that records, at once and with all of it playable, whatever its camera is doing:
# playing, silent, not answering, away, or behind a name server that says nothing. How long each took is told, and is no test:
# a loaded machine would fail it. docs/faults.md promises two seconds.
set -eu
. "$(dirname "$0")/lib.sh"
. "$source/tests/live/live.sh"
needs ffmpeg ffprobe python3
needs_rtsp
# Waits that would be noticed.
patience="--retry-first 1h --retry-most 2h --stall-timeout 1h --connect-timeout 1h"

# job NAME URL [COMMAND...]: a job on that source in the background; the command runs it, when there is one.
job() {
    job_name=$1
    job_url=$2
    shift 2
    # shellcheck disable=SC2086
    back "$job_name" "$@" "$vigil" predict --weights "$weights" --imgsz 64 --threads 1 --source "$job_url" --save --save-json \
        --project runs --name "$job_name" $patience
    eval "job_$job_name=$last"
}

# stops NAME: SIGTERM, and it ends.
stops() {
    eval "stops_pid=\$job_$1"
    stops_began=$(date +%s%N)
    kill -TERM "$stops_pid"
    stops_n=0
    while is_living "$stops_pid"; do
        stops_n=$((stops_n + 1))
        [ $stops_n -lt 6000 ] || fail "$1 is still there after a minute"
        sleep 0.01
    done
    echo "$1: ended $((($(date +%s%N) - stops_began) / 1000000)) ms after SIGTERM"
    ends "$stops_pid" 143 "a job ended by SIGTERM"
}

# has_recorded NAME: one recording is there, with pictures in it.
has_recorded() {
    recorded_n=0
    until [ -n "$(find "runs/$1" -name '*.mp4' -size +8k 2>/dev/null)" ]; do
        recorded_n=$((recorded_n + 1))
        [ $recorded_n -lt 900 ] || {
            cp "$1.err" err
            fail "$1 does not record"
        }
        sleep 0.1
    done
    n_checks=$((n_checks + 1))
}

# is_whole NAME: every recording can be decoded, from its first frame to its last.
is_whole() {
    for whole_file in "runs/$1"/*.mp4; do
        whole_frames=$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$whole_file" 2>err) ||
            fail "ffprobe: $whole_file"
        [ ! -s err ] || fail "ffprobe finds faults in $whole_file"
        [ "$whole_frames" -ge 1 ] || fail "$whole_file is empty"
        n_checks=$((n_checks + 1))
    done
}

told cam "$rtsp"
told proxy "$tools/fault_proxy" "$(port cam)"
url=rtsp://127.0.0.1:$(port proxy)/cam

job playing "$url"
has_recorded playing
stops playing
is_whole playing

job silent "$url"
has_recorded silent
tell proxy stall
sleep 1 # so that it is waiting
stops silent
is_whole silent
tell proxy cut
tell proxy go

job away "$url"
has_recorded away
tell proxy refuse
waits away.err 'source waiting'
stops away
is_whole away

back mute "$tools/drip_server" after=hold /dev/null
job connecting "rtsp://127.0.0.1:$(port mute)/cam"
waits connecting.err 'source connecting'
sleep 1
stops connecting

# ---- a name server that takes questions and says nothing: where we may have one of our own
cat >name_server.py <<'EOF'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.53", 53))
print("port 53", flush=True)
s.recv(100)
print("asked", flush=True)
time.sleep(1000)
EOF
back names python3 name_server.py
echo "nameserver 127.0.0.53" >resolv.conf
cat >with_names.sh <<'EOF'
mount --bind resolv.conf /etc/resolv.conf && exec "$@"
EOF
if [ "$(id -u)" = 0 ] && unshare -m sh with_names.sh true 2>/dev/null; then
    waits names.out '^port 53'
    job resolving rtsp://camera.example/1 unshare -m sh with_names.sh
    waits names.out '^asked'
    stops resolving
else
    echo "left out: a name server of our own"
fi
done_well

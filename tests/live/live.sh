# live.sh: what the tests of live sources share: servers and probes in the background, lines waited for. Read after lib.sh.
# Nothing here is timed: what does not come within 90 s does not come.
# A shell's functions share its variables: so these are named after their function, and a test's own may be name, p or file.
# shellcheck shell=sh disable=SC2034,SC2154
tools=$build/tests
live=$source/tests/live
pids=""
trap 'for pid in $pids; do kill -KILL "$pid" 2>/dev/null || true; done; rm -rf "$tmp"' EXIT

# needs PROGRAM...: or the test is skipped.
needs() {
    for program in "$@"; do
        command -v "$program" >/dev/null || {
            echo "skipped: no $program"
            exit 77
        }
    done
}
needs_rtsp() {
    rtsp=$live/rtsp_server.py
    /usr/bin/python3 -c '
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
for name in ("x264enc", "rtph264pay", "jpegenc"):
    assert Gst.ElementFactory.find(name), name' 2>/dev/null || {
        echo "skipped: no GStreamer RTSP server for Python"
        exit 77
    }
}

# back NAME COMMAND...: in the background, with NAME.out and NAME.err, which are there and empty when this returns; its
# process is $last.
back() {
    back_name=$1
    shift
    : >"$tmp/$back_name.out"
    : >"$tmp/$back_name.err"
    "$@" >"$tmp/$back_name.out" 2>"$tmp/$back_name.err" </dev/null &
    last=$!
    pids="$pids $last"
}

# told NAME COMMAND...: the same, with standard input from a FIFO that `tell NAME LINE` writes to.
told() {
    told_name=$1
    shift
    mkfifo "$tmp/$told_name.in"
    : >"$tmp/$told_name.out"
    : >"$tmp/$told_name.err"
    "$@" <"$tmp/$told_name.in" >"$tmp/$told_name.out" 2>"$tmp/$told_name.err" &
    last=$!
    pids="$pids $last"
    sleep 1000 >"$tmp/$told_name.in" & # keeps it open between lines
    pids="$pids $!"
}
tell() {
    n_done=$(grep -c '^done' "$tmp/$1.out" || true)
    echo "$2" >"$tmp/$1.in"
    waited=0
    while [ "$(grep -c '^done' "$tmp/$1.out" || true)" = "$n_done" ]; do
        waited=$((waited + 1))
        [ $waited -lt 900 ] || fail "$1 does not answer to: $2"
        sleep 0.1
    done
}

# waits FILE PATTERN: until a line of $tmp/FILE matches (grep -E).
waits() {
    waited=0
    until grep -qE -- "$2" "$tmp/$1" 2>/dev/null; do
        waited=$((waited + 1))
        [ $waited -lt 900 ] || {
            cp "$tmp/$1" "$tmp/out" 2>/dev/null
            cat "$tmp"/*.err >"$tmp/err" 2>/dev/null
            fail "no line like \"$2\" in $1 within 90 s"
        }
        sleep 0.1
    done
    n_checks=$((n_checks + 1))
}

# port NAME: of a server that prints it first.
port() {
    waits "$1.out" '^port [0-9]'
    sed -n 's/^port //p' "$tmp/$1.out" | head -n 1
}

# A port that nobody has now. Others may take it before it is used; their range is wide.
free_port() {
    back free "$tools/drip_server" /dev/null
    port free
    kill "$last"
    wait "$last" 2>/dev/null || true
}

# probe NAME ARGUMENT...: capture_probe in the background, waiting little between attempts.
probe() {
    probed_name=$1
    shift
    back "$probed_name" "$tools/capture_probe" retry_first_s=0.1 retry_most_s=0.4 "$@"
    eval "probe_$probed_name=$last"
}
# quits NAME: it ends when it is told to, and says so.
quits() {
    eval "last=\$probe_$1"
    kill "$last" 2>/dev/null || true
    wait "$last" 2>/dev/null || true
    waits "$1.out" '^stop_ms='
}
# count NAME FIELD: its last number in the probe's output, 0 when there is none.
count() {
    got=$(tr ' ' '\n' <"$tmp/$1.out" | sed -n "s/^$2=//p" | tail -n 1)
    echo "${got:-0}"
}
# at_least NAME FIELD N
at_least() {
    [ "$(count "$1" "$2")" -ge "$3" ] || {
        cp "$tmp/$1.out" "$tmp/out"
        cp "$tmp/$1.err" "$tmp/err"
        fail "$1: $2 is $(count "$1" "$2"), fewer than $3"
    }
    n_checks=$((n_checks + 1))
}

# clip FILE SIZE SECONDS [FFMPEG'S OUTPUT OPTIONS]: drawn pictures, 15 a second, H.264 with a key frame every 10.
clip() {
    clip_file=$1
    clip_size=$2
    clip_seconds=$3
    shift 3
    [ $# -gt 0 ] || set -- -c:v libx264 -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p
    ffmpeg -v error -y -f lavfi -i "testsrc2=size=$clip_size:rate=15:duration=$clip_seconds" "$@" "$clip_file" </dev/null ||
        fail "ffmpeg cannot make $clip_file"
}

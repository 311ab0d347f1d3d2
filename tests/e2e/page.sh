#!/bin/sh
# page.sh BUILD SOURCE [IMAGES]: the pages of a guard and of a stream, and a report, in a real browser: they draw, and follow the job by
# themselves.
# Skipped (77) where Chromium is not installed.
set -eu
. "$(dirname "$0")/lib.sh"
images=${3:-}

: >guard.err
"$vigil" watch --interval 0.2 --serve 127.0.0.1:0 --name page -- sh -c 'while sleep 0.02; do :; done' >guard.out 2>guard.err &
guard=$!
trap 'kill "$guard" 2>/dev/null || true; rm -rf "$tmp"' EXIT
# find_port LOG: what it serves.
find_port() {
    port=""
    for _ in $(seq 300); do
        port=$(sed -n 's/.*url=http:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' "$1")
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    fail "it does not say where its page is: $(cat "$1")"
}
find_port guard.err
# look KIND WHAT: page.py; without a browser all of it is skipped.
look() {
    status=0
    python3 "$source/tests/e2e/page.py" "$1" "$2" "${images:-$tmp}" >browser.txt 2>&1 || status=$?
    [ $status -ne 77 ] || { cat browser.txt; exit 77; }
    [ $status -eq 0 ] || fail "in the browser: $(tail -n 12 browser.txt)"
    n_checks=$((n_checks + $(sed -n 's/^\([0-9]*\) checks in the browser$/\1/p' browser.txt)))
}
look guard "http://127.0.0.1:$port/"

kill -INT "$guard"
wait "$guard" || true
trap 'rm -rf "$tmp"' EXIT
run 0 report runs/watch/page
look report "$PWD/runs/watch/page/report.html"

# ---- a stream: one source that plays, one that nobody answers for, a zone over the whole picture ----
printf 'lavfi:testsrc2=size=320x180:rate=5,realtime\nrtsp://127.0.0.1:9/door\n' >two.streams
cat >zones.yaml <<'END'
zones:
  - name: "<door>"
    polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]
    debounce: 0s
    snapshot: true
END
: >stream.err
"$vigil" track --weights "$source/tests/golden/yolo11n_random.pt" --imgsz 64 --conf 0.001 --source two.streams --zones zones.yaml \
    --serve 127.0.0.1:0 --wait-for-source >stream.out 2>stream.err &
stream=$!
trap 'kill "$stream" 2>/dev/null || true; rm -rf "$tmp"' EXIT
find_port stream.err
look stream "http://127.0.0.1:$port/"
kill -INT "$stream"
wait "$stream" || true
trap 'rm -rf "$tmp"' EXIT
done_well

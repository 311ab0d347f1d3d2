#!/bin/sh
# page.sh BUILD SOURCE [IMAGES]: the live page and the report in a real browser: they draw, and the page follows the job by itself.
# Skipped (77) where Chromium is not installed.
set -eu
. "$(dirname "$0")/lib.sh"
images=${3:-}

: >guard.err
"$vigil" watch --interval 0.2 --serve 127.0.0.1:0 --name page -- sh -c 'while sleep 0.02; do :; done' >guard.out 2>guard.err &
guard=$!
trap 'kill "$guard" 2>/dev/null || true; rm -rf "$tmp"' EXIT
port=""
for _ in $(seq 100); do
    port=$(sed -n 's/.*url=http:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' guard.err)
    [ -n "$port" ] && break
    sleep 0.1
done
[ -n "$port" ] || fail "the guard does not say where its page is: $(cat guard.err)"
# look LIVE REPORT: page.py; without a browser all of it is skipped.
look() {
    status=0
    python3 "$source/tests/e2e/page.py" "$1" "$2" "${images:-$tmp}" >browser.txt 2>&1 || status=$?
    [ $status -ne 77 ] || { cat browser.txt; exit 77; }
    [ $status -eq 0 ] || fail "in the browser: $(tail -n 12 browser.txt)"
    n_checks=$((n_checks + $(sed -n 's/^\([0-9]*\) checks in the browser$/\1/p' browser.txt)))
}
look "http://127.0.0.1:$port/" ""

kill -INT "$guard"
wait "$guard" || true
trap 'rm -rf "$tmp"' EXIT
run 0 report runs/watch/page
look "" "$PWD/runs/watch/page/report.html"
done_well

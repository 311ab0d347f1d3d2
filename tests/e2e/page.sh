#!/bin/sh
# page.sh BUILD SOURCE: the live page and the report in a real browser: they draw, and the page follows the job by itself.
# Skipped (77) where Chromium is not installed.
set -eu
. "$(dirname "$0")/lib.sh"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no Chromium here"
    exit 77
}
# see FILE ADDRESS OPTION...: loads a page headless; what is printed goes to FILE.
see() {
    to=$1
    address=$2
    shift 2
    timeout 100 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$PWD/profile" \
        "$@" "$address" >"$to" 2>browser.txt || fail "the browser did not load $address: $(tail -3 browser.txt)"
}

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
samples() { sed -n 's/.*<dt>samples<\/dt><dd>\([0-9]*\).*/\1/p' "$1"; }
# More samples than so many are on the page, within a minute.
wait_samples() {
    for _ in $(seq 60); do
        see page.html "http://127.0.0.1:$port/" --dump-dom
        [ "$(samples page.html)" -gt "$1" ] && return
        sleep 1
    done
    fail "the page stands still: $(samples page.html) samples, and more than $1 are wanted"
}
wait_samples 8

# Six seconds of the page's own time: it must have read itself anew meanwhile.
see page.html "http://127.0.0.1:$port/" --virtual-time-budget=6000 --dump-dom
grep -q '<h1>sh -c while sleep' page.html || fail "the page does not name the job"
[ "$(grep -o '<svg' page.html | wc -l)" -ge 5 ] || fail "the page has hardly any plots"
grep -q 'aria-label="children.started"' page.html || fail "children.started is not drawn"
grep -q 'class="lost"' page.html && fail "the page could not read itself anew"
n_checks=$((n_checks + 4))
wait_samples "$(samples page.html)"

see nothing "http://127.0.0.1:$port/" --screenshot="$PWD/page.png" --window-size=1200,1500
[ "$(wc -c <page.png)" -gt 20000 ] || fail "the picture of the page is empty"

kill -INT "$guard"
wait "$guard" || true
trap 'rm -rf "$tmp"' EXIT
run 0 report runs/watch/page
see report.html "file://$PWD/runs/watch/page/report.html" --dump-dom
grep -q 'aria-label="children.started"' report.html || fail "the report does not draw children.started"
grep -q '<dd>ended</dd>' report.html || fail "the report does not say that the run has ended"
n_checks=$((n_checks + 4))
done_well

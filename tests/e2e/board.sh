#!/bin/sh
# board.sh BUILD SOURCE [IMAGES]: vigil train --serve and vigil board: values by curl, then in a real browser at the width of a
# desk and of a phone: values of the page, nothing wider than the window, nothing that moves by itself, no fault of the script.
# With a third argument the pictures of docs/ are written there; VIGIL_BOARD_TRAIN has other arguments of training for them. The
# browser's part is skipped where there is none.
set -eu
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || {
    echo "no curl here"
    exit 77
}

# url FILE: the address in it, with its token; waits for it.
url() {
    waited=0
    until grep -q 'http://.*token=' "$1" 2>/dev/null; do
        waited=$((waited + 1))
        [ $waited -lt 600 ] || fail "no address in $1: $(cat "$1")"
        sleep 0.1
    done
    sed -n 's/.*\(http:\/\/[^ ]*\).*/\1/p' "$1" | head -n 1
}
# got STATUS METHOD ADDRESS ARGUMENT...: what came is in page.html.
got() {
    want=$1
    method=$2
    address=$3
    shift 3
    status=$(curl -s -m 60 -o page.html -w '%{http_code}' -X "$method" "$@" "$address") || true
    equal "$status" "$want" "$method $address"
}
shows() {
    grep -qF -- "$1" page.html || fail "the page does not show $1: $(head -c 3000 page.html)"
    n_checks=$((n_checks + 1))
}

# ---- two runs that are over, one with a hostile name, one watched job ----
training_set
[ -z "${VIGIL_BOARD_TRAIN:-}" ] || small_arguments="train $VIGIL_BOARD_TRAIN"
start one --epochs 6 --lr0 0.01 --plots
ends "$pid" 0 "the first run"
start two --epochs 8 --lr0 0.002 --optimizer SGD --plots
ends "$pid" 0 "the second run"
hostile='<img src=x onerror=alert(1)>'
start "$hostile" --epochs 1
ends "$pid" 0 "the run with a hostile name"
run 0 watch --interval 0.1 --name job -- sleep 1

# ---- a living one, with its page ----
start live --epochs 3000 --serve 127.0.0.1:0
train=$pid
trap 'kill "$train" "$board" 2>/dev/null || true; rm -rf "$tmp"' EXIT
board=""
own=$(url out)
own_base=${own%%/\?*}
token=${own##*token=}
wait_epochs live 2
# becomes ADDRESS TEXT: a look at the folder is up to a second old.
becomes() {
    waited=0
    until curl -s "$1" >page.html && grep -q "$2" page.html; do
        waited=$((waited + 1))
        [ $waited -lt 300 ] || fail "the page does not become: $2"
        sleep 0.1
    done
}
becomes "$own_base/" "badge training"
got 200 GET "$own_base/"
shows "data-chart='loss/box'"
shows "open the address with the token"
shows "badge training"
got 200 GET "$own_base/page.js"
got 404 GET "$own_base/compare"
got 403 GET "$own_base/" -H 'Host: rebound.example'
got 401 POST "$own_base/stop/"
got 403 POST "$own_base/stop/" -H "Authorization: Bearer $token" -H 'Origin: http://evil.example'
is_living "$train" || fail "the run ended without being asked"

# ---- the board ----
"$vigil" board runs --serve 127.0.0.1:0 >board.out 2>board.err &
board=$!
all=$(url board.out)
all_base=${all%%/\?*}
all_token=${all##*token=}
becomes "$all_base/" "badge training"
got 200 GET "$all_base/"
shows ">train/one</a>"
shows "badge finished"
shows "badge training"
shows "watched job"
shows '&#60;img src=x onerror=alert(1)&#62;'
if grep -qF "$hostile" page.html; then fail "a hostile name is markup"; fi
best=$(awk -F, 'NR > 1 && $9 + 0 > best { best = $9 + 0 } END { printf "%.4g", best }' runs/train/two/results.csv)
got 200 GET "$all_base/run/train/two"
shows "<dd data-figure='map'>$best</dd>"
shows "<dt>optimizer</dt><dd>SGD</dd>"
shows "src='/file/train/two/train_batch0.jpg?v="
got 200 GET "$all_base/file/train/two/train_batch0.jpg"
cmp -s page.html runs/train/two/train_batch0.jpg || fail "the picture is another"
ln -s /etc/passwd runs/train/two/link.jpg
for path in file/train/two/link.jpg file/train/two/args.yaml file/train/two/../../../data.yaml file/../../etc/passwd; do
    got 404 GET "$all_base/$path" --path-as-is
done
got 200 GET "$all_base/run/watch/job"
shows "What is thought of it"
curl -s -m 3 -N "$all_base/events?topic=run:train/live" >events.txt || true
grep -q '^data: {"parts":' events.txt || fail "no news of the living run: $(cat events.txt)"
grep -q '"state":"training"' events.txt || fail "the living run's state is not told"
n_checks=$((n_checks + 4))

# ---- in a browser ----
browsed="the browser's part was skipped: no Chromium"
status=0
python3 "$source/tests/e2e/board.py" "$own" "$all" "${3:-$tmp}" >browser.txt 2>&1 || status=$?
case $status in
0) browsed=$(tail -n 1 browser.txt) ;;
77) ;;
*) fail "in the browser: $(tail -n 12 browser.txt)" ;;
esac
echo "$browsed"

# ---- stopped from the board, as SIGTERM does (in a browser it was the page's button) ----
if is_living "$train"; then
    got 303 POST "$all_base/stop/train/live" -H "Authorization: Bearer $all_token"
fi
ends "$train" 143 "the run that was stopped"
grep -q 'go on with: vigil train --resume' err || fail "the stopped run does not say how to go on"
becomes "$all_base/run/train/live" "badge stopped"
kill -INT "$board"
ends "$board" 0 "the board"
trap 'rm -rf "$tmp"' EXIT
run 1 board nowhere
is_error "cannot open the folder"
run 2 board runs --serve nowhere
is_error "no port"
run 2 train --data data.yaml --model yolo11n --epochs 1 --imgsz 64 --name none --serve nowhere
is_error "no port"
[ ! -e runs/train/none ] || fail "a run that could not be served left a folder"
done_well

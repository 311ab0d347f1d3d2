#!/bin/sh
# detach.sh BUILD SOURCE: runs in the background, looked at and stopped from elsewhere; signals, and going on after them.
set -eu
. "$(dirname "$0")/lib.sh"
training_set
PATH=$build:$PATH

# Every process started here ends with the test.
trap 'for f in runs/train/*/vigil.pid; do [ -f "$f" ] && kill -KILL "$(head -n 1 "$f")" 2>/dev/null; done; rm -rf "$tmp"' EXIT

# go_on FILE: the hint of $tmp/FILE, word by word.
go_on() {
    hint=$(sed -n 's/^go on with: //p' "$tmp/$1")
    [ -n "$hint" ] || fail "std$1 does not say how to go on"
    # shellcheck disable=SC2086
    $hint >"$tmp/out" 2>"$tmp/err" || fail "exit status $? of: $hint"
}

# no_trace NAME: nothing of a living run is left.
no_trace() {
    for file in vigil.pid vigil.progress; do
        [ ! -e "runs/train/$1/$file" ] || fail "$file of $1 is still there"
    done
}

without_time() {
    cut -d, -f1,3- "runs/train/$1/results.csv"
}

# ---- what is wrong is said in the foreground
run 1 train --data nope.yaml --model yolo11n --detach
is_error "No such file"
run 2 train --data data.yaml --model yolo11n --detach --epochs many
is_error "epochs=many"
[ ! -e runs ] || fail "a folder of a run that never began"

# ---- a run in the background
small --name whole --epochs 30 >/dev/null || fail "the uninterrupted run"
got=0
small --name bg --epochs 30 --detach >out 2>err || got=$?
equal "$got" 0 "exit status of --detach"
says out "Data: 8 pictures with 16 objects"
says out "  log:      runs/train/bg/train.log"
says out "  look:     vigil attach runs/train/bg"
says out "  end it:   vigil stop runs/train/bg"
pid=$(head -n 1 runs/train/bg/vigil.pid)
equal "$(cut -d ' ' -f 22 /proc/"$pid"/stat)" "$(sed -n 2p runs/train/bg/vigil.pid)" "start time in vigil.pid"
equal "$(cut -d ' ' -f 6 /proc/"$pid"/stat)" "$pid" "a session of its own"
for fd in 0:/dev/null 1:"$tmp/runs/train/bg/train.log" 2:"$tmp/runs/train/bg/train.log"; do
    equal "$(readlink /proc/"$pid"/fd/"${fd%%:*}")" "${fd#*:}" "file descriptor ${fd%%:*}"
done
kill -HUP "$pid"
run 1 train --resume runs/train/bg
is_error "the run is running already: process $pid has it"
run 1 train --data data.yaml --model yolo11n --name bg --exist-ok
is_error "the run is running already"
wait_epochs bg 2
"$vigil" attach >out 2>err &
attached=$!
until grep -q 'box_loss   cls_loss' out; do sleep 0.1; done
kill -INT $attached
ends $attached 130 "attach after SIGINT"
says out "runs/train/bg: process $pid"
says out "box_loss   cls_loss"
says err "runs/train/bg goes on: process $pid"
is_living "$pid" || fail "attach ended the run"
"$vigil" attach runs/train/bg >attached 2>attached_err &
attached=$!
until grep -q 'box_loss   cls_loss' attached; do sleep 0.1; done
run 0 stop runs/train/bg
! is_living "$pid" || fail "stop returned before the process ended"
cp out stopped
says out "runs/train/bg: stopped in epoch"
ends $attached 143 "attach when the run was stopped"
grep -q '^go on with: vigil train --resume runs/train/bg$' attached || fail "attach does not say how to go on"
no_trace bg
log=runs/train/bg/train.log
! LC_ALL=C grep -q "$(printf '[\033\r]')" $log || fail "control codes in the log"
grep -q '^SIGTERM: stopped in epoch' $log || fail "the log does not say what ended it"
epochs=$(($(wc -l <runs/train/bg/results.csv) - 1))
[ "$(wc -l <$log)" -le $((12 + 5 * (epochs + 1))) ] || fail "more than five lines an epoch in the log"
run 1 attach runs/train/bg
is_error "the run is not running"
says err "try: vigil train --resume runs/train/bg"
run 1 stop runs/train/bg/weights/last.safetensors
is_error "the run is not running"

# ---- resumed in the background, watched to its end
got=0
$(sed -n 's/^go on with: //p' stopped) --detach >out 2>err || got=$?
equal "$got" 0 "exit status of --resume --detach"
run 0 attach
says out "runs/train/bg has finished"
says out "Results saved to runs/train/bg"
equal "$(without_time bg)" "$(without_time whole)" "results of the stopped and resumed run"
run 1 attach runs/train/bg
is_error "it has finished"
run 1 attach
is_error "no run is running there"
run 1 stop nope
is_error "no such run"
mkdir empty
run 1 stop empty
is_error "not a run"
run 2 stop
is_error "stop needs RUN"

# ---- a run that has a terminal of its own can be looked at and stopped, too
start fg --epochs 500
wait_epochs fg 1
"$vigil" attach runs/train/fg >attached 2>attached_err &
attached=$!
waited=0
until { [ "$(grep -c '^ *[0-9]*/500 ' attached)" -ge 2 ] && [ "$(grep -c '^ *all  *2  *4 ' attached)" -ge 2 ]; } ||
    [ $waited -ge 600 ]; do
    waited=$((waited + 1))
    sleep 0.1
done
run 0 stop runs/train/fg
ends $pid 143 "a run that was stopped"
ends $attached 143 "attach to it"
[ "$(grep -c '^ *[0-9]*/500 ' attached)" -ge 2 ] || fail "attach shows no rows of a run without a log"
[ "$(grep -c '^ *all  *2  *4 ' attached)" -ge 2 ] || fail "attach shows no validations of a run without a log"

# ---- SIGKILL: no word, but a lock that is gone with the process
start killed --epochs 500
wait_epochs killed 1
"$vigil" attach runs/train/killed >attached 2>attached_err &
attached=$!
until grep -q "process $pid" attached; do sleep 0.1; done
kill -KILL $pid
ends $pid 137 "a run that was killed"
ends $attached 1 "attach to it"
grep -q "process $pid ended without a message" attached_err || fail "attach does not say that the run was killed"
[ -f runs/train/killed/vigil.pid ] || fail "a killed process has cleaned up"
run 1 stop runs/train/killed
is_error "its process $pid was killed"
# The id may be another's by now: this shell's.
printf '%d\n1\n' $$ >runs/train/killed/vigil.pid
run 1 stop runs/train/killed
is_error "was killed"
start killed --exist-ok --epochs 1
ends $pid 0 "a new run over a killed one"
no_trace killed

# ---- signals
for signal in INT:130 TERM:143 HUP:129; do
    start "${signal%:*}" --epochs 20
    wait_epochs "${signal%:*}" 1
    kill "-${signal%:*}" $pid
    ends $pid "${signal#*:}" "SIG${signal%:*}"
    says err "SIG${signal%:*}: stopped in epoch"
    no_trace "${signal%:*}"
    go_on err
    says out "Results saved to runs/train/${signal%:*}"
    equal "$(wc -l <"runs/train/${signal%:*}/results.csv")" 21 "epochs after SIG${signal%:*}"
done

# nohup means it: SIGHUP changes nothing.
# shellcheck disable=SC2086
nohup "$vigil" $small_arguments --epochs 8 --name nohup >out 2>err </dev/null &
pid=$!
wait_epochs nohup 1
kill -HUP $pid
ends $pid 0 "a run under nohup"

# A terminal that goes away.
if command -v script >/dev/null; then
    script -qec "$vigil $small_arguments --epochs 500 --name closed" /dev/null >/dev/null 2>&1 </dev/null &
    terminal=$!
    wait_epochs closed 1
    pid=$(head -n 1 runs/train/closed/vigil.pid)
    kill -KILL $terminal
    wait_gone "$pid"
    no_trace closed
    run 1 stop runs/train/closed
    is_error "the run is not running"
    says_not err "was killed"
fi

# Steps of a second or so: stop twice is still polite, Ctrl-C twice is not.
start slow --imgsz 640 --batch 8 --epochs 500
until [ -f runs/train/slow/vigil.progress ] && grep -q Training out; do sleep 0.1; done
run 1 stop runs/train/slow --timeout 0
is_error "has not ended within 0 s"
run 0 stop runs/train/slow
ends $pid 143 "a run that was stopped twice"
run 0 train --resume runs/train/slow --detach
pid=$(head -n 1 runs/train/slow/vigil.pid)
while is_living "$pid"; do # two that come before the first was seen would be one
    kill -INT "$pid" 2>/dev/null || true
    sleep 0.1
done
# The kernel may still be taking the lock of a process that is gone: then attach shows the log first.
if "$vigil" attach runs/train/slow >out 2>err; then
    fail "attach to a killed run is no error"
fi
grep -q "process $pid .*was killed" err || fail "attach does not say that the run was killed: $(cat err)"
done_well

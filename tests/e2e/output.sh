#!/bin/sh
# output.sh BUILD SOURCE: standard output that is full or gone, and being told to stop.
set -eu
. "$(dirname "$0")/lib.sh"
pictures pics 4

# to_full ARGUMENT...: what cannot be written is an error.
to_full() {
    got=0
    "$vigil" "$@" >/dev/full 2>err </dev/null || got=$?
    equal "$got" 1 "exit status with a full disk: vigil $*"
    says err "standard output could not be written"
}
if [ -c /dev/full ]; then
    to_full predict --weights "$weights" --imgsz 160 --source pics --no-save
    to_full predict --weights "$weights" --imgsz 160 --source pics --no-save --json
    to_full predict --weights "$weights" --imgsz 160 --source pics --no-save --quiet
    to_full info yolo11n
    to_full --version
    to_full --help
fi

# Started with closed descriptors: their numbers are never a file's, into which words would be written. The JSON lines are
# the file's first and whole ones, and the rest is as ever.
n=0
# closed NAME REDIRECTION...: tried with descriptor 0, 1, 2 and all of them closed.
closed() {
    n=$((n + 1))
    got=0
    eval "\"$vigil\" predict --weights \"$weights\" --imgsz 160 --source pics --save --save-json --name closed_$n $*" || got=$?
    equal "$got" 0 "exit status with $*"
    "$build/tests/json_check" lines "runs/predict/closed_$n/predictions.jsonl" >json.txt || fail "with $*: $(cat json.txt)"
    equal "$(wc -l <"runs/predict/closed_$n/predictions.jsonl")" 4 "lines of predictions with $*"
}
closed '<&- >out 2>err'
closed '</dev/null >&- 2>err'
closed '</dev/null >out 2>&-'
closed '<&- >&- 2>&-'
# The guard's job has them, too; the report's words are not written into the history that it reads.
got=0
"$vigil" watch --interval 100ms --name closed --record --view off -- \
    sh -c 'for fd in 0 1 2; do [ -e /proc/self/fd/$fd ] || exit 9; done; sleep 0.5' <&- >&- 2>&- || got=$?
equal "$got" 0 "exit status of a guard and its job with closed descriptors"
"$vigil" report runs/watch/closed --json <&- >&- 2>&- || fail "a report with closed descriptors"
run 0 report runs/watch/closed --json
says out '"verdict"'

# A reader that has seen enough: no message, and the files are whole.
mkdir many
for i in 1 2 3 4 5 6 7 8 9; do
    for k in 0 1 2 3; do ln -s "../pics/scene_$k.bmp" "many/p_${i}_$k.bmp"; done
done
{
    got=0
    "$vigil" predict --weights "$weights" --imgsz 160 --source many --no-save --save-json 2>err || got=$?
    echo "$got" >status
} | head -n 1 >out
equal "$(cat status)" 1 "exit status when the reader went away"
[ ! -s err ] || fail "a word about a reader that went away"
"$build/tests/json_check" lines runs/predict/exp/predictions.jsonl >json.txt || fail "$(cat json.txt)"

# Told to stop: after the picture at hand, with files closed, and the status that a shell expects.
# stopped SIGNAL STATUS
stopped() {
    rm -rf runs out err
    # A shell's background job ignores SIGINT; env gives it back its default.
    env --default-signal=INT,TERM "$vigil" predict --weights "$weights" --imgsz 1280 --source many --no-save \
        --save-json >out 2>err &
    job=$!
    tries=0
    until [ -s out ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail "not a line in 60 seconds"
        sleep 0.1
    done
    kill -s "$1" "$job"
    got=0
    wait "$job" || got=$?
    equal "$got" "$2" "exit status after SIG$1"
    says err "stopped by SIG$1 after "
    says out "Speed: "
    "$build/tests/json_check" lines runs/predict/exp/predictions.jsonl >json.txt || fail "$(cat json.txt)"
}
stopped INT 130
stopped TERM 143

# Who waits for another program's picture, which never comes, is ended by one signal: a supervisor sends no second one.
mkfifo never
waits_in_vain() { # SOURCE
    env --default-signal=INT,TERM "$vigil" predict --weights "$weights" --source "$1" --no-save <never >out 2>err &
    job=$!
    exec 3>never # opens it for the reader, and writes nothing
    sleep 1
    kill -s TERM "$job"
    tries=0
    while kill -0 "$job" 2>/dev/null && [ "$tries" -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    [ "$tries" -lt 100 ] || kill -s KILL "$job"
    got=0
    wait "$job" || got=$?
    exec 3>&-
    equal "$got" 143 "exit status after SIGTERM while waiting for $1"
}
waits_in_vain -

done_well

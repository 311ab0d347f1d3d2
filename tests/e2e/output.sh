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

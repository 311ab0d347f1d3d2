#!/bin/sh
# ranks_slow.sh BUILD SOURCE MPIRUN: a rank that is slower than the others is told in the log and on the page, and one that
# hangs ends the run with its name.
set -eu
mpirun=$3
. "$(dirname "$0")/lib.sh"

# Both in a group of their own, by which a test that fails ends them.
job="" turns=""
trap 'kill $turns $job 2>/dev/null || true; rm -rf "$tmp"' EXIT

training_set
train="train --data data.yaml --cfg yolo11n.yaml --imgsz 32 --batch 4 --workers 0 --threads 1 --no-plots --no-val --epochs 100000 --patience 0"

# begin N ARGUMENT...: as $job; until its first epoch is over.
begin() {
    n=$1
    shift
    rm -rf exp
    # shellcheck disable=SC2086
    timeout 280 "$source/tests/ranks/mpirun.sh" "$mpirun" "$n" "$vigil" $train --project "$tmp" "$@" >out 2>err </dev/null &
    job=$!
    until [ -s exp/weights/last.safetensors ]; do
        if ! kill -0 $job 2>/dev/null; then
            status=0
            wait $job || status=$?
            [ $status != 77 ] || { cat out; exit 77; }
            fail "the run ended by itself"
        fi
        sleep 0.2
    done
}

rank_of() { # N: its process
    for folder in /proc/[0-9]*; do
        if tr '\0' ' ' <"$folder/cmdline" | grep -q -- "^$vigil .*--project $tmp " &&
            tr '\0' '\n' <"$folder/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1"; then
            echo "${folder#/proc/}"
        fi
    done 2>/dev/null
}

# awaits FILE TEXT: it comes while the job runs.
awaits() {
    until grep -qF -- "$2" "$1"; do
        kill -0 $job 2>/dev/null || fail "the run ended before it said: $2"
        sleep 0.2
    done
    n_checks=$((n_checks + 1))
}

# ---- rank 1 stands still most of the time
begin 2 --serve 127.0.0.1:0 --rank-timeout 250
slow=$(rank_of 1)
[ -n "$slow" ] || fail "no rank 1"
while kill -STOP "$slow" && sleep 0.3 && kill -CONT "$slow" && sleep 0.05; do :; done 2>/dev/null &
turns=$!
awaits err 'a rank is slow rank="rank 1 on '
address=$(sed -n 's|^Live page: \(http://[^?]*\).*|\1|p' out)
until curl -s --max-time 10 "$address" >page && grep -q 'Rank 1 on .* is slow' page; do
    kill -0 $job 2>/dev/null || fail "the run ended before its page told who is slow"
    sleep 0.5
done
grep -q "<td class=n>0<td>$(hostname)<td class=n>[0-9]* %" page || fail "no row of rank 0 on the page"
n_checks=$((n_checks + 2))
kill $turns
wait $turns 2>/dev/null || true
kill -CONT "$slow"
kill -TERM "$(rank_of 0)"
ends $job 143 "a run that was slow"
says err "go on with: vigil train --resume"

# ---- rank 1 hangs: rank 0 says so
begin 3 --rank-timeout 2
kill -STOP "$(rank_of 1)"
status=0
wait $job || status=$?
[ $status != 0 ] || fail "exit status 0 of a run of which a rank hung"
says err "error: rank 1 on $(hostname) does not answer; it was waited for "
says err "--rank-timeout"
equal "$(grep -c '^error: ' err)" 1 "ranks that tell the same failure"
[ -z "$(rank_of 1)" ] || fail "the rank that hung is still there"

# ---- and rank 0: the next one says it
begin 3 --rank-timeout 2
kill -STOP "$(rank_of 0)"
status=0
wait $job || status=$?
[ $status != 0 ] || fail "exit status 0 of a run of which rank 0 hung"
says err "error: rank 0 on $(hostname) does not answer; it was waited for "
says err "at:  rank 1 on "
equal "$(grep -c '^error: ' err)" 1 "ranks that tell the same failure"
job=""

# ---- one that only stood still for a while, for less than the time and more: it goes on
begin 2 --rank-timeout 3
still=$(rank_of 1)
kill -STOP "$still"
sleep 4 # the roll is called, and waited for five seconds
kill -CONT "$still"
n=$(wc -l <exp/results.csv)
until [ "$(wc -l <exp/results.csv)" -gt $((n + 2)) ]; do
    kill -0 $job 2>/dev/null || fail "a rank that came late ended the run"
    sleep 0.2
done
kill -TERM "$(rank_of 0)"
ends $job 143 "a run of which a rank came late"
job=""
done_well

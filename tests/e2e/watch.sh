#!/bin/sh
# watch.sh BUILD SOURCE: the guard's command: a job goes through, is limited, killed, put right and started again.
set -eu
. "$(dirname "$0")/lib.sh"
quick="--interval 0.2 --backoff 0.1 --history 0"

# guard STATUS ARGUMENT...
guard() {
    want=$1
    shift
    # shellcheck disable=SC2086
    run "$want" watch $quick "$@"
}

# ---- the job as if there were no guard
guard 7 -- sh -c 'echo out; echo err >&2; exit 7'
equal "$(cat out)" out "the job's standard output"
says err err
says err "vigil watch: the job ended with status 7"
guard 143 -- sh -c 'kill -TERM $$'
"$vigil" watch $quick -- sh -c 'trap "exit 9" TERM; : >trapped; sleep 30 & wait' >out 2>err &
pid=$!
until [ -f trapped ]; do sleep 0.1; done
kill -TERM $pid
ends $pid 143 "a guard after SIGTERM"
says err "the job ended with status 9"

# ---- what is wrong is said
run 2 watch
is_error "nothing to watch"
run 2 watch --on-critical restart --pid $$
is_error "cannot be restarted"
run 1 watch -- /no/such/program
says err "error: cannot start the job"
run 2 watch --resume-args "'x" -- true
is_error "a quote that is not closed"
run 2 watch --webhook ftp://x -- true
is_error "a webhook that is no URL"

# ---- a job that the kernel ends for want of memory goes on from its checkpoint; the one that it tore is put right
cat >job.sh <<'END'
# Two epochs, then it eats until it is ended; the last thing that it does is to tear its only checkpoint.
epoch=$(cat state 2>/dev/null || echo 0)
[ "${1-}" != --resume ] || cmp -s "$2" good || { echo "not the good checkpoint" >&2; exit 1; }
[ "$epoch" -lt 2 ] || { echo "resumed with $*"; exit 0; }
while [ "$epoch" -lt 2 ]; do
    epoch=$((epoch + 1))
    echo $epoch >state
    cp good run/last.safetensors
    sleep 1.2
    until ls runs/watch/oom/vault/*last.safetensors >/dev/null 2>&1; do sleep 0.1; done # the guard has seen it
done
head -c 20 good >run/last.safetensors
s=x
while [ ${#s} -lt 200000000 ]; do s=$s$s; done
exit 0
END
mkdir run
header='{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
printf '\065\0\0\0\0\0\0\0%sdata' "$header" >good
equal "${#header}" 53 "the header's length"
guard 0 --name oom --memory-max 60M --on-oom restart --on-limit restart --limit-at 1 --checkpoints run \
    "--resume-args=--resume {checkpoint}" -- sh job.sh
says out "resumed with --resume $tmp/run/last.safetensors"
says err "was not whole (safetensors without their header): the vault's"
cmp -s good run/last.safetensors || fail "the torn checkpoint was not put right"

# ---- as process 1 of a container: orphans are waited for
if unshare --pid --fork --mount-proc true 2>/dev/null; then
    got=0
    # shellcheck disable=SC2086
    unshare --pid --fork --mount-proc "$vigil" watch $quick -- \
        sh -c 'i=0; while [ $i -lt 20 ]; do (sleep 0.1 & ) ; i=$((i+1)); done; sleep 1; ps -e -o stat= | grep -c Z; exit 5' \
        >out 2>err </dev/null || got=$?
    equal "$got" 5 "exit status of a job below process 1"
    equal "$(cat out)" 0 "zombies"
fi

# ---- a full disk for what the guard writes does not end the job
if mkdir small && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    head -c 70000 /dev/zero >small/filler 2>/dev/null || true
    got=0
    # shellcheck disable=SC2086
    "$vigil" watch $quick --record --project small/watch -- sh -c 'sleep 1; exit 6' >out 2>err </dev/null || got=$?
    rm -f small/filler
    umount small
    [ "$got" = 6 ] || says err "No space left"
fi
done_well

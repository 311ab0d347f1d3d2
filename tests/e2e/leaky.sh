#!/bin/sh
# leaky.sh BUILD SOURCE: a Python training with each of the three classic causes is killed by its memory limit, and with
# `vigil watch` it is called, explained, restarted from its checkpoint, and finishes its epochs.
set -u
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || { echo "left out: it wants python3"; exit 0; }
job="$source/examples/leaky_train.py"
epochs=90

# guarded CAUSE OPTION...: 100 epochs would take 300 MB and more.
guarded() {
    cause=$1
    shift
    "$vigil" watch --memory-max 200M --interval 0.2s --project "watch_$cause" --run "run_$cause" "$@" -- \
        python3 "$job" --cause "${cause%_alone}" --epochs $epochs --epoch-s 0.4 --run "run_$cause" \
        >"$tmp/$cause.out" 2>"$tmp/$cause.err" </dev/null
    echo $? >"$tmp/$cause.status"
}

# Nothing is asked of the guard but the limit.
guarded frames_alone &
for cause in callback workers frames; do
    guarded $cause --checkpoints "run_$cause/last.pt" "--resume-args=--resume {checkpoint}" \
        --on-critical restart --on-oom restart --backoff 1s --grace 5s &
done
wait

equal "$(cat "$tmp/frames_alone.status")" 137 "alone it is killed"
says_not frames_alone.out "done:"
says frames_alone.err "for want of memory"
for cause in callback workers frames; do
    cp "$tmp/$cause.out" "$tmp/out"
    cp "$tmp/$cause.err" "$tmp/err"
    equal "$(cat "$tmp/$cause.status")" 0 "$cause: it finishes"
    says out "done: $epochs epochs"
    says out "resumed after epoch"
    says err "is critical"
    says err "job started again"
    says_not err "for want of memory"
    # Each epoch was done once, in order.
    equal "$(sed 1d "run_$cause/results.csv" | cut -d, -f1 | tr '\n' ' ')" "$(seq -s ' ' $epochs) " "$cause: its epochs"
done
says callback.err "(R8)"
says frames.err "(R8)"
says workers.err "(R3)"
echo "ok: $n_checks checks"

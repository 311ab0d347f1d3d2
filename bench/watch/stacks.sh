#!/bin/sh
# stacks.sh BUILD [ROUNDS]: what vigil watch --stacks costs the job: CPU time with the sampler over CPU time without, in
# turns, medians. A C program that does nothing but allocate, and a Python script; also with one sample ever, to tell the
# cost of looking from the cost of sampling.
set -eu
build=$(cd "$1" && pwd)
rounds=${2:-15}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
library=$build/src/watch/stacks/preload/libvigil-stacks.so

cpu() { "$@" | cut -d' ' -f1; }
sampled() {
    rate=$1
    shift
    rm -f "$tmp"/*.stacks
    cpu env LD_PRELOAD="$library" VIGIL_STACKS="$tmp" VIGIL_STACKS_RATE="$rate" "$@"
}
middle() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

compare() {
    name=$1
    shift
    : >"$tmp/rounds"
    i=0
    while [ "$i" -lt "$rounds" ]; do
        a=$(cpu "$@")
        b=$(sampled 524288 "$@")
        c=$(sampled 1000000000000 "$@")
        echo "$a $b $c" >>"$tmp/rounds"
        i=$((i + 1))
    done
    plain=$(awk '{ print $1 }' "$tmp/rounds" | middle)
    ratio=$(awk '{ print $2 / $1 }' "$tmp/rounds" | middle)
    looking=$(awk '{ print $3 / $1 }' "$tmp/rounds" | middle)
    least=$(awk 'NR == 1 || $1 < a { a = $1 } NR == 1 || $2 < b { b = $2 } END { print b / a }' "$tmp/rounds")
    printf '%-8s %8s s  sampled x %.3f (of the least times: x %.3f)  never sampled x %.3f\n' \
        "$name" "$plain" "$ratio" "$least" "$looking"
}

compare C "$build/bench/watch/stacks_load" 30000000
python=/usr/bin/python3
[ -x "$python" ] && compare Python "$python" "$here/stacks_load.py"

#!/bin/sh
# run.sh SECONDS [TARGET...]: fuzzes every target of build-fuzz (or the named ones) for SECONDS each, as many at a time as
# there are processors, and says per target what was tried. Exit status 1 when an input was found that a reader
# cannot bear; the input is kept in build-fuzz/found/.
#   seeds       tests/fuzz/corpus/TARGET/    checked in, only read
#   dictionary  tests/fuzz/TARGET.dict       where there is one
#   new inputs  build-fuzz/corpus/TARGET/    kept, so that the next run starts where this one ended
set -eu

# One input may take 10 s and 1 GiB: a reader that wants more for a few bytes is a finding too.
one_timeout_s=10
one_limit_mb=1024
input_max_bytes=65536

# run_one SECONDS TARGET: its line goes to stdout, its whole output to a log.
run_one() {
    seconds=$1
    name=$2
    log=$build/$name.log
    mkdir -p "$build/corpus/$name" "$build/found"
    set -- "$build/corpus/$name"
    [ ! -d "$here/corpus/$name" ] || set -- "$@" "$here/corpus/$name"
    [ ! -f "$here/$name.dict" ] || set -- -dict="$here/$name.dict" "$@"
    status=0
    "$build/fuzz/$name" -max_total_time="$seconds" -timeout=$one_timeout_s -rss_limit_mb=$one_limit_mb \
        -max_len=$input_max_bytes -artifact_prefix="$build/found/$name-" -print_final_stats=1 "$@" \
        >"$log" 2>&1 </dev/null || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    if [ "$status" -eq 0 ]; then
        echo "$name: passed, ${runs:-0} inputs, ${edges:-0} edges"
    else
        echo "$name: failed, ${runs:-0} inputs; $(grep -m 1 -E 'ERROR:|SUMMARY:|runtime error:' "$log" || echo "exit status $status")"
        grep -E 'Test unit written to' "$log" || echo "see $log"
    fi
    return $status
}

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build-fuzz

if [ "${1:-}" = --one ]; then
    # xargs stops at status 255 only; 1 lets the others finish.
    run_one "$2" "$3" || exit 1
    exit 0
fi

case ${1:-} in
'' | *[!0-9]*)
    echo "usage: tests/fuzz/run.sh SECONDS [TARGET...]" >&2
    exit 2
    ;;
esac
seconds=$1
shift
if [ $# -eq 0 ]; then
    for source in "$here"/fuzz_*.c; do
        [ -f "$source" ] || {
            echo "error: no target tests/fuzz/fuzz_*.c" >&2
            exit 1
        }
        set -- "$@" "$(basename "$source" .c)"
    done
fi
for name in "$@"; do
    [ -x "$build/fuzz/$name" ] || {
        echo "error: build-fuzz/fuzz/$name is not built" >&2
        echo "  try: cmake --preset fuzz && cmake --build --preset fuzz" >&2
        exit 1
    }
done
# xargs: 0 when every one passed, 123 when one failed.
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} "$0" --one "$seconds" {} || exit 1

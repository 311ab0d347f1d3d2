#!/bin/sh
# replay.sh BUILD SOURCE: traces recorded from the corpus (bench/leaks), and of users' programs (users.txt beside them),
# are judged as they were: the same verdict at the same sample, every time. TRACE.events has what is to be said: time,
# series, state, rule of each event that calls or clears. VIGIL_GOLDEN=write writes them anew, to be read before they
# are committed.
set -u
. "$(dirname "$0")/lib.sh"

traces=$source/tests/watch/traces

# events OPTION...: of a replay, the lines that call a series or clear it.
events() {
    "$vigil" watch --json "$@" >"$tmp/out" 2>"$tmp/err" || fail "exit status $?: vigil watch $*"
    sed -n '/"was":"learning","state":"steady"/d
            s/^{"time_s":\([^,]*\),"series":"\([^"]*\)","was":"[^"]*","state":"\([^"]*\)".*"rule":"*\([^",]*\)"*,"confidence.*/\1 \2 \3 \4/p' \
        "$tmp/out"
}

for trace in "$traces"/*.csv; do
    name=$(basename "$trace" .csv)
    hang=
    [ "$name" = hang ] && hang="--hang 30s"
    # shellcheck disable=SC2086
    events $hang --replay "$trace" >"$tmp/$name.events"
    if [ "${VIGIL_GOLDEN:-}" = write ]; then
        cp "$tmp/$name.events" "$traces/"
        continue
    fi
    cmp -s "$tmp/$name.events" "$traces/$name.events" ||
        fail "$name: $(diff "$traces/$name.events" "$tmp/$name.events")"
    n_checks=$((n_checks + 1))
    # What the program was is also what it is called.
    rule=$(sed -n "s/^$name\(\.py\)\{0,1\}  *\(leak\|hang\)  *\(R[0-9]*\).*/\3/p" "$source/tests/leaks/corpus.txt" "$traces/users.txt")
    called=$(grep -E ' (leaking|critical|hung) ' "$tmp/$name.events" | head -n 1 | cut -d' ' -f4)
    equal "$called" "$rule" "$name: the cause of its first call"
done

# The last line is the verdict of every series, and one trace is read as well from a pipe.
"$vigil" watch --replay - --json <"$traces/leak_capture.csv" >"$tmp/piped" || fail "from a pipe"
"$vigil" watch --replay "$traces/leak_capture.csv" --json >"$tmp/read" || fail "from a file"
equal "$(cksum <"$tmp/piped")" "$(cksum <"$tmp/read")" "a pipe says what a file says"
cp "$tmp/read" "$tmp/out"
says out '"verdict":"critical"'
says out '"rule":"R10"'
[ $n_checks -gt 40 ] || [ "${VIGIL_GOLDEN:-}" = write ] || fail "only $n_checks checks: are the traces there?"
echo "ok: $n_checks checks"

#!/bin/sh
# real.sh BUILD SOURCE: short real programs that need nothing but Python are run under the guard by the runner of the whole
# corpus (bench/leaks/real.py): threads that never end (also below a shell), deleted files held open, and two that are well.
set -u
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || { echo "left out: it wants python3"; exit 77; }
python3 "$source/bench/leaks/real.py" "$build" threads_left tempfiles_left executor_ok asyncio_queue --jobs 5 --seconds 35 \
    --quick 5 --cache "$tmp/cache" >"$tmp/out" 2>"$tmp/err" || fail "it says: $(cat "$tmp/out" "$tmp/err")"
says out "5 programs, 0 skipped. 3 leaks: 3 caught, cause right in 3. 2 healthy: 0 false calls, 0 of them false acts."
says out "| threads_left | Python | a thread a message, none ends (R23) | main.threads leaking R23 |"
says out "| sh_threads_left | Python below a shell | a thread a message, none ends (R23) | children.threads leaking R23 |"
# What is not there skips the program, with the reason.
python3 "$source/bench/leaks/real.py" "$build" threads_left --again "$tmp" >"$tmp/out" 2>"$tmp/err" || fail "--again"
says out "skipped: no trace of it"
echo "ok: $n_checks checks"

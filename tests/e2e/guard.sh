#!/bin/sh
# guard.sh BUILD SOURCE: what a guard may not do: take another job's checkpoint, lose its own, leave a job behind, end a stranger,
# show a secret.
set -eu
. "$(dirname "$0")/lib.sh"
quick="--interval 0.2 --backoff 0.1 --history 0 --view off"

header='{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
printf '\065\0\0\0\0\0\0\0%sdata' "$header" >good
printf '\065\0\0\0\0\0\0\0%smine' "$header" >mine

# awaits WHY COMMAND...: until it is so.
awaits() {
    why=$1
    shift
    for _ in $(seq 600); do
        ! "$@" || return 0
        sleep 0.05
    done
    fail "$why"
}

# ---- a job that wrote nothing goes on from nothing, whatever lies in its folder
mkdir -p both/runs/a
cd both
cat >writer.sh <<'END'
while [ ! -e stop ]; do
    cat ../good >runs/a/last.safetensors
    sleep 0.3
done
END
sh writer.sh &
writer=$!
# shellcheck disable=SC2086
"$vigil" watch $quick --name b --on-exit restart --max-restarts 1 --resume-args '--resume {checkpoint}' -- \
    sh -c 'echo "with $*"; sleep 3; exit 1' job >../out 2>../err </dev/null || true
touch stop
wait $writer
cd ..
equal "$(cat out)" "with 
with " "what the job was started with"
says err "from its beginning"
[ ! -e both/runs/watch/b/vault ] || fail "another job's file is in the vault"

# ---- and its live file is not replaced, whole or half
mkdir -p live/runs/a
cd live
python3 - <<'END' &
import os, time
for n in range(6):
    with open('runs/a/last.safetensors', 'wb') as f:
        ino = os.fstat(f.fileno()).st_ino
        f.write(open('../good', 'rb').read()[:20]); f.flush(); time.sleep(0.8)
        f.write(open('../good', 'rb').read()[20:])
    if os.stat('runs/a/last.safetensors').st_ino != ino:
        open('swapped', 'w')
END
writer=$!
# shellcheck disable=SC2086
"$vigil" watch $quick --name b --on-exit restart --max-restarts 3 --resume-args '--resume {checkpoint}' -- \
    sh -c 'sleep 1; exit 1' >../out 2>../err </dev/null || true
wait $writer
cd ..
[ ! -e live/swapped ] || fail "a file of a job that is not guarded was replaced"
says_not err "is in its place"

# ---- its own it goes on from, without an option
mkdir own
cd own
cat >job.sh <<'END'
echo "with $*"
mkdir -p runs/mine
exec 3>runs/mine/last.safetensors
cat ../mine >&3
sleep 1
exec 3>&-
sleep 3
exit 1
END
# shellcheck disable=SC2086
"$vigil" watch $quick --name own --on-exit restart --max-restarts 1 --resume-args '--resume {checkpoint}' -- sh job.sh >../out 2>../err </dev/null || true
cd ..
says out "with --resume $tmp/own/runs/mine/last.safetensors"
cmp -s own/runs/watch/own/vault/000000-last.safetensors mine || fail "the vault's copy is not the job's file"

# ---- a second run of a script: its folder was there before, and is a link to another disk
mkdir -p second disk && ln -s ../disk second/saved
cd second
cat >job.sh <<'END'
echo "with $*"
sleep 1
exec 3>saved/last.safetensors
cat ../mine >&3
sleep 0.1
exec 3>&-
sleep 3
exit 1
END
# shellcheck disable=SC2086
"$vigil" watch $quick --interval 5s --name again --on-exit restart --max-restarts 1 --resume-args '--resume {checkpoint}' -- sh job.sh >../out 2>../err </dev/null || true
cd ..
says out "with --resume $tmp/disk/last.safetensors"

# ---- Ctrl-C twice: the job does not outlive its guard
cat >deaf.py <<'END'
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
open('deaf.%d' % os.getpid(), 'w')
time.sleep(300)
END
# shellcheck disable=SC2086
"$vigil" watch $quick --name deaf --grace 200 -- python3 deaf.py >out 2>err </dev/null &
guard=$!
two() { [ "$(ls deaf.[0-9]* 2>/dev/null | wc -l)" = 2 ]; }
awaits "the deaf job has not begun" two
kill -INT $guard
awaits "the first Ctrl-C is not told" grep -q "stopping the job" err
sleep 0.5 # two presses, not one
kill -INT $guard
ends $guard 130 "a guard after two Ctrl-C"
says err "asked again: KILL"
for f in deaf.[0-9]*; do
    ! kill -0 "${f#deaf.}" 2>/dev/null || fail "process ${f#deaf.} outlived its guard"
done

# ---- Ctrl-\ reaches the guard alone: it ends the job, too
rm -f deaf.[0-9]*
# shellcheck disable=SC2086
"$vigil" watch $quick --name quit --grace 1s -- python3 deaf.py >out 2>err </dev/null &
guard=$!
awaits "the deaf job has not begun again" two
kill -QUIT $guard
ends $guard 131 "a guard after SIGQUIT"
for f in deaf.[0-9]*; do
    ! kill -0 "${f#deaf.}" 2>/dev/null || fail "process ${f#deaf.} outlived a guard that SIGQUIT ended"
done

# ---- a run's lock names the process that holds it, or nobody is ended
mkdir -p spoof/weights
sleep 300 &
victim=$!
python3 - $victim <<'END' &
import fcntl, struct, sys, time
pid = int(sys.argv[1])
start = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[19]
f = open('spoof/vigil.pid', 'w+')
f.write(f'{pid}\n{start}\n')
f.flush()
fcntl.fcntl(f, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
open('spoof/ready', 'w')
time.sleep(300)
END
holder=$!
awaits "the lock is not held" test -e spoof/ready
run 1 stop spoof --timeout 1
is_error "does not hold that file open"
kill -0 $victim || fail "vigil stop ended a stranger"
kill $victim $holder

# ---- no secret of the command is stored or shown
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
"$vigil" watch --interval 0.2 --name hush --record --serve "127.0.0.1:$port" --token GUARDTOKEN --view off -- \
    sh -c 'echo ready >hush.ready; sleep 300 # --token JOBSECRET1 mqtt://u:JOBSECRET2@h API_KEY=JOBSECRET3' job --password JOBSECRET4 \
    >out 2>err </dev/null &
guard=$!
awaits "the job with secrets has not begun" test -e hush.ready
page() {
    python3 - "$port" >page <<'END'
import sys, urllib.request
for path in ('/', '/report.json', '/metrics'):
    q = urllib.request.Request(f'http://127.0.0.1:{sys.argv[1]}{path}', headers={'Authorization': 'Bearer GUARDTOKEN'})
    print(urllib.request.urlopen(q).read().decode())
END
    grep -q vigil_watch_job_info page
}
awaits "no page" page
kill -TERM $guard
ends $guard 143 "a guard after SIGTERM"
for secret in JOBSECRET GUARDTOKEN; do
    ! grep -rq $secret runs/watch/hush out err page || fail "$secret is shown or stored: $(grep -rl $secret runs/watch/hush out err page)"
done
grep -q -- '--password \*\*\*' page || fail "the command is not shown with its secrets masked"
equal "$(stat -c %a runs/watch/hush)" 700 "the guard's folder"
for f in events.jsonl history.db trace.csv; do
    equal "$(stat -c %a "runs/watch/hush/$f")" 600 "$f"
done
done_well

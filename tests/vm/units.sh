#!/bin/sh
# units.sh: packaging's unit under a systemd of its own: ready, status, a cgroup with the limit, the watchdog, the end.
export PATH=/bin:/usr/bin
echo
passed() { echo "passed: $*"; }
failed() { echo "failed: $*"; }
check() { # NAME CONDITION: within some 40 s
    n=0
    until eval "$2"; do
        n=$((n + 1))
        if [ $n -ge 40 ]; then
            failed "$1"
            systemctl show vigil-watch@job -p ActiveState,SubState,Result,NRestarts,MainPID,StatusText
            cat /tmp/guard.out
            systemctl status vigil-watch@job --no-pager 2>&1 | tail -n 30
            find /sys/fs/cgroup -path "*vigil-watch@job*" -name cgroup.procs | while read -r f; do echo "$f: $(cat "$f" | tr "\n" " ")"; done
            busybox dmesg | tail -n 15
            return
        fi
        sleep 0.5
    done
    passed "$1"
}
of() { systemctl show vigil-watch@job -p "$1" --value; }
systemctl start vigil-watch@job || failed "the unit starts"
check "Type=notify: systemd waited until it was ready" '[ "$(of ActiveState)" = active ]'
check "it says what it is about" '[ -n "$(of StatusText)" ]'
echo "figure: status \"$(of StatusText)\""
check "--memory-max is a cgroup of its own below the unit's" 'find /sys/fs/cgroup -path "*vigil-watch@job.service/vigil-*/memory.max" -exec cat {} + | grep -qx 62914560'
job=$(pidof sleep-job)
sleep 10
[ "$(of NRestarts)" = 0 ] && passed "a guard that samples feeds the watchdog" || failed "a guard that samples feeds the watchdog"
first=$(of MainPID)
kill -STOP "$first"
check "a guard that hangs is ended by the watchdog, and another started" '[ "$(of NRestarts)" = 1 ] && [ "$(of ActiveState)" = active ] && [ "$(of MainPID)" != "$first" ]'
[ "$(pidof sleep-job)" = "$job" ] && passed "the job went on meanwhile" || failed "the job went on meanwhile"
check "the next guard took it up" 'grep -q "is taken up again" /tmp/guard.out'
check "and set its limit again" 'find /sys/fs/cgroup -path "*vigil-watch@job.service/vigil-*/memory.max" -exec cat {} + | grep -qx 62914560'
systemctl stop vigil-watch@job
check "told to stop it ends its job" '[ -z "$(pidof sleep-job)" ]'
check "and that is a success" '[ "$(of Result)" = success ] && [ "$(of ActiveState)" = inactive ]'
echo "vm: done"
busybox poweroff -f

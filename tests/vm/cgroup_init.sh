#!/bin/busybox sh
# cgroup_init.sh: process 1 of the virtual machine of cgroup.sh.
/bin/busybox mkdir -p /usr/bin /sbin
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd /tmp
echo
passed() { echo "passed: $*"; }
failed() { echo "failed: $*"; }
expect() { # NAME FILE REGEX
    if grep -Eq "$3" "$2"; then passed "$1"; else failed "$1 (no \"$3\")"; echo "--- $2"; tail -n 30 "$2"; fi
}
column() { # TRACE NAME: the newest value, as a whole number
    awk -F, -v n="$2" '$2 == n {v = $3} END {if (v != "") printf "%d\n", v}' "$1"
}
root=/sys/fs/cgroup
echo "+memory +pids" >$root/cgroup.subtree_control

# Holds $1 MB in the shell itself, then goes on with the rest.
cat >eat.sh <<'X'
s=$(dd if=/dev/zero bs=1M count=$1 2>/dev/null | tr '\0' x)
shift
eval "$@"
X

# In a cgroup of its own, as a unit with Delegate=yes is: the guard hands the controller down and makes the job's below.
unit() { # NAME ARGUMENTS OF VIGIL WATCH
    name=$1
    shift
    mkdir -p $root/$name
    sh -c 'echo 0 >"$0/cgroup.procs"; exec vigil watch --interval 0.5 --record true --exist-ok --project /tmp/w --name "$@"' \
        $root/$name $name "$@" >$name.out 2>&1
    echo "exit $?" >>$name.out
}

# 1. own cgroup, memory.max, oom_kill of the job
unit kill --memory-max 60M -- sh eat.sh 5 'sleep 4; sh eat.sh 200 true; echo survived; exit 3'
expect "the job has a cgroup of its own below the guard's" kill.out "held by its own cgroup, /sys/fs/cgroup/kill/vigil-"
expect "a child that the kernel ended is told" kill.out "for want of memory"
expect "the paragraph names the evidence" kill.out "after the end: it ended .*(count of such kills in the job's cgroup rose|its log names the process)"
if ls -d $root/kill/vigil-[0-9]* >/dev/null 2>&1; then failed "its cgroup is removed at the end"; else passed "its cgroup is removed at the end"; fi

unit whole --memory-max 60M -- sh -c 'sleep 3; exec sh eat.sh 200 true'
expect "the main process that the kernel ended is told by its log" whole.out "after the end: it ended by signal 9 .*its log names the process"

# 2. figures
unit figures --memory-max 80M -- sh eat.sh 30 'sleep 6'
t=w/figures/trace.csv
for s in cgroup.current_bytes cgroup.peak_bytes cgroup.anon_bytes cgroup.kernel_bytes cgroup.pressure cgroup.oom_kill limit.cgroup_bytes; do
    v=$(column $t $s)
    echo "figure: $s $v"
    case $v in "") failed "$s is read" ;; *) passed "$s is read" ;; esac
done
[ "$(column $t limit.cgroup_bytes)" = 83886080 ] && passed "memory.max is the limit" || failed "memory.max is the limit"

# 3. memory.high: slowed, not killed; the pressure is seen
mkdir -p $root/slow
echo 30M >$root/slow/memory.high
sh -c 'echo 0 >/sys/fs/cgroup/slow/cgroup.procs; exec sh eat.sh 60 "sleep 8"' & job=$!
sleep 1
vigil watch --interval 0.5 --record true --exist-ok --project /tmp/w --name slow --duration 12 --cgroup slow >slow.out 2>&1
t=w/slow/trace.csv
echo "figure: high $(column $t cgroup.high_bytes), highest pressure $(awk -F, '$2 == "cgroup.pressure" && $3 > m {m = $3} END {print m + 0}' $t), events: $(tr '\n' ' ' <$root/slow/memory.events)"
[ "$(column $t cgroup.high_bytes)" = 31457280 ] && passed "memory.high is read" || { failed "memory.high is read"; cat slow.out; }
awk -F, '$2 == "cgroup.pressure" && $3 > 0 {f = 1} END {exit !f}' $t && passed "a job beyond memory.high shows pressure" || failed "a job beyond memory.high shows pressure"
kill $job 2>/dev/null

# 4. a guard that is not alone in its cgroup measures instead
mkdir -p $root/shared
sleep 100 & other=$!
echo $other >$root/shared/cgroup.procs
unit shared --memory-max 60M -- sh eat.sh 5 'sleep 2'
expect "a guard that shares its cgroup measures, and says why" shared.out "held by measuring every 0.5 s: no cgroup of its own \("
kill $other
echo "vm: done"
sync
poweroff -f

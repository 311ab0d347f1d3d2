#!/bin/sh
# cgroup.sh [VIGIL]: the guard under a kernel that has cgroup version 2, whatever this machine has: a virtual machine
# without help of the hardware (QEMU, TCG) boots Debian's kernel with the program and a shell. Each thing held or lost is
# a line "passed: ..." or "failed: ...". Exit: 0, 1, or 77 with the reason where the tools are not there.
#   apt-get install qemu-system-x86 busybox-static cpio
# The kernel: $VIGIL_KERNEL, or a linux-image-cloud-amd64 of apt, downloaded and unpacked, not installed. Not part of
# ctest: it takes some 3 minutes; the second machine, with packaging's unit under systemd, only where systemd is installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
vigil=$(realpath "${1:-$here/../../build/vigil}")
skip() { echo "skipped: $*"; exit 77; }
for tool in qemu-system-x86_64 busybox cpio python3; do
    command -v $tool >/dev/null || skip "$tool is not here: apt-get install qemu-system-x86 busybox-static cpio"
done
[ -x "$vigil" ] || skip "$vigil is not built"
work=$(mktemp -d "${TMPDIR:-/tmp}/vigil-vm-XXXXXX")
trap 'rm -rf "$work"' EXIT
kernel=${VIGIL_KERNEL:-}
if [ -z "$kernel" ]; then
    cd "$work"
    name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9]\)/\1/p' | head -1)
    [ -n "$name" ] && apt-get download "$name" >/dev/null 2>&1 || skip "apt gives no linux-image-cloud-amd64; say VIGIL_KERNEL="
    dpkg -x "$name"_*.deb kernel
    kernel=$(ls "$work"/kernel/boot/vmlinuz-*)
fi

# ---- the machine's files ----
root=$work/root
take() { # PROGRAMS: with their libraries, where they are here
    for program in "$@"; do
        for file in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do
            mkdir -p "$root$(dirname "$file")"
            [ -e "$root$file" ] || cp -L "$file" "$root$file"
        done
    done
}
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/lib64"
cp "$(command -v busybox)" "$root/bin/busybox"
take "$vigil"
cp "$vigil" "$root/bin/vigil"

boot() { # NAME INIT MORE-ARGUMENTS-OF-THE-KERNEL
    cp "$here/$2" "$root/init"
    chmod 755 "$root/init"
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"
    timeout "${VIGIL_VM_SECONDS:-400}" qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 1024 -nographic -no-reboot \
        -kernel "$kernel" -initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1 psi=1 loglevel=3 $3" -nic none \
        </dev/null >"$work/$1" 2>&1 || true
    tr -d '\r' <"$work/$1" >"$work/$1.text"
    grep -E '^(passed|failed|figure): ' "$work/$1.text" || true
    if ! grep -q '^vm: done' "$work/$1.text"; then
        echo "failed: the machine did not come to its end ($1)"
        tail -n 40 "$work/$1.text"
        status=1
    elif grep -q '^failed: ' "$work/$1.text"; then
        sed -n '/^failed: /,$p' "$work/$1.text" | head -n 150
        status=1
    fi
}
status=0
boot cgroup cgroup_init.sh ""

# ---- systemd as process 1, with packaging's unit ----
systemd=/usr/lib/systemd/systemd
if [ ! -x $systemd ]; then
    echo "skipped: no systemd is installed here to boot"
    exit $status
fi
take $systemd "$(command -v systemctl)" $(ls /usr/lib/systemd/systemd-executor 2>/dev/null)
units=$root/etc/systemd/system
mkdir -p "$units/vigil-watch@job.service.d" "$root/etc/vigil" "$root/usr/bin"
cp "$here/units.sh" "$root/units.sh"
take /bin/sleep
cp /bin/sleep "$root/bin/sleep-job"
printf 'root:x:0:0::/root:/bin/sh\nvigil:x:990:990::/var/lib/vigil-jobs:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nvigil:x:990:\n' >"$root/etc/group"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
printf 'NAME=vm\nID=vm\n' >"$root/etc/os-release"
printf 'memory-max: 60M\ninterval: 0.5\n' >"$root/etc/vigil/job.yaml"
echo 'JOB=/bin/sleep-job 1000' >"$root/etc/vigil/job.env"
sed 's,/usr/local/bin/,/bin/,' "$here/../../packaging/vigil-watch@.service" >"$units/vigil-watch@.service"
printf '[Service]\nWatchdogSec=6\nTimeoutStopSec=8\nStandardOutput=append:/tmp/guard.out\nStandardError=append:/tmp/guard.out\n' \
    >"$units/vigil-watch@job.service.d/vm.conf"
printf '[Unit]\nDefaultDependencies=no\nWants=vm.service\n' >"$units/vm.target"
printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=simple\nExecStart=/bin/sh /units.sh\nStandardOutput=tty\nStandardError=tty\nTTYPath=/dev/console\n' \
    >"$units/vm.service"
printf '[Unit]\nDescription=none\n' >"$units/sysinit.target"
for u in basic.target network.target shutdown.target; do cp "$units/sysinit.target" "$units/$u"; done
boot units units_init.sh "systemd.unit=vm.target systemd.show_status=0 systemd.log_level=warning"
exit $status

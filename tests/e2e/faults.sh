#!/bin/sh
# faults.sh BUILD SOURCE: what can go wrong under a run, and that the last good checkpoint is there afterwards.
set -eu
. "$(dirname "$0")/lib.sh"
training_set
mounted=""
pid=""
trap '[ -z "$pid" ] || kill -KILL $pid 2>/dev/null; [ -z "$mounted" ] || umount -l "$tmp/disk"; cd /; rm -rf "$tmp"' EXIT

# cut_run NAME: a run that was stopped after a few epochs, with two checkpoints.
cut_run() {
    start "$1" --epochs 12
    wait_epochs "$1" 3
    kill -TERM $pid
    ends $pid 143 "SIGTERM"
    pid=""
    [ -f "runs/train/$1/weights/last.1.safetensors" ] || fail "no previous checkpoint"
}

# spoil FILE: one byte in the middle is another.
spoil() {
    at=$(($(wc -c <"$1") / 2))
    byte=$(od -An -tu1 -j $at -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf %o $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek=$at conv=notrunc 2>/dev/null
}

finishes() {
    run 0 train --resume "runs/train/$1"
    equal "$(wc -l <"runs/train/$1/results.csv")" 13 "epochs of $1"
}

# ---- a damaged checkpoint: the one before it, with a warning; both: an error
cut_run damaged
cp -r runs/train/damaged runs/train/ruined
spoil runs/train/damaged/weights/last.safetensors
finishes damaged
says err "warning: an older checkpoint is used"
says err "last.safetensors"
spoil runs/train/ruined/weights/last.safetensors
: >runs/train/ruined/weights/last.1.safetensors
run 1 train --resume runs/train/ruined
is_error "last.safetensors"
[ ! -e runs/train/ruined/vigil.pid ] || fail "a run that could not begin has left its pid file"

# ---- one run, two processes
cut_run twice
"$vigil" train --resume runs/train/twice >one 2>&1 </dev/null &
first=$!
"$vigil" train --resume runs/train/twice >two 2>&1 </dev/null &
second=$!
one=0
two=0
wait $first || one=$?
wait $second || two=$?
equal $((one + two)) 1 "one goes on, the other is refused"
grep -q "the run is running already" one two || fail "nobody says why"
equal "$(wc -l <runs/train/twice/results.csv)" 13 "epochs of the one that went on"

# ---- a picture that goes away (without mosaic, whose ring would hold a set this small)
for split in train val; do
    start "without_$split" --mosaic 0 --epochs 500
    wait_epochs "without_$split" 1
    victim=$(find "set/images/$split" -type f | sort | tail -n 1)
    mv "$victim" kept
    ends $pid 1 "a run whose picture was deleted"
    pid=""
    says err "error: the picture cannot be opened"
    says err "$(basename "$victim")"
    says err "  try: put it back"
    mv kept "$victim"
    rows=$(($(wc -l <"runs/train/without_$split/results.csv") - 1))
    "$vigil" train --resume "runs/train/without_$split" >out 2>err </dev/null &
    pid=$!
    wait_epochs "without_$split" $((rows + 1))
    kill -TERM $pid
    ends $pid 143 "the same run when the picture is back"
    pid=""
done

# ---- no room: a quota that is reached in the middle of a run
if command -v prlimit >/dev/null; then
    start quota --epochs 12
    wait_epochs quota 2
    prlimit --pid $pid --fsize=1000000
    ends $pid 1 "a run over its quota"
    pid=""
    says err "File too large"
    says err "safetensors"
    finishes quota
fi

# ---- a full disk, and one that can no longer be written to, where this user may make them
if mkdir disk && mount -t tmpfs -o size=200m none disk 2>/dev/null; then
    mounted=yes
    start full --project disk --epochs 12
    until [ -f disk/full/results.csv ] && [ "$(wc -l <disk/full/results.csv)" -gt 2 ]; do sleep 0.1; done
    dd if=/dev/zero of=disk/ballast bs=1M 2>/dev/null || true
    ends $pid 1 "a run on a full disk"
    pid=""
    says err "No space left on device"
    dd if=/dev/zero of=disk/ballast2 bs=64k 2>/dev/null || true # what the run gave back when it ended
    run 1 train --resume disk/full
    is_error "No space left on device"
    rm disk/ballast disk/ballast2
    mount -o remount,ro disk
    run 1 train --resume disk/full
    is_error "Read-only file system"
    run 1 train --data data.yaml --model yolo11n --project disk --name other
    is_error "Read-only file system"
    mount -o remount,rw disk
    run 0 train --resume disk/full
    equal "$(wc -l <disk/full/results.csv)" 13 "epochs after a full disk"
else
    echo "no tmpfs of our own here: full and read-only disks are not tried"
fi
if [ "$(id -u)" != 0 ]; then
    cut_run locked
    chmod -w runs/train/locked runs/train/locked/weights
    run 1 train --resume runs/train/locked
    is_error "Permission denied"
    chmod +w runs/train/locked runs/train/locked/weights
    finishes locked
fi
done_well

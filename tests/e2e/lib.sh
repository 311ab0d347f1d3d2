# lib.sh: what the end-to-end tests share. Read by `. lib.sh` after $build and $source are set from the arguments.
# A test runs in an empty folder of its own, $tmp, with `vigil` being the program that was built.
# shellcheck shell=sh
build=$1
source=$2
vigil=$build/vigil
weights=$source/tests/golden/yolo11n_random.pt
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
export OMP_WAIT_POLICY=passive
# Where a test names no device, it is about the CPU, whatever GPU this machine has.
export CUDA_VISIBLE_DEVICES="" OCL_ICD_VENDORS=/nowhere
# Read by a sanitizer's build alone.
export LSAN_OPTIONS="suppressions=$source/tests/lsan.supp:print_suppressions=0"
n_checks=0

fail() {
    echo "FAILED: $*"
    echo "--- standard output"
    head -n 40 "$tmp/out" 2>/dev/null
    echo "--- standard error"
    head -n 40 "$tmp/err" 2>/dev/null
    exit 1
}

# run STATUS ARGUMENT...: vigil with these, whose exit status must be that; $tmp/out and $tmp/err hold what it said.
run() {
    want=$1
    shift
    got=0
    "$vigil" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
    [ "$got" = "$want" ] || fail "exit status $got, not $want: vigil $*"
    n_checks=$((n_checks + 1))
}

# says FILE TEXT / says_not: a line of $tmp/FILE holds the text.
says() {
    grep -qF -- "$2" "$tmp/$1" || fail "std$1 does not say: $2"
    n_checks=$((n_checks + 1))
}
says_not() {
    ! grep -qF -- "$2" "$tmp/$1" || fail "std$1 says: $2"
    n_checks=$((n_checks + 1))
}

# is_error WHAT: standard output is empty, standard error is what went wrong and what to try.
is_error() {
    [ ! -s "$tmp/out" ] || fail "an error, and yet standard output is not empty"
    grep -q '^error: ' "$tmp/err" || fail "no line \"error:\""
    grep -q '^  try: ' "$tmp/err" || fail "no line \"try:\""
    says err "$1"
}

# equal A B WHY
equal() {
    [ "$1" = "$2" ] || fail "$3: \"$1\" is not \"$2\""
    n_checks=$((n_checks + 1))
}

# predict STATUS ARGUMENT...: with the weights of the tests at a small size, unless said otherwise.
predict() {
    want=$1
    shift
    run "$want" predict --weights "$weights" --imgsz 160 --threads 2 "$@"
}

pictures() {
    mkdir -p "$1"
    "$build/make_pictures" "$1" "$2" >/dev/null || fail "make_pictures"
}

# training_set: eight pictures with two boxes each in set/, the last two also for validation; data.yaml.
training_set() {
    for split in train val; do mkdir -p "set/images/$split" "set/labels/$split"; done
    pictures set/images/train 8
    i=0
    for picture in set/images/train/*; do
        name=$(basename "$picture")
        label=${name%.*}.txt
        printf '%d 0.3 0.4 0.3 0.4\n1 0.7 0.6 0.2 0.3\n' $((i % 2)) >"set/labels/train/$label"
        if [ $i -ge 6 ]; then
            cp "$picture" set/images/val/
            cp "set/labels/train/$label" set/labels/val/
        fi
        i=$((i + 1))
    done
    printf 'path: set\ntrain: images/train\nval: images/val\nnames: {0: box, 1: ball}\n' >data.yaml
}

# small ARGUMENT...: a small run that repeats to the bit. In the background by start: a function's $! is a shell's.
small_arguments="train --data data.yaml --model yolo11n --imgsz 64 --batch 4 --workers 1 --threads 1 --no-plots"
small() {
    # shellcheck disable=SC2086
    "$vigil" $small_arguments "$@"
}

# start NAME ARGUMENT...: a small run of that name as a child of this shell, $pid.
start() {
    name=$1
    shift
    # shellcheck disable=SC2086
    "$vigil" $small_arguments --name "$name" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
    pid=$!
}

# Called with the name of a run in runs/train: a minute at most until so many epochs are in its results.csv.
wait_epochs() {
    waited=0
    until [ -f "runs/train/$1/results.csv" ] && [ "$(wc -l <"runs/train/$1/results.csv")" -gt "$2" ]; do
        waited=$((waited + 1))
        [ $waited -lt 600 ] || fail "no epoch $2 of $1 within a minute"
        sleep 0.1
    done
}

# is_living PID: there is such a process, and it is no zombie that init has not looked at yet.
is_living() {
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
    "" | Z*) return 1 ;;
    esac
}

# wait_gone PID: a minute at most until it has ended.
wait_gone() {
    waited=0
    while is_living "$1"; do
        waited=$((waited + 1))
        [ $waited -lt 600 ] || fail "process $1 is still there after a minute"
        sleep 0.1
    done
}

# ends PID STATUS WHY: a child of this shell ends with that status.
ends() {
    got=0
    wait "$1" || got=$?
    equal "$got" "$2" "exit status of $3"
}

done_well() {
    echo "$n_checks checks passed"
}

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

done_well() {
    echo "$n_checks checks passed"
}

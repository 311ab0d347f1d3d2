#!/bin/sh
# test.sh: everything that is checked before a change is taken:
#   release    builds with GCC, warnings are errors; all tests
#   valgrind   the unit tests of the floors below nn, a stream job with everything in it, `vigil predict` on two pictures and
#              `vigil track` on drawn pictures and a file: no error, no lost block
#   asan       the tests under the address and undefined behaviour sanitizers, but those labelled slow
#   tsan       the tests that use threads, stream jobs among them, under the thread sanitizer
#   clang      builds with clang, warnings are errors
#   fuzz       every fuzz target for VIGIL_FUZZ_SECONDS (10)
# test.sh STAGE...   runs only these. The last line is the sum; the exit status is 1 when anything failed.
# Needs no terminal, no input and nothing outside this folder, but Debian's packages when some are missing (setup.sh).
set -u
cd "$(dirname "$0")" || exit 1

all_stages="release valgrind asan tsan clang fuzz"
for arg in "$@"; do
    case " $all_stages " in
    *" $arg "*) ;;
    *)
        echo "usage: ./test.sh [STAGE...]; the stages: $all_stages" >&2
        exit 2
        ;;
    esac
done
stages=${*:-$all_stages}

jobs=$(nproc)
logs=$PWD/build-logs
summary=""
total_passed=0
total_failed=0
passed=0 # of the stage that runs
failed=0
mkdir -p "$logs"
# A machine that others use too: threads that wait must not spin.
export OMP_WAIT_POLICY=passive
# No detect_stack_use_after_return: GCC 12 aligns its fake stacks to 32 bytes, and the 64-byte stores of the AVX-512 kernels fault.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tests/tsan.supp"

# step NAME COMMAND...: one thing that passes or fails; its output is shown when it fails, and kept in build-logs/.
step() {
    name=$1
    shift
    log=$logs/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9\n' '_').log
    if "$@" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        echo "ok      $name"
        return 0
    fi
    failed=$((failed + 1))
    tail -n 60 "$log"
    echo "FAILED  $name (whole output: $log)"
    return 1
}

# configure PRESET: anew, so that a changed CMakeLists counts. Warnings are errors, but for the sanitizers: their code
# makes GCC warn of what cannot happen, as its manual says.
configure() {
    werror=ON
    case $1 in
    asan | tsan) werror=OFF ;;
    esac
    step "$1: configure" cmake --preset "$1" -DVIGIL_WERROR=$werror
}

# compile PRESET [TARGET...]
compile() {
    preset=$1
    shift
    [ $# -eq 0 ] || set -- --target "$@"
    step "$preset: build" cmake --build --preset "$preset" -j "$jobs" "$@"
}

# build PRESET [TARGET...]
build() {
    configure "$1" && compile "$@"
}

# The number behind NAME=" in ctest's JUnit file.
junit_count() {
    sed -n "s/.*[ \t]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1
}

# one_ctest FOLDER JUNIT ARGUMENT...
one_ctest() {
    folder=$1
    junit=$2
    shift 2
    rm -f "$junit"
    ctest --test-dir "$folder" --no-tests=error --output-on-failure --output-junit "$junit" "$@" </dev/null
}

# Adds the counts of a JUnit file of ctest's. Skipped tests are neither, and are named.
count_junit() {
    # The counts stand in the first element, before any test's own words.
    head -n 12 "$1" >"$1.head" 2>/dev/null
    n_tests=$(junit_count tests "$1.head")
    n_failed=$(junit_count failures "$1.head")
    n_skipped=$(junit_count skipped "$1.head")
    n_disabled=$(junit_count disabled "$1.head")
    if [ -z "$n_tests" ] || [ -z "$n_failed" ] || [ "$n_tests" -eq 0 ]; then
        echo "FAILED  ctest ran nothing for $1"
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + n_tests - n_failed - ${n_skipped:-0} - ${n_disabled:-0}))
    failed=$((failed + n_failed))
}

# run_ctest FOLDER LABEL ARGUMENT...: all tests but those of that label (""). Those labelled waits leave the processors to
# others, so they run beside the rest, by a ctest of their own: from FOLDER/waits, as ctest writes its logs to where it runs.
run_ctest() {
    of=$1
    left_out=${2:-^none$}
    shift 2
    mkdir -p "$of/waits"
    printf 'subdirs("%s")\n' "$PWD/$of" >"$of/waits/CTestTestfile.cmake"
    one_ctest "$of/waits" "$logs/$of-waits.xml" -j $((2 * jobs)) -L '^waits$' -LE "$left_out" "$@" >"$logs/$of-waits.txt" 2>&1 &
    waiting=$!
    one_ctest "$of" "$logs/$of.xml" -j "$jobs" -LE "^waits\$|$left_out" "$@"
    wait $waiting
    cat "$logs/$of-waits.txt"
    count_junit "$logs/$of.xml"
    count_junit "$logs/$of-waits.xml"
}

# count_lines LOG PASSED FAILED: of a script that says a line for each thing it tried; none at all is a failure.
count_lines() {
    cat "$1"
    n_passed=$(grep -c "$2" "$1")
    n_failed=$(grep -c "$3" "$1")
    if [ $((n_passed + n_failed)) -eq 0 ]; then
        n_failed=1
    fi
    passed=$((passed + n_passed))
    failed=$((failed + n_failed))
}

stage_release() {
    build release && run_ctest build ""
}

stage_valgrind() {
    build release || return
    names=$(ctest --test-dir build -N -LE slow -R '^(base|image|weights|detect)/|^stream/test_whole$' |
        sed -n 's/^ *Test *#[0-9]*: *//p' | tr / _)
    if [ -z "$names" ]; then
        echo "FAILED  no unit tests for valgrind"
        failed=$((failed + 1))
    fi
    # The long one is not the last to start.
    names="stream_test_whole $(echo "$names" | grep -v '^stream_test_whole$')"
    # shellcheck disable=SC2086 # one word a test
    tests/memcheck.sh build "$logs" predict track $names >"$logs/valgrind.txt" 2>&1 </dev/null
    count_lines "$logs/valgrind.txt" '^ok  ' '^FAILED  '
}

# The checks of sources and of what was built (check/) say the same there.
stage_asan() {
    build asan && run_ctest build-asan '^slow$' -E '^check/'
}

# The tests of our own threads, queues and atomics are picked by name; whole programs would take an hour. What a stream job
# does with the network's own threads is in stream/test_whole; thousands of connections, one after the other, show
# no more races than a few.
stage_tsan() {
    pick='^net/|^video/|mem|log|queue|pool|thread|pipeline|stream'
    pass_over='^e2e/|^video/test_(sampler|reconnect)'
    configure tsan || return
    programs=$(ctest --test-dir build-tsan -N -LE '^slow$' -R "$pick" -E "$pass_over" | sed -n 's/^ *Test *#[0-9]*: *//p' | tr / _)
    # shellcheck disable=SC2086 # one word a program; nothing else is built
    compile tsan $programs && run_ctest build-tsan '^slow$' -R "$pick" -E "$pass_over"
}

stage_clang() {
    build clang
}

stage_fuzz() {
    build fuzz fuzz_targets || return
    tests/fuzz/run.sh "${VIGIL_FUZZ_SECONDS:-10}" >"$logs/fuzz.txt" 2>&1 </dev/null
    count_lines "$logs/fuzz.txt" '^fuzz_[a-z0-9_]*: passed' '^fuzz_[a-z0-9_]*: failed'
}

# With the flags of the release stage, so that it builds nothing again.
if ! ./setup.sh --tests --werror; then
    echo "setup.sh failed, so nothing could be tested"
    echo "0 passed, 1 failed"
    exit 1
fi
for stage in $stages; do
    passed=0
    failed=0
    started=$(date +%s)
    echo
    echo "== $stage"
    "stage_$stage"
    summary="$summary$(printf '%-9s %4d passed, %d failed, %d s' \
        "$stage" "$passed" "$failed" $(($(date +%s) - started)))
"
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
done
echo
printf '%s' "$summary"
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]

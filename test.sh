#!/bin/sh
# test.sh: everything that is checked before a change is taken, in about 12 minutes on 2 processors:
#   release    builds with GCC, warnings are errors; all tests
#   valgrind   the unit tests of the floors below nn, a stream job with everything in it, `vigil predict` on two pictures and
#              `vigil track` on drawn pictures and a file: no error, no lost block
#   asan       the tests under the address and undefined behaviour sanitizers, but those labelled slow
#   tsan       the tests that use threads, stream jobs among them, under the thread sanitizer
#   clang      builds with clang, warnings are errors
#   fuzz       every fuzz target for VIGIL_FUZZ_SECONDS (20)
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

# build PRESET [TARGET]: configured anew, so that a changed CMakeLists counts. Warnings are errors, but for the
# sanitizers: their code makes GCC warn of what cannot happen, as its manual says.
build() {
    werror=ON
    case $1 in
    asan | tsan) werror=OFF ;;
    esac
    step "$1: configure" cmake --preset "$1" -DVIGIL_WERROR=$werror || return 1
    step "$1: build" cmake --build --preset "$1" -j "$jobs" ${2:+--target "$2"}
}

# The number behind NAME=" in ctest's JUnit file.
junit_count() {
    sed -n "s/.*[ \t]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1
}

# run_ctest FOLDER ARGUMENT...: adds ctest's own counts. Skipped tests are neither, and are named.
run_ctest() {
    folder=$1
    shift
    junit=$logs/$folder.xml
    rm -f "$junit"
    ctest --test-dir "$folder" -j "$jobs" --no-tests=error --output-on-failure --output-junit "$junit" "$@" </dev/null
    # The counts stand in the first element, before any test's own words.
    head -n 12 "$junit" >"$junit.head" 2>/dev/null
    n_tests=$(junit_count tests "$junit.head")
    n_failed=$(junit_count failures "$junit.head")
    n_skipped=$(junit_count skipped "$junit.head")
    n_disabled=$(junit_count disabled "$junit.head")
    if [ -z "$n_tests" ] || [ -z "$n_failed" ] || [ "$n_tests" -eq 0 ]; then
        echo "FAILED  ctest ran nothing in $folder"
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + n_tests - n_failed - ${n_skipped:-0} - ${n_disabled:-0}))
    failed=$((failed + n_failed))
}

memcheck() {
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
        --show-leak-kinds=definite,indirect --suppressions=tests/valgrind.supp "$@"
}

stage_release() {
    build release && run_ctest build
}

stage_valgrind() {
    build release || return
    names=$(ctest --test-dir build -N -LE slow -R '^(base|image|weights|detect)/|^stream/test_whole$' |
        sed -n 's/^ *Test *#[0-9]*: *//p' | tr / _)
    if [ -z "$names" ]; then
        echo "FAILED  no unit tests for valgrind"
        failed=$((failed + 1))
    fi
    for test in $names; do
        [ -x "build/tests/$test" ] || continue # a second run of a program, in other surroundings
        step "valgrind: $test" memcheck "build/tests/$test"
    done
    rm -rf "$logs/pictures" "$logs/runs"
    mkdir -p "$logs/pictures"
    build/make_pictures "$logs/pictures" 2 >/dev/null
    step "valgrind: predict on two pictures" memcheck build/vigil predict --weights tests/golden/yolo11n_random.pt \
        --source "$logs/pictures" --imgsz 320 --save-txt --project "$logs/runs" --name predict
    valgrind_track
}

# Drawn pictures and a file side by side, tracked: a recording, JSON lines and a zone's events. With random weights and
# these thresholds everything is an object.
valgrind_track() {
    film=$logs/pictures/film.mp4
    ffmpeg -v error -y -f lavfi -i testsrc2=size=96x64:rate=10 -t 1 -c:v mpeg4 "$film" </dev/null
    printf 'lavfi:testsrc=size=64x48:rate=10:duration=1\n%s\n' "$film" >"$logs/pictures/all.streams"
    cat >"$logs/pictures/zones.yaml" <<'EOF'
zones:
  - name: whole
    polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]
    debounce: 0s
    dwell: 200ms
    snapshot: true
EOF
    step "valgrind: track a file and drawn pictures" memcheck build/vigil track --imgsz 32 --threads 2 --max-det 20 \
        --weights tests/golden/yolo11n_random.pt --source "$logs/pictures/all.streams" --conf 0.001 \
        --track-high-thresh 0.001 --track-low-thresh 0.0005 --new-track-thresh 0.001 --save --save-json --save-txt \
        --zones "$logs/pictures/zones.yaml" --project "$logs/runs" --name track || return
    step "valgrind: track has said and recorded it" sh -c 'cd "$0" && grep -q "\"kind\":\"dwell\"" predictions.jsonl &&
        for f in film*.mp4 testsrc*.mp4; do test -s "$f" || exit 1; done' "$logs/runs/track"
}

stage_asan() {
    build asan && run_ctest build-asan -LE slow
}

# The tests of our own threads, queues and atomics are picked by name; whole programs would take an hour. What a stream job
# does with the network's own threads is in stream/test_whole; thousands of connections, one after the other, show
# no more races than a few.
stage_tsan() {
    build tsan && run_ctest build-tsan -LE slow -R '^net/|^video/|mem|log|queue|pool|thread|pipeline|stream' \
        -E '^e2e/|^video/test_(sampler|reconnect)'
}

stage_clang() {
    build clang
}

stage_fuzz() {
    build fuzz fuzz_targets || return
    fuzz_log=$logs/fuzz.txt
    tests/fuzz/run.sh "${VIGIL_FUZZ_SECONDS:-20}" >"$fuzz_log" 2>&1 </dev/null
    cat "$fuzz_log"
    n_passed=$(grep -c '^fuzz_[a-z0-9_]*: passed' "$fuzz_log")
    n_failed=$(grep -c '^fuzz_[a-z0-9_]*: failed' "$fuzz_log")
    if [ $((n_passed + n_failed)) -eq 0 ]; then
        n_failed=1
    fi
    passed=$((passed + n_passed))
    failed=$((failed + n_failed))
}

if ! ./setup.sh --tests; then
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

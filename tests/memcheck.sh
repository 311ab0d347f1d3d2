#!/bin/sh
# memcheck.sh BUILD LOGS NAME...: runs under valgrind, as many at a time as there are processors: no error, no lost block.
# A NAME is a test program of BUILD/tests, or `predict` or `track`: those commands of BUILD/vigil. A line for each, "ok" or
# "FAILED"; whole outputs are kept in LOGS. Exit status 1 when one failed.
set -eu
# Programs that repeat one thing with many numbers do so less often: valgrind looks at accesses, and they are the same.
export VIGIL_TEST_SMALL=1

# memcheck COMMAND...
memcheck() {
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
        --show-leak-kinds=definite,indirect --suppressions="$source/tests/valgrind.supp" "$@"
}

# Two pictures.
predict() {
    mkdir -p "$folder/pictures"
    "$build/make_pictures" "$folder/pictures" 2
    memcheck "$build/vigil" predict --weights "$source/tests/golden/yolo11n_random.pt" --source "$folder/pictures" \
        --imgsz 160 --save-txt --project "$folder" --name run
}

# Drawn pictures and a file side by side, tracked: a recording, JSON lines and a zone's events. With random weights and
# these thresholds everything is an object.
track() {
    film=$folder/film.mp4
    ffmpeg -v error -y -f lavfi -i testsrc2=size=96x64:rate=10 -t 1 -c:v mpeg4 "$film"
    printf 'lavfi:testsrc=size=64x48:rate=10:duration=1\n%s\n' "$film" >"$folder/all.streams"
    cat >"$folder/zones.yaml" <<'EOF'
zones:
  - name: whole
    polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]
    debounce: 0s
    dwell: 200ms
    snapshot: true
EOF
    memcheck "$build/vigil" track --imgsz 32 --threads 2 --max-det 20 --weights "$source/tests/golden/yolo11n_random.pt" \
        --source "$folder/all.streams" --conf 0.001 --track-high-thresh 0.001 --track-low-thresh 0.0005 \
        --new-track-thresh 0.001 --save --save-json --save-txt --zones "$folder/zones.yaml" --project "$folder" --name run
    # And it has said and recorded it.
    grep -q '"kind":"dwell"' "$folder/run/predictions.jsonl"
    for recording in "$folder"/run/film*.mp4 "$folder"/run/testsrc*.mp4; do test -s "$recording"; done
}

# --one NAME: in a shell of its own, for `set -e` says nothing within a condition.
one() {
    case $1 in
    predict | track)
        folder=$logs/valgrind_$1
        rm -rf "$folder"
        mkdir -p "$folder"
        "$1"
        ;;
    *) memcheck "$build/tests/$1" ;;
    esac
}

source=$(cd "$(dirname "$0")/.." && pwd)
build=$1
logs=$2
shift 2
case ${1:-} in
--one)
    one "$2"
    exit
    ;;
--tell)
    log=$logs/valgrind__$2.log
    if "$0" "$build" "$logs" --one "$2" >"$log" 2>&1 </dev/null; then
        echo "ok      valgrind: $2"
        exit 0
    fi
    echo "$(tail -n 60 "$log")
FAILED  valgrind: $2 (whole output: $log)"
    exit 1
    ;;
esac
for name in "$@"; do
    shift
    case $name in
    predict | track) ;;
    *) [ -x "$build/tests/$name" ] || continue ;; # a second run of a program, in other surroundings
    esac
    set -- "$@" "$name"
done
# xargs stops at status 255 only; 1 lets the others finish.
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} "$0" "$build" "$logs" --tell {} || exit 1

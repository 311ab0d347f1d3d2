#!/bin/sh
# tasks.sh [-t THREADS] [-r ROUNDS] [-c CPUS] [-d DIR] [-p PYTHON] [-s] [TASK...]: the tasks beside detection (segment, pose,
# obb, classify: all, or those that are named), from a picture to results, by vigil, ONNX Runtime and OpenVINO. Makes the
# environment of the peers in DIR/tasks-venv (needs Python and its package index the first time, and 6 GB of disk, most of it
# PyTorch's), draws weights and a picture, exports by `vigil export`, compares what was found first, then times all in turns,
# and prints the table of docs/performance.md, which is also DIR/tasks-THREADS.md. Exit status 1 when something else was found.
#
#   -t  threads of each (1)                        -d  where all of it goes (build-peers)
#   -r  rounds (12; of training steps 5)           -p  Python of an environment that has all of it: none is made
#   -c  pin all to these processors                -s  training steps of segment and pose beside PyTorch's instead
#
# One thread: read CPU times. More: wall times, which mean something on a quiet machine alone.
# VIGIL_BUILD: the folder of the build (build), which needs the targets vigil, bench_tasks and bench_train_step.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/peers/shell.sh"
tree=$(dirname "$here")
build=$(realpath -m "${VIGIL_BUILD:-$tree/build}")
threads=1
rounds=
cpus=
dir=$tree/build-peers
python=
steps=
usage() {
    sed -n '2,14s/^#\( \|$\)//p' "$0" >&2
    exit 2
}
while getopts t:r:c:d:p:sh option; do
    case $option in
    t) threads=$OPTARG ;;
    r) rounds=$OPTARG ;;
    c) cpus=$OPTARG ;;
    d) dir=$OPTARG ;;
    p) python=$(realpath -s "$OPTARG") ;;
    s) steps=1 ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
if [ "$steps" ]; then
    known="segment pose"
else
    known="segment pose obb classify"
fi
# shellcheck disable=SC2086 # words
[ $# -gt 0 ] || set -- $known
for task; do
    case " $known " in
    *" $task "*) ;;
    *)
        echo "error: $task is none of: $known" >&2
        usage
        ;;
    esac
done
want_programs "$build" "vigil bench_tasks bench_train_step" vigil bench/tasks bench/train_step

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if [ -z "$python" ]; then
    python=$dir/tasks-venv/bin/python
    if [ ! -f "$dir/tasks-venv/complete" ]; then
        make_environment "$dir/tasks-venv" onnxruntime openvino onnx numpy torch opencv-python-headless
        environment_is_made "$dir/tasks-venv"
    fi
fi
cd "$here/peers"

if [ "$steps" ]; then
    table=$dir/steps-$threads.md
    rm -f "$table"
    for task; do
        "$python" compare_step.py --task "$task" --step "$build/bench/train_step" --threads "$threads" ${cpus:+--cpus "$cpus"} \
            --rounds "${rounds:-5}" --steps 5 --row "$table"
    done
    cat "$table"
    exit 0
fi

table=$dir/tasks-$threads.md
rm -f "$table"
status=0
for task; do
    side=640 # and the classes of make_task.py, and a threshold that lets some dozens of things pass
    case $task in
    segment) nc=80 conf=0.25 ;;
    pose) nc=1 conf=0.05 ;;
    obb) nc=15 conf=0.21 ;;
    classify) nc=1000 conf=0.25 side=224 ;;
    esac
    model=$dir/$task
    "$python" make_task.py "$task" "$model.safetensors" "$model.npy" --imgsz "$side"
    "$build/vigil" export --weights "$model.safetensors" --imgsz "$side" --output "$model.onnx"
    common="--picture $(quoted "$model.npy") --conf $conf --threads $threads"
    peer="$(quoted "$python") peer_task.py"
    spin= # which is faster where the processors are ours
    [ "$threads" = 1 ] || spin=--spin
    "$python" compare_tasks.py ${cpus:+--cpus "$cpus"} --rounds "${rounds:-12}" --row "$table" --label "$task, $side" \
        "$peer ort $(quoted "$model.onnx") --task $task --nc $nc $common $spin" \
        "$peer openvino $(quoted "$model.onnx") --task $task --nc $nc $common" \
        "$(quoted "$build/bench/tasks") $(quoted "$model.safetensors") $common" || status=1
done
cat "$table"
exit $status

#!/bin/sh
# peers.sh [-w WEIGHTS] [-s SIDE] [-t THREADS] [-r ROUNDS] [-c CPUS] [-d DIR]: vigil beside ONNX Runtime, OpenVINO and
# ncnn on this machine. Makes the environment of the peers in build-peers/ (needs Python and its package index the first
# time), exports the model by `vigil export`, compares outputs first, then times all in turns, and prints the table of
# docs/performance.md, which is also DIR/table.md. Exit status 1 when an output differs.
#
#   -w  weights (those of the tests: random)       -r  rounds of 3 forwards (30)
#   -s  side of the input (640)                    -c  pin all to these processors, as taskset says them
#   -t  threads of each (1)                        -d  where all of it goes (build-peers)
#
# VIGIL_BUILD: the folder of the build (build), which needs the targets vigil and bench_forward.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/peers/shell.sh"
tree=$(dirname "$here")
build=$(realpath -m "${VIGIL_BUILD:-$tree/build}")
weights=$tree/tests/golden/yolo11n_random.pt
side=640
threads=1
rounds=30
cpus=
dir=$tree/build-peers
usage() {
    sed -n '2,12s/^#\( \|$\)//p' "$0" >&2
    exit 2
}
while getopts w:s:t:r:c:d:h option; do
    case $option in
    w) weights=$OPTARG ;;
    s) side=$OPTARG ;;
    t) threads=$OPTARG ;;
    r) rounds=$OPTARG ;;
    c) cpus=$OPTARG ;;
    d) dir=$OPTARG ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
[ $# = 0 ] || usage
want_programs "$build" "vigil bench_forward" vigil bench/forward

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
python=$dir/venv/bin/python
if [ ! -f "$dir/venv/complete" ]; then
    make_environment "$dir/venv" onnxruntime openvino ncnn onnx numpy
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps pnnx # its binary alone, which needs no torch
    environment_is_made "$dir/venv"
fi

weights=$(realpath -m "$weights")
"$build/vigil" export --weights "$weights" --imgsz "$side" --output "$dir/model.onnx"
cd "$here/peers"
"$python" make_ncnn.py "$dir/model.onnx" "$dir/model"
"$python" - "$dir/images.npy" "$dir/model.onnx" <<'PYTHON'
import sys
import numpy, onnx, yolo_weights
dims = onnx.load(sys.argv[2], load_external_data=False).graph.input[0].type.tensor_type.shape.dim
numpy.save(sys.argv[1], yolo_weights.synthetic_input(tuple(d.dim_value for d in dims), seed=0))
PYTHON

common="--input $(quoted "$dir/images.npy") --threads $threads"
peer="$(quoted "$python") peer.py"
forward="$(quoted "$build/bench/forward") $(quoted "$weights") $common"
exec "$python" compare.py ${cpus:+--cpus "$cpus"} --rounds "$rounds" --json "$dir/times.json" --markdown "$dir/table.md" \
    "$peer ort $(quoted "$dir/model.onnx") $common" \
    "$forward" \
    "$forward --no-decode" \
    "$peer openvino $(quoted "$dir/model.onnx") $common" \
    "$peer ncnn $(quoted "$dir/model") $common"

#!/bin/sh
# round_trip.sh [-e EPOCHS] [-s SIDE] [-n PICTURES] [-t THREADS] [-d DIR] DATA.yaml: there and back again between vigil and the
# Python tool. Its 8.3.9 trains a YOLO11n on DATA, vigil validates that, trains on from it and writes .pt and ONNX, which
# 8.3.9, the newest 8.4, ONNX Runtime and OpenVINO validate. Prints the table, which is also DIR/table.md. Exit status 1
# when a precision, a recall or an mAP differs in its third digit.
#
#   -e  epochs of the tool (15)                    -t  threads of each (2)
#   -s  side of the input (160)                    -d  where all of it goes (build-round-trip)
#   -n  pictures to train on, at most (300)
#
# Makes the environment in DIR/venv the first time, which needs Python and its package index and takes some gigabytes with the
# PyTorch that pip finds there (PIP_INDEX_URL says another index). VIGIL_BUILD: the folder of the build (build), which is made
# when there is no vigil in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
build=$(realpath -m "${VIGIL_BUILD:-$tree/build}")
epochs=15
side=160
pictures=300
threads=2
dir=$tree/build-round-trip
usage() {
    sed -n '2,14s/^#\( \|$\)//p' "$0" >&2
    exit 2
}
while getopts e:s:n:t:d:h option; do
    case $option in
    e) epochs=$OPTARG ;;
    s) side=$OPTARG ;;
    n) pictures=$OPTARG ;;
    t) threads=$OPTARG ;;
    d) dir=$OPTARG ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
[ $# = 1 ] || usage
data=$(realpath "$1")
if [ ! -x "$build/vigil" ]; then
    cmake -S "$tree" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release
    cmake --build "$build" --target vigil
fi

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
python=$dir/venv/bin/python
# The mark is written last: an environment that was broken off is made again.
if [ ! -f "$dir/venv/complete" ]; then
    python3 -m venv --clear "$dir/venv"
    install="$python -m pip install --quiet --disable-pip-version-check"
    # 8.3.9 asks NumPy for what went away in 2.4. It lies in a folder of its own, beside the newer release.
    $install torch torchvision "numpy<2.4" opencv-python-headless pillow pyyaml requests scipy psutil py-cpuinfo tqdm \
        matplotlib pandas seaborn polars onnx onnxruntime openvino
    $install --no-deps "ultralytics>=8.4.176,<8.5" ultralytics-thop
    $install --no-deps --upgrade --target "$dir/old" ultralytics==8.3.9
    touch "$dir/venv/complete"
fi
exec "$python" "$here/peers/round_trip.py" --vigil "$build/vigil" --old "$dir/old" --dir "$dir" --epochs "$epochs" \
    --imgsz "$side" --pictures "$pictures" --threads "$threads" "$data"

#!/bin/sh
# gpu.sh VIGIL-GOLDEN DIR: the golden files of forward passes on a GPU, with the CPU's tolerances. The device is
# VIGIL_TEST_DEVICE's, else opencl:0 (PoCL's). VIGIL_GOLDEN_GPU=all takes the large models as well: minutes on PoCL.
set -eu
checker=$1
dir=$2
device=${VIGIL_TEST_DEVICE:-opencl:0}
if ! ldconfig -p | grep -q libOpenCL.so.1 && [ "${device%:*}" = opencl ]; then
    echo "skipped: no OpenCL is installed (apt-get install pocl-opencl-icd)"
    exit 77
fi
if [ "${VIGIL_GOLDEN_GPU:-}" = all ]; then
    exec "$checker" --device "$device" "$dir"
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for name in forward_n_320 forward_s_96 forward_yolov8n_64x96 forward_yolov8n-p2_64x96 forward_yolov5n_64x96; do
    ln -s "$dir/$name.safetensors" "$tmp/"
done
for name in segment_forward_n pose_forward_n obb_forward_n classify_forward_n; do
    ln -s "$dir/tasks/$name.safetensors" "$tmp/"
done
"$checker" --device "$device" "$tmp"
mkdir "$tmp/half"
ln -s "$dir/predict_e2e.safetensors" "$tmp/half/"
"$checker" --device "$device" --half --verbose "$tmp/half"

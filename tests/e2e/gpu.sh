#!/bin/sh
# gpu.sh BUILD SOURCE: what a user has of a device: the list, predict and val on it, and what is said when it cannot be.
# The device is VIGIL_TEST_DEVICE's, else opencl:0 (PoCL's).
set -eu
. "$(dirname "$0")/lib.sh"
unset CUDA_VISIBLE_DEVICES OCL_ICD_VENDORS
device=${VIGIL_TEST_DEVICE:-opencl:0}

picture=$source/tests/fixtures/image/exif1.jpg

# ---- without any driver, on every machine
run 2 predict --weights "$weights" --source "$picture" --device tpu
is_error 'the device "tpu"'
says err 'vigil devices lists'
run 2 val --weights "$weights" --data x.yaml --device cuda:
is_error 'the device "cuda:"'
run 2 train --data x.yaml --device gpu
is_error 'training runs on the CPU alone'
: >libOpenCL.so.1
OCL_ICD_VENDORS=$tmp LD_LIBRARY_PATH=$tmp run 0 devices
says out 'cpu          always there'
says out 'no opencl: OpenCL needs its loader, which does not load'
LD_LIBRARY_PATH=$tmp run 1 predict --weights "$weights" --source "$picture" --device opencl:0
is_error 'OpenCL needs its loader'

run 0 devices --json
"$build/tests/json_check" any out || fail "devices --json is no JSON"
if ! grep -q "\"name\": \"$device\"" out; then
    echo "skipped: there is no device $device (apt-get install pocl-opencl-icd)"
    exit 77
fi

# ---- a driver folder with nothing in it, and with a library that is none
mkdir none bad
OCL_ICD_VENDORS=$tmp/none run 0 devices
says out 'no opencl: no OpenCL driver has a device'
OCL_ICD_VENDORS=$tmp/none run 1 predict --weights "$weights" --source "$picture" --device gpu
is_error 'there is no GPU that vigil can use'
echo "$tmp/libOpenCL.so.1" >bad/broken.icd
OCL_ICD_VENDORS=$tmp/bad run 0 devices
says out 'no opencl: no OpenCL driver has a device'

# ---- the list
run 0 devices
says out "$device"
run 2 predict --weights "$weights" --source "$picture" --device opencl:15
is_error 'there is no device opencl:15.0'

# ---- the same boxes as the CPU's
for where in cpu "$device"; do
    run 0 predict --weights "$weights" --source "$picture" --imgsz 64 --conf 0.01 --max-det 20 --device "$where" --save-txt --save-conf \
        --project p --name "on-$where"
done
says out "device $device: "
says out 'GPU memory: planned'
says out 'GPU weights'
n_cpu=$(cat p/on-cpu/labels/*.txt 2>/dev/null | wc -l)
n_gpu=$(cat "p/on-$device/labels/"*.txt 2>/dev/null | wc -l)
equal "$n_cpu" "$n_gpu" "boxes on the CPU and on $device"
n_checks=$((n_checks + 1))

# ---- memory: shown before, held against the limit, flat
run 0 info "$weights" --memory --imgsz 64 --device "$device"
says out 'GPU activations'
says out 'sum of GPU'
run 0 info "$weights" --memory --imgsz 64 --device "$device" --json
"$build/tests/json_check" any out || fail "info --memory --json is no JSON"
run 1 predict --weights "$weights" --source "$picture" --imgsz 64 --device "$device" --gpu-memory-limit 5M --no-save
is_error 'the plan needs'
says err 'GPU weights'
says err 'the limit is 5.0 MB'
mkdir many
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cp "$picture" "many/$i.jpg"; done
run 0 predict --weights "$weights" --source many --imgsz 64 --device "$device" --no-save --prove-flat 4
says out 'GPU activations'
says_not out GREW

# ---- the cache of compiled programs: made, taken, and made anew when it is damaged
rm -rf cache
export XDG_CACHE_HOME=$tmp/cache
one() { run 0 predict --weights "$weights" --source "$picture" --imgsz 64 --device "$device" --no-save; }
one
case $device in
opencl*)
    kept=$(ls cache/vigil/gpu/*.bin)
    equal "$(echo "$kept" | wc -l | tr -d ' ')" 1 "compiled programs kept"
    before=$(cksum <"$kept")
    one
    equal "$(cksum <"$kept")" "$before" "a program that is there is taken as it is"
    printf 'nonsense' >"$kept"
    one
    [ "$(wc -c <"$kept")" -gt 1000 ] || fail "a damaged program was not made anew"
    ;;
esac

# ---- a compiler that fails: its own words
if "$vigil" devices | grep -q 'Portable Computing Language'; then
    export XDG_CACHE_HOME=$tmp/cache2
    POCL_EXTRA_BUILD_FLAGS=-Dgpu_args=3 run 1 predict --weights "$weights" --source "$picture" --imgsz 64 --device opencl:0
    is_error "the driver does not compile vigil's kernels"
fi
echo "$n_checks checks passed"

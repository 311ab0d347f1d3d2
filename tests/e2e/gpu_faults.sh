#!/bin/sh
# gpu_faults.sh BUILD SOURCE: the program on drivers that fail: each call that it makes of OpenCL and of CUDA fails once, and a
# device is lost in mid-work. It ends with exit status 1, what failed and what to try, and gives everything back. The drivers
# are the tests' own stand-ins, so this needs none.
set -eu
. "$(dirname "$0")/lib.sh"
unset CUDA_VISIBLE_DEVICES OCL_ICD_VENDORS
export XDG_CACHE_HOME="$tmp/cache" FAKE_GPU_REPORT="$tmp/report"
# JPEG alone: for others FFmpeg is loaded, which wants more of OpenCL's loader than the stand-in has.
mkdir -p many set/images set/labels
for i in 1 2 3; do
    cp "$source/tests/fixtures/image/exif$i.jpg" many/
    cp "$source/tests/fixtures/image/exif$i.jpg" set/images/
    echo '0 0.3 0.4 0.3 0.4' >"set/labels/exif$i.txt"
done
awk 'BEGIN { print "path: set\ntrain: images\nval: images\nnames:"; for (i = 0; i < 80; i++) print "  " i ": c" i }' >data.yaml

# on DRIVER ARGUMENT...: vigil with that stand-in; sets $got, and holds the stand-in's report against leaks and mistakes.
on() {
    driver=$1
    shift
    : >report
    got=0
    LD_LIBRARY_PATH="$build/tests/fake_$driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$vigil" "$@" >out 2>err </dev/null || got=$?
    if grep '^mistake:' report; then
        fail "$driver, FAKE_GPU_FAIL=${FAKE_GPU_FAIL:-}: vigil $*"
    fi
    n_checks=$((n_checks + 1))
}

# What only asks for something that is shown, or for what is kept for the next start: work goes on without it.
is_besides() {
    case $1 in
    *Info* | clCreateProgramWithBinary | cuDeviceGetName | cuDriverGetVersion | cuDeviceTotalMem_v2 | cuMemGetInfo_v2 | cuDeviceGetAttribute) return 0 ;;
    esac
    return 1
}

# each DRIVER CODE LAST ARGUMENT...: once for each call of the command, its first, second, and LAST-th time failing (under a
# sanitizer, where a start takes a second, its first alone). What fails is said; where nothing was said, the call was besides, or
# is made when all is done.
each() {
    driver=$1
    code=$2
    last=$3
    shift 3
    on "$driver" "$@"
    [ "$got" = 0 ] || fail "$driver: exit status $got without a fault: vigil $*"
    calls=$(sed -n 's/^called //p' report)
    n_calls=$(echo "$calls" | wc -l)
    [ "$n_calls" -ge "$least" ] || fail "$driver: $n_calls calls: vigil $*"
    for call in $calls; do
        times="1 2 $last"
        [ -z "${VIGIL_SANITIZED:-}" ] || times=1
        for at in $times; do
            rm -rf cache # a program that is kept is a second chance
            FAKE_GPU_FAIL="$call:$at:$code" on "$driver" "$@"
            grep -q '^failed' report || continue
            if [ "$got" = 0 ]; then
                is_besides "$call" || [ "$1" = devices ] || fail "$driver: $call failed, and nobody said so: vigil $*"
                continue
            fi
            [ "$got" = 1 ] || fail "$driver: exit status $got where $call failed: vigil $*"
            grep -q '^error: ' err || fail "no line \"error:\" where $call failed"
            grep -q '^  try: ' err || fail "no line \"try:\" where $call failed"
        done
    done
}

drivers=opencl
LD_LIBRARY_PATH=$build/tests/fake_cuda "$vigil" devices >out 2>&1
if grep -q 'cuda:0' out; then
    drivers="opencl cuda"
else
    says out 'no CUDA: it was built where no clang'
fi

for driver in $drivers; do
    device=$driver:0
    case $driver in
    opencl)
        fault=-5
        lost=-36
        launch=clEnqueueNDRangeKernel
        ;;
    cuda)
        fault=719
        lost=719
        launch=cuLaunchKernel
        ;;
    esac
    least=3
    each $driver $fault 3 devices
    least=10
    each $driver $fault 30 predict --weights "$weights" --source many --imgsz 64 --device $device --no-save
    each $driver $fault 30 val --weights "$weights" --data data.yaml --imgsz 64 --device $device

    # ---- lost in mid-work: from then on every call fails. What was done before is there
    FAKE_GPU_FAIL="$launch:150+:$lost" on $driver predict --weights "$weights" --source many --imgsz 64 --batch 1 --device $device --save-txt \
        --project lost --name "$driver"
    equal "$got" 1 "exit status of predict on a device that is lost"
    says err 'the GPU was lost or reset'
    says err 'dmesg'
    grep -q '^image 1/3' out || fail "nothing was done before it was lost"
    FAKE_GPU_FAIL="$launch:150+:$lost" on $driver val --weights "$weights" --data data.yaml --imgsz 64 --batch 1 --device $device
    equal "$got" 1 "exit status of val on a device that is lost"
    says err 'the GPU was lost or reset'
done

# ---- what a code means: a watchdog, another process, no memory; and a compiler that fails, with its words
FAKE_GPU_FAIL="clFinish:20+:-5" on opencl predict --weights "$weights" --source many --imgsz 64 --batch 1 --device opencl:0 --no-save
says err 'watchdog'
says err 'a smaller batch or imgsz'
FAKE_GPU_FAIL="clCreateContext:1:-2" on opencl predict --weights "$weights" --source many --imgsz 64 --device opencl:0 --no-save
says err 'another process has the GPU for itself'
FAKE_GPU_FAIL="clCreateBuffer:1:-4" on opencl predict --weights "$weights" --source many --imgsz 64 --device opencl:0 --no-save
says err 'MB of memory: CL_MEM_OBJECT_ALLOCATION_FAILURE (-4)'
says err 'end what else uses the GPU'
rm -rf cache
FAKE_GPU_FAIL="clBuildProgram:1:-11" on opencl predict --weights "$weights" --source many --imgsz 64 --device opencl:0 --no-save
says err "the driver does not compile vigil's kernels (CL_BUILD_PROGRAM_FAILURE): conv.cl:1: error: as a stand-in says"
for lack in version compiler items local available; do
    FAKE_OPENCL_LACK=$lack on opencl predict --weights "$weights" --source many --imgsz 64 --device opencl:0 --no-save
    equal "$got" 1 "exit status on a device that lacks $lack"
    says err 'cannot be used'
    FAKE_OPENCL_LACK=$lack on opencl devices
    equal "$got" 0 "exit status of devices where one lacks $lack"
done
FAKE_OPENCL_LACK=devices on opencl predict --weights "$weights" --source many --imgsz 64 --device gpu --no-save
says err 'there is no GPU that vigil can use'
case $drivers in
*cuda)
    FAKE_GPU_FAIL="cuStreamSynchronize:5+:702" on cuda predict --weights "$weights" --source many --imgsz 64 --batch 1 --device cuda:0 --no-save
    says err 'CUDA_ERROR_LAUNCH_TIMEOUT (702)'
    says err 'its watchdog ends a kernel that keeps the display waiting'
    FAKE_GPU_FAIL="cuDevicePrimaryCtxRetain:1:46" on cuda predict --weights "$weights" --source many --imgsz 64 --device cuda:0 --no-save
    says err 'another process has the GPU for itself'
    FAKE_GPU_FAIL="cuMemAlloc_v2:1:2" on cuda predict --weights "$weights" --source many --imgsz 64 --device cuda:0 --no-save
    says err 'MB of memory: CUDA_ERROR_OUT_OF_MEMORY (2)'
    ;;
esac
echo "$n_checks checks passed"

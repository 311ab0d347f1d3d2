#!/bin/sh
# gpu_lost.sh BUILD SOURCE: a device that is lost in the middle of a training, on the tests' own stand-in for a driver, which
# computes nothing: the run ends with its last checkpoint named, and goes on from it elsewhere; or does so by itself, when told to.
set -eu
. "$(dirname "$0")/lib.sh"
unset CUDA_VISIBLE_DEVICES OCL_ICD_VENDORS
export XDG_CACHE_HOME="$tmp/cache" FAKE_GPU_REPORT="$tmp/report"
# JPEG alone: for others FFmpeg is loaded, which wants more of OpenCL's loader than the stand-in has.
mkdir -p set/images set/labels
for i in 1 2 3; do
    cp "$source/tests/fixtures/image/exif$i.jpg" set/images/
    echo '0 0.3 0.4 0.3 0.4' >"set/labels/exif$i.txt"
done
printf 'path: set\ntrain: images\nval: images\nnames: {0: box, 1: ball}\n' >data.yaml
arguments="--data data.yaml --model yolo11n --imgsz 32 --batch 4 --epochs 4 --workers 1 --threads 1 --no-plots --project p"

# on STATUS ARGUMENT...: as run, with the stand-in.
on() {
    : >report
    LD_LIBRARY_PATH="$build/tests/fake_opencl${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" run "$@"
    if grep '^mistake:' report; then fail "the stand-in's report: vigil $*"; fi
}

on 0 train $arguments --name whole --device opencl:0
says out 'device opencl:0: '
calls=$(sed -n 's/^calls //p' report)

# From then on every call fails: behind the first checkpoint, before the last.
export FAKE_GPU_FAIL="*:$((calls * 7 / 10))+:-36"
on 1 train $arguments --name lost --device opencl:0
says err 'the GPU was lost or reset'
says err 'resume=p/lost goes on from the last checkpoint'
[ -e p/lost/weights/last.safetensors ] || fail "no checkpoint"
cp -r p/lost p/others
on 0 train --resume p/lost --device cpu
grep -q 'Resuming in epoch [2-4] of 4' out || fail "it does not go on from the checkpoint"
equal "$(wc -l <p/lost/results.csv)" 5 "rows of results.csv"

on 0 train $arguments --name kept --device opencl:0 --device-lost resume
says err 'training goes on: the GPU failed'
says err 'the CPU computes'
equal "$(wc -l <p/kept/results.csv)" 5 "rows of results.csv of a run that went on by itself"

# Before there is a checkpoint. One of another run in that folder is not gone on from.
export FAKE_GPU_FAIL="*:$((calls * 2 / 10))+:-36"
cp -r p/others p/again
on 0 train $arguments --name again --exist-ok --device opencl:0 --device-lost resume
says err 'from the start on, the CPU computes (epoch 1)'
equal "$(wc -l <p/again/results.csv)" 5 "rows of results.csv of a run that began again"
on 1 train $arguments --name others --exist-ok --device opencl:0
says err 'no checkpoint was written yet: start anew'
export FAKE_GPU_FAIL="clFinish:5+:-36"
on 1 train $arguments --name early --device opencl:0
says err 'error: '
on 2 train $arguments --name cpu --device cpu --device-lost resume
is_error 'device_lost=resume with device=cpu'
done_well

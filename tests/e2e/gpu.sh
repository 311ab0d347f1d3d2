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
run 2 train --data x.yaml --device tpu
is_error 'the device "tpu"'
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

# ---- a processor that OpenCL offers is no GPU, unless it is named
run 1 predict --weights "$weights" --source "$picture" --device 3
is_error 'there is no GPU number 3 that vigil can use'

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

# ---- in numbers of 16 bits: the same boxes but for a few near the threshold, and half the memory; on the CPU a note says that
# nothing changes
run 0 predict --weights "$weights" --source "$picture" --imgsz 64 --conf 0.01 --max-det 20 --device "$device" --half --save-txt --save-conf \
    --project p --name half
n_half=$(cat p/half/labels/*.txt | wc -l)
[ "$n_half" -ge $((n_gpu - 1)) ] && [ "$n_half" -le $((n_gpu + 1)) ] || fail "$n_half boxes with --half, $n_gpu without"
# Each box of it is one of the others', to a hundredth of the picture.
awk 'NR == FNR { n++; for (i = 1; i <= 6; i++) box[n, i] = $i; next }
    { found = 0
      for (k = 1; k <= n; k++) { worst = box[k, 1] == $1 ? 0 : 1
          for (i = 2; i <= 6; i++) { d = box[k, i] - $i; if (d < 0) d = -d; if (d > worst) worst = d }
          if (worst < 0.01) found = 1 }
      n_found += found }
    END { exit n_found >= n - 1 ? 0 : 1 }' "p/on-$device/labels/"*.txt p/half/labels/*.txt || fail "boxes with --half are elsewhere"
cmp -s p/half/labels/*.txt "p/on-$device/labels/"*.txt && fail "--half changed nothing"
n_checks=$((n_checks + 3))
run 0 predict --weights "$weights" --source "$picture" --imgsz 64 --device cpu --half
says out 'note: half=True has no effect here: a CPU computes in float32'

# ---- a picture goes up as it is, or, where it is larger than what was planned, at the size of the input: the same boxes
"$vigil" predict --weights "$weights" --source - --imgsz 64 --conf 0.01 --max-det 20 --device "$device" --save-txt --save-conf \
    --project p --name unforeseen <"$picture" >out 2>err || fail "a picture of unknown size"
equal "$(cat p/unforeseen/labels/*.txt | cksum)" "$(cat "p/on-$device/labels/"*.txt | cksum)" "boxes of a picture of unknown size"
# ---- and two batches at a time give what one gives
mkdir few
for i in 1 2 3 4 5; do cp "$picture" "few/$i.jpg"; done
run 0 predict --weights "$weights" --source few --imgsz 64 --conf 0.01 --max-det 20 --batch 2 --device "$device" --save-txt --save-conf \
    --project p --name few
for i in 1 2 3 4 5; do
    equal "$(cksum <"p/few/labels/$i.txt")" "$(cat "p/on-$device/labels/"*.txt | cksum)" "boxes of picture $i"
done

# ---- frames go up as planes: what is found in two clips at once, on the CPU and on the device; and no input of floats is kept
mkdir clips
for k in 1 2; do
    {
        printf 'YUV4MPEG2 W96 H62 F10:1 Ip C420\n'
        for i in 1 2 3; do
            printf 'FRAME\n'
            tail -c +$((k * 90000 + i * 7000)) "$vigil" | head -c $((96 * 62 * 3 / 2))
        done
    } >"clips/$k.y4m"
    echo "$tmp/clips/$k.y4m" >>clips.streams
done
for where in cpu "$device"; do
    run 0 predict --weights "$weights" --source clips.streams --imgsz 64 --conf 0.01 --max-det 20 --device "$where" --save-json --no-save \
        --project p --name "clips-$where"
    sed -n 's/.*"index": *\([0-9]*\).*/\1 &/p' "p/clips-$where/predictions.jsonl" | grep -o '^[0-9]* \|"source": *"[^"]*"\|"class": *[0-9]*' |
        tr '\n' ' ' >"found-$where"
done
[ "$(grep -o class <found-cpu | wc -l)" -gt 5 ] || fail "too little was found in the clips to compare"
equal "$(tr ' ' '\n' <found-cpu | grep -v : | sort | cksum)" "$(tr ' ' '\n' <"found-$device" | grep -v : | sort | cksum)" "classes in the clips"

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
# ---- what it costs there, and what it holds
run 0 bench "$weights" --imgsz 64 --repeats 1 --batch 2 --device "$device" --half
says out "device $device: "
says out ', maps of 16 bits; its memory planned '
run 0 bench "$weights" --imgsz 64 --repeats 1 --batch 2 --device "$device" --json
"$build/tests/json_check" any out || fail "bench --device --json is no JSON"
says out "\"device\": \"$device\""
says out '"half": false'
echo "$n_checks checks passed"

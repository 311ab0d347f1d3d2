#!/bin/sh
# ptx.sh FOLDER: NVIDIA's assembler takes the PTX that the build made, for each GPU generation from the file's own target on
# that this ptxas still has, and no kernel spills registers: what it cannot hold would go through memory in the innermost
# loops. Inference's kernels have no stack either: an array that is not in registers. Says what each kernel takes: registers, bytes of its stack, of shared memory.
# Skipped where there is no PTX (no clang made it) or no ptxas: in PATH, $CUDA_HOME/bin or /usr/local/cuda/bin.
# ptx.sh --self-test: a kernel that spills, and a text that is no PTX, are found.
set -eu
generations="70 75 80 90"

skip() {
    echo "skipped: $1"
    exit 77
}

find_ptxas() {
    for at in "$(command -v ptxas || true)" "${CUDA_HOME:-/nowhere}/bin/ptxas" /usr/local/cuda/bin/ptxas; do
        if [ -n "$at" ] && [ -x "$at" ]; then
            echo "$at"
            return
        fi
    done
}

ptxas=$(find_ptxas)
[ -n "$ptxas" ] || skip "there is no ptxas (it comes with NVIDIA's CUDA)"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# assemble FILE GENERATION [FLAG...]: a line for each kernel; false where ptxas fails or a kernel spills.
assemble() {
    file=$1
    generation=$2
    shift 2
    if ! "$ptxas" -arch="sm_$generation" -v "$@" "$file" -o "$tmp/out" >"$tmp/log" 2>&1; then
        echo "FAILED  $file for sm_$generation:"
        cat "$tmp/log"
        return 1
    fi
    case $file in
    */infer*) most_stack=0 ;;
    *) most_stack=65536 ;;
    esac
    awk -v of="sm_$generation" -v most_stack="$most_stack" '
        /Compiling entry function/ { split($0, quoted, "\047"); kernel = quoted[2] }
        /bytes stack frame/ { stack = $1; spilled = $5 + $9 }
        /Used [0-9]+ registers/ {
            registers = $0; sub(/.*Used /, "", registers); sub(/ .*/, "", registers)
            shared = 0
            if (match($0, /[0-9]+ bytes smem/)) shared = substr($0, RSTART, RLENGTH) + 0
            printf "%s  %-24s %3d registers, stack %4d bytes, shared %6d bytes, spilled %d bytes\n",
                of, kernel, registers, stack, shared, spilled
            n++
            if (spilled > 0 || stack > most_stack) bad = 1
        }
        END {
            if (n == 0) { print "FAILED  ptxas says nothing of any kernel"; bad = 1 }
            exit bad
        }' "$tmp/log"
}

if [ "${1:-}" = --self-test ]; then
    # Eighty values that live at once, in the 32 registers that it is given.
    awk 'BEGIN {
        print ".version 6.0\n.target sm_70\n.address_size 64\n.visible .entry spills(.param .u64 p)\n{"
        print ".reg .b64 %rd<2>;\n.reg .f32 %f<162>;\nld.param.u64 %rd1, [p];"
        for (i = 0; i < 80; i++) printf "ld.volatile.global.f32 %%f%d, [%%rd1+%d];\n", i, 4 * i
        print "bar.sync 0;"
        for (i = 0; i < 80; i++) printf "mul.f32 %%f%d, %%f%d, %%f%d;\nst.volatile.global.f32 [%%rd1+%d], %%f%d;\n", i + 81, i, 79 - i, 4 * i, i + 81
        print "ret;\n}"
    }' >"$tmp/spills.ptx"
    assemble "$tmp/spills.ptx" 80 >"$tmp/whole" || { cat "$tmp/whole"; exit 1; }
    if assemble "$tmp/spills.ptx" 80 -maxrregcount=32 >"$tmp/told"; then
        echo "FAILED  a kernel that spills was taken:"
        cat "$tmp/told"
        exit 1
    fi
    grep -q 'spills .*spilled [1-9]' "$tmp/told"
    echo 'nonsense' >"$tmp/none.ptx"
    if assemble "$tmp/none.ptx" 80 >"$tmp/told"; then
        echo "FAILED  nonsense was taken"
        exit 1
    fi
    echo "what is wrong is found"
    exit 0
fi

n=0
n_files=0
for file in "$1"/*.ptx; do
    case $file in
    */probe.ptx | *'*.ptx') continue ;;
    esac
    target=$(sed -n 's/^\.target sm_\([0-9]*\).*/\1/p' "$file")
    [ -n "$target" ] || { echo "FAILED  $file names no target"; exit 1; }
    n_files=$((n_files + 1))
    echo "${file##*/}, for sm_$target and newer:"
    for generation in $generations; do
        [ "$generation" -ge "$target" ] || continue
        if "$ptxas" -arch="sm_$generation" /dev/null -o "$tmp/out" 2>&1 | grep -q "is not defined for option 'gpu-name'"; then
            echo "sm_$generation  this ptxas does not have it"
            continue
        fi
        assemble "$file" "$generation"
        n=$((n + 1))
    done
done
[ "$n_files" -gt 0 ] || skip "this build has no PTX: no clang made it"
if [ "$n" -lt "$n_files" ]; then
    echo "FAILED  this ptxas has none of the generations $generations"
    exit 1
fi
echo "$n times assembled, nothing spills"

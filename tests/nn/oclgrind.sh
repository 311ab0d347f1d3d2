#!/bin/sh
# oclgrind.sh races|reads PROGRAM...: tests of kernels (VIGIL_TEST_SMALL) on oclgrind's device, an interpreter that looks at
# every access of every work item. Nothing may reach out of its memory, and
#   races   no item may touch what another of its group touches without a barrier between (the kernels as they are compiled)
#   reads   no number may be used that nobody has written (not optimised: oclgrind follows no more)
# oclgrind.sh --self-test PROGRAM: with barriers taken out, and items that are one too far, each of these is found.
# Skipped without oclgrind (apt-get install oclgrind).
set -eu
driver=""
for at in /usr/lib/oclgrind /usr/lib/*/oclgrind /usr/local/lib; do
    [ -z "$driver" ] && [ -f "$at/liboclgrind-rt-icd.so" ] && driver=$at/liboclgrind-rt-icd.so
done
if [ -z "$driver" ]; then
    echo "skipped: there is no oclgrind (apt-get install oclgrind)"
    exit 77
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/vendors"
echo "$driver" >"$tmp/vendors/oclgrind.icd"
# A cache of its own: a kept program was compiled with other options.
# Its log is a pipe: oclgrind empties a file each time that a device is opened.
export OCL_ICD_VENDORS="$tmp/vendors" OCLGRIND_LOG=/dev/fd/3 OCLGRIND_CHECK_API=1
unset VIGIL_TEST_DEVICE
export VIGIL_TEST_SMALL=1

# look MODE PROGRAM [ARGUMENT...]: true where the program passes and oclgrind has nothing to say. PLANT: more options of the compiler.
look() {
    mode=$1
    shift
    rm -rf "$tmp/log" "$tmp/cache"
    case $mode in
    races) set -- OCLGRIND_DATA_RACES=1 "OCLGRIND_BUILD_OPTIONS=${PLANT:-}" "$@" ;;
    reads) set -- OCLGRIND_UNINITIALIZED=1 "OCLGRIND_BUILD_OPTIONS=-O0 ${PLANT:-}" "$@" ;;
    esac
    rm -f "$tmp/passed"
    { env XDG_CACHE_HOME="$tmp/cache" "$@" 3>&1 >"$tmp/said" 2>&1 && : >"$tmp/passed"; } | cat >"$tmp/log" || true
    passed=no
    [ ! -e "$tmp/passed" ] || passed=yes
    if [ -s "$tmp/log" ]; then
        head -n 60 "$tmp/log"
        return 1
    fi
    if [ $passed = no ] || grep -qi "skipped: no device" "$tmp/said"; then
        tail -n 40 "$tmp/said"
        return 1
    fi
}

if [ "$1" = --self-test ]; then
    expect() {
        if PLANT=$3 look "$1" "$program" 'a_convolution*' >"$tmp/found"; then
            echo "FAILED  $1: not found: $3"
            exit 1
        fi
        if ! grep -q "$2" "$tmp/found"; then
            echo "FAILED  $1: no '$2' with $3:"
            head -n 20 "$tmp/found"
            exit 1
        fi
        echo "ok  $1: $2"
    }
    program=$2
    expect races 'data race' '-Dbarrier(x)='
    expect races 'Invalid .* of size' '-Dget_local_id(x)=(get_local_id(x)+1)'
    expect reads 'uninitialized value' '-Dbarrier(x)='
    exit 0
fi

mode=$1
shift
for program in "$@"; do
    if ! look "$mode" "$program"; then
        echo "FAILED  $mode: $program"
        exit 1
    fi
    echo "ok  $mode: $(awk '/test\(s\) run/ { n += $2 } END { print n }' "$tmp/said") tests of ${program##*/}"
done

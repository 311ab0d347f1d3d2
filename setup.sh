#!/bin/sh
# setup.sh: installs the Debian packages that vigil needs and this machine lacks, then builds it into build/.
# Safe to run again: when nothing is missing it does not touch apt, and the build only does what changed.
#   ./setup.sh            what is needed to build and run
#   ./setup.sh --tests    also what the tests need
#   ./setup.sh --werror   takes warnings for errors, as the tests do
#   ./setup.sh --list     prints the packages, installs and builds nothing
set -eu
cd "$(dirname "$0")"

# The one list of packages; everything else that names them points here.
build_packages="build-essential cmake ninja-build pkg-config libavformat-dev libavcodec-dev libavdevice-dev libavutil-dev libswscale-dev libturbojpeg0-dev libcairo2-dev libfontconfig-dev libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev libyaml-dev libjansson-dev libexpat1-dev zlib1g-dev libdw-dev libprotobuf-c-dev
libsqlite3-dev libmicrohttpd-dev libcurl4-openssl-dev libmosquitto-dev librdkafka-dev libsdl2-dev protobuf-c-compiler fonts-dejavu-core"
test_packages="libcmocka-dev valgrind mosquitto mosquitto-clients openssl lintian python3-yaml clang libclang-rt-14-dev ffmpeg chromium
python3-venv python3-pip python3-numpy python3-cffi python3-pytest python3-nbclient python3-ipykernel jupyter-notebook python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly
ocl-icd-libopencl1 pocl-opencl-icd oclgrind openmpi-bin"

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$1" >&2
    printf '  try: %s\n' "$2" >&2
    exit 1
}

with_tests=no
werror=OFF
list_only=no
for arg in "$@"; do
    case $arg in
    --tests) with_tests=yes ;;
    --werror) werror=ON ;;
    --list) list_only=yes ;;
    -h | --help)
        sed -n '2,7s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *) fail "unknown option '$arg'" "./setup.sh --help" ;;
    esac
done
# Unquoted on purpose: one word a package, whatever the line breaks above.
# shellcheck disable=SC2086
set -- $build_packages
# shellcheck disable=SC2086
[ "$with_tests" = no ] || set -- "$@" $test_packages
if [ "$list_only" = yes ]; then
    printf '%s\n' "$@"
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "this is no Debian system (no apt-get), and setup.sh knows only Debian's packages" \
        "install what these Debian packages hold: $*; then run: cmake --preset release && cmake --build --preset release"
fi

missing=""
for package in "$@"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=none
    [ "$state" = installed ] || missing="$missing $package"
done

if [ -z "$missing" ]; then
    say "all $# packages are here"
else
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "packages are missing, and this is neither root nor is there sudo" "as root: apt-get install$missing"
        as_root=sudo
    fi
    say "installing$missing"
    $as_root apt-get update -q </dev/null ||
        fail "apt-get update failed" "look at the network and at /etc/apt/sources.list, then run setup.sh again"
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing </dev/null ||
        fail "apt-get install failed" "this is made for Debian 12 (bookworm); see the packages' messages above"
fi

# The tests are built where their library is; without it the program is built alone.
tests=OFF
if pkg-config --exists cmocka; then
    tests=ON
fi
say "configuring build/ (release, tests $tests)"
cmake --preset release -DVIGIL_TESTS=$tests -DVIGIL_WERROR=$werror >/dev/null </dev/null ||
    fail "cmake could not configure build/" "mend what it names above; when build/ is of another clone: rm -r build"
say "building build/"
cmake --build --preset release -j "$(nproc)" </dev/null
say "done"

#!/bin/sh
# install.sh BUILD SOURCE: what a user gets who installs vigil. Installs BUILD into an empty folder, moves that folder (a
# prefix may be moved as a whole), and then uses nothing but what is in it: the program runs, the library has its
# soname, examples/detect.c compiles through pkg-config without a warning and finds its way through a drawn picture.
set -eu
build=$1
source=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
    echo "FAILED: $*"
    exit 1
}

cmake --install "$build" --prefix "$tmp/first" >/dev/null
mv "$tmp/first" "$tmp/usr"
prefix=$tmp/usr

for file in bin/vigil include/vigil/vigil.h include/vigil/error.h share/man/man1/vigil.1 share/man/man1/vigil-train.1 \
    share/man/man1/vigil-val.1 share/man/man1/vigil-attach.1 share/man/man1/vigil-stop.1 share/man/man1/vigil-watch.1 \
    share/man/man1/vigil-report.1 share/man/man1/vigil-predict.1 share/man/man1/vigil-check.1 share/man/man1/vigil-data.1 share/man/man1/vigil-convert.1 share/man/man1/vigil-export.1 include/vigil/dataset.h include/vigil/export.h share/man/man1/vigil-info.1 share/man/man1/vigil-help.1 share/man/man1/vigil-version.1 include/vigil/watch.h \
    include/vigil/stream.h include/vigil/types/result.h \
    share/bash-completion/completions/vigil; do
    [ -s "$prefix/$file" ] || fail "$file is not installed"
done
for unit in vigil-stream.service vigil-watch@.service; do
    grep -q "^ExecStart=$tmp/first/bin/vigil " "$prefix/lib/systemd/system/$unit" || fail "$unit does not start the program of its prefix"
done
[ -s "$prefix/lib/sysusers.d/vigil.conf" ] || fail "the user of guarded jobs is not installed"
libdir=$(dirname "$(find "$prefix" -name libvigil.so)")
[ -f "$libdir/pkgconfig/vigil.pc" ] || fail "vigil.pc is not beside libvigil.so.0"
readelf -d "$libdir/libvigil.so.0" | grep -q 'SONAME.*\[libvigil\.so\.0\]' || fail "the soname is not libvigil.so.0"
"$source/tests/check_hardening.sh" "$prefix/bin/vigil" "$libdir/libvigil.so.0" || fail "what is installed is not hardened"
readelf -d "$prefix/bin/vigil" | grep -q "R.*PATH.*\[$build" && fail "bin/vigil still looks into the build folder"

"$prefix/bin/vigil" --version >/dev/null || fail "the installed vigil does not run"

export PKG_CONFIG_PATH="$libdir/pkgconfig"
flags=$(pkg-config --cflags --libs vigil)
case $flags in
*"$source"* | *"$build"*) fail "pkg-config points into the sources: $flags" ;;
esac
# shellcheck disable=SC2086 # several words on purpose
"${CC:-cc}" -std=c17 -Wall -Wextra -Wpedantic -Werror "$source/examples/detect.c" $flags -o "$tmp/detect"

"$build/make_pictures" "$tmp" 1 >/dev/null
export LD_LIBRARY_PATH="$libdir"
weights=$source/tests/golden/yolo11n_random.pt
"$tmp/detect" "$weights" "$tmp/scene_0.bmp" >"$tmp/found" || fail "examples/detect.c does not run"
[ -s "$tmp/found" ] || fail "examples/detect.c finds nothing"
# shellcheck disable=SC2086 # several words on purpose
"${CC:-cc}" -std=c17 -Wall -Wextra -Wpedantic -Werror "$source/examples/track.c" $flags -o "$tmp/track"
"$tmp/track" "$weights" "$tmp" "$tmp/scene_0.bmp" "$tmp/scene_0.bmp" >"$tmp/tracked" || fail "examples/track.c does not run"
[ -s "$tmp/0000.png" ] && [ -s "$tmp/0001.png" ] || fail "examples/track.c draws nothing"
grep -q ': [1-9][0-9]* tracked' "$tmp/tracked" || fail "examples/track.c tracks nothing: $(head -n 1 "$tmp/tracked")"
if grep -qvE '^class[0-9]+ 0\.[0-9]{2} at [0-9]+,[0-9]+ to [0-9]+,[0-9]+$' "$tmp/found"; then
    fail "a line of examples/detect.c is no box: $(head -n 1 "$tmp/found")"
fi
if "$tmp/detect" "$weights" "$tmp/none.jpg" >"$tmp/found" 2>"$tmp/words"; then
    fail "examples/detect.c is content without a picture"
fi
grep -q 'none.jpg' "$tmp/words" || fail "examples/detect.c does not say which picture is missing"
[ "$(wc -l <"$source/examples/detect.c")" -lt 60 ] || fail "examples/detect.c has 60 lines or more"
echo "installed, moved, compiled against, run"

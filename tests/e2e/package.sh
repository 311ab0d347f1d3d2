#!/bin/sh
# package.sh BUILD SOURCE: the Debian packages as a machine gets them: what they say of themselves and hold, that every library
# that is loaded by name is asked for, that lintian has no word against them; then all three are installed, used and removed by
# dpkg, in a folder of their own that begins with what this machine has installed, so that what they depend on is looked up.
build=$1
source=$2
# shellcheck source=tests/e2e/lib.sh
. "$source/tests/e2e/lib.sh"

skip() {
    echo "skipped: $*"
    exit 77
}
[ -f "$build/CPackConfig.cmake" ] || skip "this build makes no packages (no dpkg-shlibdeps, or a sanitizer's build)"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v fakeroot >/dev/null || skip "dpkg wants root or fakeroot, and neither is here"
    as_root=fakeroot
fi

cpack --config "$build/CPackConfig.cmake" -B "$tmp/made" >"$tmp/out" 2>"$tmp/err" || fail "cpack"
version=$(dpkg-deb -f "$tmp"/made/vigil_*.deb Version)
arch=$(dpkg --print-architecture)
deb() { echo "$tmp/made/$1_${version}_$arch.deb"; }
multiarch=$(cc -print-multiarch 2>/dev/null || gcc -print-multiarch)
lib=usr/lib/$multiarch

# ---- what they say of themselves
# field PACKAGE NAME
field() { dpkg-deb -f "$(deb "$1")" "$2"; }
equal "$(find "$tmp/made" -maxdepth 1 -name '*.deb' | wc -l)" 3 "number of packages"
equal "$(field vigil Section) $(field libvigil0 Section) $(field libvigil-dev Section)" "science libs libdevel" "sections"
equal "$(field libvigil-dev Depends)" "libvigil0 (= $version)" "what the headers depend on"
for package in vigil libvigil0 libvigil-dev; do
    [ -n "$(field $package Maintainer)" ] || fail "$package has no maintainer"
    equal "$(dpkg-deb -I "$(deb $package)" | grep -c conffiles)" 0 "$package has files that are edited (conffiles)"
    dpkg-deb -c "$(deb $package)" | awk '{print $6}' >"$tmp/files.$package"
    grep -q "^./usr/share/doc/$package/copyright$" "$tmp/files.$package" || fail "$package has no licence"
    ! grep -Ev '^\./usr/' "$tmp/files.$package" || fail "$package has files outside /usr"
    n_checks=$((n_checks + 4))
done

# ---- what they hold
# holds PACKAGE FILE...
holds() {
    package=$1
    shift
    for file in "$@"; do
        grep -qxF "./$file" "$tmp/files.$package" || fail "$package does not hold $file"
        n_checks=$((n_checks + 1))
    done
}
holds vigil usr/bin/vigil usr/lib/systemd/system/vigil-stream.service usr/lib/systemd/system/vigil-watch@.service \
    usr/lib/sysusers.d/vigil.conf usr/share/bash-completion/completions/vigil usr/share/doc/vigil/examples/streams.yaml
for command in $("$vigil" help --completion); do
    holds vigil "usr/share/man/man1/vigil-$command.1.gz"
done
holds libvigil0 "$lib/libvigil.so.0"
holds libvigil-dev usr/include/vigil/vigil.h "$lib/libvigil.so" "$lib/pkgconfig/vigil.pc"
for file in "$source"/include/vigil/*.h "$source"/include/vigil/types/*.h; do
    holds libvigil-dev "usr/${file#"$source"/}"
done
equal "$(grep -c '\.so' "$tmp/files.vigil")" 0 "libraries in the program's package"
equal "$(grep -c 'pkgconfig\|include\|libvigil.so$' "$tmp/files.libvigil0")" 0 "development files in the library's package"

# ---- what is loaded by name: its package is depended on or recommended. Not Debian's, one of several, or
# brought by who starts the program (mpirun): not asked for.
grep -aoE '\blib[A-Za-z0-9_.+-]+\.so\.[0-9]+\b' "$vigil" | sort -u | grep -vE '^lib(nvidia-ml|cuda|OpenCL|mpi|jemalloc|vigil|c|m|dl|pthread)[.-]' >"$tmp/sonames"
[ "$(wc -l <"$tmp/sonames")" -ge 10 ] || fail "the program names only $(wc -l <"$tmp/sonames") libraries"
for package in vigil libvigil0; do
    case "$(field $package Suggests)" in
    *"ocl-icd-libopencl1 | libopencl1"*) n_checks=$((n_checks + 1)) ;;
    *) fail "$package does not suggest a loader of OpenCL" ;;
    esac
    case ", $(field $package Suggests)," in
    *", openmpi-bin,"*) n_checks=$((n_checks + 1)) ;;
    *) fail "$package does not suggest mpirun" ;;
    esac
    asked=", $(field $package Depends), $(field $package Recommends)"
    while read -r soname; do
        path=$({ ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | sed -n "s,^.*$soname .* => ,,p" | head -n 1)
        [ -n "$path" ] || continue # not here: a wish of the build that was not there either
        # By its name alone: dpkg may know it below /lib, which is /usr/lib.
        of=$(dpkg-query -S "*/$(basename "$(readlink -f "$path")")" | head -n 1 | cut -d: -f1)
        case $asked in
        *", $of "* | *", $of,"*) n_checks=$((n_checks + 1)) ;;
        *) fail "$package loads $soname and does not ask for $of" ;;
        esac
    done <"$tmp/sonames"
done

# ---- what Debian's own judge says
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$tmp"/made/*.deb >"$tmp/out" 2>"$tmp/err" || fail "lintian"
    [ ! -s "$tmp/out" ] || fail "lintian"
    n_checks=$((n_checks + 1))
else
    echo "lintian is not here, and was not asked"
fi

# ---- installed: packages are put below root/, with this machine's own as those that are there.
mkdir -p admin/info admin/updates admin/triggers root/etc
cp /var/lib/dpkg/status admin/status
# What is installed here already would be an upgrade there.
for package in vigil libvigil0 libvigil-dev; do
    ! dpkg-query -W -f='${db:Status-Status}' $package 2>/dev/null | grep -qx installed || skip "$package is installed on this machine"
done
install_dpkg() {
    $as_root dpkg --instdir="$tmp/root" --admindir="$tmp/admin" --force-script-chrootless --log=/dev/null "$@" >"$tmp/out" 2>"$tmp/err"
}
install_dpkg -i "$(deb libvigil-dev)" && fail "the headers are installed without the library"
says err 'libvigil-dev depends on libvigil0'
install_dpkg -i "$(deb libvigil0)" "$(deb libvigil-dev)" "$(deb vigil)" || fail "dpkg -i"
for package in vigil libvigil0 libvigil-dev; do
    equal "$(dpkg-query --admindir="$tmp/admin" -W -f='${db:Status-Status}' $package)" installed "$package"
done
root=$tmp/root
"$root/usr/bin/vigil" version >"$tmp/out" || fail "the installed program does not run"
says out "vigil ${version%%-*}"
grep -q '^ExecStart=/usr/bin/vigil ' "$root/usr/lib/systemd/system/vigil-stream.service" || fail "the unit does not start /usr/bin/vigil"
grep -rq '/usr/local' "$root/usr/lib/systemd" && fail "a unit names /usr/local"
if command -v systemd-sysusers >/dev/null; then
    grep -q '^vigil:' "$root/etc/passwd" || fail "the user of guarded jobs was not made"
fi
"$source/tests/check_hardening.sh" "$root/usr/bin/vigil" "$root/$lib/libvigil.so.0" || fail "what is packed is not hardened"
equal "$(readelf -d "$root/$lib/libvigil.so.0" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" libvigil.so.0 "soname"
flags=$(PKG_CONFIG_PATH="$root/$lib/pkgconfig" PKG_CONFIG_LIBDIR="$root/$lib/pkgconfig" pkg-config --cflags --libs vigil)
case $flags in
*"$root/"*) ;;
*) fail "pkg-config does not point into the packages: $flags" ;;
esac
# shellcheck disable=SC2086
"${CC:-cc}" "$root/usr/share/doc/libvigil-dev/examples/detect.c" $flags -o detect || fail "the sample does not compile"
pictures . 1
LD_LIBRARY_PATH=$root/$lib ./detect "$weights" scene_0.bmp >"$tmp/out" || fail "the sample does not run"
says out ' at '

# ---- removed: a library that is needed stays; at the end nothing is left.
install_dpkg -r libvigil0 && fail "the library went away from under the headers"
install_dpkg -P vigil libvigil-dev libvigil0 || fail "dpkg -P"
left=$(find "$root" -path "$root/etc" -prune -o ! -type d -print)
equal "$left" "" "files that are left"
equal "$(find "$tmp/admin/info" -name '*vigil*')" "" "what dpkg still knows"
done_well

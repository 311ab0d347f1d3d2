#!/bin/sh
# check_symbols.sh FILE...: reads the symbols of what was built.
#   libX.so             exports nothing but vg_*
#   X.a, X.o, others    must not call the C library's allocator and its kin: memory goes through base (src/base/mem.h),
#                       which alone may; do not name base's archive here
# check_symbols.sh --self-test: compiles both mistakes and wants to see them reported.
set -eu

# What takes memory behind base's back. qsort is here because glibc's takes memory above 1 KiB.
takers='malloc calloc realloc reallocarray free cfree memalign aligned_alloc posix_memalign valloc pvalloc
strdup strndup __strdup __strndup asprintf vasprintf __asprintf_chk __vasprintf_chk getline getdelim __getdelim
open_memstream scandir get_current_dir_name qsort'

# Allowed all the same, one a line: object symbol reason.
exceptions='symbols.c.o free what libdw gives is to be freed so'

check_shared() {
    nm -D --defined-only "$1" | awk -v file="$1" '
    { name = $NF; sub(/@.*/, "", name); n++ }
    name !~ /^vg_/ { printf "%s: exports %s; only vg_* may be seen from outside\n", file, name; wrong++ }
    END {
        if (n == 0) { printf "%s: exports nothing at all\n", file; wrong++ }
        exit wrong > 0
    }'
}

# nm -A prints "lib.a:member.o:   U name" for an archive and "file.o:   U name" for an object.
check_objects() {
    nm -A -u "$@" | TAKERS=$takers EXCEPTIONS=$exceptions awk '
    BEGIN {
        n = split(ENVIRON["TAKERS"], names, /[ \n]+/)
        for (i = 1; i <= n; i++)
            forbidden[names[i]] = 1
        n = split(ENVIRON["EXCEPTIONS"], rows, "\n")
        for (i = 1; i <= n; i++)
            if (split(rows[i], row, " ") >= 3)
                excepted[row[1] " " row[2]] = 1
    }
    {
        name = $NF
        sub(/@.*/, "", name)
        object = $1
        sub(/:$/, "", object)
        sub(/.*[\/:]/, "", object)
        if (name in forbidden && !((object " " name) in excepted)) {
            printf "%s calls %s; take memory through base (base/mem.h)\n", $1, name
            wrong++
        }
    }
    END { exit wrong > 0 }'
}

check() {
    status=0
    n_objects=0
    for file in "$@"; do
        [ -f "$file" ] || {
            echo "check_symbols: no such file: $file" >&2
            exit 2
        }
        case $file in
        *.so | *.so.*) check_shared "$file" || status=1 ;;
        *)
            check_objects "$file" || status=1
            n_objects=$((n_objects + 1))
            ;;
        esac
    done
    echo "$# files read, $n_objects of them objects and archives"
    return $status
}

# expect_red NAME PATTERN FILE: check FILE must fail with a line that holds PATTERN.
expect_red() {
    if out=$(check "$3"); then
        echo "self-test: $1 went unseen"
        failed=1
    elif ! printf '%s\n' "$out" | grep -q -- "$2"; then
        printf 'self-test: %s: wanted "%s" in:\n%s\n' "$1" "$2" "$out"
        failed=1
    fi
}

self_test() {
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    failed=0
    cc=${CC:-cc}
    echo '#include <stdlib.h>
void *vg_take(void); void *vg_take(void) { return malloc(7); }' >"$tmp/taker.c"
    echo 'int vg_one(int a); int vg_one(int a) { return a + 1; }' >"$tmp/good.c"
    echo 'int stray(int a); int stray(int a) { return a + 1; }' >"$tmp/stray.c"
    for name in taker good stray; do
        "$cc" -O1 -fPIC -c "$tmp/$name.c" -o "$tmp/$name.o"
    done
    ar rc "$tmp/taker.a" "$tmp/good.o" "$tmp/taker.o"
    "$cc" -shared "$tmp/good.o" -o "$tmp/good.so"
    "$cc" -shared "$tmp/good.o" "$tmp/stray.o" -o "$tmp/stray.so.0"
    expect_red "an object that calls malloc" 'taker.o:.*calls malloc' "$tmp/taker.o"
    expect_red "an archive that calls malloc" 'taker.a:taker.o:.*calls malloc' "$tmp/taker.a"
    expect_red "a library that exports more than vg_" 'exports stray' "$tmp/stray.so.0"
    check "$tmp/good.o" "$tmp/good.so" >/dev/null || {
        echo "self-test: the good files were refused:"
        check "$tmp/good.o" "$tmp/good.so" || true
        failed=1
    }
    exceptions='taker.o malloc because this line is tried'
    check "$tmp/taker.a" >/dev/null || {
        echo "self-test: an exception was not honoured"
        failed=1
    }
    [ "$failed" = 0 ] && echo "self-test: 3 mistakes seen, the good files passed"
    return "$failed"
}

case ${1:-} in
--self-test) self_test ;;
'' | -*)
    echo "usage: check_symbols.sh FILE... | --self-test" >&2
    exit 2
    ;;
*) check "$@" ;;
esac

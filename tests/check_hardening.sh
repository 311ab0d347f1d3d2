#!/bin/sh
# check_hardening.sh FILE...: reads what was built, programs, libraries and archives, and wants of
#   programs and libraries  no folder of their own to look for libraries in that is empty or relative (ld.so takes it for the
#                           current one, and would run what lies there), but $ORIGIN; tables read-only before main runs
#                           (RELRO, BIND_NOW); no stack that can be executed; no text that is written
#   programs                a place in memory that changes from run to run (PIE)
#   archives                canaries and checked sizes somewhere in them; on x86, marks of control-flow enforcement in each object
# VIGIL_EXPECT holds what this build's compiler can do: any of "protector fortify cet".
# check_hardening.sh --self-test: builds files with each fault and wants to see it reported.
set -eu

expect=${VIGIL_EXPECT:-}
has() { case " $expect " in *" $1 "*) return 0 ;; esac; return 1; }

complain() {
    echo "$1: $2"
    wrong=$((wrong + 1))
}

check_linked() {
    dynamic=$(readelf -dW "$1")
    headers=$(readelf -hlW "$1")
    paths=$(printf '%s\n' "$dynamic" | sed -n 's/.*(\(RUNPATH\|RPATH\)).*\[\(.*\)\]$/\2/p')
    if printf '%s\n' "$dynamic" | grep -q '(RUNPATH)\|(RPATH)'; then
        # A colon more at the end, so that an empty last entry is one, too.
        bad=$(printf '%s:' "$paths" | tr ':' '\n' | grep -vc '^/\|^\$ORIGIN\(/\|$\)' || true)
        [ "$bad" = 0 ] || complain "$1" "looks for libraries in the current folder: RUNPATH [$paths]"
    fi
    printf '%s\n' "$headers" | grep -q 'GNU_RELRO' || complain "$1" 'has no RELRO'
    printf '%s\n' "$dynamic" | grep -q 'BIND_NOW\|Flags:.* NOW' || complain "$1" 'is not bound at start (BIND_NOW)'
    printf '%s\n' "$dynamic" | grep -q 'TEXTREL' && complain "$1" 'writes into its text (TEXTREL)'
    printf '%s\n' "$headers" | grep -q 'GNU_STACK.* RW  *0x' || complain "$1" 'has an executable stack'
    printf '%s\n' "$headers" | grep -q '^ *Type: *EXEC' && complain "$1" 'has a fixed place in memory (not PIE)'
    return 0
}

check_archive() {
    symbols=$(nm -u "$1" 2>/dev/null)
    if has protector; then
        printf '%s\n' "$symbols" | grep -q '__stack_chk_fail' || complain "$1" 'has no stack protector'
    fi
    if has cet; then
        # One line an object; each has to have both marks.
        bare=$(readelf -nW "$1" 2>/dev/null | awk '
            /^File:/ { if (file != "" && !marked) print file; file = $2; marked = 0 }
            /x86 feature:.*IBT.*SHSTK/ { marked = 1 }
            END { if (file != "" && !marked) print file }')
        [ -z "$bare" ] || complain "$1" "objects without marks of control-flow enforcement: $(echo $bare | cut -c 1-300)"
    fi
}

check() {
    wrong=0
    fortified=0
    n_archives=0
    for file in "$@"; do
        [ -f "$file" ] || { echo "check_hardening: no such file: $file" >&2; exit 2; }
        case $file in
        *.a)
            n_archives=$((n_archives + 1))
            check_archive "$file"
            nm -u "$file" 2>/dev/null | grep -q '_chk$' && fortified=1
            ;;
        *) check_linked "$file" ;;
        esac
    done
    if has fortify && [ $n_archives -gt 0 ] && [ $fortified = 0 ]; then
        complain "$1 and others" 'no call of a checked function (_FORTIFY_SOURCE)'
    fi
    [ "$wrong" = 0 ] || exit 1
}

self_test() {
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    printf 'int main(void) { return 0; }\n' >"$dir/a.c"
    printf '#include <string.h>\nint f(const char *s) { char b[64]; strcpy(b, s); return b[3]; }\n' >"$dir/b.c"
    good='-fPIE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack'
    n=0
    # $1: what has to be said; the rest: flags of a program with that fault.
    refused() {
        word=$1
        shift
        ${CC:-cc} $good "$@" "$dir/a.c" -o "$dir/a"
        if said=$("$0" "$dir/a"); then
            echo "check_hardening: not seen: $word ($*)"
            exit 1
        fi
        printf '%s\n' "$said" | grep -q "$word" || { echo "check_hardening: $word was not said, but: $said"; exit 1; }
        n=$((n + 1))
    }
    ${CC:-cc} $good "$dir/a.c" -o "$dir/a"
    "$0" "$dir/a"
    ${CC:-cc} $good -Wl,-rpath,'$ORIGIN/../lib:/usr/lib' "$dir/a.c" -o "$dir/a"
    "$0" "$dir/a"
    refused 'current folder' -Wl,-rpath,::::
    refused 'current folder' -Wl,-rpath,/usr/lib:
    refused 'current folder' -Wl,-rpath,lib
    refused 'current folder' -Wl,-rpath,.:/usr/lib
    refused RELRO -Wl,-z,norelro
    refused BIND_NOW -Wl,-z,lazy
    refused 'executable stack' -Wl,-z,execstack
    refused PIE -no-pie -fno-PIE
    ${CC:-cc} -O2 -fno-stack-protector -fcf-protection=none -U_FORTIFY_SOURCE -c "$dir/b.c" -o "$dir/b.o" 2>/dev/null ||
        ${CC:-cc} -O2 -fno-stack-protector -U_FORTIFY_SOURCE -c "$dir/b.c" -o "$dir/b.o"
    ar rc "$dir/b.a" "$dir/b.o"
    for one in protector fortify cet; do
        if VIGIL_EXPECT=$one "$0" "$dir/b.a" >/dev/null; then
            echo "check_hardening: not seen: no $one"
            exit 1
        fi
    done
    VIGIL_EXPECT= "$0" "$dir/b.a"
    echo "check_hardening: $n kinds of faults are seen"
}

if [ "${1:-}" = --self-test ]; then
    self_test
else
    check "$@"
fi

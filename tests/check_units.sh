#!/bin/sh
# check_units.sh UNIT...: how much a service could do if it were taken over, by systemd's own reckoning (0 nothing, 10 all): under 3.
# check_units.sh --self-test SOURCE: the units of SOURCE with a line taken away, which has to raise it, and one without any.
# Skipped (77) where systemd-analyze is not there or cannot read a unit without a running systemd.
set -eu

exposure() {
    systemd-analyze security --offline=yes "$1" 2>/dev/null | sed -n 's/^.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p'
}

[ -n "$(systemd-analyze security --help 2>/dev/null | grep -e --offline)" ] || {
    echo "systemd-analyze is not here, or too old to read a unit from a file"
    exit 77
}

if [ "${1:-}" = --self-test ]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    printf '[Service]\nExecStart=/bin/true\n' >"$dir/bare.service"
    if "$0" "$dir/bare.service" >/dev/null; then
        echo "check_units: a unit without any hardening passes"
        exit 1
    fi
    for unit in "$2"/packaging/*.service; do
        name=$(basename "$unit")
        for line in CapabilityBoundingSet SystemCallFilter ProtectKernelModules RestrictNamespaces; do
            grep -v "^$line" "$unit" >"$dir/$name"
            less=$(exposure "$dir/$name")
            if [ "$(exposure "$unit")" = "$less" ]; then
                echo "check_units: $name is as exposed without $line: $less"
                exit 1
            fi
        done
    done
    exit 0
fi

wrong=0
for unit in "$@"; do
    level=$(exposure "$unit")
    echo "$(basename "$unit"): $level"
    case $level in
    [0-2].[0-9]) ;;
    *) wrong=1 ;;
    esac
done
exit $wrong

#!/bin/sh
# stacks_heaptrack.sh BUILD [SECONDS]: the planted leaks of tests/leaks/stacks_two.c by vigil watch --stacks and by heaptrack,
# side by side. Fails unless both name leak_fast first and leak_slow next, and the ratio of the two agrees within 25 %
# (the sampler's own error at so few samples).
set -eu
build=$(cd "$1" && pwd)
seconds=${2:-10}
command -v heaptrack_print >/dev/null || {
    echo "no heaptrack here: apt-get install heaptrack"
    exit 77
}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cc -g -O1 -pthread -fno-optimize-sibling-calls "$here/../../tests/leaks/stacks_two.c" -o "$tmp/two"
cd "$tmp"

"$build/vigil" watch --stacks --stacks-rate 128K --interval 0.5 --project "$tmp" --name ours -- ./two "$seconds" >/dev/null 2>&1
heaptrack -o "$tmp/theirs" ./two "$seconds" >/dev/null 2>&1

# Ours: live bytes of a function, from the folded stacks. Theirs: what had leaked, from the flame graph's costs.
ours() { awk -v f="$1" '$0 ~ (";" f " ") { n += $NF } END { printf "%.0f\n", n }' "$tmp/ours/stacks.folded"; }
heaptrack_print --flamegraph-cost-type leaked -F "$tmp/theirs.folded" -f "$tmp"/theirs.* >/dev/null 2>&1
theirs() { awk -v f="$1" '$0 ~ ("[;]" f "[; (]") { n += $NF } END { printf "%.0f\n", n }' "$tmp/theirs.folded"; }

printf '%-10s %14s %14s\n' leaked vigil heaptrack
for f in leak_fast leak_slow noise; do
    printf '%-10s %14s %14s\n' "$f" "$(ours "$f")" "$(theirs "$f")"
done
sed -n '6,8p' "$tmp/ours/stacks.txt"
awk -v a="$(ours leak_fast)" -v b="$(ours leak_slow)" -v c="$(theirs leak_fast)" -v d="$(theirs leak_slow)" 'BEGIN {
    if (!(a > b && b > 0 && c > d && d > 0)) { print "they do not agree on the order"; exit 1 }
    r = (a / b) / (c / d)
    printf "fast / slow: vigil %.2f, heaptrack %.2f\n", a / b, c / d
    exit !(r > 0.75 && r < 1.25)
}'
grep -q '^ .*leak_fast' "$tmp/ours/stacks.txt"

#!/bin/sh
# check_format.sh [FILE...]: every C file of ours as clang-format 14 would write it (.clang-format), or the place where not.
# Without arguments it reads all that git knows. Exit status 77 (ctest: skipped) when clang-format 14 is not here,
# since other versions format otherwise.
set -eu
cd "$(dirname "$0")/.."

tool=""
for name in clang-format-14 clang-format; do
    if command -v "$name" >/dev/null && "$name" --version | grep -q 'version 14\.'; then
        tool=$name
        break
    fi
done
if [ -z "$tool" ]; then
    echo "no clang-format 14 here: apt-get install clang-format-14"
    exit 77
fi
[ $# -gt 0 ] || {
    # shellcheck disable=SC2046 # our file names have no blanks
    set -- $(git ls-files '*.c' '*.h')
}
"$tool" --dry-run --Werror "$@"
echo "$# files are as .clang-format wants them"

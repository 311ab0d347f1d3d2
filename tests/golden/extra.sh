#!/bin/sh
# extra.sh VIGIL_GOLDEN: checks the golden files of the folder that VIGIL_GOLDEN_EXTRA names, with every kernel table.
# Exit status 77 (ctest: skipped) when it names none.
set -eu
if [ -z "${VIGIL_GOLDEN_EXTRA:-}" ]; then
    echo "VIGIL_GOLDEN_EXTRA names no folder of golden files"
    exit 77
fi
exec "$1" --all-isa "$VIGIL_GOLDEN_EXTRA"

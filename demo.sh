#!/bin/sh
# demo.sh: from a fresh clone to a detector that was trained here, on shelves that this machine draws itself: builds vigil
# (setup.sh), then `vigil demo`: two or three minutes on two cores. Arguments go to it: ./demo.sh --epochs 5
set -eu
cd "$(dirname "$0")"
./setup.sh
set -x
exec build/vigil demo "$@"

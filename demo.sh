#!/bin/sh
# demo.sh: from a fresh clone to a detector that was trained here, on shelves that this machine draws itself: builds vigil
# (setup.sh), then `vigil demo`: two or three minutes on two cores. Arguments go to it: ./demo.sh --epochs 5
#   ./demo.sh --notebook [WORDS]   the notebooks instead: Jupyter on this machine's own address, with its token shown, in work/,
#                                  which holds the notebooks and their runs. WORDS go to Jupyter: --port=9000, --no-browser
set -eu
cd "$(dirname "$0")"
./setup.sh
if [ "${1:-}" != --notebook ]; then
    set -x
    exec build/vigil demo "$@"
fi
shift

missing() {
    printf 'error: %s\n  try: %s\n' "$1" "$2" >&2
    exit 1
}
# The Python that the package was built with: Debian's where there are several.
python=$(sed -n 's/^VIGIL_PYTHON:[A-Z]*=//p' build/CMakeCache.txt)
packages="python3-numpy python3-cffi python3-ipykernel jupyter-notebook"
if [ -z "$python" ] || [ ! -e build/python/vigil/libvigil.so ]; then
    missing "the Python package was not built: no Python here has numpy and cffi" \
        "sudo apt-get install $packages && rm -f build/CMakeCache.txt && ./demo.sh --notebook"
fi
"$python" -c 'import numpy, cffi, ipykernel' 2>/dev/null ||
    missing "$python has not all of numpy, cffi and ipykernel" "sudo apt-get install $packages; or: $python -m pip install numpy cffi ipykernel"
if "$python" -c 'import jupyterlab' 2>/dev/null; then
    what=lab
    root=--ServerApp.root_dir=.
elif "$python" -c 'import notebook' 2>/dev/null; then
    what=notebook
    root=--notebook-dir=.
else
    missing "neither JupyterLab nor Jupyter Notebook is there for $python" \
        "sudo apt-get install jupyter-notebook; or: $python -m pip install jupyterlab"
fi

mkdir -p work
# What was changed there stays.
for file in examples/notebooks/*; do
    [ -e "work/$(basename "$file")" ] || cp "$file" work/
done
export PYTHONPATH="$PWD/build/python${PYTHONPATH:+:$PYTHONPATH}"
cd work
as_root=""
[ "$(id -u)" -ne 0 ] || as_root=--allow-root
set -x
# shellcheck disable=SC2086 # nothing, or one word
exec "$python" -m jupyter "$what" --ip=127.0.0.1 "$root" $as_root "$@"

#!/bin/sh
# notebook_server.sh BUILD SOURCE: what `./demo.sh --notebook` starts, in a clone made of links: it listens on this machine's own
# address alone, says its token, refuses who has none, shows the notebooks; what was changed in work/ stays. And what it
# says where something is missing.
build=$1
source=$2
# shellcheck source=tests/e2e/lib.sh
. "$source/tests/e2e/lib.sh"
skip() {
    echo "skipped: $*"
    exit 77
}
python=$(sed -n 's/^VIGIL_PYTHON:[A-Z]*=//p' "$build/CMakeCache.txt")
[ -n "$python" ] && [ -e "$build/python/vigil/libvigil.so" ] || skip "the Python package was not built"
"$python" -c 'import notebook' 2>/dev/null || "$python" -c 'import jupyterlab' 2>/dev/null || skip "no Jupyter for $python"

mkdir clone home
ln -s "$source/examples" clone/examples
cp "$source/demo.sh" clone/demo.sh
printf '#!/bin/sh\n' >clone/setup.sh # everything is built
chmod +x clone/setup.sh
mkdir -p clone/build
ln -s "$build/python" clone/build/python
export HOME=$tmp/home JUPYTER_CONFIG_DIR=$tmp/home/config JUPYTER_DATA_DIR=$tmp/home/data JUPYTER_RUNTIME_DIR=$tmp/home/run

# ---- what is missing is said, with the command that mends it
printf 'VIGIL_PYTHON:FILEPATH=\n' >clone/build/CMakeCache.txt
! clone/demo.sh --notebook >"$tmp/out" 2>"$tmp/err" || fail "a build without the package starts a notebook"
is_error "the Python package was not built"
says err "sudo apt-get install python3-numpy"
printf 'VIGIL_PYTHON:FILEPATH=%s/none\n' "$tmp" >clone/build/CMakeCache.txt
! clone/demo.sh --notebook >"$tmp/out" 2>"$tmp/err" || fail "a Python that is not there starts a notebook"
is_error "has not all of numpy"
printf '#!/bin/sh\ncase $2 in *jupyterlab* | *notebook*) exit 1 ;; esac\n' >bare # a Python without Jupyter
chmod +x bare
printf 'VIGIL_PYTHON:FILEPATH=%s/bare\n' "$tmp" >clone/build/CMakeCache.txt
! clone/demo.sh --notebook >"$tmp/out" 2>"$tmp/err" || fail "a Python without Jupyter starts a notebook"
is_error "neither JupyterLab nor Jupyter Notebook"

# ---- it starts
printf 'VIGIL_PYTHON:FILEPATH=%s\n' "$python" >clone/build/CMakeCache.txt
mkdir -p clone/work
echo mine >clone/work/2-train.ipynb
# Jupyter tries the next ports where this one is taken, and says which it is.
clone/demo.sh --notebook --no-browser --port=$((20000 + $$ % 20000)) >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT
waited=0
until grep -q 'token=' "$tmp/err"; do
    is_living $pid || fail "it has ended"
    waited=$((waited + 1))
    [ $waited -lt 600 ] || fail "no token within a minute"
    sleep 0.1
done
url=$(grep -o 'http://127[^ ]*token=[0-9a-f]*' "$tmp/err" | head -n 1)
port=$(echo "$url" | sed 's,.*:\([0-9]*\)/.*,\1,')
token=${url##*token=}
case $url in
http://127.0.0.1:*) ;;
*) fail "it is not at this machine's own address: $url" ;;
esac
[ ${#token} -ge 40 ] || fail "a token of ${#token} characters"
equal "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/api/contents")" 403 "a request without the token"
curl -s "http://127.0.0.1:$port/api/contents?token=$token" >"$tmp/listed" || fail "a request with the token"
for name in 1-first-steps.ipynb 5-video.ipynb shelves.py; do
    grep -q "\"$name\"" "$tmp/listed" || fail "$name is not listed: $(cat "$tmp/listed")"
    n_checks=$((n_checks + 1))
done
# Every address that it listens at, from the kernel's own table: 0100007F is 127.0.0.1.
equal "$(awk -v port="$(printf '%04X' "$port")" '$4 == "0A" && $2 ~ ":" port "$" {print $2}' /proc/net/tcp /proc/net/tcp6 | cut -d: -f1)" 0100007F "addresses"
equal "$(cat clone/work/2-train.ipynb)" mine "a notebook that was there"
[ -f clone/work/3-look-at-a-dataset.ipynb ] || fail "the others were not brought"
kill -TERM "$pid"
wait_gone "$pid"
done_well

#!/bin/sh
# netns.sh VIGIL DATA.yaml [DELAY [LOSS [RATE]]]: two ranks on two machines that are network namespaces of this one, joined by a
# pair of virtual cards whose packets are delayed (each way, "0.5ms"), lost ("0.1%") and held to a rate ("1gbit"); "" or 0:
# not. Says the run's own line on what the exchange cost. Needs root, ip and tc, and a system that lets them.
# With CUT=SECONDS in the environment the cable is pulled so long after the start: the first machine's rank must say which rank
# does not answer (give MORE="--rank-timeout 3"). mpirun 4.1 itself then waits for its helper on the other machine: it is ended.
# Exit status 77: this machine does not allow it, with the reason.
set -eu
vigil=$(realpath "$1") data=$(realpath "$2") delay=${3:-0} loss=${4:-0} rate=${5:-0}
one=vigil-$$-1 two=vigil-$$-2
folder=$(mktemp -d)

clean() {
    for name in $one $two; do
        for pid in $(ip netns pids "$name" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    done
    ip netns del "$one" 2>/dev/null || true
    ip netns del "$two" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 1' TERM INT

refused() {
    echo "not possible here: $1: $(head -n 1 "$folder/why")"
    exit 77
}

command -v ip >"$folder/why" 2>&1 || { echo "apt-get install iproute2" >"$folder/why"; refused "there is no ip"; }
command -v mpirun >"$folder/why" 2>&1 || { echo "apt-get install openmpi-bin" >"$folder/why"; refused "there is no mpirun"; }
for name in $one $two; do
    ip netns add "$name" 2>"$folder/why" || refused "no network namespace"
    ip netns exec "$name" ip link set lo up 2>"$folder/why" || refused "no command in a namespace"
done
ip link add "va$$" type veth peer name "vb$$" 2>"$folder/why" || refused "no pair of virtual cards"
ip link set "va$$" netns "$one"
ip link set "vb$$" netns "$two"
ip netns exec "$one" ip addr add 10.213.7.1/24 dev "va$$"
ip netns exec "$two" ip addr add 10.213.7.2/24 dev "vb$$"
ip netns exec "$one" ip link set "va$$" up
ip netns exec "$two" ip link set "vb$$" up
# netem can all of it; a rate alone needs no more than tbf, which more systems have.
rule=""
[ "$delay" = 0 ] || rule="$rule delay $delay"
[ "$loss" = 0 ] || rule="$rule loss $loss"
if [ -n "$rule" ]; then
    [ "$rate" = 0 ] || rule="$rule rate $rate"
    rule="netem limit 100000 $rule"
elif [ "$rate" != 0 ]; then
    rule="tbf rate $rate burst 128kb latency 50ms"
fi
if [ -n "$rule" ]; then
    # shellcheck disable=SC2086 # words
    { ip netns exec "$one" tc qdisc add dev "va$$" root $rule && ip netns exec "$two" tc qdisc add dev "vb$$" root $rule; } 2>"$folder/why" ||
        refused "no tc qdisc $rule"
fi

# What mpirun starts on the other machine by: its name in, its command out. Its host name is its own, else Open MPI takes
# both for one machine with shared memory.
cat >"$folder/agent" <<END
#!/bin/sh
shift
exec ip netns exec $two unshare --uts sh -c "hostname second; \$*"
END
chmod +x "$folder/agent"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=self,tcp OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_tcp_if_include=10.213.7.0/24 OMPI_MCA_oob_tcp_if_include=10.213.7.0/24 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_plm_rsh_agent="$folder/agent" OMPI_MCA_orte_keep_fqdn_hostnames=1 OMP_WAIT_POLICY=passive
cd "$folder"
status=0
if [ -n "${CUT:-}" ]; then
    (
        sleep "$CUT"
        ip netns exec "$two" ip link set "vb$$" down
        until grep -q 'does not answer' err; do sleep 1; done
        sleep 2
        for pid in $(ip netns pids "$one"); do kill -9 "$pid" 2>/dev/null || true; done
    ) &
fi
ip netns exec "$one" unshare --uts sh -c "hostname first; exec mpirun -n 2 --host 10.213.7.1:1,10.213.7.2:1 '$vigil' train \
--data '$data' --model yolo11n.yaml --imgsz ${IMGSZ:-64} --batch ${BATCH:-8} --nbs ${BATCH:-8} --epochs ${EPOCHS:-1} --workers 0 --threads 1 \
--plots=false --val=false --optimizer SGD --fraction ${FRACTION:-0.2} --project '$folder/runs' ${MORE:-}" >out 2>err || status=$?
grep -E '^(Ranks:|Done)' out || true
[ -z "${CUT:-}" ] || { grep -A 2 '^error: ' err && status=0; }
[ $status = 0 ] || tail -n 20 err out
ip netns exec "$one" ip -s link show "va$$" | awk '/TX:/ { getline; printf "%.1f MB sent by rank 0\n", $1 / 1e6 }'
exit $status

#!/bin/sh
# ranks.sh BUILD SOURCE MPIRUN: a training by several processes: the numbers of one, a rank that is killed, another number of
# ranks afterwards, ranks that differ, and what they refuse.
set -eu
mpirun=$3
. "$(dirname "$0")/lib.sh"

# ranks N STATUS PROGRAM...: N processes; what they said is in $tmp/out and $tmp/err. STATUS -: any but 0.
ranks() {
    n=$1 want=$2
    shift 2
    got=0
    timeout 250 "$source/tests/ranks/mpirun.sh" "$mpirun" "$n" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
    [ "$got" != 77 ] || { cat "$tmp/out"; exit 77; }
    if [ "$want" = - ]; then [ "$got" != 0 ]; else [ "$got" = "$want" ]; fi || fail "exit status $got, not $want: $n ranks of $*"
    n_checks=$((n_checks + 1))
}

training_set
train="train --data data.yaml --cfg yolo11n.yaml --imgsz 64 --batch 4 --workers 0 --threads 1 --no-plots --seed 3 --sync-bn"

# ---- the same figures in one process and in three, whose last share of four pictures is smaller
# shellcheck disable=SC2086
run 0 $train --epochs 2 --project one
# shellcheck disable=SC2086
ranks 3 0 "$vigil" $train --epochs 2 --project three
says out "Ranks: 3"
equal "$(grep -c 'Results saved to' out)" 1 "ranks that tell of the run"
equal "$(ls three)" exp "folders of three ranks"
# Losses by epoch, to a thousandth: figures of other sums part by their last bits as a network learns.
paste -d , one/exp/results.csv three/exp/results.csv | awk -F , 'NR > 1 {
    for (i = 3; i <= 5; i++) if (($i - $(i + 15)) ^ 2 > 1e-6) exit 1 }' || fail "losses of one process and of three differ"
n_checks=$((n_checks + 1))

rank_of() { # PROJECT N: its process
    for folder in /proc/[0-9]*; do
        if tr '\0' ' ' <"$folder/cmdline" 2>/dev/null | grep -q -- "^$vigil .*$1" &&
            tr '\0' '\n' <"$folder/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$2"; then
            echo "${folder#/proc/}"
        fi
    done
}

# ---- a rank is killed: all end, and it is named
# shellcheck disable=SC2086
timeout 250 "$source/tests/ranks/mpirun.sh" "$mpirun" 2 "$vigil" $train --epochs 5000 --project kill >out 2>err </dev/null &
job=$!
until [ -s kill/exp/weights/last.safetensors ]; do
    kill -0 $job 2>/dev/null || fail "the run ended by itself"
    sleep 0.2
done
victim=$(rank_of '--project kill ' 1)
[ -n "$victim" ] || fail "no rank 1"
kill -9 "$victim"
killed=0
wait $job || killed=$?
[ "$killed" != 0 ] || fail "exit status 0 of ranks of which one was killed"
says err "rank 1 "
says err "signal 9"

# ---- it goes on with three, and is stopped by its first process
ranks_of_three() {
    timeout 250 "$source/tests/ranks/mpirun.sh" "$mpirun" 3 "$vigil" train --resume kill/exp >out 2>err </dev/null
}
rows_before=$(wc -l <kill/exp/results.csv)
ranks_of_three &
job=$!
until [ "$(wc -l <kill/exp/results.csv)" -gt "$rows_before" ]; do
    kill -0 $job 2>/dev/null || fail "the resumed run ended by itself"
    sleep 0.2
done
read -r first _ <kill/exp/vigil.pid
kill -TERM "$first"
stopped=0
wait $job || stopped=$?
[ "$stopped" != 0 ] || fail "exit status 0 of a run that was stopped"
says out "Resuming in epoch"
says out "Ranks: 3"
says err "go on with: vigil train --resume kill/exp"
equal "$(cut -d , -f 1 kill/exp/results.csv | sort -n | uniq -d)" "" "epochs that stand twice"

# ---- and by another of them: no failure of the first either
rows_before=$(wc -l <kill/exp/results.csv)
ranks_of_three &
job=$!
until [ "$(wc -l <kill/exp/results.csv)" -gt "$rows_before" ]; do
    kill -0 $job 2>/dev/null || fail "the run that is resumed again ended by itself"
    sleep 0.2
done
kill -TERM "$(rank_of '--resume kill/exp' 1)"
stopped=0
wait $job || stopped=$?
equal "$stopped" 143 "exit status of a run of which another rank was stopped"
says err "from another rank: stopped in epoch"
equal "$(grep -c '^error: ' err)" 0 "errors of a run that was stopped"

# ---- ranks that differ are told before the first step
cat >other.sh <<END
#!/bin/sh
[ "\$OMPI_COMM_WORLD_RANK" = 1 ] && exec "$vigil" "\$@" \$OTHER
exec "$vigil" "\$@"
END
chmod +x other.sh
# shellcheck disable=SC2086
OTHER="--lr0 0.5" ranks 2 - ./other.sh $train --epochs 1 --project differ
says err "ranks that differ: lr0 is 0.5 there, and 0.01 on rank 0"
says err "rank 1 on "
equal "$(grep -c '^error: ' err)" 1 "ranks that tell the same failure"
[ ! -e differ ] || fail "ranks that differ leave a folder"
cp -r set set2
rm set2/images/train/"$(ls set2/images/train | head -n 1)"
sed 's/set/set2/' data.yaml >data2.yaml
# shellcheck disable=SC2086
OTHER="--data data2.yaml" ranks 2 - ./other.sh $train --epochs 1 --project differ
says err "ranks that differ: the training pictures is 7 pictures"

# ---- what they cannot
# shellcheck disable=SC2086
ranks 2 - "$vigil" $train --batch 1
says err "a batch of 1 pictures for 2 ranks"
# shellcheck disable=SC2086
ranks 2 - "$vigil" $train --batch=-1
says err "which 2 ranks cannot agree on"
# shellcheck disable=SC2086
ranks 2 - "$vigil" $train --save-json
says err "detections are not brought together from 2 ranks"
# shellcheck disable=SC2086
ranks 2 - "$vigil" $train --device gpu
says err "training on gpu in 2 ranks: gradients are added up on the CPU alone"
says err "try: device=cpu, or one process alone"
# shellcheck disable=SC2086
PMI_RANK=0 PMI_SIZE=2 run 1 $train --epochs 1
is_error "an MPI other than Open MPI"
# shellcheck disable=SC2086
SLURM_STEP_NUM_TASKS=4 run 1 $train --epochs 1
is_error "4 processes were started by srun without an MPI"
# An Open MPI that its launcher's PMIx does not reach: this process is the only one that it knows.
# shellcheck disable=SC2086
OMPI_COMM_WORLD_SIZE=4 run 1 $train --epochs 1 --project apart
is_error "4 processes were started and MPI knows of one"
[ ! -e apart ] || fail "a process that should have been one of four leaves a folder"
# shellcheck disable=SC2086
ranks 2 2 "$vigil" $train --epochs 1 --project behind --detach
says err "error: --detach in one of 2 processes"
[ ! -e behind ] || fail "a run that would not be detached leaves a folder"
done_well

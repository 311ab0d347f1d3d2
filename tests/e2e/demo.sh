#!/bin/sh
# demo.sh BUILD SOURCE: vigil demo, tiny: what it draws, trains, finds and says, and that it leaves alone what is there.
set -eu
. "$(dirname "$0")/lib.sh"

# demo STATUS ARGUMENT...: for seconds, not minutes.
demo() {
    want=$1
    shift
    run "$want" demo --pictures 12 --val-pictures 6 --imgsz 64 --threads 1 "$@"
}

# drawn FOLDER: a number for all that was drawn; labels are cached beside it, with their time.
drawn() {
    (cd "$1/dataset" && find images labels -name 'shelf_*' | LC_ALL=C sort | xargs cat | cksum)
}

# ---- a whole run
demo 0 --epochs 3 --seed 7
says out "Drew 12 + 6 + 8 pictures"
says out '$ vigil train data=runs/demo/dataset/dataset.yaml model=yolo11n.yaml'
says out "Model: yolo11n, 5 classes"
equal "$(grep -c '^ *[123]/3 .*100%' out)" 3 "rows of epochs"
equal "$(grep -c '^image [1-8]/8 runs/demo/dataset/images/unseen/' out)" 8 "unseen pictures"
says out "Memory: planned "
says out "; growth from epoch 2 to 3: 0 bytes in use, "
says out "on 6 pictures that were not trained on"
says out "runs/demo/predict/"
[ ! -s err ] || fail "standard error is not empty"
for file in dataset/dataset.yaml train/results.png train/results.csv train/weights/best.safetensors; do
    [ -s "runs/demo/$file" ] || fail "no runs/demo/$file"
done
for part in train:12 val:6 unseen:8; do
    for kind in images labels; do
        equal "$(find "runs/demo/dataset/$kind/${part%:*}" -type f | wc -l)" "${part#*:}" "$kind of ${part%:*}"
    done
done
equal "$(find runs/demo/predict -name '*.jpg' | wc -l)" 8 "pictures with boxes"
equal "$(ls)" "$(printf 'err\nout\nruns')" "all that was written is in runs"
equal "$(ls runs)" demo "all runs are runs/demo"

# ---- what was drawn: rows of a class and a box inside the picture; every class; no two parts alike
cat runs/demo/dataset/labels/*/*.txt >rows
awk '{ if (NF != 5 || $1 !~ /^[0-4]$/ || $4 <= 0 || $5 <= 0 || $2 - $4 / 2 < -1e-5 || $2 + $4 / 2 > 1 + 1e-5 ||
           $3 - $5 / 2 < -1e-5 || $3 + $5 / 2 > 1 + 1e-5) exit 1 }' rows || fail "a label outside its picture"
equal "$(cut -d' ' -f1 rows | sort -u | tr -d '\n')" 01234 "classes"
[ "$(wc -l <rows)" -gt 260 ] || fail "fewer than ten products a picture"
equal "$(cat runs/demo/dataset/labels/*/shelf_0000.txt | sort | uniq -d | wc -l)" 0 "rows of two parts"

# ---- again: nothing is touched, the same seed draws the same, another does not
before=$(find runs/demo -type f -exec cksum {} + | LC_ALL=C sort)
demo 0 --epochs 1 --seed 7
says out "1 epoch: too few to see growth"
equal "$(ls runs)" "$(printf 'demo\ndemo2')" "the second run is runs/demo2"
equal "$(find runs/demo -type f -exec cksum {} + | LC_ALL=C sort)" "$before" "the first run is as it was"
equal "$(drawn runs/demo2)" "$(drawn runs/demo)" "the same seed"
demo 0 --epochs 1 --seed 8 --folder other/place
[ -d other/place/predict ] || fail "no other/place/predict"
[ "$(drawn other/place)" != "$(drawn runs/demo)" ] || fail "another seed draws the same"

# ---- its data set serves as any
run 0 val --data runs/demo/dataset/dataset.yaml --weights runs/demo/train/weights/best.safetensors --imgsz 64 --threads 1 \
    --split test --no-plots
says out "all          8 "

# ---- refused
run 2 demo --epochs 0
is_error "epochs"
echo >file
run 1 demo --project file --epochs 1
is_error "file"
done_well

#!/bin/sh
# data.sh BUILD SOURCE: `vigil data check` tells what is wrong with a dataset, file by file, as training would find it, and ends with
# 0 for a clean one, 1 for one with faults.
set -eu
. "$(dirname "$0")/lib.sh"
json_check="$build/tests/json_check"

training_set
for picture in set/images/val/*; do
    printf 'another' >>"$picture" # the same pixels, another file: those of training are in both
done

run 0 data check data.yaml
says out "data.yaml is clean"
says out "train            8        16"
says out "val              2         4"
says_not out "fault:"
run 0 data check data=data.yaml json=True
"$json_check" any out >said || fail "no JSON: $(cat said)"
says out '"n_faults":0'
says out '"name":"box","train":{"objects":4,"pictures":4}'
[ -z "$(find . -name '*.vigil-cache')" ] || fail "a cache was written"

# ---- as the data of other tasks: boxes are no outlines, and a folder of classes needs no YAML
run 1 data check data.yaml --task segment
says out "objects without an outline, a box alone"
run 1 data check data.yaml --task pose
is_error "data.yaml"
i=0
for picture in set/images/train/*; do
    i=$((i + 1))
    for split in train val; do
        mkdir -p "classes/$split/even" "classes/$split/odd"
    done
    [ $((i % 2)) -eq 0 ] && class=even || class=odd
    [ "$i" -le 4 ] && split=train || split=val
    cp "$picture" "classes/$split/$class/"
done
run 0 data check classes
says out "  0 even                   2  50.0%         2"
run 1 data check classes --task detect
is_error "classes"
mkdir classes/val/third
run 1 data check classes
is_error "classes/val"

# ---- faults, with file and line, in the order of the pictures
first=$(find set/labels/train -name '*.txt' | sort | sed -n 1p)
second=$(find set/labels/train -name '*.txt' | sort | sed -n 2p)
cp "$first" first.txt
printf '0 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.2 0.2\n' >"$first"
picture=$(find set/images/train -type f | sort | sed -n 2p)
head -c 300 "$picture" >cut && mv cut "$picture"
run 1 data check data.yaml
says out "$(basename "$first"):2: class 7 in a dataset of 2 classes (0..1)"
says out "$(basename "$picture"): "
says out "2 faults"
says out "train            6"
run 1 data check data.yaml --faults 1
says out "... and 1 more: --faults 2 lists them"
run 1 data check data.yaml --json
says out '"kind":"label"'
says out '"kind":"picture"'
says out '"n_faults":2'
# Training leaves out the same two, with the same words.
run 0 train --data data.yaml --model yolo11n --imgsz 32 --batch 4 --epochs 1 --workers 1 --threads 1 --no-plots
cat out err >both
mv both err
says err "$(basename "$first"):2: class 7 in a dataset of 2 classes (0..1)"
says err "2 corrupt"
cp first.txt "$first"
rm "$picture" "$second"

# ---- a picture in two splits, whatever its name
copied=$(find set/images/train -type f | sort | sed -n 3p)
cp "$copied" set/images/val/aaa.bmp
printf '0 0.5 0.5 0.2 0.2\n' >set/labels/val/aaa.txt
run 1 data check data.yaml
says out "images/val/aaa.bmp: the same picture is in the train split: "
says out "1 fault"
run 1 data check data.yaml --json
says out '"n_duplicates":1'
# One byte of another: not the same.
printf 'x' >>set/images/val/aaa.bmp
cp "$copied" set/images/train/zzz.bmp
printf 'y' >>set/images/train/zzz.bmp
run 0 data check data.yaml
# Twice in one split is no fault.
cp set/images/train/zzz.bmp set/images/train/zzy.bmp
run 0 data check data.yaml
rm set/images/train/zz?.bmp set/images/val/aaa.bmp

# ---- lists, splits, classes
printf './set/images/train/nope.bmp\n./%s\n' "$(find set/images/val -type f | head -n 1)" >list.txt
sed 's,^val:.*,val: ../list.txt,' data.yaml >listed.yaml
run 1 data check listed.yaml
says out "nope.bmp: no such picture"
mkdir empty
sed 's,^val:.*,val: ../empty,' data.yaml >empty.yaml
run 1 data check empty.yaml
says out "no pictures in the val split"
sed 's,^val:.*,val: images/nowhere,' data.yaml >nowhere.yaml
run 1 data check nowhere.yaml
says out "no such folder or list of pictures"
says out "train "
sed 's,^names:.*,names: [box\, ball\, goat],' data.yaml >goat.yaml
run 0 data check goat.yaml
says out "note: 1 of the 3 classes have no object to train on; the first is 2, goat"
rm set/labels/val/*
run 1 data check data.yaml
says out "not one object in the val split"

# ---- what cannot be looked at, and command lines that are wrong
run 1 data check nope.yaml
is_error nope.yaml
printf 'train: [\n' >broken.yaml
run 1 data check broken.yaml
is_error "broken.yaml"
run 1 data check data.yaml --memory-limit 1K
is_error ""
for arguments in "" "check" "chek data.yaml" "check data.yaml more" "check data.yaml --faults -1"; do
    # shellcheck disable=SC2086
    run 2 data $arguments
done
done_well

#!/bin/sh
# convert_data.sh BUILD SOURCE: datasets of other tools become YOLO's with the same labels, whole or not at all; what cannot be taken is
# counted by reason; what is there stays as it is.
set -eu
. "$(dirname "$0")/lib.sh"

# same FILE TEXT: a label file of the new dataset.
same() {
    printf "$2" >want
    cmp -s want "$1" || fail "$1 is: $(cat "$1") instead of: $(cat want)"
    n_checks=$((n_checks + 1))
}
nothing_left() {
    [ "$(find . -name '*.tmp-*' | wc -l)" = 0 ] || fail "$1: a temporary folder was left behind"
    [ ! -e "$2" ] || fail "$1: $2 is there"
    n_checks=$((n_checks + 1))
}

# ---- COCO: two files, ids with holes in any order, folders of pictures beside
mkdir -p coco/annotations coco/train2017 coco/val2017
pictures drawn 8 # scene_0..: 640x480, 480x640, ...
cp drawn/scene_0.bmp coco/train2017/a.bmp
cp drawn/scene_0.bmp coco/train2017/empty.bmp
cp drawn/scene_2.bmp coco/train2017/b.bmp
cp drawn/scene_0.bmp coco/train2017/spare.bmp
cp drawn/scene_0.bmp coco/train2017/loose.bmp
cp drawn/scene_4.bmp coco/val2017/a.bmp
w=640
h=480
cat >coco/annotations/instances_train2017.json <<END
{"info": {"a": [1, {"b": "]}"}]}, "licenses": [],
 "annotations": [
  {"id": 1, "image_id": 70, "category_id": 90, "bbox": [$((w / 4)), $((h / 4)), $((w / 2)), $((h / 2))], "iscrowd": 0, "segmentation": []},
  {"id": 2, "image_id": 70, "category_id": 5, "bbox": [0, 0, $w, $h], "iscrowd": 0,
   "segmentation": [[0, 0, $w, 0, $w, $h, 0, $h]]},
  {"id": 3, "image_id": 70, "category_id": 5, "bbox": [1, 1, 9, 9], "iscrowd": 1, "segmentation": {"counts": [3, 4], "size": [$h, $w]}},
  {"id": 4, "image_id": 70, "category_id": 5, "bbox": [-100, -100, $((100 + w / 2)), $((100 + h / 2))], "iscrowd": 0},
  {"id": 5, "image_id": 70, "category_id": 5, "bbox": [10, 10, -5, 5]},
  {"id": 6, "image_id": 70, "category_id": 5, "bbox": [$((w + 10)), 10, 5, 5]},
  {"id": 7, "image_id": 70, "category_id": 6, "bbox": [1, 1, 5, 5]},
  {"id": 8, "image_id": 71, "category_id": 5, "bbox": [1, 1, 5, 5]},
  {"id": 9, "category_id": 5, "bbox": [1, 1, 5, 5]},
  {"id": 10, "image_id": 70, "category_id": 5},
  {"id": 11, "image_id": 70, "category_id": 5, "bbox": ["x", 1, 5, 5]},
  {"id": 12, "image_id": 9, "category_id": 5, "segmentation": [[0, 0, $((w / 2)), 0, $((w / 2)), $((h / 2))]], "iscrowd": 0}
 ],
 "images": [
  {"id": 70, "file_name": "a.bmp", "width": $w, "height": $h},
  {"id": 9, "file_name": "..\\\\..\\\\train2017\\\\b.bmp", "width": 0, "height": 0},
  {"id": 10, "file_name": "/etc/../elsewhere/train2017/empty.bmp", "width": $w, "height": $h},
  {"id": 11, "file_name": "gone.jpg", "width": 10, "height": 10},
  {"id": 12, "width": 10, "height": 10},
  {"file_name": "spare.bmp"},
  {"id": 10, "file_name": "spare.bmp"}
 ],
 "categories": [{"id": 90, "name": "zebra: \"x\""}, {"id": 5, "name": "ant"}, {"id": 40, "name": "cow"}]}
END
printf '\357\273\277{"images":[{"id":70,"file_name":"a.bmp"}],"annotations":[{"image_id":70,"category_id":5,"bbox":[64,48,128,96]}],"categories":[{"id":5,"name":"ant"}]}' \
    >coco/annotations/instances_val2017.json
run 0 convert --data coco --output made
says out 'classes: 0 ant (id 5), 1 cow (id 40), 2 zebra: "x" (id 90)'
says out "train: 3 pictures with 4 objects"
says out "val: 1 picture with 1 object"
says out "1 picture without objects, with an empty label file"
says out "1 object ended at the picture's edge"
says out "left out: 1 objects: crowds (iscrowd); the first: coco/annotations/instances_train2017.json: annotations[2]"
says out "left out: 1 objects: of a class that the source does not name"
says out "left out: 2 objects: of a picture that the source does not name"
says out "left out: 2 objects: without a box that can be read"
says out "left out: 2 objects: without an area in the picture"
says out "left out: 2 pictures: without a name or an id"
says out "left out: 1 pictures: told of a second time"
says out "left out: 1 pictures: not there; the first: coco/annotations/instances_train2017.json: gone.jpg"
says out "left out: 1 pictures: in the folder, without annotations; the first: coco/train2017/loose.bmp"
same made/labels/train/a.txt '2 0.5 0.5 0.5 0.5\n0 0 0 1 0 1 1 0 1\n0 0.25 0.25 0.5 0.5\n'
same made/labels/train/empty.txt ''
same made/labels/val/a.txt '0 0.2 0.2 0.2 0.2\n'
cmp coco/val2017/a.bmp made/images/val/a.bmp || fail "the val picture is another one"
[ coco/train2017/a.bmp -ef made/images/train/a.bmp ] || fail "no hard link"
equal "$(find made -type f | wc -l)" 9 "files of the new dataset"
run 0 convert --data coco --output boxes --no-polygons --pictures copy
same boxes/labels/train/a.txt '2 0.5 0.5 0.5 0.5\n0 0.5 0.5 1 1\n0 0.25 0.25 0.5 0.5\n'
[ ! coco/train2017/a.bmp -ef boxes/images/train/a.bmp ] || fail "no copy"
cmp coco/train2017/a.bmp boxes/images/train/a.bmp || fail "another picture"
run 0 convert --data coco --output links --pictures symlink
[ -L links/images/val/a.bmp ] && cmp coco/val2017/a.bmp links/images/val/a.bmp || fail "no symbolic link"

# One file alone: its pictures are found beside the folder of annotations; val is chosen, and not by the order.
run 0 convert --data coco/annotations/instances_val2017.json --output one
says out "train and val are the same pictures"
grep -q '^train: images/val$' one/data.yaml || fail "a split that is not there is named"

# ---- nothing is overwritten, nothing half-written
run 1 convert --data coco --output made
is_error "something is here already"
[ coco/train2017/a.bmp -ef made/images/train/a.bmp ] || fail "made was touched"
mkdir place
run 0 convert --data coco --output place/
[ -f place/data.yaml ] || fail "an empty folder is not taken"
mkdir closed
chmod 500 closed
if [ "$(id -u)" != 0 ]; then
    run 1 convert --data coco --output closed/made
    is_error "closed/made"
fi
run 1 convert --data coco --output /proc/nowhere/out
is_error ""
# A limit of a file's size stands for a disk that is full.
(
    ulimit -f 100
    "$vigil" convert --data coco --output full --pictures copy >out 2>err
) && fail "no room, and no error"
is_error "full.tmp-"
nothing_left "a full disk" full
if mkdir disk && mount -t tmpfs -o size=2m none disk 2>/dev/null; then
    run 1 convert --data coco --output disk/full # another file system: pictures are copied
    is_error "No space left on device"
    equal "$(find disk | wc -l)" 1 "files on the full disk"
    umount disk
fi
run 1 convert --data coco --output small --memory-limit 4K
is_error ""
nothing_left "too little memory" small

# ---- files that are broken, or no dataset
mkdir bad
bad() { # TEXT MESSAGE
    printf "$1" >bad/instances.json
    run 1 convert --data bad --format coco --output new
    is_error "$2"
    nothing_left "$2" new
}
bad '' "a map is wanted here"
bad '[]' "a map is wanted here"
bad '{"images":[],"annotations":[' "the file ends within a value"
bad '{"images":[],"annotations":[{]' "the file ends within a value"
bad '{"images":[],"annotations":{},"categories":[]}' "\"annotations\" is no list"
bad '{"images":[],"annotations":[]}' "no list of categories in it"
bad '{"images":[],"images":[],"annotations":[],"categories":[]}' 'key "images" again'
bad '{"images":[],"annotations":[],"categories":[{"id":1}]}' "a category without a name"
bad '{"images":[],"annotations":[],"categories":[{"name":"x"}]}' "a category without an id"
bad '{"images":[],"annotations":[],"categories":[{"id":1,"name":"x"},{"id":1,"name":"y"}]}' 'category 1 is "y", and "x" before'
bad '{"images":[],"annotations":[],"categories":[]}' "no class in it"
bad '{"images":[],"annotations":[],"categories":[{"id":1,"name":"x"}]}' "no picture"
bad '{"images":[{"id":1 "x"}],"annotations":[],"categories":[{"id":1,"name":"x"}]}' "images[0]"
bad '{"images":[{"id":1,"file_name":"x.jpg"}],"annotations":[],"categories":[{"id":1,"name":"x"}]}' "pictures: not there: 1"
bad '\377\376{\000}\000' "UTF-16"
run 1 convert --data nope --output new
is_error nope
mkdir nothing
run 1 convert --data nothing --output new
is_error "no dataset of a format that is known"

# ---- the same name in two folders: by the path, or not at all; in the new folder names differ
mkdir -p twice/x twice/y
cp drawn/scene_0.bmp twice/x/p.bmp
cp drawn/scene_2.bmp twice/y/p.bmp
printf '{"images":[{"id":1,"file_name":"x/p.bmp"},{"id":2,"file_name":"y/p.bmp"},{"id":3,"file_name":"p.bmp"}],"annotations":[],"categories":[{"id":1,"name":"x"}]}' \
    >twice/all.json
run 0 convert --data twice --output names --val 0
says out "1 picture renamed"
says out "left out: 1 pictures: their name is in several folders"
cmp twice/x/p.bmp names/images/train/p.bmp || fail "x/p.bmp is another one"
cmp twice/y/p.bmp names/images/train/p-2.bmp || fail "y/p.bmp is another one"
[ -f names/labels/train/p-2.txt ] || fail "no label file of p-2"

# ---- the command line
for arguments in "--data coco" "--output new" "--data coco --weights $weights --output new" "--data coco --output new --format zebra" \
    "--data coco --output new --val 2" "--data coco --output new --pictures steal" "--weights $weights --output a.safetensors --val 0.1"; do
    # shellcheck disable=SC2086
    run 2 convert $arguments
done
# The formats of the help are those that there are.
run 0 convert --help
says out "--format auto|coco|voc|labelme|dota|yolo"

# ---- and on: looked at, and trained on
run 0 data check made/data.yaml
run 0 train --data made/data.yaml --model yolo11n --imgsz 32 --batch 2 --epochs 1 --workers 1 --threads 1 --no-plots --no-val
done_well

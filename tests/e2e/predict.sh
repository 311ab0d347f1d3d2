#!/bin/sh
# predict.sh BUILD SOURCE: every option of predict once, on pictures drawn here; what is said, what is written, and the
# exit status.
set -eu
. "$(dirname "$0")/lib.sh"
json_check=$build/tests/json_check
pictures pics 4
cp "$source/tests/fixtures/image/exif6.jpg" "$source/tests/fixtures/image/rgba.png" pics/

# ---- the lines, and all that can be saved
predict 0 --source pics --save --save-txt --save-conf --save-crop --save-json
equal "$(grep -c '^image [1-6]/6 pics/[a-z0-9_.]*: [0-9]*x[0-9]* .*, [0-9.]*ms$' out)" 6 "lines of pictures"
says out "Speed: "
says out "Memory: planned "
says out "Results saved to runs/predict/exp"
[ ! -s err ] || fail "standard error is not empty"
"$json_check" lines runs/predict/exp/predictions.jsonl >json.txt || fail "$(cat json.txt)"
n_boxes=$(sed 's/.*, \([0-9]*\) boxes/\1/' json.txt)
equal "$(cat json.txt)" "6 lines, $n_boxes boxes" "predictions.jsonl"
[ "$n_boxes" -gt 20 ] || fail "only $n_boxes boxes: too few to test with"
for picture in scene_0 scene_1 scene_2 scene_3 exif6 rgba; do
    [ -s "runs/predict/exp/$picture.jpg" ] || [ -s "runs/predict/exp/$picture.png" ] || fail "no picture of $picture"
done
# Rows: class xc yc w h conf, shares of the picture.
equal "$(cat runs/predict/exp/labels/*.txt | wc -l)" "$n_boxes" "rows of txt"
awk 'NF != 6 || $1 != int($1) || $1 < 0 || $1 > 79 { bad = 1 }
    { for (i = 2; i <= 6; i++) if ($i < 0 || $i > 1) bad = 1 } END { exit bad }' runs/predict/exp/labels/*.txt ||
    fail "a row of txt is not class xc yc w h conf"
equal "$(find runs/predict/exp/crops -type f | wc -l)" "$n_boxes" "crops"
# Counts in a line are the rows of that picture.
equal "$(sed -n 's/^image [0-9]*\/6 pics\/scene_0.bmp: [0-9x]* \(.*\), [0-9.]*ms$/\1/p' out | tr ',' '\n' |
    awk '{ n += $1 } END { print n }')" "$(wc -l <runs/predict/exp/labels/scene_0.txt)" "counts in the line"
cp runs/predict/exp/predictions.jsonl all.jsonl

# --json is the same objects on standard output; the summary moves to standard error.
predict 0 --source pics --json --no-save
cmp -s out all.jsonl || fail "--json and --save-json differ"
says err "Speed: "
says_not err "Results saved"

# ---- run folders
predict 0 --source pics/scene_0.bmp --save-txt --no-save
says out "Results saved to runs/predict/exp2"
equal "$(find runs/predict/exp2 -type f | wc -l)" 1 "files without --save"
awk 'NF != 5 { bad = 1 } END { exit bad }' runs/predict/exp2/labels/scene_0.txt || fail "--save-conf was not given"
predict 0 --source pics/scene_0.bmp --name exp --exist-ok
says out "Results saved to runs/predict/exp"
says_not out "exp3"
predict 0 --source pics/scene_0.bmp --project p/q --name n
[ -s p/q/n/scene_0.jpg ] || fail "--project and --name"
cp p/q/n/scene_0.jpg plain.jpg
for look in "--line-width 9" "--hide-labels" "--hide-conf" "--no-show-labels" "show_conf=False" "show_boxes=False"; do
    # shellcheck disable=SC2086 # an option and its value
    predict 0 --source pics/scene_0.bmp --project p/q --name n --exist-ok $look
    ! cmp -s p/q/n/scene_0.jpg plain.jpg || fail "$look changes nothing"
    cp p/q/n/scene_0.jpg "${look#--}.jpg"
done
cmp -s hide-labels.jpg no-show-labels.jpg && cmp -s hide-conf.jpg show_conf=False.jpg || fail "two spellings, two pictures"

# ---- sources
predict 0 --source 'pics/scene_*.bmp' --no-save --quiet
says_not out "image 1/"
says out "4 pictures"
predict 0 --source pics/scene_2.bmp --no-save --json
mv out one.jsonl
printf '# a list\npics/scene_2.bmp\n\n./pics/scene_0.bmp\n' >list.txt
predict 0 --source list.txt --no-save --json
equal "$(wc -l <out)" 2 "pictures of the list"
equal "$(grep scene_2 out)" "$(cat one.jsonl)" "the line of a picture in a list"
"$vigil" predict --weights "$weights" --imgsz 160 --threads 2 --source - --no-save --json <pics/scene_2.bmp >out 2>err ||
    fail "a picture on standard input"
equal "$(sed 's/"source": "[^"]*"//' one.jsonl)" "$(sed 's/"source": "[^"]*"//' out)" "standard input"
mkdir empty
predict 1 --source empty
is_error ""

# ---- what is detected
predict 0 --source pics --no-save --json --max-det 2
"$json_check" lines out >json.txt || fail "$(cat json.txt)"
awk '{ exit $3 > 12 }' json.txt || fail "--max-det 2: $(cat json.txt)"
predict 0 --source pics --no-save --json --conf 0.9999
"$json_check" lines out >json.txt || fail "$(cat json.txt)"
equal "$(cat json.txt)" "6 lines, 0 boxes" "--conf 0.9999"
predict 0 --source pics --no-save --conf 0.9999
says out "(no detections)"
class=$(sed -n 's/.*"class": \([0-9]*\).*/\1/p' all.jsonl | head -n 1)
predict 0 --source pics --no-save --json classes="[$class]"
"$json_check" lines out >json.txt || fail "$(cat json.txt)"
[ "$(grep -o '"class": [0-9]*' out | sort -u)" = "\"class\": $class" ] || fail "--classes lets others through"
cp out by_number.jsonl
predict 0 --source pics --no-save --json --classes "class$class"
cmp -s out by_number.jsonl || fail "--classes by name"
predict 2 --source pics --no-save --classes "klass$class"
is_error "no class is named klass$class"
predict 0 --source pics --no-save --json --iou 0.1
"$json_check" lines out >json.txt || fail "$(cat json.txt)"
awk -v all="$n_boxes" '{ exit $3 >= all }' json.txt || fail "--iou 0.1 drops nothing"
cp out iou.jsonl
predict 0 --source pics --no-save --json --iou 0.1 --agnostic-nms
! cmp -s out iou.jsonl || fail "--agnostic-nms changes nothing"
predict 0 --source pics --no-save --json --imgsz 320
! cmp -s out all.jsonl || fail "--imgsz changes nothing"

# ---- imgsz=height,width: the same boxes where the smallest rectangle is the same
for size in 120,160 "[120, 160]" 128x160; do
    run 0 predict --weights "$weights" --threads 2 --source pics/scene_0.bmp --no-save --json --imgsz "$size"
    cp out rectangle.jsonl
    [ "$size" != 120,160 ] || grep -q '^imgsz 120,160 is raised to 128,160, multiples of the stride 32$' err ||
        fail "nothing is said of the raised sides"
    run 0 predict --weights "$weights" --threads 2 --source pics/scene_0.bmp --no-save --json --imgsz 160
    cmp -s out rectangle.jsonl || fail "imgsz=$size gives other boxes than 160"
done
run 0 predict --weights "$weights" --threads 2 --source pics/scene_0.bmp --no-save --json --imgsz 160 128
! cmp -s out rectangle.jsonl || fail "--imgsz 160 128 is taken for 128 x 160"

# ---- test-time augmentation: other boxes, planned and flat as without
for spelled in --augment augment=True augment; do
    predict 0 --source pics --no-save --json $spelled
    ! cmp -s out all.jsonl || fail "$spelled changes nothing"
    [ ! -f augmented.jsonl ] || cmp -s out augmented.jsonl || fail "$spelled is not --augment"
    cp out augmented.jsonl
done
predict 0 --source pics --no-save --json augment=False
cmp -s out all.jsonl || fail "augment=False changes something"

# ---- how it runs changes nothing in the results
predict 0 --source pics --no-save --json --threads 1
cmp -s out all.jsonl || fail "--threads 1 gives other boxes"
predict 0 --source pics --no-save --json --device cpu
cmp -s out all.jsonl || fail "--device cpu gives other boxes"
predict 0 --source 'pics/scene_*.bmp' --no-save --json --batch 3
"$json_check" lines out >json.txt || fail "$(cat json.txt)"
equal "$(wc -l <out)" 4 "pictures in batches of 3"
mkdir same
for i in 1 2 3 4 5; do cp pics/scene_0.bmp "same/$i.bmp"; done
predict 0 --source same --no-save --json
cp out same.jsonl
predict 0 --source same --no-save --json --batch 3
cmp -s out same.jsonl || fail "--batch 3 gives other boxes"
predict 0 --source pics/scene_0.bmp --no-save --json --isa plain
"$json_check" lines out >json.txt || fail "$(cat json.txt)"
equal "$(grep -o '"class": [0-9]*' out)" "$(grep scene_0 all.jsonl | grep -o '"class": [0-9]*')" "classes with --isa plain"

# ---- memory
predict 1 --source pics --memory-limit 10M
is_error "the limit is 10.0 MB"
says err "weights"
predict 0 --source pics/scene_0.bmp --no-save memory_limit=1G
mkdir flat
for i in 1 2 3 4 5 6 7 8 9; do cp pics/scene_0.bmp "flat/$i.bmp"; done
if [ -z "${VIGIL_SANITIZED:-}" ]; then
    predict 0 --source flat --no-save --quiet --prove-flat 3 --augment
    says out "Flat: nothing grew."
    predict 0 --source flat --no-save --quiet --prove-flat 3
    says out "Flat: nothing grew."
else
    # A sanitizer keeps what was freed, so that the resident memory grows: our owners are judged all the same.
    "$vigil" predict --weights "$weights" --imgsz 160 --source flat --no-save --quiet --prove-flat 3 >out 2>err || true
    equal "$(grep -c '  flat$' out | awk '{ print ($1 >= 7) }')" 1 "owners that are flat"
    says_not out ALLOCATED
fi
says out "after 3 pictures of warm-up, and after 9 (network shapes: 1)"
predict 1 --source flat --no-save --prove-flat
is_error "no picture is left to compare with"

# ---- a class name with a letter that no font has (U+10FFFD, the last private one): said once, where something is drawn, and nowhere else
"$vigil" convert --weights "$weights" --output letters.safetensors >out 2>err || fail "convert: $(cat err)"
LC_ALL=C sed -i 's/class0\\"/cl\xf4\x8f\xbf\xbd\\"/' letters.safetensors
predict 0 --weights letters.safetensors --source pics --save --name letters
equal "$(grep -c 'no font here has the letters of "cl.*": drawings show boxes in their place$' err)" 1 "hint of letters"
equal "$(wc -l <err)" 1 "lines of the hint"
predict 0 --weights letters.safetensors --source pics --save --hide-labels --name unlabelled
says_not err "no font here"
predict 0 --weights letters.safetensors --source pics --no-save
says_not err "no font here"

# ---- a broken picture among good ones
echo "no picture" >pics/broken.jpg
head -c 3000 pics/scene_1.bmp >pics/short.bmp
predict 1 --source pics --save-json --no-save --name broken
equal "$(grep -c '^image ' out)" 6 "good pictures beside broken ones"
grep -q '^image [0-9]/8 pics/broken.jpg: skipped: ' err || fail "the broken picture is not told of"
says err "pics/short.bmp: skipped: "
says err "6 of 8 pictures were done, 2 skipped"
"$json_check" lines runs/predict/broken/predictions.jsonl >json.txt || fail "$(cat json.txt)"
equal "$(cat json.txt)" "6 lines, $n_boxes boxes" "JSON beside broken pictures"
cmp -s runs/predict/broken/predictions.jsonl all.jsonl || fail "a broken picture changes the others"

done_well

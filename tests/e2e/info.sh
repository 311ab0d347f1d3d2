#!/bin/sh
# info.sh BUILD SOURCE: the figures of all five scales are those of the published models (the specification's table).
set -eu
. "$(dirname "$0")/lib.sh"
json_check=$build/tests/json_check

# scale parameters fused GFLOPs fused
while read -r scale params fused gflops gflops_fused; do
    run 0 info "yolo11$scale"
    says out "parameters   $params (fused $fused)"
    says out "GFLOPs       $gflops (fused $gflops_fused) at 640x640"
    says out "strides      8 16 32"
    equal "$(grep -cE '^ +[0-9]+ +[-[]' out)" 24 "rows of the layer table"
    run 0 info --weights "yolov11$scale.yaml"
    says out "parameters   $params (fused $fused)"
done <<TABLE
n 2,624,080 2,616,248 6.6 6.5
s 9,458,752 9,443,760 21.7 21.5
m 20,114,688 20,091,712 68.5 68.0
l 25,372,160 25,340,992 87.6 86.9
x 56,966,176 56,919,424 196.0 194.9
TABLE

# What it is made for.
run 0 info yolo11n
says out "task         detect"
for task in seg:segment obb:obb cls:classify; do
    run 0 info "yolo11n-${task%:*}"
    says out "task         ${task#*:}"
done
run 0 info yolo11n-pose --json
grep -q '"task": "pose", "keypoints": \[17, 3\]' out || fail "the JSON does not say the task"

# The layer table of n, by row.
run 0 info yolo11n
equal "$(awk '/^ +[0-9]+ +(-1|\[)/ { sub(/\[[^]]*\]/, "x"); print $4 }' out | tr -d , | tr '\n' ' ')" \
    "464 4672 6640 36992 26080 147712 87040 295424 346112 164608 249728 0 0 111296 0 0 32096 36992 0 86720 147712 0 378880 464912 " \
    "parameters by layer"

run 0 info "$weights"
says out "class79"
says out "format       pt"
says out "tensors      499"

# --memory: the sum is the sum, and more pictures take more.
run 0 info "$weights" --memory --imgsz 320
sum=$(awk '$1 == "sum" { gsub(",", "", $4); print $4 }' out)
equal "$(awk '/^memory plan/ { on = 1; next } on && $1 != "sum" { gsub(",", "", $4); n += $4 } END { printf "%d", n }' out)" \
    "$sum" "sum of the memory plan"
run 0 info "$weights" --memory --imgsz 320 --batch 4
more=$(awk '$1 == "sum" { gsub(",", "", $4); print $4 }' out)
[ "$more" -gt "$sum" ] || fail "batch 4 takes $more, batch 1 takes $sum"

run 0 info "$weights" --json --memory
"$json_check" info out >json.txt || fail "info --json: $(cat json.txt)"
equal "$(cat json.txt)" "yolo11n 2624080 parameters, 80 classes, 24 layers, memory adds up" "info --json"
run 0 info yolo11x --json
"$json_check" info out >json.txt || fail "info --json: $(cat json.txt)"
equal "$(cat json.txt)" "yolo11x 56966176 parameters, 80 classes, 24 layers, no memory" "info --json of x"

# --train: the items that are held add up, and so do all.
run 0 info yolo11n --memory --train --imgsz 64 --batch 2
says out "training plan at 64x64, batch 2"
for bound in held limit; do
    equal "$(awk -v bound=$bound '/^training plan/ { on = 1; next }
        !on { next }
        { gsub(",", "", $NF) }
        $1 != "sum" && $NF ~ /^[0-9]+$/ { n += $NF }
        $1 == "sum" && (bound == "held" || / limit /) { printf "%d", $NF - n; exit }' out)" 0 "sum $bound of the training plan"
done
run 0 info yolo11n --memory --train --imgsz 64 --json
run 2 info yolo11n --train
is_error "belong to a training plan"
run 2 info yolo11n --memory --batch 0
is_error "a batch of 0"

# Another class count: only the head differs.
run 0 info yolo11n --nc 3
says out "classes      3"
says_not out "2,624,080"

done_well

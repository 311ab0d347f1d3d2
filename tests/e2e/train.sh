#!/bin/sh
# train.sh BUILD SOURCE: a tiny dataset is trained on, stopped, resumed and validated; what is refused, and how.
set -eu
. "$(dirname "$0")/lib.sh"
run_folder=runs/train/exp

training_set

# train STATUS ARGUMENT...: small and short.
train() {
    want=$1
    shift
    run "$want" train --data data.yaml --imgsz 64 --batch 4 --workers 1 --threads 1 "$@"
}

# ---- a whole run, in the words of YOLO's users
train 0 --cfg yolov11n.yaml --epochs 2
says out "Model: yolov11n, 2 classes"
says out "Data: 8 pictures with 16 objects to train on, 2 pictures with 4 objects to validate"
says out "Memory: planned "
says out "images/s while training, loader wait "
says out "box_loss   cls_loss   dfl_loss  Instances       Size"
equal "$(grep -c '^ *[12]/2 .*100%' out)" 2 "rows of epochs"
equal "$(grep -c '^ *all  *2  *4 ' out)" 3 "rows of validations"
says out "Results saved to $run_folder"
[ ! -s err ] || fail "standard error is not empty"
for file in weights/best.safetensors weights/last.safetensors args.yaml results.csv results.png labels.jpg \
    labels_correlogram.jpg train_batch0.jpg train_batch1.jpg val_batch0_labels.jpg val_batch0_pred.jpg; do
    [ -s "$run_folder/$file" ] || fail "no $file"
done
equal "$(find $run_folder -name 'events.out.tfevents.*' | wc -l)" 1 "event files"
equal "$(wc -l <$run_folder/results.csv)" 3 "rows of results.csv"
grep -qx 'epochs: 2' $run_folder/args.yaml || fail "args.yaml does not say epochs: 2"
grep -qx 'imgsz: 64' $run_folder/args.yaml || fail "args.yaml does not say imgsz: 64"

# ---- its weights, validated and used
run 0 val --data data.yaml --weights $run_folder/weights/best.safetensors --imgsz 64 --threads 1 --workers 0 --no-plots
says out "Class     Images  Instances      Box(P          R      mAP50  mAP50-95)"
equal "$(grep -c '^ *all  *2  *4 ' out)" 1 "row of all classes"
says_not out "Results saved"
run 0 val data=data.yaml model=$run_folder/weights/best.safetensors imgsz=64 threads=1 split=train
says out "all          8         16"
says out "Results saved to runs/val/exp"
[ -s runs/val/exp/val_batch0_pred.jpg ] || fail "no sample pictures of the validation"
run 0 val --data data.yaml --weights $run_folder/weights/best.safetensors --imgsz 64 --threads 1 --no-plots --save-json
says out "Results saved to runs/val/exp2"
equal "$(ls runs/val/exp2)" predictions.json "what --save-json alone writes"
grep -q '"image_id": .*"category_id": [01], "bbox": \[' runs/val/exp2/predictions.json ||
    fail "no rows in predictions.json"
# Squares, and three looks at each picture: other boxes. What asks for nothing changes nothing.
cp runs/val/exp2/predictions.json plain.json
for option in rect=True augment=False; do
    run 0 val --data data.yaml --weights $run_folder/weights/best.safetensors --imgsz 64 --threads 1 --no-plots --save-json $option \
        --name exp2 --exist-ok
    cmp -s runs/val/exp2/predictions.json plain.json || fail "val $option changes the boxes"
done
for option in rect=False --no-rect augment=True --augment; do
    run 0 val --data data.yaml --weights $run_folder/weights/best.safetensors --imgsz 64 --threads 1 --no-plots --save-json $option \
        --name exp2 --exist-ok
    ! cmp -s runs/val/exp2/predictions.json plain.json || fail "val $option changes nothing"
    says_not err "note:"
done
run 2 val --data data.yaml --weights $run_folder/weights/best.safetensors --single-cls
is_error "a model of 2 classes and a dataset of 1"
run 0 predict --weights $run_folder/weights/best.safetensors --source set/images/val --imgsz 64 --no-save
run 1 train --resume $run_folder
is_error "nothing to resume: the run is finished"

# ---- for scripts: one object, and nothing else, on standard output
train 0 --model yolo11n --epochs 1 --no-plots --json --name scripted
equal "$(wc -l <out)" 1 "lines on standard output of train --json"
"$build/tests/json_check" any out >json.txt || fail "train --json: $(cat json.txt)"
says out '{"folder": "runs/train/scripted", "weights": "runs/train/scripted/weights/best.safetensors", "epochs": 1, "best_epoch": 1, "time_is_up": false, "seconds": '
says out '"validation": {"pictures": 2, "instances": 4, '
says err "Model: yolo11n, 2 classes"
train 2 --model yolo11n --epochs 1 --json --detach
is_error "--json with --detach"
run 0 val --data data.yaml --weights runs/train/scripted/weights/best.safetensors --imgsz 64 --threads 1 --no-plots --json
equal "$(wc -l <out)" 1 "lines on standard output of val --json"
"$build/tests/json_check" any out >json.txt || fail "val --json: $(cat json.txt)"
says out '"validation": {"pictures": 2, "instances": 4, '
says out '"seconds": '
says out '"classes": ['
says err "Class     Images  Instances"
run 1 val --data nope.yaml --weights runs/train/scripted/weights/best.safetensors --json
is_error "cannot read the file"

# ---- stopped by SIGTERM, and resumed to the end
train 0 --model yolo11n --epochs 12 --name whole --no-plots
"$vigil" train --data data.yaml --model yolo11n --imgsz 64 --batch 4 --workers 1 --threads 1 --epochs 12 --name cut \
    --no-plots >"$tmp/out" 2>"$tmp/err" &
pid=$!
waited=0
until [ -f runs/train/cut/results.csv ] && [ "$(wc -l <runs/train/cut/results.csv)" -ge 2 ]; do
    kill -0 $pid 2>/dev/null || fail "the run ended before its first epoch did"
    waited=$((waited + 1))
    [ $waited -lt 600 ] || fail "no epoch within a minute"
    sleep 0.1
done
kill -TERM $pid
got=0
wait $pid || got=$?
equal "$got" 143 "exit status after SIGTERM"
says err "go on with: vigil train --resume runs/train/cut"
run 2 train --resume runs/train/cut --epochs 9
is_error "a resumed run keeps its arguments"
run 2 train --resume runs/train/cut --no-plots
is_error "--no-plots with --resume"
run 0 train --resume
says out "Results saved to runs/train/cut"
equal "$(wc -l <runs/train/cut/results.csv)" 13 "rows of results.csv after resume"
# One thread and a seed: the course is the uninterrupted run's, but for the time.
equal "$(cut -d, -f1,3- runs/train/cut/results.csv)" "$(cut -d, -f1,3- runs/train/whole/results.csv)" "resumed results"

# ---- the largest batch that fits a limit: it is told, kept in args.yaml, and the peak stays below
run 0 info yolo11n --memory --train --data data.yaml --imgsz 64 --threads 1 --batch 3
limit=$(awk '/what a memory limit/ { gsub(",", "", $NF); print $NF }' out)
run 0 info yolo11n --memory --train --data data.yaml --imgsz 64 --threads 1 --batch -1 --memory-limit "$limit"
says out "batch 3 (the most that fit)"
held=$(awk '/held from the first/ { gsub(",", "", $NF); print $NF }' out)
[ "$held" -lt "$limit" ] || fail "$held bytes held, a limit of $limit"
run 0 train --data data.yaml --imgsz 64 --threads 1 --model yolo11n --epochs 1 --batch -1 --memory-limit "$limit" \
    --name fit
says out "Batch: 3 pictures, the most that fit"
grep -qx 'batch: 3' runs/train/fit/args.yaml || fail "args.yaml does not say batch: 3"
grep -qx "memory_limit: $limit" runs/train/fit/args.yaml || fail "args.yaml does not say the limit"

# ---- what is refused, without a folder left behind
train 1 --model yolo11n --memory-limit 50MB
is_error "a run with batches of 4 needs "
says err "at:  memory_limit"
says err "not even a batch of 1 fits"
train 1 --model yolo11n --memory-limit 50MB --batch -1
is_error "a run with batches of 1 needs "
train 2 --model yolo11n --memory-limit much
is_error "memory_limit=much"
train 1 --model yolo11n --device 0
is_error "there is no GPU that vigil can use"
train 2 --model yolo11n --device tpu
is_error 'the device "tpu"'
train 2 --model yolo11n --device cpu --device-lost resume
is_error "device_lost=resume with device=cpu"
train 2 --model yolo11n --epochs many
is_error "epochs=many"
train 2 --model yolo11n --ephocs 2
is_error 'vigil train has no option "ephocs"'
says err "try: --epochs"
train 2 --model yolo12x.yaml
is_error "yolo12x"
train 2
is_error "no model was given"
run 2 train --model yolo11n
is_error "no dataset was given"
run 1 train --data nope.yaml --model yolo11n
is_error "No such file"
says err "at:  nope.yaml"
run 1 val --data nope.yaml --weights $run_folder/weights/best.safetensors
is_error "No such file"
run 2 val --data data.yaml --weights "$weights"
is_error "and a dataset of 2"
run 2 val --data data.yaml --weights $run_folder/weights/best.safetensors --split test
is_error "test"
equal "$(ls runs/train | tr "\n" " ")" "cut exp fit scripted whole " "run folders"
done_well

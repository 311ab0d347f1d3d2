#!/bin/sh
# usage.sh BUILD SOURCE: the command line itself: help, version, and every way to get it wrong.
set -eu
. "$(dirname "$0")/lib.sh"

run 0 --version
equal "$(cat out)" "vigil 0.1.0" "the version"
run 0 version
run 0 --help
for command in predict track check info data convert version help; do
    grep -q "^  $command " out || fail "the help does not list $command"
done
run 0 help predict
cp out help.txt
run 0 predict --help
cmp -s out help.txt || fail "help predict and predict --help differ"
run 0 detect -h
cmp -s out help.txt || fail "detect is not predict"
for name in predict track check train val info data convert version help; do
    run 0 "$name" --help
    [ "$(awk '{ if (length($0) > 80) n++ } END { print n + 0 }' out)" = 0 ] || fail "help of $name is wider than 80"
done

# The guides know every option. (The man pages and the completion are drawn: man.sh.)
run 0 predict --help
# shellcheck disable=SC2013 # options have no blanks
for option in $(sed -n 's/^  \(--[a-z-]*\).*/\1/p' out); do
    cat "$source/docs/predict.md" "$source/docs/streams.md" | grep -qF -- "$option" || fail "no guide knows $option"
done
n_checks=$((n_checks + 1))

run 0 train --help
# shellcheck disable=SC2013
for option in $(grep -o '^  --[a-z0-9-]*' out); do
    grep -qF -- "| \`$option" "$source/docs/training.md" || [ "$option" = --help ] || fail "docs/training.md does not know $option"
done
for page in "$source"/docs/*.md; do
    name=$(basename "$page")
    [ "$name" = index.md ] || grep -qF "($name" "$source/docs/index.md" || fail "docs/index.md does not name $name"
done
n_checks=$((n_checks + 1))

# What the command line has, a configuration has, and the other way round: the guide's table is that of configurations too.
run 0 predict --help
cp out help.txt
# shellcheck disable=SC2013 # options have no blanks
for option in $(sed -n 's/^  --\([a-z-]*\).*/\1/p' help.txt); do
    case $option in config | cfg | prove-flat | retina-masks | help) continue ;; esac
    printf 'weights: nope.pt\nsource: nope.mp4\n%s: zz\n' "$option" | grep -v "^$option: nope" >job.yaml
    run 1 check job.yaml
    says_not err "no option is named"
done
# shellcheck disable=SC2013
for option in $(sed -n 's/^| `--\([a-z-]*\)[ `].*/\1/p' "$source/docs/streams.md"); do
    grep -q -- "^  --$option\>" help.txt || fail "--$option is in docs/streams.md, and no option of predict"
done
printf 'weights: nope.pt\nsource: nope.mp4\nprove_flat: 3\n' >job.yaml
run 1 check job.yaml
is_error "no option is named prove_flat"
says err "job.yaml:3"

run 2
says err "usage: vigil COMMAND"
run 2 predct
is_error 'vigil has no command "predct"'
says err "try: vigil predict"
# YOLO's own commands that there are none of, with or without its words in front.
for other in checks settings copy-cfg benchmark tune solutions; do
    run 2 "$other" --data coco.yaml
    is_error "vigil has no $other: "
    run 2 yolo detect "$other" data=coco.yaml
    is_error "vigil has no $other: "
done
run 2 yolo detect export model=yolo11n.pt format=engine
says err "trtexec --onnx=yolo11n.onnx --saveEngine=yolo11n.engine"
run 2 predict task=depth model=a.pt source=a.jpg
is_error '--task depth: there is no such task'
run 2 yolo
says err "usage: vigil COMMAND"
run 2 detect train --imgz 64
is_error 'vigil train has no option "imgz"'
run 2 detect val
is_error "vigil val needs --data"
run 2 mode=export
is_error 'vigil export needs FILE'
run 2 predict
is_error "vigil predict needs --weights"
run 2 predict --weights a.pt
is_error "vigil predict needs --source"
run 2 predict --weights a.pt --source b --imgzs 640
is_error 'vigil predict has no option "imgzs"'
says err "try: --imgsz"
run 2 predict --weights a.pt --source b --conf 1.5
is_error "1.5 is outside 0..1"
run 2 predict --weights a.pt --source
is_error "--source has no value"
run 2 predict --weights a.pt --source b --classes 1,,x
is_error '"1,,x" is not classes'
run 2 predict --weights a.pt --source b --memory-limit lots
is_error '"lots" is not a size'
run 2 predict a.jpg
is_error 'no use for "a.jpg"'
run 2 convert --weights "$weights" --output a.pt
is_error "does not end in .safetensors"
run 2 help tune
is_error 'no command "tune"'

run 1 predict --weights nope.pt --source "$source/tests/fixtures/image"
is_error "No such file"
says err "at:  nope.pt"
predict 1 --source nope
is_error "no such file or folder"
predict 2 --source "$source/tests/fixtures/image/rgb.png" --device tpu
is_error 'the device "tpu"'
predict 2 --source "$source/tests/fixtures/image/rgb.png" --isa sse9
is_error 'no such kernels'
predict 2 --source "$source/tests/fixtures/image/rgb.png" --classes 80
is_error "class 80 of a model of 80 classes"
run 1 info nope.pt
is_error "No such file"
run 2 info yolo11q
is_error "no such model"
[ ! -e runs ] || fail "a run that did not start left a folder"

done_well

#!/bin/sh
# bench.sh BUILD SOURCE: what vigil bench lists: every layer and step once, operations that add up to those of vigil info,
# shares to the whole; every count of threads and batches; and what is refused. No time is judged.
set -eu
. "$(dirname "$0")/lib.sh"
json_check=$build/tests/json_check

run 0 bench "$weights" --imgsz 64 --repeats 2 --threads 3 --batch 5 --json
cp out bench.json
run 0 info "$weights" --imgsz 64 --json
"$json_check" bench bench.json out >json.txt || fail "bench --json: $(cat json.txt)"
equal "$(cat json.txt)" "yolo11n, 24 layers, 3 machines, 3 stages, 12 speeds" "bench --json"
# Layers without steps are there too; plain kernels say so.
run 0 bench "$weights" --imgsz 64 --repeats 1 --threads 1 --batch 1 --isa plain --steps
equal "$(grep -cE '^ +[0-9]+ [A-Za-z][A-Za-z0-9.]* +[0-9]' out)" 24 "rows of the layer table"
says out "plain 16x32x32 model.0"
says out "plain kernels on "
says_not out winograd
says out "medians of 1; "
# Not a square, and a side that is raised.
run 0 yolo bench model="$weights" imgsz=64,90 repeats=1 threads=1 batch=1
says out "at 96x64, "

run 2 bench "$weights" --device nope
is_error 'the device "nope"'
run 2 bench
is_error "vigil bench needs FILE"
run 2 bench "$weights" --repeats 0
is_error "0 is outside 1..1000"
run 2 bench "$weights" --batch 0
is_error "0 is outside 1..1024"
run 2 bench "$weights" --threads -1
is_error "-1 is outside 0..1024"
run 2 bench "$weights" --isa avx1024
is_error "there are no such kernels"
run 1 bench nope.pt
is_error "No such file"
run 1 bench "$weights" --memory-limit 64M
is_error "the plan needs"

done_well

#!/bin/sh
# fleet_check.sh BUILD SOURCE: vigil fleet check: what machines would hold, by what was measured and what is planned.
set -eu
. "$(dirname "$0")/lib.sh"

mkdir site
cat >site/job.yaml <<E2
weights: $weights
imgsz: 160
shard: auto/20
lease_dir: leases
E2
"$vigil" bench --weights "$weights" --imgsz 160 --repeats 1 --batch 1 --threads 1 --json >site/bench.json

fleet() { # MACHINES CAMERAS: a configuration
    printf 'job: job.yaml\nmachines:\n%b\ncameras:\n%b\n' "$1" "$2" >site/fleet.yaml
}

# By speed: 100 frames/s are 10 cameras of 10; the memory is enough for all places of a process.
fleet '  - {name: rack, count: 3, frames_per_s: 100, memory: 64G}' '  - {name: doors, count: 30, fps: 10}'
run 0 fleet check site/fleet.yaml
says out 'All machines hold 30 cameras of 30; without one of those that hold most, 20: when it dies, some are not read'
equal "$(awk '$1 == "rack" { print $6, $8, $9 }' "$tmp/out")" "10 10 1" "what one machine holds"
says out 'Memory of a shard: planned'
[ ! -e leases ] || fail "something was made"

# One camera too many.
fleet '  - {name: rack, count: 3, frames_per_s: 100, memory: 64G}' '  - {name: doors, count: 31, fps: 10}'
run 1 fleet check site/fleet.yaml
says out 'hold 30 cameras of 31: too few by 1'

# By memory: none where not even the network fits, several processes where one has too few places.
fleet '  - {name: small, frames_per_s: 1000, memory: 1M}\n  - {name: large, frames_per_s: 1000, memory: 64G}' '  - {name: a, count: 100, fps: 5, size: 640x480}'
run 0 fleet check site/fleet.yaml
equal "$(awk '$1 == "small" { print $8 }' "$tmp/out")" "0" "a machine without room for a network"
equal "$(awk '$1 == "large" { print $6, $8, $9 }' "$tmp/out")" "200 200 4" "more cameras than a process has places for"
planned=$(sed -n 's/^Memory of a shard: planned \(.*\) for its first.*/\1/p' "$tmp/out")
[ -n "$planned" ] || fail "no plan"

# Larger pictures need more.
small=$(awk '$1 == "large" { print $(NF - 1) * ($NF == "GB" ? 1024 : 1) }' "$tmp/out")
fleet '  - {name: large, frames_per_s: 1000, memory: 64G}' '  - {name: a, count: 100, fps: 5, size: 3840x2160}'
run 0 fleet check site/fleet.yaml
large=$(awk '$1 == "large" { print $(NF - 1) * ($NF == "GB" ? 1024 : 1) }' "$tmp/out")
awk "BEGIN { exit !($large > $small) }" || fail "4K needs $large, VGA $small"

# A measurement.
fleet '  - {name: here, bench: bench.json, memory: 8G}' '  - {name: a, fps: 1}'
run 0 fleet check site/fleet.yaml
says_not out 'here                       1         0'

# What is wrong, with its line and field.
wrong() { # MACHINES CAMERAS WHERE WHAT
    fleet "$1" "$2"
    run 1 fleet check site/fleet.yaml
    is_error "$4"
    says err "fleet.yaml:$3"
}
good='  - {name: a, frames_per_s: 9, memory: 1G}'
wrong '  - {name: a, frames_per_s: 9}' '  - {name: a, fps: 1}' '3, field memory' 'missing'
wrong '  - {name: a, memory: 1G}' '  - {name: a, fps: 1}' '3, field frames_per_s' 'neither'
wrong '  - {name: a, frames_per_s: -9, memory: 1G}' '  - {name: a, fps: 1}' '3, field frames_per_s' 'frames a second'
wrong '  - {name: a, frames_per_s: 9, memory: lots}' '  - {name: a, fps: 1}' '3, field memory' 'bytes'
wrong "$good" '  - {name: a}' '5, field fps' 'missing'
wrong "$good" '  - {name: a, fps: 1, size: 640}' '5, field size' 'no size'
wrong "$good" '  - {name: a, fps: 1, count: 0}' '5, field count' 'count'
wrong "$good" '  - {name: a, fps: 1, colour: red}' '5, field colour' 'none here'
wrong "$good" '  - a' '5, field cameras' 'no map'
run 2 fleet look site/fleet.yaml
run 1 fleet check site/none.yaml
is_error 'none.yaml'
echo '{}' >site/bench.json
fleet '  - {name: here, bench: bench.json, memory: 8G}' '  - {name: a, fps: 1}'
run 1 fleet check site/fleet.yaml
is_error 'no measurement'
echo "$n_checks checks passed"

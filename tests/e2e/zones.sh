#!/bin/sh
# zones.sh BUILD SOURCE: track with zones: what is told of a file, in the film's own time; snapshots; slips in the file of
# zones; and a camera that was away, of which nothing is missing yet when it is back.
set -eu
. "$(dirname "$0")/lib.sh"
for program in ffmpeg python3; do
    command -v $program >/dev/null || { echo "left out: it wants $program"; exit 77; }
done
server=""
job=""
trap 'for p in $server $job; do kill -9 "$p" 2>/dev/null || true; done; rm -rf "$tmp"' EXIT
live="--weights $weights --imgsz 64 --threads 1"
# The weights are random: with these, everything is an object, and nothing is one with --conf 0.99.
all="--conf 0.001 --track-high-thresh 0.001 --track-low-thresh 0.0005 --new-track-thresh 0.001"

cat >zones.yaml <<'EOF'
zones:
  - name: whole
    polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]
    dwell: 1s
    snapshot: [dwell]
EOF
cat >shelf.yaml <<'EOF'
zones:
  - name: shelf
    polygon: [[0.6, 0.2], [0.9, 0.2], [0.9, 0.5], [0.75, 0.3], [0.6, 0.5]]
    classes: [0, 3]
    absent: 3s
EOF
ffmpeg -loglevel error -y -f lavfi -i testsrc2=size=96x64:rate=25 -t 4 -c:v mpeg2video a.ts </dev/null || fail "ffmpeg"

# ---- a file: enter, dwell, snapshots
# shellcheck disable=SC2086
run 0 track $live $all --source a.ts --zones zones.yaml --json --quiet
grep -q '"kind":"enter","zone":"whole"' out || fail "nobody came in"
grep -o '"kind":"dwell","zone":"whole".*' out | grep -q '"seconds":1.0' || fail "nobody stayed for a second of the film"
snapshot=$(grep -o '"snapshot":"[^"]*"' out | head -n 1 | cut -d '"' -f 4)
[ -n "$snapshot" ] || fail "no dwell has a snapshot"
[ -n "$(find runs -name "${snapshot##*/}")" ] || fail "no picture \"$snapshot\""
grep -o '"kind":"[a-z]*"' out | sort -u | tr -d '\n' | grep -q '^"kind":"dwell""kind":"enter"' || fail "other events"
# shellcheck disable=SC2086
run 0 track $live $all --source a.ts --zones zones.yaml --no-save
grep -qE ': [a-z0-9]+ [0-9]+ came into whole: [0-9]+ inside, [0-9]+ in, [0-9]+ out$' out || fail "no line of who came in"
grep -qE ': [a-z0-9]+ [0-9]+ stays in whole for 1 s: ' out || fail "no line of who stays"

# ---- absence takes no tracks; each class by itself, once; four seconds of film take a fraction of that
# shellcheck disable=SC2086
run 0 predict $live --conf 0.99 --source a.ts --zones shelf.yaml --json --quiet
equal "$(grep -o '"kind":"absent","zone":"shelf","class":[0-9]*' out | tr '\n' ' ')" \
    '"kind":"absent","zone":"shelf","class":0 "kind":"absent","zone":"shelf","class":3 ' "what is missing"
equal "$(grep -o '"seconds":[0-9.]*' out | sort -u)" '"seconds":3.00' "how long it was missing"
says_not out '"id":'

# ---- slips
sed 's/dwell: 1s/dwel: 1s/' zones.yaml >slip.yaml
# shellcheck disable=SC2086
run 1 track $live --source a.ts --zones slip.yaml
is_error 'a zone has no "dwel"'
says err "slip.yaml:4"
says err "did you mean dwell?"

# ---- a zone for a source that is not there: told, by check as well, and no error, as a reload may bring it
sed 's/dwell: 1s/sources: [a, door]/' zones.yaml >other.yaml
# shellcheck disable=SC2086
run 0 track $live --source a.ts --zones other.yaml --no-save
says err 'a zone names a source that does not exist zone="whole" source="door" at="other.yaml:4" try="a'
says_not err 'source="a"'
printf 'weights: %s\nsource: a.ts\nzones: other.yaml\nimgsz: 64\n' "$weights" >job.yaml
run 0 check job.yaml
says err 'source="door" at="other.yaml:4"'
says out "job.yaml is good"

# ---- a camera that was away for longer than something may be missing
cat >serve.py <<'EOF'
import socket, sys, time
film = open("a.ts", "rb").read()
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
away_until, served = 0, 0
while True:
    peer, _ = listener.accept()
    if time.monotonic() >= away_until:
        served += 1
        try:
            peer.sendall(film)
        except OSError:
            pass
        away_until = time.monotonic() + (9 if served == 1 else 1e9)
    peer.close()
EOF
python3 serve.py >port </dev/null &
server=$!
waited=0
until [ -s port ]; do
    waited=$((waited + 1))
    [ $waited -lt 600 ] || fail "no server"
    sleep 0.1
done
sed 's/absent: 3s/absent: 8s/' shelf.yaml >away.yaml
# shellcheck disable=SC2086
"$vigil" predict $live --conf 0.99 --source "tcp://127.0.0.1:$(cat port)" --zones away.yaml --json --quiet --retry-first 0.2 \
    --retry-most 0.5 >out 2>err </dev/null &
job=$!
# A connection counts its frames from 0.
waited=0
until [ "$(grep -o '"frame":[0-9]*' out | cut -d : -f 2 | awk 'NR > 1 && $1 < last { n++ } { last = $1 } END { print n + 0 }')" -ge 1 ]; do
    waited=$((waited + 1))
    [ $waited -lt 1200 ] || fail "the camera did not come back"
    sleep 0.1
done
sleep 0.5
kill -INT $job
wait $job || true
job=""
says_not out '"kind":"absent"'
says_not err 'error:'

echo "$n_checks checks passed"

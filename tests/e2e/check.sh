#!/bin/sh
# check.sh BUILD SOURCE: what is wrong with a stream job's options and configuration is told before anything starts: by `vigil check`
# and by predict alike; 2 is for the command line, 1 for what a configuration says; a job without a picture has failed.
set -eu
. "$(dirname "$0")/lib.sh"
command -v ffmpeg >/dev/null || { echo "left out: it wants ffmpeg"; exit 77; }
live="--weights $weights --imgsz 64 --threads 1"
drawn="lavfi:testsrc2=size=96x64:rate=25:duration=0.2"
ffmpeg -loglevel error -y -f lavfi -i "testsrc2=size=96x64:rate=25" -frames:v 5 -pix_fmt yuv420p a.mp4 </dev/null || fail "no clip"
# stream STATUS ARGUMENT...
stream() {
    want=$1
    shift
    # shellcheck disable=SC2086
    run "$want" predict $live "$@"
}

# ---- a configuration: check and predict say the same, with its line, and nothing is made
mkdir empty
wrong() { # LINE MESSAGE [MORE LINES]
    printf 'weights: %s\nimgsz: 64\nsource: "%s"\n%s\n%s\n' "$weights" "$drawn" "$1" "${3-}" >c.yaml
    for command in "check" "predict --project empty/runs --config"; do
        # shellcheck disable=SC2086
        run 1 $command c.yaml
        grep -qF -- "$2" err || fail "$command: $1 is not told as: $2"
        case $1 in
        project:*) ;;
        *) says err "c.yaml:4" ;;
        esac
    done
    [ -z "$(ls empty)" ] || fail "$1: a folder of a job that did not start"
}
wrong 'serve: 127.0.0.1:99999' 'no port in "127.0.0.1:99999"'
wrong 'serve: 127.0.0.1:9xx' 'no port in "127.0.0.1:9xx"'
wrong 'serve: nohost:9300' 'no address in numbers'
wrong 'video_codec: nothere' 'no video encoder "nothere"' 'save: true'
wrong 'keep_segments: -1' 'keep_segments=-1'
wrong 'retry_first: 5m' 'a longest wait of 1 s' 'retry_most: 1s'
wrong 'token: x' 'token without serve'
wrong 'surces: x' 'try: sources'
if grep -q 'VIGIL_HAVE_MOSQUITTO' "$build/build.ninja" 2>/dev/null; then
    wrong 'mqtt: foo' 'an MQTT address that cannot be read'
    wrong 'mqtt_ca: /nope.pem' 'a file for mqtts, cannot be read' 'mqtt: mqtts://localhost/x'
    wrong 'mqtt: mqtt://localhost/x' 'certificates for a connection without TLS' 'mqtt_ca: /nope.pem'
fi
wrong 'webhook: ftp://x' 'a webhook that is no URL'
for project in /proc/x/y a.mp4/x; do
    printf 'weights: %s\nimgsz: 64\nsource: a.mp4\nproject: %s\n' "$weights" "$project" >c.yaml
    for command in "check" "predict --config"; do
        # shellcheck disable=SC2086
        run 1 $command c.yaml
        says err "no run folder can be made here"
    done
done
# What the command line says over a wrong one is good.
printf 'weights: %s\nimgsz: 64\nsource: "%s"\nserve: nohost:1\n' "$weights" "$drawn" >c.yaml
run 0 predict --config c.yaml --no-save --serve 127.0.0.1:0
run 2 predict --config c.yaml --serve nowhere
says_not err "c.yaml:"

# ---- the command line: 2
for arguments in "--serve 127.0.0.1:99999" "--mqtt foo" "--webhook foo" "--retry-first 5m --retry-most 1s" "--token x" \
    "--input-size 0x0" "--input-size 96x64" "--keep-segments -1" "--save-conf"; do
    # shellcheck disable=SC2086
    stream 2 --source a.mp4 --no-save $arguments
    grep -q '^error: ' err || fail "$arguments is not told"
done

# ---- memory: of drawn pictures as they are; what is too large is told
stream 1 --source "lavfi:color=size=8000x8000:rate=1:duration=2" --no-save --memory-limit 200M
is_error "the limit is 200.0 MB"
stream 1 --source "lavfi:color=size=16000x16000:rate=1:duration=2" --no-save
is_error "one of more than 64 million pixels"

# ---- not one picture: a failure that is told
for format in mjpeg rawvideo; do
    [ $format = mjpeg ] && more="" || more="--input-size 96x64"
    got=0
    # shellcheck disable=SC2086
    "$vigil" predict $live --source - --no-save --input-format $format $more >out 2>err </dev/null || got=$?
    equal "$got" 1 "exit status of nothing on standard input, $format"
    grep -q '^error: ' err || fail "nothing on standard input is no error, $format"
done

# ---- --quiet keeps what went wrong
mkdir clips
cp a.mp4 clips/1.mp4
head -c 300 a.mp4 >clips/2.mp4
stream 1 --source clips --no-save --quiet
says_not out "video 1/1"
grep -q '2\.mp4' err || fail "--quiet does not say which file was skipped"

done_well

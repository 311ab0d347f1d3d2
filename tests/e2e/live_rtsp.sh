#!/bin/sh
# live_rtsp.sh BUILD SOURCE: a camera by RTSP: GStreamer's server, over TCP and UDP, locked, killed, and with pictures that change.
set -eu
. "$(dirname "$0")/lib.sh"
. "$source/tests/live/live.sh"
needs_rtsp

# ---- over TCP and over UDP; the pictures' size changes in mid-stream
told cam "$rtsp"
p=$(port cam)
url=rtsp://127.0.0.1:$p/cam
probe tcp scale=1 "$url"
probe udp scale=1 udp=1 "$url"
waits tcp.out '^state=playing frames=[1-9]'
waits udp.out '^state=playing frames=[1-9]'
waits tcp.err 'source playing name="rtsp://127.0.0.1:[0-9]+/cam" size=320x240 codec=h264'
for name in tcp udp; do waits $name.out ' size=320x240'; done
tell cam "size 640x480"
for name in tcp udp; do waits $name.out ' sizes=1 .* size=640x480'; done
tell cam "size 160x128"
for name in tcp udp; do waits $name.out ' sizes=2 .* size=160x128'; done
quits tcp
quits udp
for name in tcp udp; do
    equal "$(count $name connects)" 1 "connections of $name through two changes of size"
    equal "$(count $name back)" 0 "times that went back"
done
equal "$(count tcp damaged)" 0 "damaged packets, of key pictures in several parts"
probe newest latest=1 slow_ms=300 until_frames=60 "$url"
waits newest.out '^stop_ms='
at_least newest dropped 5
tell cam quit

# ---- a proxy in between: cut, stalled, refused
told cam2 "$rtsp"
told proxy "$tools/fault_proxy" "$(port cam2)"
probe net stall_s=1 "rtsp://127.0.0.1:$(port proxy)/cam"
waits net.out '^state=playing frames=[1-9]'
tell proxy cut
waits net.err 'source waiting .* fault=(end|lost)' # FFmpeg's RTSP reader forgets the reset when it has a picture left to give
waits net.out '^state=playing frames=[1-9].* connects=2 '
tell proxy stall
waits net.err 'fault=stall'
tell proxy cut
tell proxy go
waits net.out '^state=playing frames=[1-9].* connects=[3-9] '
tell proxy refuse
waits net.err 'fault=refused'
quits net
at_least net reconnects 2
at_least net stall 1

# ---- no such stream
probe absent "rtsp://127.0.0.1:$(port cam2)/other"
waits absent.err 'source waiting .* fault=absent what="there is no such stream'
quits absent

# ---- the server is killed, and another one comes
told kills "$rtsp" forks=1
probe killed "rtsp://127.0.0.1:$(port kills)/cam"
for n in 1 2 3; do
    waits killed.out "^state=playing frames=[1-9].* connects=$n "
    tell kills kill
done
waits killed.out '^state=playing frames=[1-9].* connects=4 '
quits killed
equal "$(count killed reconnects)" 3 "reconnects"

# ---- locked; the password is nowhere
told locked "$rtsp" user=anna password=s3cr3t-w0rd codec=mjpeg
p=$(port locked)
probe none "rtsp://127.0.0.1:$p/cam"
probe wrong "rtsp://anna:wr0ng-w0rd@127.0.0.1:$p/cam"
probe right "rtsp://anna:s3cr3t-w0rd@127.0.0.1:$p/cam"
waits none.err 'source waiting .* fault=denied .* retry=2'
waits wrong.err 'source waiting name="rtsp://127.0.0.1:[0-9]+/cam" fault=denied what="access is denied.* retry=2'
waits right.out '^state=playing frames=[1-9]'
waits right.err 'codec=mjpeg'
for name in none wrong right; do quits $name; done
! grep -q w0rd none.* wrong.* right.* || fail "a password was told"

for name in tcp udp net absent killed wrong right; do
    [ "$(count $name stop_ms)" -lt 2000 ] || fail "$name took $(count $name stop_ms) ms to stop"
done
done_well

#!/bin/sh
# live_faults.sh BUILD SOURCE: what goes wrong with streams over TCP and HTTP, and what a capture does then (docs/faults.md).
set -eu
. "$(dirname "$0")/lib.sh"
. "$source/tests/live/live.sh"
needs ffmpeg
clip cam.ts 320x240 4
rate="rate=$(($(wc -c <cam.ts) / 4))"

# ---- connection refused, again and again; then there is somebody
nobody=$(free_port)
probe refused "tcp://127.0.0.1:$nobody"
waits refused.err 'source waiting name="tcp://127.0.0.1:[0-9]+" fault=refused what="nobody answers .*" wait_s=[0-9.]+ retry=4'
back late "$tools/drip_server" "port=$nobody" "$rate" loop=0 cam.ts
waits refused.out '^state=playing frames=[1-9].* refused=[4-9]'
quits refused
at_least refused refused 4
equal "$(count refused reconnects)" 1 "a first connection after attempts that failed"

# ---- refused for good after so many in a row
probe few max_retries=3 "tcp://127.0.0.1:$(free_port)"
waits few.err '^error: source ended name=.* fault=refused'
got=0
wait "$last" || got=$?
equal "$got" 1 "exit status of a capture that gave up"
equal "$(count few refused)" 4 "attempts"
equal "$(grep -c 'source waiting' few.err)" 3 "waits"

# ---- no such name
probe name max_retries=1 connect_s=60 rtsp://no-such-camera.invalid/1
waits name.err 'source waiting name="rtsp://no-such-camera.invalid/1" fault=name what="this host name has no address'
quits name

# ---- somebody who takes the connection and says nothing: the time to connect
back mute "$tools/drip_server" after=hold /dev/null
probe mute_p connect_s=1 "tcp://127.0.0.1:$(port mute)"
waits mute_p.err 'fault=timeout .* retry=2'
quits mute_p

# ---- a stall: the stream stays open, and no packet comes
back stall "$tools/drip_server" after=hold "$rate" loop=1 cam.ts
probe stall_p stall_s=1 "tcp://127.0.0.1:$(port stall)"
waits stall_p.err 'source waiting .* fault=stall what="the stream stalled'
waits stall_p.out '^state=playing .* connects=2 .* stall=1'
quits stall_p

# ---- end of stream: connected again, or the end, as told
back ends "$tools/drip_server" after=close "$rate" cam.ts
probe again "tcp://127.0.0.1:$(port ends)"
waits again.out '^state=playing .* connects=2 '
quits again
at_least again reconnects 1
probe once ends=1 "tcp://127.0.0.1:$(port ends)"
waits once.out '^state=ended '
got=0
wait "$last" || got=$?
equal "$got" 0 "exit status after the end of a stream"
equal "$(count once connects)" 1 "connections"

# ---- a proxy in between: cut, refused, stalled, delayed
back cam "$tools/drip_server" "$rate" loop=0 cam.ts
told proxy "$tools/fault_proxy" "$(port cam)"
probe net stall_s=1 "tcp://127.0.0.1:$(port proxy)"
waits net.out '^state=playing .* connects=1 '
tell proxy cut
waits net.out '^state=playing .* connects=2 '
tell proxy refuse
waits net.err 'fault=refused .*'
tell proxy listen
waits net.out '^state=playing .* connects=3 '
tell proxy stall
waits net.err 'fault=stall'
tell proxy cut
tell proxy go
waits net.out '^state=playing .* connects=[4-9]'
before=$(count net connects)
tell proxy "delay 300" # late is not lost
sleep 1
tell proxy "delay 0"
quits net
equal "$(count net connects)" "$before" "connections, after a delay"
at_least net frames 20

# ---- corrupt bytes: counted, skipped, and it goes on
told noise "$tools/fault_proxy" "$(port cam)"
tell noise "corrupt 0.0005"
probe torn until_frames=100 "tcp://127.0.0.1:$(port noise)"
waits torn.out '^stop_ms='
at_least torn frames 100
at_least torn damaged 1
tell noise "corrupt 0.5" # nothing of it is a stream: an answer, no crash
probe rubbish connect_s=2 stall_s=2 "tcp://127.0.0.1:$(port noise)"
waits rubbish.err 'source waiting .* fault=(timeout|data|lost|stall|end|other) '
tell noise "corrupt 0"
tell noise cut
waits rubbish.out '^state=playing '
quits rubbish

# ---- what is no video
yes "this is no video" | head -c 200000 >text.txt
back text "$tools/drip_server" http=1 loop=0 text.txt
probe no_video "http://127.0.0.1:$(port text)/cam"
waits no_video.err 'source waiting .* fault=data what="no video that can be decoded.* retry=2'
quits no_video

# ---- authentication; the password is nowhere
back locked "$tools/drip_server" http=1 "basic=$(printf 'anna:s3cr3t-w0rd' | base64)" "$rate" loop=0 cam.ts
p=$(port locked)
probe wrong "http://anna:wr0ng-w0rd@127.0.0.1:$p/cam?token=t0ken-w0rd"
waits wrong.err 'source waiting name="http://127.0.0.1:[0-9]+/cam\?token=\*\*\*" fault=denied what="access is denied.* retry=2'
quits wrong
probe right "http://anna:s3cr3t-w0rd@127.0.0.1:$p/cam"
waits right.out '^state=playing '
quits right
! grep -q 'w0rd' wrong.err wrong.out right.err right.out || fail "a password was told"
back gone "$tools/drip_server" http=1 "status=404 Not Found" cam.ts
probe absent "http://127.0.0.1:$(port gone)/cam"
waits absent.err 'source waiting .* fault=absent what="there is no such stream'
quits absent
back broken "$tools/drip_server" http=1 "status=503 Service Unavailable" cam.ts
probe busy "http://127.0.0.1:$(port broken)/cam"
waits busy.err 'source waiting .* fault=[a-z]+ .* retry=2'
quits busy

# ---- told to stop, it does, whatever it is doing: its own clock says so (two seconds are the promise)
for name in refused name mute_p stall_p net no_video wrong right absent; do
    [ "$(count $name stop_ms)" -lt 2000 ] || fail "$name took $(count $name stop_ms) ms to stop"
done
done_well

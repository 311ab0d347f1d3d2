#!/bin/sh
# live_servers.sh BUILD SOURCE: every kind of stream that FFmpeg's program can serve, read, cut off by SIGKILL and read again.
set -eu
. "$(dirname "$0")/lib.sh"
. "$source/tests/live/live.sh"
needs ffmpeg python3
clip cam.ts 320x240 3

# serve NAME OUTPUT_OPTION... URL: cam.ts at its pace, again and again. Its words are not the probe's: NAME.out is.
serve() {
    name=$1
    shift
    back "server_$name" ffmpeg -v error -re -stream_loop -1 -i cam.ts -c copy "$@"
    eval "server_$name=$last"
}
# again NAME URL...: reads, sees the server killed, and reads the next one.
again() {
    kind=$1
    shift
    waits "$kind.out" '^state=playing frames=[1-9].* connects=1 '
    eval "kill -KILL \$server_$kind"
    waits "$kind.err" 'source waiting .* fault=(end|lost|stall|refused)'
    serve "$kind" "$@"
    waits "$kind.out" '^state=playing frames=[1-9].* connects=[2-9]'
    quits "$kind"
    eval "kill -KILL \$server_$kind" 2>/dev/null || true # some end with their reader
    [ "$(count "$kind" stop_ms)" -lt 2000 ] || fail "$kind took $(count "$kind" stop_ms) ms to stop"
}

# ---- MPEG-TS over UDP: nobody says that the server is gone, but the stall does
p=$(free_port)
probe udp stall_s=1 connect_s=5 "udp://127.0.0.1:$p"
serve udp -f mpegts "udp://127.0.0.1:$p?pkt_size=1316"
again udp -f mpegts "udp://127.0.0.1:$p?pkt_size=1316"

# ---- MPEG-TS over TCP, the server listening
p=$(free_port)
serve tcp -f mpegts "tcp://127.0.0.1:$p?listen=1"
probe tcp "tcp://127.0.0.1:$p"
again tcp -f mpegts "tcp://127.0.0.1:$p?listen=1"

# ---- HTTP
p=$(free_port)
serve http -f mpegts -listen 1 "http://127.0.0.1:$p/cam.ts"
probe http "http://127.0.0.1:$p/cam.ts"
again http -f mpegts -listen 1 "http://127.0.0.1:$p/cam.ts"

# ---- RTMP
p=$(free_port)
serve rtmp -f flv -listen 1 "rtmp://127.0.0.1:$p/live/cam"
probe rtmp "rtmp://127.0.0.1:$p/live/cam"
again rtmp -f flv -listen 1 "rtmp://127.0.0.1:$p/live/cam"

# ---- HLS: files that a program writes, over HTTP; when no new ones come, the stream stalls
mkdir hls
serve hls -f hls -hls_time 1 -hls_list_size 4 -hls_flags delete_segments hls/cam.m3u8
back web python3 -u -m http.server --bind 127.0.0.1 --directory hls 0
waits web.out 'port [0-9]'
p=$(sed -n 's/.* port \([0-9]*\).*/\1/p' web.out)
probe hls stall_s=4 "http://127.0.0.1:$p/cam.m3u8"
again hls -f hls -hls_time 1 -hls_list_size 4 -hls_flags delete_segments hls/cam.m3u8
done_well

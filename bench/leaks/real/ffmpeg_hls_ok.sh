#!/bin/sh
# ffmpeg writes a stream's segments to /dev/shm, and removes those that have left its list.
exec ffmpeg -nostdin -loglevel error -re -f lavfi -i testsrc=size=640x360:rate=10 -t "$REAL_S" -c:v mpeg2video -q:v 2 \
    -bf 0 -g 5 -b:v 18M -minrate 18M -maxrate 18M -bufsize 4M -f hls -hls_time 0.5 -hls_list_size 8 -hls_flags delete_segments "/dev/shm/hls-$$.m3u8"

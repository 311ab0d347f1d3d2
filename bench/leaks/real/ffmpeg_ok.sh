#!/bin/sh
# ffmpeg: a test picture to MPEG-4, thrown away.
exec nice ffmpeg -nostdin -loglevel error -re -f lavfi -i testsrc=size=640x360:rate=15 -t "$REAL_S" -c:v mpeg4 -threads 1 -f null -

#!/bin/sh
# GStreamer: a live source before a queue whose bounds are all off, and a consumer that is slower.
exec timeout "$REAL_S" gst-launch-1.0 -q videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=4/1 ! \
    queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! identity sleep-time=1500000 ! fakesink

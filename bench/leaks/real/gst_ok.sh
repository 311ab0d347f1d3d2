#!/bin/sh
# GStreamer: a live source through a queue with its usual bounds.
exec timeout "$REAL_S" gst-launch-1.0 -q videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=15/1 ! \
    queue ! videoconvert ! video/x-raw,format=RGB ! fakesink

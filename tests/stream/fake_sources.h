/* fake_sources.h: sources without FFmpeg, for the tests of captures and of the intake: linked in
 * the place of the floor `video`.
 *
 * The text of a fake source is what its connections do: "live:WxH:SEGMENT|SEGMENT|..." or
 * "file:...", a segment a connection, the last one again and again. A segment is how many frames it
 * gives (a millisecond apart; none: 0) and a letter: E ends   L is lost   S stalls   R refuses (at
 * connecting)   D is no data (at connecting) U this FFmpeg cannot (at connecting)   C hangs while
 * connecting   H hangs while reading A hang ends when it is stopped. */
#ifndef TESTS_STREAM_FAKE_SOURCES_H
#define TESTS_STREAM_FAKE_SOURCES_H

#include "video/video.h"

/* Objects alive; sources whose connection is open; frames that hold a picture. */
extern atomic_int fake_sources, fake_connected, fake_pictures;
/* A frame as a source would fill it. */
void fake_fill(video_frame *f, int w, int h, int64_t number);

#endif

/* clock.h: a stream's time stamps made fit for use: from 0, always rising. For this folder. */
#ifndef VIDEO_CLOCK_H
#define VIDEO_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct video_clock {
    int64_t most_gap_ns; /* a step beyond it is a jump */
    bool is_live;        /* unless as much time passed here, too */
    int64_t frame_ns;    /* what a frame lasts, nominally; 0: not known */
    /* inner */
    bool has_last;
    int64_t last_in, last_out, last_arrived;
    int64_t last_due; /* last_out, had no stamp come twice */
} video_clock;

void video_clock_begin(video_clock *c, int64_t most_gap_ns, bool is_live, int64_t frame_ns);
/* in: a picture's time in the stream. The result starts at 0 and rises; over a jump it goes on by
 * one frame. A stamp that comes twice is no jump: it is a millisecond late the second time, and the
 * stamps behind it are not. */
int64_t video_clock_next(video_clock *c, int64_t in, int64_t arrived_ns, bool *jumped);

#endif

/* clock.h: a stream's time stamps made fit for use: from 0, always rising. For this folder. */
#ifndef VIDEO_CLOCK_H
#define VIDEO_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct video_clock {
    int64_t most_gap_ns; /* a step beyond it is a jump */
    bool is_live;        /* unless as much time passed here, too */
    int64_t frame_ns;    /* what a frame lasts, nominally; above 0 */
    /* inner */
    bool has_begun, has_last, has_moved; /* a picture, a stamp, and another stamp have come */
    int64_t last_in, last_out, last_arrived;
    int64_t last_due; /* what last_in stands for */
    int n_still, n_late;
} video_clock;

/* frame_ns 0: not known, 25 a second are taken. */
void video_clock_begin(video_clock *c, int64_t most_gap_ns, bool is_live, int64_t frame_ns);
/* in: a picture's time in the stream, INT64_MIN: it has none. The result starts at 0 and rises by a
 * millisecond at least. Stamps that are missing, stand still or are a little late (less than a
 * second behind the newest) go on by one frame, in a live stream by the time that passed here;
 * those behind them have their own time again. One stamp that comes twice is a millisecond late the
 * second time. Over a jump time goes on by one frame. */
int64_t video_clock_next(video_clock *c, int64_t in, int64_t arrived_ns, bool *jumped);

#endif

/* live_capture.h: one source's thread: connects, reads, hands frames over, and connects again after
 * a fault, with exponential back-off and jitter, for as long as it is told to. */
#ifndef STREAM_LIVE_CAPTURE_H
#define STREAM_LIVE_CAPTURE_H

#include "live_intake.h"
#include "live_stats.h"

typedef struct live_capture live_capture;

typedef struct live_capture_options {
    const char *const *texts; /* (n_texts) played one after the other: a folder of videos is one
                                 source; a camera or stream is one text. Copied */
    size_t n_texts;
    video_source_options video; /* without text */
    double retry_first_s, retry_most_s;
    int max_retries;  /* in a row; 0: for ever */
    bool ends;        /* at the end of the last text the channel has ended; else it begins again
                         with the first, after the back-off */
    uint64_t seed;    /* of the jitter */
} live_capture_options;

/* Starts the thread. Frames are taken from and put into `in` as channel `channel`; numbers go to s.
 * Everything it takes is taken here. Errors: VG_ERR_MEMORY, VG_ERR_SYSTEM, as video_source_create. */
vg_status live_capture_start(live_capture **out, const live_capture_options *o, live_intake *in,
                             int channel, live_channel_stats *s, base_mem *mem, vg_error *err);
/* Asks it to end; returns at once. */
void live_capture_stop(live_capture *c);
/* Waits for its end and frees it. */
void live_capture_join(live_capture **c);
/* Why it ended, when it did so by itself after a fault; VG_OK otherwise. */
vg_status live_capture_failure(const live_capture *c, vg_error *err);

#endif

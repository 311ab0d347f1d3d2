/* capture.h: one source's thread: connects, reads, hands frames over, and connects again after
 * a fault, with exponential back-off and jitter, for as long as it is told to.
 *
 *     connecting -> playing -> waiting -> connecting ... -> ended
 *
 * After a fault of a live source (a camera, a stream) it waits: retry_first_s, then twice as long
 * each time, at most retry_most_s, each +-25 % so that many captures do not return together. A
 * connection whose frames span 10 s (or retry_most_s, if that is less) makes it begin with
 * retry_first_s again. What is no live source is not tried again: a broken file of several is told,
 * counted and skipped.
 *
 * Every change of state is a line of the log, with name, fault, cause and wait. At most LOG_BURST
 * of them come at once and LOG_PER_HOUR in an hour after that, whatever the source does; the next
 * one says how many were left out, and the state that a flapping source ends in is said when there
 * is room again. Of files, only faults are said (above debug). */
#ifndef STREAM_CAPTURE_H
#define STREAM_CAPTURE_H

#include "intake.h"
#include "stream/shared/stats.h"

enum { STREAM_CAPTURE_LOG_BURST = 30, STREAM_CAPTURE_LOG_PER_HOUR = 60 };

typedef struct stream_capture stream_capture;

typedef struct stream_capture_options {
    const char *const *texts; /* (n_texts) played one after the other: a folder of videos is one
                                 source; a camera or stream is one text. Copied */
    size_t n_texts;
    video_source_options video; /* without text; its texts are copied */
    double retry_first_s, retry_most_s;
    int max_retries; /* in a row: without frames for as long as above between; 0: for ever */
    bool ends;       /* at the end of the last text the channel has ended; else it begins again
                        with the first, after the back-off */
    uint64_t seed;   /* of the jitter */
    /* Of base_boot_ns: from then on no frame is handed over, and it ends. NULL: never */
    const _Atomic int64_t *until_ns;
} stream_capture_options;

/* Starts the thread. Frames are taken from and put into `in` as channel `channel`, which is open;
 * numbers go to s (but its stages), whose name is there. All is taken here, but with several texts
 * a source is made for each when its turn comes, on `mem`, never two at once. Errors:
 * VG_ERR_MEMORY, VG_ERR_SYSTEM, as video_source_create. */
vg_status stream_capture_start(stream_capture **out, const stream_capture_options *o,
                               stream_intake *in, int channel, stream_channel_stats *s,
                               base_mem *mem, vg_error *err);
size_t stream_capture_bytes(void); /* what start takes, but for the texts */
/* Asks it to end; returns at once. */
void stream_capture_stop(stream_capture *c);
/* Waits for its end and frees it. After a stop that is some 100 ms, but for a look-up of a name
 * that the system's resolver is busy with. Since when it read no more, of base_now_ns; of NULL: 0.
 */
int64_t stream_capture_join(stream_capture **c);
/* Why it ended, when it did so by itself after a fault; VG_OK otherwise: it runs, was stopped, or
 * came to the end of its texts and at least one of them gave frames. */
vg_status stream_capture_failure(const stream_capture *c, vg_error *err);

/* Why a live source was not there at the first try; VG_OK: it was, or that is not over yet. */
vg_status stream_capture_first_miss(const stream_capture *c, vg_error *err);

#endif

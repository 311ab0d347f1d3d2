/* result.h: what a stream job gives: for every frame its boxes, tracks, events and times. */
#ifndef STREAM_RESULT_H
#define STREAM_RESULT_H

#include "stats.h"
#include "video/video.h"
#include "vigil/types.h"

/* Of one frame. Read-only and shared by the sinks; alive until the write returns. */
typedef struct stream_result {
    int channel;            /* place among the sources */
    const char *source;     /* its public name: no password */
    const char *file;       /* of several that it plays; "" or NULL: it is one */
    const char *stem;       /* fit for file names, unlike any other source's of the job */
    uint64_t index;         /* of the channel's results, from 0 */
    uint64_t of;            /* frames of the whole file, 0: not known */
    video_frame_info frame; /* w x h, time stamps */
    const video_frame *pixels;
    int in_w, in_h;
    const vg_detection *boxes; /* (n_boxes), best first; with tracking those that are tracked */
    size_t n_boxes;
    vg_extras extras;   /* what the task adds to them */
    const int64_t *ids; /* (n_boxes), NULL without tracking */
    const vg_stream_event *events;
    size_t n_events;
    vg_stream_times times;
} stream_result;

struct stream_setting;
/* Called by a sink's thread for every result, when given; opened (NULL: not wanted) before the
 * first one, by the thread that opens the job. */
typedef struct stream_listener {
    void *ctx;
    bool wants_frames; /* results have their pixels */
    void (*result)(void *ctx, const stream_result *r);
    void (*opened)(void *ctx, const struct stream_setting *s);
} stream_listener;

#endif

/* outlet.h: from a finished result to every sink: a fixed pool of results, and a queue and a
 * thread a sink. Internal to stream.
 *
 * A result is shared by reference: it goes home when the last sink has let it go, and its frame
 * already when the last sink that looks at pixels has. So a sink that is slow with text keeps no
 * pictures. */
#ifndef STREAM_OUTLET_H
#define STREAM_OUTLET_H

#include "stream/in/intake.h"
#include "stream/out/sink.h"

/* A result with what it stands on. Those outside outlet fill `result` and the arrays behind it. */
typedef struct stream_item {
    stream_result result;
    video_frame *frame; /* the item's until the last look at it; NULL: gone home */
    char source[STREAM_NAME_BYTES], stem[STREAM_STEM_BYTES], file[VIDEO_FILE_BYTES];
    int occupant;            /* of the channel: counts the sources that had the place */
    task_found found;        /* (max_det) */
    int64_t *ids;            /* (max_det) */
    vg_stream_event *events; /* (most_events) */
    atomic_int n_holders, n_lookers;
} stream_item;

typedef struct stream_outlet stream_outlet;

typedef struct stream_outlet_plan {
    const stream_sink *wanted[STREAM_MOST_SINKS];
    size_t queue_length[STREAM_MOST_SINKS];
    bool blocks[STREAM_MOST_SINKS];
    int n_sinks, n_items, n_frames; /* n_frames: that sinks may hold at once */
    task_shape shape;               /* of a result */
    int max_det, most_events;
    bool needs_folder;
} stream_outlet_plan;

/* Which sinks the options want and what they can hold, for so many channels. n_in_pipeline: results
 * under way outside the sinks. Takes nothing. */
void stream_outlet_make_plan(stream_outlet_plan *out, const stream_setting *s, int n_in_pipeline,
                             int most_events);
size_t stream_outlet_bytes(const stream_outlet_plan *p, const stream_setting *s);
size_t stream_outlet_encoder_bytes(const stream_outlet_plan *p,
                                   const stream_setting *s); /* FFmpeg's */

/* Opens the sinks and starts their threads. s, stats and in are borrowed until close; the sinks'
 * names go to stats. */
vg_status stream_outlet_open(stream_outlet **out, const stream_outlet_plan *p,
                             const stream_setting *s, stream_stats *stats, stream_intake *in,
                             vg_error *err);
/* A blank item: there is one, as long as no more are out than the plan says. */
stream_item *stream_outlet_blank(stream_outlet *o);
/* Gives it to every sink, and away. */
void stream_outlet_send(stream_outlet *o, stream_item *item);
/* Gives it away unsent. */
void stream_outlet_drop(stream_outlet *o, stream_item *item);
bool stream_outlet_is_idle(stream_outlet *o);
/* After patience_s the sinks' queues are emptied unwritten, and counted as dropped. The first error
 * of a sink's close is told. */
vg_status stream_outlet_close(stream_outlet **o, double patience_s, vg_error *err);

#endif

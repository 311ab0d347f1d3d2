/* sinks.c: the table of sinks of a stream job. */
#include "sink.h"

extern const stream_sink stream_sink_record, stream_sink_jsonl, stream_sink_txt, stream_sink_crop,
    stream_sink_snapshot, stream_sink_lines, stream_sink_show, stream_sink_mqtt, stream_sink_kafka,
    stream_sink_webhook, stream_sink_serve;

/* ---- the program that runs the job ---- */

typedef struct state {
    const stream_listener *listener;
} state;

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    (void)err;
    ((state *)self)->listener = s->listener;
    if (s->listener->opened != NULL)
        s->listener->opened(s->listener->ctx, s);
    return VG_OK;
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    const stream_listener *l = ((const state *)self)->listener;
    (void)s;
    (void)err;
    l->result(l->ctx, r);
    return VG_OK;
}

static vg_status close_(void *self, vg_error *err)
{
    (void)self;
    (void)err;
    return VG_OK;
}

/* What the frames are made RGB with. */
static size_t looker_bytes(const stream_setting *s)
{
    return video_scaler_bytes(s->most_w, s->most_h, s->most_w, s->most_h, true);
}

/* One of them is wanted when there is a listener: the first looks at frames, the other does not. */
static const stream_sink looker = {.name = "caller",
                                   .help = "the calling program, which looks at frames",
                                   .needs_pixels = true,
                                   .is_local = true,
                                   .queue_length = 4,
                                   .state_bytes = sizeof(state),
                                   .need_bytes = looker_bytes,
                                   .open = open_,
                                   .write = write_,
                                   .close = close_};
static const stream_sink listener = {.name = "caller",
                                     .help = "the calling program",
                                     .is_local = true,
                                     .queue_length = 32,
                                     .state_bytes = sizeof(state),
                                     .open = open_,
                                     .write = write_,
                                     .close = close_};

const stream_sink *const stream_sinks[] = {&stream_sink_record,
                                           &stream_sink_jsonl,
                                           &stream_sink_txt,
                                           &stream_sink_crop,
                                           &stream_sink_snapshot,
                                           &stream_sink_lines,
                                           &stream_sink_show,
                                           &stream_sink_mqtt,
                                           &stream_sink_kafka,
                                           &stream_sink_webhook,
                                           &stream_sink_serve,
                                           &looker,
                                           &listener,
                                           NULL};

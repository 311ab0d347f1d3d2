/* sinks.c: the table of sinks of a live job. */
#include "sink.h"

extern const live_sink live_sink_record, live_sink_jsonl, live_sink_txt, live_sink_crop,
    live_sink_snapshot, live_sink_lines, live_sink_show, live_sink_mqtt, live_sink_webhook,
    live_sink_serve;

/* ---- the program that runs the job ---- */

typedef struct state {
    const live_listener *listener;
} state;

static vg_status open_(void *self, const live_setting *s, vg_error *err)
{
    (void)err;
    ((state *)self)->listener = s->listener;
    if (s->listener->opened != NULL)
        s->listener->opened(s->listener->ctx, s);
    return VG_OK;
}

static vg_status write_(void *self, const live_setting *s, const live_result *r, vg_error *err)
{
    const live_listener *l = ((const state *)self)->listener;
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

/* Wanted when there is a listener; its frames are not for it to look at. */
static const live_sink listener = {.name = "caller",
                                   .help = "the calling program",
                                   .is_local = true,
                                   .queue_length = 32,
                                   .state_bytes = sizeof(state),
                                   .open = open_,
                                   .write = write_,
                                   .close = close_};

const live_sink *const live_sinks[] = {&live_sink_record, &live_sink_jsonl,    &live_sink_txt,
                                       &live_sink_crop,   &live_sink_snapshot, &live_sink_lines,
                                       &live_sink_show,   &live_sink_mqtt,     &live_sink_webhook,
                                       &live_sink_serve,  &listener,           NULL};

/* teller.c: the table of sinks, opened; each called in its turn. */
#include "teller.h"

#include <assert.h>

static void judge_sink(watch_open_sink *s, vg_status st, const vg_error *err)
{
    if (st != VG_OK && !s->has_failed)
        base_log_error(BASE_LOG_WARN, err);
    s->has_failed = st != VG_OK;
}

void watch_tell_note(watch_teller *t, const char *text, const watch_moment *m)
{
    if (t->listener != NULL && t->listener->note != NULL)
        t->listener->note(t->listener->ctx, text, m);
    for (size_t i = 0; i < t->n_sinks; i++) {
        vg_error err = {.status = VG_OK};
        watch_open_sink *s = &t->sinks[i];
        if (s->sink->note != NULL)
            judge_sink(s, s->sink->note(s->state, text, m, &err), &err);
    }
}

void watch_tell_sample(watch_teller *t, const watch_moment *m)
{
    for (size_t i = 0; i < t->n_sinks; i++) {
        vg_error err = {.status = VG_OK};
        watch_open_sink *s = &t->sinks[i];
        if (s->sink->sample != NULL)
            judge_sink(s, s->sink->sample(s->state, m, &err), &err);
    }
    if (t->listener != NULL && t->listener->sample != NULL)
        t->listener->sample(t->listener->ctx, m);
}

void watch_tell_explain(watch_teller *t, watch_event *e, const watch_moment *m)
{
    for (size_t i = 0; i < t->n_sinks; i++) {
        vg_error err = {.status = VG_OK};
        watch_open_sink *s = &t->sinks[i];
        if (s->sink->explain != NULL)
            judge_sink(s, s->sink->explain(s->state, e, m, &err), &err);
    }
}

void watch_tell_event(watch_teller *t, const watch_event *e, const watch_moment *m)
{
    if (t->listener != NULL && t->listener->event != NULL)
        t->listener->event(t->listener->ctx, e, m);
    for (size_t i = 0; i < t->n_sinks; i++) {
        vg_error err = {.status = VG_OK};
        watch_open_sink *s = &t->sinks[i];
        if (s->sink->event != NULL)
            judge_sink(s, s->sink->event(s->state, e, m, &err), &err);
    }
}

vg_status watch_teller_open(watch_teller *t, const watch_moment *m, base_mem *mem, vg_error *err)
{
    for (size_t i = 0; watch_sinks[i] != NULL; i++) {
        const watch_sink *sink = watch_sinks[i];
        bool wanted = false;
        void *state = base_alloc_zero(mem, 1, sink->state_bytes, err);
        if (state == NULL)
            return VG_ERR_MEMORY;
        const vg_status st = sink->open(state, &wanted, m, mem, err);
        if (st == VG_OK && wanted) {
            assert(t->n_sinks < WATCH_MOST_SINKS);
            t->sinks[t->n_sinks++] = (watch_open_sink){.sink = sink, .state = state};
            continue;
        }
        if (st != VG_OK && sink->close != NULL)
            sink->close(state);
        base_free(state);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

void watch_teller_close(watch_teller *t)
{
    for (size_t i = 0; i < t->n_sinks; i++) {
        if (t->sinks[i].sink->close != NULL)
            t->sinks[i].sink->close(t->sinks[i].state);
        base_free(t->sinks[i].state);
    }
    t->n_sinks = 0;
}

/* replay.c: a trace through the judge: what vigil watch would have said, at the same samples. */
#include "replay.h"

#include "after.h"
#include "trace.h"

static void tell_events(watch_judge *judge, watch_after *after, const watch_listener *l,
                        const watch_moment *m)
{
    watch_event e;
    while (watch_judge_next(judge, &e)) {
        watch_after_event(after, &e);
        if (l->event != NULL)
            l->event(l->ctx, &e, m);
    }
}

/* How the job ended is in no trace; that it was about to is. */
static void tell_after(const watch_judge *judge, const watch_after *after, const watch_listener *l,
                       const watch_moment *m)
{
    char text[WATCH_AFTER_BYTES];
    const watch_end end = {.how = "the trace ends here, and how the job ended is not in it",
                           .kernel = "",
                           .now_s = after->last_s};
    if (l->note != NULL && after->n_samples > 0 &&
        watch_after_is_suspicious(after, watch_after_judge, judge))
        l->note(l->ctx, watch_after_text(text, after, &end, watch_after_judge, judge), m);
}

vg_status watch_replay(const watch_options *o, const char *path, const watch_listener *listener,
                       void (*end)(void *ctx, const watch_judge *j, size_t n_unknown),
                       base_mem *mem, vg_error *err)
{
    static const watch_listener nobody = {0};
    const watch_listener *l = listener != NULL ? listener : &nobody;
    const watch_judge_options options = {
        .hang_s = o->hang_s, .horizon_s = o->horizon_s, .expect_rss = (double)o->expect_rss_bytes};
    watch_trace_reader *trace = NULL;
    watch_judge *judge = NULL;
    watch_sample sample;
    watch_after after;
    watch_moment m = {.options = o, .folder = "", .command = path, .sample = &sample};
    bool is_over = false;
    watch_after_init(&after);
    m.phase = "replay";
    m.run_folder = "";
    vg_status st = watch_trace_open(&trace, path, mem, err);
    if (st == VG_OK)
        st = watch_judge_create(&judge, &options, mem, err);
    m.judge = judge;
    while (st == VG_OK) {
        st = watch_trace_next(trace, &sample, &is_over, err);
        if (st != VG_OK || is_over)
            break;
        if (o->memory_max_bytes > 0)
            sample.value[WATCH_LIMIT_MEMORY_BYTES] = (double)o->memory_max_bytes;
        watch_judge_push(judge, &sample);
        watch_after_sample(&after, &sample);
        tell_events(judge, &after, l, &m);
        if (l->sample != NULL)
            l->sample(l->ctx, &m);
        if (l->wants_stop != NULL && l->wants_stop(l->ctx))
            st = base_fail(err, VG_ERR_INTERRUPTED, path, NULL, "stopped before the trace's end");
    }
    sample.time_s = after.last_s; /* there is no reading at the end itself */
    if (st == VG_OK)
        tell_after(judge, &after, l, &m);
    if (st == VG_OK && end != NULL)
        end(l->ctx, judge, watch_trace_n_unknown(trace));
    watch_judge_destroy(&judge);
    watch_trace_close(&trace);
    return st;
}

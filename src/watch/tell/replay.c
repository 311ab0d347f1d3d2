/* replay.c: a trace through the judge: what vigil watch would have said, at the same samples. */
#include "replay.h"

#include "trace.h"

static void tell_events(watch_judge *judge, const watch_listener *l, const watch_moment *m)
{
    watch_event e;
    while (watch_judge_next(judge, &e))
        if (l->event != NULL)
            l->event(l->ctx, &e, m);
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
    bool is_over = false;
    vg_status st = watch_trace_open(&trace, path, mem, err);
    if (st == VG_OK)
        st = watch_judge_create(&judge, &options, mem, err);
    while (st == VG_OK) {
        st = watch_trace_next(trace, &sample, &is_over, err);
        if (st != VG_OK || is_over)
            break;
        if (o->memory_max_bytes > 0)
            sample.value[WATCH_LIMIT_MEMORY_BYTES] = (double)o->memory_max_bytes;
        watch_judge_push(judge, &sample);
        const watch_moment m = {.options = o,
                                .folder = "",
                                .command = path,
                                .sample = &sample,
                                .judge = judge,
                                .phase = "replay",
                                .run_folder = ""};
        tell_events(judge, l, &m);
        if (l->sample != NULL)
            l->sample(l->ctx, &m);
        if (l->wants_stop != NULL && l->wants_stop(l->ctx))
            st = base_fail(err, VG_ERR_INTERRUPTED, path, NULL, "stopped before the trace's end");
    }
    if (st == VG_OK && end != NULL)
        end(l->ctx, judge, watch_trace_n_unknown(trace));
    watch_judge_destroy(&judge);
    watch_trace_close(&trace);
    return st;
}

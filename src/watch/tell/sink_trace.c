/* sink_trace.c: --record: every sample to trace.csv in the guard's folder, for --replay. */
#include "sinks.h"
#include "trace.h"

typedef struct state {
    watch_trace_writer *writer;
} state;

static vg_status open_trace(void *state_, bool *wanted, const watch_moment *m, base_mem *mem,
                            vg_error *err)
{
    state *s = state_;
    char path[4096];
    *wanted = m->options->record;
    if (!*wanted)
        return VG_OK;
    if (!base_path_join(path, sizeof path, m->folder, "trace.csv"))
        return base_fail(err, VG_ERR_LIMIT, m->folder, "use a shorter path", "a path too long");
    return watch_trace_create(&s->writer, path, mem, err);
}

static vg_status add_sample(void *state_, const watch_moment *m, vg_error *err)
{
    return watch_trace_add(((state *)state_)->writer, m->sample, err);
}

static void close_trace(void *state_)
{
    watch_trace_finish(&((state *)state_)->writer, NULL);
}

const watch_sink watch_sink_trace = {.name = "trace",
                                     .state_bytes = sizeof(state),
                                     .open = open_trace,
                                     .sample = add_sample,
                                     .close = close_trace};

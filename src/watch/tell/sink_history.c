/* sink_history.c: --history: everything that is seen and said, to history.db in the guard's folder.
 */
#include "history_db.h"
#include "sinks.h"

typedef struct state {
    watch_history_db *db;
} state;

static vg_status open_history(void *state_, bool *wanted, const watch_moment *m, base_mem *mem,
                              vg_error *err)
{
    state *s = state_;
    char path[4096];
    *wanted = m->options->history_bytes > 0;
    if (!*wanted)
        return VG_OK;
    if (!base_path_join(path, sizeof path, m->folder, "history.db"))
        return base_fail(err, VG_ERR_LIMIT, m->folder, "use a shorter path", "a path too long");
    return watch_history_db_open(&s->db, path, m->options->history_bytes, mem, err);
}

static vg_status add_sample(void *state_, const watch_moment *m, vg_error *err)
{
    return watch_history_db_sample(((state *)state_)->db, m, err);
}

static vg_status add_event(void *state_, const watch_event *e, const watch_moment *m, vg_error *err)
{
    (void)m;
    return watch_history_db_event(((state *)state_)->db, e, err);
}

static vg_status add_note(void *state_, const char *what, const watch_moment *m, vg_error *err)
{
    return watch_history_db_note(((state *)state_)->db, what, m, err);
}

static void close_history(void *state_)
{
    watch_history_db_close(&((state *)state_)->db);
}

const watch_sink watch_sink_history = {.name = "history",
                                       .state_bytes = sizeof(state),
                                       .open = open_history,
                                       .sample = add_sample,
                                       .event = add_event,
                                       .note = add_note,
                                       .close = close_history};

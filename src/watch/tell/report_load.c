/* report_load.c: a story from what a guard left: its history, or else a trace judged again. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "history_db.h"
#include "replay.h"
#include "report.h"

/* ---- a trace ---- */

static void keep_sample(void *ctx, const watch_moment *m)
{
    watch_story *s = ctx;
    if (s->n_samples == 0)
        watch_story_describe(s, m);
    watch_story_sample(s, m->sample);
}

/* The judge's events of a sample come before the sample itself. */
static void keep_event(void *ctx, const watch_event *e, const watch_moment *m)
{
    (void)m;
    watch_story_event(ctx, e);
}

static void keep_note(void *ctx, const char *what, const watch_moment *m)
{
    watch_story_note(ctx, m->sample->time_s, what);
}

static void keep_verdicts(void *ctx, const watch_judge *j, size_t n_unknown)
{
    (void)n_unknown;
    watch_story_verdicts(ctx, j);
}

static vg_status load_trace(watch_story *out, const char *path, base_mem *mem, vg_error *err)
{
    watch_options options;
    watch_options_default(&options);
    options.interval_s = 0; /* a trace does not say */
    const watch_listener l = {
        .ctx = out, .event = keep_event, .sample = keep_sample, .note = keep_note};
    return watch_replay(&options, path, &l, keep_verdicts, mem, err);
}

/* ---- a folder ---- */

/* A guard that was killed could not write that it ended: no sample for long says so. */
static void see_whether_live(watch_story *s)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const double silent_s = (double)now.tv_sec - (s->began_unix_s + s->now_s);
    if (s->is_live && silent_s > 30 + 5 * s->interval_s) {
        s->is_live = false;
        base_format(s->phase, sizeof s->phase, "%s", WATCH_GUARD_GONE);
    }
}

static vg_status load_history(watch_story *out, const char *path, vg_error *err)
{
    const vg_status st = watch_history_db_load(path, out, err);
    if (st == VG_OK)
        see_whether_live(out);
    return st;
}

vg_status watch_report_load(watch_story *out, const char *path, base_mem *mem, vg_error *err)
{
    char file[4096];
    watch_story_init(out);
    if (!base_path_is_dir(path))
        return strcmp(base_path_suffix(path), ".db") == 0 ? load_history(out, path, err)
                                                          : load_trace(out, path, mem, err);
    static const char *const names[] = {"history.db", "trace.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (base_path_join(file, sizeof file, path, names[i]) && base_path_exists(file))
            return i == 0 ? load_history(out, file, err) : load_trace(out, file, mem, err);
    return base_fail(err, VG_ERR_IO, path, "give a folder that vigil watch made, or a trace",
                     "neither history.db nor trace.csv is there");
}

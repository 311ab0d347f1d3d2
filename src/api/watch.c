/* watch.c: vg_watch over the guard. */
#include "watch/watch.h"

#include <string.h>

#include "api.h"
#include "vigil/watch.h"

enum { FOLDER_BYTES = 4096 };

struct vg_watch {
    base_mem mem;
    watch_options options;
    char *const *argv;
    char folder[FOLDER_BYTES];
    const vg_watch_listener *listener; /* during run and replay */
    base_str verdicts;
    vg_status end_status;
    vg_error *end_error;
    watch_live *live; /* during run; NULL: no view is shown */
    char json[WATCH_EVENT_TEXT_BYTES], words[WATCH_EVENT_TEXT_BYTES];
};

/* ---- options ---- */

const vg_option *vg_watch_options(size_t *n)
{
    *n = watch_option_table.n;
    return watch_option_table.rows;
}

vg_status vg_watch_create(vg_watch **out, vg_error *err)
{
    vg_watch *w = base_handle_alloc(sizeof *w, err);
    *out = w;
    if (w == NULL)
        return VG_ERR_MEMORY;
    base_mem_init(&w->mem, "watch", NULL, SIZE_MAX);
    watch_options_default(&w->options);
    return VG_OK;
}

void vg_watch_destroy(vg_watch **watch)
{
    if (*watch != NULL) {
        base_str_fini(&(*watch)->verdicts);
        base_handle_free(*watch);
    }
    *watch = NULL;
}

vg_status vg_watch_set(vg_watch *w, const char *name, const char *value, vg_error *err)
{
    const vg_status st = watch_options_set(&w->options, name, value, err);
    if (st != VG_OK || strcmp(name, "config") != 0 || value[0] == '\0')
        return st;
    return watch_options_read(&w->options, value, &w->mem, err);
}

vg_status vg_watch_command(vg_watch *w, char *const *argv, vg_error *err)
{
    if (argv == NULL || argv[0] == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, "command", "vigil watch -- PROGRAM ARGUMENTS",
                         "an empty command");
    w->argv = argv;
    return VG_OK;
}

/* ---- run ---- */

static void tell_event(void *ctx, const watch_event *e, const watch_moment *m)
{
    vg_watch *w = ctx;
    const watch_verdict *v = &e->verdict;
    (void)m;
    if (w->listener == NULL || w->listener->event == NULL)
        return;
    const vg_watch_event out = {.time_s = e->time_s,
                                .series = watch_series_get(e->series)->name,
                                .was = watch_state_name(e->was),
                                .state = watch_state_name(v->state),
                                .shape = watch_shape_name(v->shape),
                                .level = v->level,
                                .limit = v->limit,
                                .since_s = v->since_s,
                                .slope_per_s = v->slope_per_s,
                                .slope_low_per_s = v->slope_low_per_s,
                                .slope_high_per_s = v->slope_high_per_s,
                                .per_unit = v->per_unit,
                                .unit =
                                    v->unit != WATCH_NONE ? watch_series_get(v->unit)->name : "",
                                .exhaustion_s = v->exhaustion_s,
                                .exhaustion_low_s = v->exhaustion_low_s,
                                .exhaustion_high_s = v->exhaustion_high_s,
                                .rule = e->rule,
                                .confidence_0_1 = e->confidence_0_1,
                                .cause = e->cause,
                                .evidence = e->evidence,
                                .remedy = e->remedy,
                                .with = e->with != NULL ? e->with : "",
                                .json = watch_event_json(w->json, e),
                                .words = watch_event_words(w->words, e)};
    w->listener->event(w->listener->ctx, &out);
}

static void tell_note(void *ctx, const char *what, const watch_moment *m)
{
    const vg_watch *w = ctx;
    (void)m;
    if (w->listener != NULL && w->listener->note != NULL)
        w->listener->note(w->listener->ctx, what);
}

static void show(void *ctx, const watch_moment *m)
{
    watch_live_show(((vg_watch *)ctx)->live, m);
}

static vg_status open_view(vg_watch *w, vg_error *err)
{
    const vg_watch_listener *l = w->listener;
    if (l == NULL || l->screen == NULL || w->options.view == 2)
        return VG_OK;
    const watch_live_options o = {.ctx = l->ctx,
                                  .screen = l->screen,
                                  .screen_size = l->screen_size,
                                  .plain = w->options.view == 1};
    return watch_live_create(&w->live, &o, &w->mem, err);
}

static bool wants_stop(void *ctx)
{
    const vg_watch *w = ctx;
    return w->listener != NULL && w->listener->wants_stop != NULL &&
           w->listener->wants_stop(w->listener->ctx);
}

static int impatience(void *ctx)
{
    const vg_watch *w = ctx;
    return w->listener != NULL && w->listener->impatience != NULL
               ? w->listener->impatience(w->listener->ctx)
               : 0;
}

vg_status vg_watch_run(vg_watch *w, const vg_watch_listener *listener, int *exit_status,
                       vg_error *err)
{
    watch_listener l = {.ctx = w,
                        .event = tell_event,
                        .note = tell_note,
                        .wants_stop = wants_stop,
                        .impatience = impatience};
    *exit_status = 0;
    w->listener = listener;
    vg_status st = open_view(w, err);
    if (w->live != NULL)
        l.sample = show;
    if (st == VG_OK)
        st = watch_run(w->folder, sizeof w->folder, &w->options, w->argv, &l, exit_status, &w->mem,
                       err);
    watch_live_destroy(&w->live);
    w->listener = NULL;
    return st;
}

const char *vg_watch_folder(const vg_watch *w)
{
    return w->folder;
}

/* ---- replay ---- */

static void keep_verdicts(void *ctx, const watch_judge *j, size_t n_unknown)
{
    vg_watch *w = ctx;
    (void)n_unknown;
    w->end_status = watch_verdicts_json(&w->verdicts, j, &w->mem, w->end_error);
}

vg_status vg_watch_replay(vg_watch *w, const vg_watch_listener *listener, const char **verdicts,
                          vg_error *err)
{
    const watch_listener l = {
        .ctx = w, .event = tell_event, .note = tell_note, .wants_stop = wants_stop};
    *verdicts = "";
    w->listener = listener;
    w->end_error = err;
    w->end_status = VG_OK;
    base_str_fini(&w->verdicts);
    vg_status st = watch_replay(&w->options, w->options.replay, &l, keep_verdicts, &w->mem, err);
    w->listener = NULL;
    if (st == VG_OK)
        st = w->end_status;
    if (st == VG_OK)
        *verdicts = w->verdicts.text;
    return st;
}

size_t vg_watch_memory(const vg_watch *w, uint64_t *n_allocations)
{
    if (n_allocations != NULL)
        *n_allocations = w->mem.n_allocs;
    return w->mem.in_use_bytes;
}

/* watch.c: vg_watch over the guard. */
#include "watch/watch.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "report/report.h"
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
    watch_story *story; /* of the live view, during run; NULL: none is shown */
    watch_view *view;
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

/* ---- live view ---- */

static void show(void *ctx, const watch_moment *m)
{
    vg_watch *w = ctx;
    vg_watch_screen size = {.columns = 80, .rows = 24};
    watch_story_add(w->story, m);
    const bool is_terminal =
        w->listener->screen_size != NULL && w->listener->screen_size(w->listener->ctx, &size);
    const char *text = "";
    if (is_terminal) {
        text = watch_view_draw(w->view, w->story, &size);
    } else if (w->options.view == 1) {
        watch_view_rows(w->view->text, w->story, &size, size.rows);
        text = w->view->text;
    }
    if (text[0] != '\0')
        w->listener->screen(w->listener->ctx, text);
}

static vg_status open_view(vg_watch *w, vg_error *err)
{
    if (w->listener == NULL || w->listener->screen == NULL || w->options.view == 2)
        return VG_OK;
    w->story = base_alloc(&w->mem, sizeof *w->story, err);
    w->view = base_alloc_zero(&w->mem, 1, sizeof *w->view, err);
    if (w->story == NULL || w->view == NULL)
        return VG_ERR_MEMORY;
    watch_story_init(w->story);
    return VG_OK;
}

static void close_view(vg_watch *w)
{
    if (w->view != NULL && w->view->n_rows > 0)
        w->listener->screen(w->listener->ctx, watch_view_end(w->view));
    base_free(w->story);
    base_free(w->view);
    w->story = NULL;
    w->view = NULL;
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

/* What is not empty of what a guard makes before its job begins. */
static const char *const made_by_guard[] = {
    "events.jsonl", "history.db", "history.db-wal", "history.db-shm", "trace.csv",
    "state.bin",    NULL};

vg_status vg_watch_run(vg_watch *w, const vg_watch_listener *listener, int *exit_status,
                       vg_error *err)
{
    watch_listener l = {.ctx = w,
                        .event = tell_event,
                        .note = tell_note,
                        .wants_stop = wants_stop,
                        .impatience = impatience};
    watch_guard *g = NULL;
    int n_made = 0;
    *exit_status = 0;
    w->listener = listener;
    vg_status st = report_run_folder_make(w->folder, sizeof w->folder, w->options.project,
                                          w->options.name, w->options.exist_ok, &n_made, err);
    /* Commands, paths, what jobs said: for their owner. One that was there keeps its permissions.
     */
    if (st == VG_OK && n_made > 0)
        chmod(w->folder, 0700);
    if (st == VG_OK)
        st = open_view(w, err);
    if (w->view != NULL)
        l.sample = show;
    if (st == VG_OK)
        st = watch_guard_create(&g, &w->options, w->argv, w->folder, &w->mem, err);
    if (st == VG_OK)
        st = watch_guard_run(g, &l, exit_status, err);
    const bool has_begun = g != NULL && watch_guard_has_begun(g);
    watch_guard_destroy(&g);
    if (!has_begun)
        report_run_folder_take_back(w->folder, n_made, made_by_guard);
    close_view(w);
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

/* report_text.c: the same for a terminal or a mail. */
#include <math.h>
#include <string.h>

#include "report.h"
#include "watch/judge/figures.h"

static void put_cause(watch_writer *w, const watch_cause *c)
{
    char text[WATCH_FORECAST_BYTES], when[WATCH_FIGURE_BYTES];
    const watch_event *e = c->event;
    watch_put(w, "%s: ", watch_state_name(e->verdict.state));
    watch_put_line(w, e->cause[0] != '\0'              ? e->cause
                      : e->verdict.state == WATCH_HUNG ? "the job makes no progress"
                                                       : "it rises without end, and no rule knows "
                                                         "why");
    watch_put(w, "%s%s%s", e->rule[0] != '\0' ? " (" : "", e->rule, e->rule[0] != '\0' ? ")" : "");
    if (c->is_past)
        watch_put(w, "; said after %s, not so now", watch_duration(when, e->time_s));
    watch_put(w, "\n  shows in: ");
    for (size_t i = 0; i < c->n_series; i++)
        watch_put(w, "%s%s", i > 0 ? ", " : "", watch_series_get(c->series[i])->name);
    if (e->verdict.state != WATCH_HUNG)
        watch_put(w, "\n  rate:     %s", watch_forecast(text, e->series, &e->verdict));
    if (e->evidence[0] != '\0') {
        watch_put(w, "\n  seen:     ");
        watch_put_line(w, e->evidence);
    }
    if (e->remedy[0] != '\0') {
        watch_put(w, "\n  try:      ");
        watch_put_line(w, e->remedy);
    }
    watch_put(w, "\n\n");
}

static void put_verdicts(watch_writer *w, const watch_story *s)
{
    char level[WATCH_FIGURE_BYTES], limit[WATCH_FIGURE_BYTES], text[WATCH_FORECAST_BYTES];
    watch_put(w, "%-26s %-9s %-9s %12s %12s\n", "series", "state", "shape", "level", "limit");
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const watch_series_info *info = watch_series_get((watch_series)k);
        const watch_verdict *v = &s->verdicts[k].verdict;
        if (s->is_judged[k])
            watch_put(w, "%-26s %-9s %-9s %12s %12s%s%s\n", info->name, watch_state_name(v->state),
                      v->shape == WATCH_SHAPE_UNKNOWN ? "-" : watch_shape_name(v->shape),
                      watch_amount(level, info->unit, v->level),
                      watch_amount(limit, info->unit, v->limit),
                      watch_state_rises(v->state) ? "  " : "",
                      watch_state_rises(v->state) ? watch_forecast(text, (watch_series)k, v) : "");
    }
}

static void put_tree(watch_writer *w, const watch_story *s)
{
    size_t order[WATCH_LIVES];
    int depths[WATCH_LIVES];
    char cpu[WATCH_FIGURE_BYTES], rss[WATCH_FIGURE_BYTES], peak[WATCH_FIGURE_BYTES];
    const size_t n = watch_story_tree(s, order, depths);
    if (n > 0)
        watch_put(w, "\n%-34s %8s %9s %8s %6s %10s %10s\n", "process", "pid", "CPU", "threads",
                  "fds", "resident", "highest");
    for (size_t i = 0; i < n; i++) {
        const watch_life *l = &s->lives[order[i]];
        const int indent = 2 * (depths[i] < 8 ? depths[i] : 8);
        char name[4 * WATCH_NAME_BYTES]; /* a history may be anybody's */
        base_line_escape(name, sizeof name, l->now.name);
        watch_put(
            w, "%*s%-*.*s %8d %9s %8d %6d %10s %10s\n", indent, "", 34 - indent, 34 - indent, name,
            (int)l->now.pid, watch_duration(cpu, l->now.cpu_s), l->now.threads, l->now.fds,
            watch_life_is_alive(s, l) ? watch_amount(rss, WATCH_BYTES, l->now.rss_bytes) : "ended",
            watch_amount(peak, WATCH_BYTES, l->peak_rss_bytes));
    }
}

static void put_entries(watch_writer *w, const watch_story *s)
{
    char when[WATCH_FIGURE_BYTES], text[WATCH_FORECAST_BYTES];
    watch_put(w, "\n");
    for (size_t i = watch_story_first_entry(s); i < s->n_entries; i++) {
        const watch_entry *t = watch_story_entry(s, i);
        const watch_event *e = &t->event;
        if (e->series == WATCH_NONE) {
            watch_put(w, "%9s  ", watch_duration(when, e->time_s));
            watch_put_line(w, t->note);
            watch_put(w, "\n");
        } else if (e->was != WATCH_LEARNING || e->verdict.state != WATCH_STEADY)
            watch_put(w, "%9s  %s: %s, was %s%s%s\n", watch_duration(when, e->time_s),
                      watch_series_get(e->series)->name, watch_state_name(e->verdict.state),
                      watch_state_name(e->was), watch_state_rises(e->verdict.state) ? "; " : "",
                      watch_state_rises(e->verdict.state)
                          ? watch_forecast(text, e->series, &e->verdict)
                          : "");
    }
}

vg_status watch_report_text(base_str *out, const watch_story *s, base_mem *mem, vg_error *err)
{
    watch_writer w = {.out = out, .mem = mem, .err = err};
    watch_cause causes[WATCH_MOST_CAUSES];
    char text[WATCH_FIGURE_BYTES], samples[64], restarts[64], after[WATCH_AFTER_BYTES];
    const size_t n = watch_story_causes(s, causes);
    watch_put_line(&w, s->command);
    watch_put(&w, "\n%s; watched for %s, %s, %s, phase ",
              watch_state_name(watch_story_worst(s, NULL)),
              watch_duration(text, s->now_s - s->first_s),
              base_count(samples, sizeof samples, s->n_samples, "sample"),
              base_count(restarts, sizeof restarts, (uint64_t)s->n_restarts, "restart"));
    watch_put_line(&w, s->phase);
    watch_put(&w, "\n\n");
    if (watch_story_after(s, after)[0] != '\0') {
        watch_put_line(&w, after);
        watch_put(&w, "\n\n");
    }
    for (size_t i = 0; i < n; i++)
        put_cause(&w, &causes[i]);
    put_verdicts(&w, s);
    put_tree(&w, s);
    put_entries(&w, s);
    return w.st;
}

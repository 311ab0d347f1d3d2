/* metrics.c: the text format, version 0.0.4: HELP and TYPE once a name, then its lines. */
#include "metrics.h"

#include <math.h>
#include <string.h>

static void put_head(watch_writer *w, const char *name, const char *type, const char *help)
{
    watch_put(w, "# HELP vigil_watch_%s %s\n# TYPE vigil_watch_%s %s\n", name, help, name, type);
}

static const char *number(char buf[32], double value)
{
    if (isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    return base_format_double(buf, 32, value);
}

static void put_one(watch_writer *w, const char *name, const char *type, const char *help,
                    double value)
{
    char text[32];
    if (isnan(value))
        return;
    put_head(w, name, type, help);
    watch_put(w, "vigil_watch_%s %s\n", name, number(text, value));
}

/* One line a series, of what `of` says of it; NAN: none. */
static void put_each(watch_writer *w, const watch_story *s, const char *name, const char *help,
                     double (*of)(const watch_story *s, watch_series k))
{
    char text[32];
    put_head(w, name, "gauge", help);
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const double value = of(s, (watch_series)k);
        if (!isnan(value))
            watch_put(w, "vigil_watch_%s{series=\"%s\"} %s\n", name,
                      watch_series_get((watch_series)k)->name, number(text, value));
    }
}

static double level(const watch_story *s, watch_series k)
{
    return s->now.value[k];
}

static double slope(const watch_story *s, watch_series k)
{
    return s->is_judged[k] && watch_state_rises(s->verdicts[k].verdict.state)
               ? s->verdicts[k].verdict.slope_per_s
           : s->is_judged[k] ? 0
                             : NAN;
}

static double limit(const watch_story *s, watch_series k)
{
    return s->is_judged[k] ? s->verdicts[k].verdict.limit : NAN;
}

/* Of what does not rise the limit never comes. */
static double seconds(const watch_story *s, watch_series k)
{
    const watch_verdict *v = &s->verdicts[k].verdict;
    if (!s->is_judged[k] || isnan(v->limit))
        return NAN;
    return watch_state_rises(v->state) ? v->exhaustion_s : INFINITY;
}

static double seconds_low(const watch_story *s, watch_series k)
{
    const watch_verdict *v = &s->verdicts[k].verdict;
    return !isnan(seconds(s, k)) && watch_state_rises(v->state) ? v->exhaustion_low_s
                                                                : seconds(s, k);
}

static void put_states(watch_writer *w, const watch_story *s)
{
    put_head(w, "state", "gauge", "1 for the state that a series is in");
    for (int k = 0; k < WATCH_N_SERIES; k++)
        for (int i = 0; s->is_judged[k] && i < WATCH_N_STATES; i++)
            watch_put(w, "vigil_watch_state{series=\"%s\",state=\"%s\"} %d\n",
                      watch_series_get((watch_series)k)->name, watch_state_name((watch_state)i),
                      s->verdicts[k].verdict.state == (watch_state)i);
}

static void put_causes(watch_writer *w, const watch_story *s)
{
    watch_cause causes[WATCH_MOST_CAUSES];
    char text[32];
    const size_t n = watch_story_causes(s, causes);
    put_head(w, "cause", "gauge", "confidence of the rule that explains what rises now, 0 to 1");
    for (size_t i = 0; i < n; i++)
        if (!causes[i].is_past && causes[i].event->rule[0] != '\0') {
            watch_put(w, "vigil_watch_cause{rule=\"%s\",series=\"%s\",cause=\"",
                      causes[i].event->rule, watch_series_get(causes[i].event->series)->name);
            watch_put_label(w, causes[i].event->cause);
            watch_put(w, "\"} %s\n", number(text, causes[i].event->confidence_0_1));
        }
}

static void put_processes(watch_writer *w, const watch_story *s)
{
    char text[32];
    put_head(w, "process_resident_bytes", "gauge", "resident bytes of the largest processes");
    for (size_t i = 0; i < s->n_lives; i++) {
        const watch_life *l = &s->lives[i];
        if (!watch_life_is_alive(s, l) || isnan(l->now.rss_bytes))
            continue;
        watch_put(w, "vigil_watch_process_resident_bytes{pid=\"%d\",name=\"", (int)l->now.pid);
        watch_put_label(w, l->now.name);
        watch_put(w, "\"} %s\n", number(text, l->now.rss_bytes));
    }
}

vg_status watch_metrics(base_str *out, const watch_story *s, size_t guard_bytes, base_mem *mem,
                        vg_error *err)
{
    watch_writer w = {.out = out, .mem = mem, .err = err};
    size_t n_alive = 0;
    for (size_t i = 0; i < s->n_lives; i++)
        n_alive += watch_life_is_alive(s, &s->lives[i]);
    put_head(&w, "job_info", "gauge", "the job that is watched; always 1");
    watch_put(&w, "vigil_watch_job_info{command=\"");
    watch_put_label(&w, s->command);
    watch_put(&w, "\",phase=\"%s\"} 1\n", s->phase);
    put_each(&w, s, "level", "newest reading of a series, in its own unit", level);
    put_each(&w, s, "limit", "where a series must end", limit);
    put_each(&w, s, "slope_per_second",
             "rise of a series that is suspect, growing or leaking, else 0", slope);
    put_each(&w, s, "seconds_to_limit", "forecast of when the limit is reached", seconds);
    put_each(&w, s, "seconds_to_limit_low", "its 90 % interval's near end", seconds_low);
    put_states(&w, s);
    put_causes(&w, s);
    put_processes(&w, s);
    put_one(&w, "processes", "gauge", "processes of the job now", (double)n_alive);
    put_one(&w, "restarts_total", "counter", "restarts of the job", s->n_restarts);
    put_one(&w, "samples_total", "counter", "samples taken", (double)s->n_samples);
    put_one(&w, "last_sample_timestamp_seconds", "gauge", "when the newest sample was taken",
            s->began_unix_s + s->now_s);
    put_one(&w, "guard_account_bytes", "gauge", "what the guard holds on its accounts",
            (double)guard_bytes);
    put_one(&w, "guard_resident_bytes", "gauge", "resident bytes of the guard itself",
            (double)base_mem_resident_bytes());
    return w.st;
}

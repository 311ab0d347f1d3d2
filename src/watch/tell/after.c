/* after.c: what is said of a job that has died. */
#include "after.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "watch/judge/figures.h"
#include "watch/sample/charged.h"

/* Of a limit: so small a growth explains no end; a level above NEAR is at the limit. */
static const double LITTLE = 0.05, NEAR = 0.9;

void watch_after_init(watch_after *a)
{
    memset(a, 0, sizeof *a);
    a->first_s = a->last_s = NAN;
    for (int k = 0; k < WATCH_N_SERIES; k++)
        a->course[k] = (watch_course_seen){NAN, NAN, NAN, NAN, NAN, NAN};
}

/* ---- a life ---- */

void watch_after_sample(watch_after *a, const watch_sample *s)
{
    if (a->n_samples++ == 0)
        a->first_s = s->time_s;
    a->last_s = s->time_s;
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        watch_course_seen *c = &a->course[k];
        const double v = s->value[k];
        const watch_series limit = watch_series_get((watch_series)k)->limit;
        if (isnan(v))
            continue;
        if (isnan(c->from)) {
            c->from = v;
            c->from_s = s->time_s;
        }
        c->to = v;
        c->to_s = s->time_s;
        if (isnan(c->half_s) && limit != WATCH_NONE && v >= 0.5 * s->value[limit])
            c->half_s = s->time_s;
    }
}

static double grown(const watch_life_seen *l)
{
    return l->to_bytes - l->from_bytes;
}

void watch_after_process(watch_after *a, const watch_process *p, double from_bytes, double to_bytes)
{
    size_t i = 0, least = SIZE_MAX;
    if (isnan(to_bytes))
        return;
    for (; i < a->n_lives; i++) {
        const watch_life_seen *l = &a->lives[i];
        if (l->pid == p->pid && l->start_ticks == p->start_ticks)
            break;
        if (!l->is_main && (least == SIZE_MAX || grown(l) < grown(&a->lives[least])))
            least = i;
    }
    if (i == a->n_lives) {
        if (i == WATCH_AFTER_LIVES) {
            if (least == SIZE_MAX)
                return;
            i = least; /* who grew least gives way */
        } else {
            a->n_lives++;
        }
        a->lives[i] = (watch_life_seen){
            .pid = p->pid, .start_ticks = p->start_ticks, .from_bytes = from_bytes};
    }
    watch_life_seen *l = &a->lives[i];
    l->is_main = p->role == WATCH_MAIN;
    l->to_bytes = to_bytes;
    base_format(l->name, sizeof l->name, "%s", p->name);
}

void watch_after_event(watch_after *a, const watch_event *e)
{
    if (e->series == WATCH_NONE)
        return;
    double *since = &a->course[e->series].suspected_s;
    if (!watch_state_rises(e->verdict.state))
        *since = NAN;
    else if (isnan(*since))
        *since = e->time_s;
}

bool watch_after_judge(const void *judge, watch_series s, watch_event *out)
{
    return watch_judge_get(judge, s, out);
}

/* ---- what to blame ---- */

typedef struct blame {
    watch_series series; /* WATCH_NONE: nothing */
    bool is_called;
    double share; /* of its limit that it grew by; NAN: it has none */
} blame;

static double limit_of(const watch_after *a, watch_series s)
{
    const watch_series limit = watch_series_get(s)->limit;
    return limit == WATCH_NONE ? NAN : a->course[limit].to;
}

/* What was called worst; else what grew most, as a share of its limit. */
static blame find_blame(const watch_after *a, watch_verdict_of of, const void *ctx,
                        watch_event *out)
{
    blame best = {.series = WATCH_NONE, .share = -1};
    watch_event e;
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const watch_series s = (watch_series)k;
        const watch_course_seen *c = &a->course[k];
        if (watch_series_get(s)->kind != WATCH_LEVEL || isnan(c->to))
            continue;
        const double share = (c->to - c->from) / limit_of(a, s);
        const bool is_called = of(ctx, s, &e) && watch_state_rises(e.verdict.state);
        if (!is_called && !(share > 0))
            continue;
        const bool is_worse =
            best.series == WATCH_NONE || is_called > best.is_called ||
            (is_called && best.is_called &&
             (e.verdict.state > out->verdict.state ||
              (e.verdict.state == out->verdict.state && out->with != NULL && e.with == NULL))) ||
            (is_called == best.is_called &&
             (!is_called ||
              (e.verdict.state == out->verdict.state && (e.with == NULL) == (out->with == NULL))) &&
             share > best.share);
        if (!is_worse)
            continue;
        best = (blame){s, is_called, share};
        if (is_called)
            *out = e;
    }
    return best;
}

/* How much of the memory limit was in use when it was last read; NAN: not known. */
static double memory_share(const watch_after *a, double *used, double *limit)
{
    watch_sample s;
    watch_sample_clear(&s, a->last_s);
    for (int k = 0; k < WATCH_N_SERIES; k++)
        s.value[k] = a->course[k].to;
    *used = watch_charged_in_use(&s);
    *limit = s.value[WATCH_LIMIT_MEMORY_BYTES];
    return *used / *limit;
}

bool watch_after_is_suspicious(const watch_after *a, watch_verdict_of of, const void *ctx)
{
    watch_event e = {.with = NULL};
    double used, limit;
    const watch_course_seen *kills = &a->course[WATCH_CGROUP_OOM_KILL];
    return find_blame(a, of, ctx, &e).is_called || memory_share(a, &used, &limit) >= NEAR ||
           kills->to > kills->from;
}

/* ---- words ---- */

typedef struct words {
    char *buf;
    size_t n;
} words;

static void say(words *w, const char *format, ...) VG_PRINTF(2, 3);
static void say(words *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int k = vsnprintf(w->buf + w->n, WATCH_AFTER_BYTES - w->n, format, args);
    va_end(args);
    if (k > 0)
        w->n += (size_t)k < WATCH_AFTER_BYTES - w->n ? (size_t)k : WATCH_AFTER_BYTES - 1 - w->n;
}

static void say_who_killed(words *w, const watch_after *a, const watch_end *end)
{
    char at[WATCH_FIGURE_BYTES], of[WATCH_FIGURE_BYTES];
    double used, limit;
    const double share = memory_share(a, &used, &limit);
    watch_amount(at, WATCH_BYTES, used);
    watch_amount(of, WATCH_BYTES, limit);
    if (end->kernel[0] != '\0')
        say(w, ". The kernel ended it, or a process of it, for want of memory: %s", end->kernel);
    else if (end->was_killed && share >= NEAR)
        say(w,
            ". It had %s of %s when it was last read: want of memory is likely, but nothing that "
            "can be read here says that the kernel did it",
            at, of);
    else if (end->was_killed && isnan(share))
        say(w, ". Nothing says that the kernel did it for want of memory");
    else if (end->was_killed)
        say(w,
            ". It had %s of %s when it was last read, and nothing says that the kernel did it for "
            "want of memory: somebody may have sent the signal",
            at, of);
}

static void say_process(words *w, const watch_after *a, watch_series s)
{
    const char *name = watch_series_get(s)->name;
    const bool in_main = base_starts_with(name, "main."),
               in_children = base_starts_with(name, "children.");
    const watch_life_seen *most = NULL;
    for (size_t i = 0; i < a->n_lives; i++) {
        const watch_life_seen *l = &a->lives[i];
        if ((in_main && !l->is_main) || (in_children && l->is_main))
            continue;
        if (most == NULL || grown(l) > grown(most))
            most = l;
    }
    if (most != NULL && (in_main || grown(most) > 0))
        say(w, " in process %d (%s)", (int)most->pid, most->name);
}

static void say_growth(words *w, const watch_after *a, const watch_end *end, const blame *b,
                       const watch_event *e)
{
    char x[WATCH_FIGURE_BYTES], y[WATCH_FIGURE_BYTES], t[WATCH_FIGURE_BYTES];
    const watch_series_info *info = watch_series_get(b->series);
    const watch_course_seen *c = &a->course[b->series];
    say(w, " %s grew from %s to %s in %s", info->name, watch_amount(x, info->unit, c->from),
        watch_amount(y, info->unit, c->to), watch_duration(t, c->to_s - c->from_s));
    const double rate =
        b->is_called ? e->verdict.slope_per_s : (c->to - c->from) / fmax(c->to_s - c->from_s, 1e-3);
    if (isfinite(rate))
        say(w, " (%s/min)", watch_amount(x, info->unit, rate * 60));
    say_process(w, a, b->series);
    if (isfinite(limit_of(a, b->series)))
        say(w, ", towards its limit of %s", watch_amount(x, info->unit, limit_of(a, b->series)));
    if (isfinite(c->suspected_s))
        say(w, "; it was first suspected after %s, %s before the end",
            watch_duration(x, c->suspected_s), watch_duration(y, end->now_s - c->suspected_s));
    else if (isfinite(c->half_s))
        say(w, "; it was first seen above half of that %s before the end",
            watch_duration(x, end->now_s - c->half_s));
    say(w, ".");
}

const char *watch_after_text(char buf[WATCH_AFTER_BYTES], const watch_after *a,
                             const watch_end *end, watch_verdict_of of, const void *ctx)
{
    words w = {.buf = buf};
    char t[WATCH_FIGURE_BYTES], samples[64];
    watch_event e = {.with = NULL};
    const blame b = find_blame(a, of, ctx, &e);
    say(&w, WATCH_AFTER_MARK "%s", end->how);
    say_who_killed(&w, a, end);
    say(&w, ".");
    base_count(samples, sizeof samples, a->n_samples, "sample");
    if (b.is_called) {
        say_growth(&w, a, end, &b, &e);
        say(&w, " It was called %s%s.", watch_state_name(e.verdict.state),
            e.verdict.state == WATCH_GROWING ? ", a rise that may have ended by itself" : "");
        if (e.cause[0] != '\0')
            say(&w, " Cause: %s.", e.cause);
        say(&w, " To do: %s.",
            e.remedy[0] != '\0'
                ? e.remedy
                : "see who allocates with --stacks, and restart in time with --on-critical");
    } else if (a->n_samples < 2) {
        say(&w,
            " It died before a rise can be seen (%s): what grew is not known. To do: run it again "
            "with a shorter --interval.",
            samples);
    } else if (b.series != WATCH_NONE) {
        say(&w, " Nothing had been called in %s%s.", samples,
            b.share < LITTLE ? ", and what grew most was far from its limit" : "");
        say_growth(&w, a, end, &b, &e);
        say(&w, " To do: %s.",
            end->kernel[0] != '\0' || (end->was_killed && b.share >= LITTLE)
                ? "give it more room or less to hold, and run it again with a shorter --interval "
                  "and --stacks to see who allocates"
                : "look at what the job itself said last; this growth may have nothing to do with "
                  "it");
    } else {
        say(&w,
            " Nothing had been called in %s over %s, and nothing that has a limit grew. To do: %s.",
            samples, watch_duration(t, a->last_s - a->first_s),
            end->kernel[0] != '\0'
                ? "it grew between two samples, or others had the memory: a shorter --interval "
                  "tells"
                : "look at what the job itself said last");
    }
    for (char *c = buf; *c != '\0'; c++) /* a name is anybody's */
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    return buf;
}

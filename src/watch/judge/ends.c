/* ends.c: reasons why a straight rise may end. The numbers are in thresholds.h. */
#include "ends.h"

#include <math.h>

#include "figures.h"
#include "limits.h"
#include "thresholds.h"
#include "watch/sample/world.h"

static bool is_memory(watch_series s)
{
    return watch_series_get(s)->limit == WATCH_LIMIT_MEMORY_BYTES;
}

/* An end at or beyond the limit is none. */
static bool is_short_of_limit(double at, const watch_verdict *v)
{
    return !isfinite(v->limit) || at < v->limit;
}

static bool below_expected(watch_end *out, const watch_ends_facts *f, watch_series s,
                           const watch_verdict *v)
{
    char a[WATCH_FIGURE_BYTES], b[WATCH_FIGURE_BYTES];
    out->at = f->expect_rss - watch_limits_others(f->now, s);
    if (!(f->expect_rss > 0) || !is_memory(s) || v->floor > out->at * END_SLACK ||
        !is_short_of_limit(out->at, v))
        return false;
    base_format(out->why, sizeof out->why, "%s of the %s that --expect-rss allows are in use",
                watch_amount(a, WATCH_BYTES, v->floor), watch_amount(b, WATCH_BYTES, out->at));
    return true;
}

static bool below_rested(watch_end *out, const watch_ends_facts *f, watch_series s,
                         const watch_verdict *v)
{
    char a[WATCH_FIGURE_BYTES];
    out->at = f->rested;
    if (!(v->floor <= f->rested * END_SLACK) || !is_short_of_limit(f->rested, v))
        return false;
    base_format(out->why, sizeof out->why, "before the restart it rested at %s",
                watch_amount(a, watch_series_get(s)->unit, f->rested));
    return true;
}

/* A collector that finds ever less to free runs ever more often: the heap that fills up to its
 * bound is held, and not waste. */
static bool collects_in_vain(const watch_ends_facts *f, const watch_verdict *v)
{
    const double now_s = f->now->time_s, length_s = now_s - v->since_s,
                 world = f->now->value[WATCH_JOB_WORLD];
    const watch_course *cpu = &f->courses[WATCH_MAIN_CPU_S];
    if (isnan(world) || !((unsigned)world & (WATCH_WORLD_JAVA | WATCH_WORLD_GO)))
        return false;
    const double early = watch_course_at(cpu, v->since_s + 0.5 * length_s) -
                         watch_course_at(cpu, v->since_s),
                 late = watch_course_at(cpu, now_s) -
                        watch_course_at(cpu, now_s - COLLECTS_NEWEST * length_s);
    return late / COLLECTS_NEWEST > COLLECTS_MORE * early / 0.5;
}

static bool below_own_bound(watch_end *out, const watch_ends_facts *f, watch_series s,
                            const watch_verdict *v)
{
    char a[WATCH_FIGURE_BYTES], b[WATCH_FIGURE_BYTES];
    const double bound = f->now->value[WATCH_JOB_BOUND_BYTES];
    out->at = bound * BOUND_SLACK + BOUND_BESIDE;
    if (isnan(bound) || !is_memory(s) || v->floor > out->at || !is_short_of_limit(out->at, v) ||
        collects_in_vain(f, v))
        return false;
    base_format(out->why, sizeof out->why,
                "%s are in use, and its own settings let it keep %s and what is needed beside",
                watch_amount(a, WATCH_BYTES, v->floor), watch_amount(b, WATCH_BYTES, bound));
    return true;
}

/* Is what is read kept? A list of losses grows with the data, too, but by little of each byte. */
static bool keeps_what_is_read(double *per_byte, const watch_ends_facts *f, const watch_detector *d,
                               const watch_verdict *v)
{
    const double fit = watch_units_follows(per_byte, &f->courses[WATCH_WORK_INPUT_BYTES], d,
                                           v->since_s, f->now->time_s);
    return fit >= KEPT_FIT && *per_byte >= KEPT_LEAST && *per_byte <= KEPT_MOST;
}

static double done(const watch_course *c)
{
    return c->is_known ? c->base + c->last : 0;
}

/* When the first epoch ended; INFINITY: it has not. */
static double pass_end_s(const watch_course *epochs)
{
    int i = epochs->n;
    while (i > 0 && epochs->count[i - 1] > 0)
        i--;
    return i < epochs->n ? epochs->time_s[i] : done(epochs) > 0 ? epochs->moved_s : INFINITY;
}

/* The pass is over, and what was kept in it grows no more, or it is too early to say. */
static bool has_stopped(const watch_detector *d, const watch_verdict *v, double end_s, double now_s)
{
    double from, to;
    const double length_s = end_s - v->since_s, since_s = now_s - end_s;
    if (since_s < PASS_PATIENCE * length_s || !watch_detector_ends(d, end_s, &from, &to))
        return true;
    return (to - from) / since_s < ENDED_SLOPE * (from - (v->floor - v->growth)) / length_s;
}

static bool is_first_pass(watch_end *out, const watch_ends_facts *f, const watch_detector *d,
                          watch_series s, const watch_verdict *v)
{
    char a[WATCH_FIGURE_BYTES];
    double per_byte;
    const watch_course *epochs = &f->courses[WATCH_WORK_EPOCH];
    const double world = f->now->value[WATCH_JOB_WORLD], now_s = f->now->time_s;
    const bool trains = !isnan(world) && ((unsigned)world & WATCH_WORLD_TRAINS);
    const double begin = v->floor - v->growth, end_s = pass_end_s(epochs);
    out->at = NAN;
    if (!is_memory(s) || !(v->since_s < end_s) || done(&f->courses[WATCH_WORK_RUNS]) > 1 ||
        !(epochs->is_known || trains) ||
        (isfinite(v->limit) && v->growth > PASS_MOST_GONE * (v->limit - begin)) ||
        !keeps_what_is_read(&per_byte, f, d, v) ||
        (isfinite(end_s) && !has_stopped(d, v, end_s, now_s)))
        return false;
    const double read = watch_course_at(&f->courses[WATCH_WORK_INPUT_BYTES], now_s);
    base_format(out->why, sizeof out->why,
                "the first epoch %s, and %.2g bytes are kept of each byte that is read: %s until "
                "now",
                isfinite(end_s) ? "is just over" : "is not over", per_byte,
                watch_amount(a, WATCH_BYTES, read));
    return true;
}

/* What a piece of work reads, in the earlier and the later half of the rise. */
static bool reads_fall(watch_end *out, const watch_ends_facts *f, const watch_detector *d,
                       watch_series s, const watch_verdict *v)
{
    static const watch_series works[] = {WATCH_WORK_REQUESTS, WATCH_WORK_FRAMES, WATCH_WORK_STEP,
                                         WATCH_MAIN_CPU_S};
    double per_byte;
    const double now_s = f->now->time_s, middle_s = 0.5 * (v->since_s + now_s);
    const watch_course *reads = &f->courses[WATCH_WORK_INPUT_BYTES], *work = NULL;
    for (size_t i = 0; i < sizeof works / sizeof *works && work == NULL; i++)
        if (f->courses[works[i]].is_known &&
            f->courses[works[i]].moved_s > middle_s + 0.5 * (now_s - middle_s))
            work = &f->courses[works[i]];
    if (!is_memory(s) || work == NULL || !keeps_what_is_read(&per_byte, f, d, v))
        return false;
    const double read[] = {watch_course_at(reads, v->since_s), watch_course_at(reads, middle_s),
                           watch_course_at(reads, now_s)},
                 did[] = {watch_course_at(work, v->since_s), watch_course_at(work, middle_s),
                          watch_course_at(work, now_s)};
    const double early = (read[1] - read[0]) / (did[1] - did[0]),
                 late = (read[2] - read[1]) / (did[2] - did[1]), ratio = late / early;
    if (!(did[1] > did[0]) || !(did[2] > did[1]) || !(ratio >= 0) || !(ratio < READS_FALL))
        return false;
    /* If each half reads by so much less per work than the one before: a geometric series. */
    out->at = v->floor + per_byte * (read[2] - read[1]) * ratio / (1 - ratio);
    if (!is_short_of_limit(out->at, v))
        return false;
    base_format(out->why, sizeof out->why,
                "what is read is kept (%.2g bytes of each), and a piece of work reads %.0f %% less "
                "than it did: ever more is found in what is kept",
                per_byte, 100 * (1 - ratio));
    return true;
}

bool watch_ends_find(watch_end *out, const watch_ends_facts *f, const watch_detector *d,
                     watch_series s, const watch_verdict *v)
{
    *out = (watch_end){.at = NAN};
    if (below_expected(out, f, s, v))
        out->kind = WATCH_END_EXPECTED;
    else if (below_rested(out, f, s, v))
        out->kind = WATCH_END_RESTED;
    else if (below_own_bound(out, f, s, v))
        out->kind = WATCH_END_BOUND;
    else if (is_first_pass(out, f, d, s, v))
        out->kind = WATCH_END_FIRST_PASS;
    else if (reads_fall(out, f, d, s, v))
        out->kind = WATCH_END_READS;
    return out->kind != WATCH_END_NONE;
}

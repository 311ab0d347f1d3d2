/* hang.c: rule R18: nothing grows, and nothing moves.
 *
 * Work that stands still is not enough: a long validation, a checkpoint on a slow disk or a first
 * compilation look so, but burn CPU or move bytes. Both must stand still, unless the user gave a
 * time of their own, which is taken at its word for work alone. */
#include "hang.h"

#include <math.h>

#include "valid.h"

static const double LEAST_HANG_S = 600; /* a checkpoint, a download, a pause of a disk */
static const double PAUSES = 5;         /* times the longest pause that work ever made */
static const double MARK_S = 30;        /* effort is measured over so long */
static const double IDLE_CPU = 0.02;    /* of a core, or of what was usual: less is none */
static const double IDLE_IO = 65536;    /* bytes a second: less is a heartbeat, not work */

void watch_hang_init(watch_hang *h)
{
    *h = (watch_hang){0};
}

bool watch_hang_valid(const watch_hang *h)
{
    return valid_bool(&h->has_work) && valid_bool(&h->has_effort) && valid_real(h->work_moved_s) &&
           valid_real(h->effort_s) && valid_real(h->mark_s) && valid_number(h->mark_cpu_s) &&
           valid_number(h->mark_io) && valid_number(h->usual_cpu);
}

static double sum_of(const watch_sample *s, watch_series a, watch_series b)
{
    const double x = s->value[a], y = s->value[b];
    return isnan(x) ? y : isnan(y) ? x : x + y;
}

static double longest_pause(const watch_course *courses)
{
    double longest_s = 0;
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (watch_series_get((watch_series)i)->kind == WATCH_WORK && courses[i].is_known &&
            courses[i].longest_still_s > longest_s)
            longest_s = courses[i].longest_still_s;
    return longest_s;
}

/* When any work moved last; what was never read moved never. */
static void see_work(watch_hang *h, const watch_course *courses)
{
    for (int i = 0; i < WATCH_N_SERIES; i++) {
        const watch_course *c = &courses[i];
        if (watch_series_get((watch_series)i)->kind != WATCH_WORK || !c->is_known)
            continue;
        if (!h->has_work || c->moved_s > h->work_moved_s)
            h->work_moved_s = c->moved_s;
        h->has_work = true;
    }
}

static void see_effort(watch_hang *h, const watch_sample *s)
{
    const double cpu_s = sum_of(s, WATCH_MAIN_CPU_S, WATCH_CHILDREN_CPU_S);
    double io = sum_of(s, WATCH_MAIN_READ_BYTES, WATCH_MAIN_WRITE_BYTES);
    const double io_children = sum_of(s, WATCH_CHILDREN_READ_BYTES, WATCH_CHILDREN_WRITE_BYTES);
    io = (isnan(io) ? 0 : io) + (isnan(io_children) ? 0 : io_children);
    if (s->value[WATCH_GPU_UTILISATION] > IDLE_CPU)
        h->effort_s = s->time_s;
    if (isnan(cpu_s))
        return;
    if (!h->has_effort) {
        h->has_effort = true;
        h->effort_s = h->mark_s = s->time_s;
        h->mark_cpu_s = cpu_s;
        h->mark_io = io;
    }
    const double passed_s = s->time_s - h->mark_s;
    if (passed_s < MARK_S)
        return;
    const double cpu = (cpu_s - h->mark_cpu_s) / passed_s, bytes = (io - h->mark_io) / passed_s;
    const double idle = IDLE_CPU * (h->usual_cpu > 1 ? h->usual_cpu : 1);
    /* A count that fell back is a process that ended: that is something happening, too. */
    if (cpu > idle || cpu < 0 || bytes > IDLE_IO || bytes < 0)
        h->effort_s = s->time_s;
    if (cpu > h->usual_cpu)
        h->usual_cpu = cpu;
    h->mark_s = s->time_s;
    h->mark_cpu_s = cpu_s;
    h->mark_io = io;
}

bool watch_hang_is_known(const watch_hang *h)
{
    return h->has_work || h->has_effort;
}

static double idle_s(const watch_hang *h, const watch_sample *s)
{
    const double since_s = h->has_work ? h->work_moved_s : h->effort_s;
    return s->time_s - since_s;
}

void watch_hang_get(const watch_hang *h, const watch_sample *s, watch_verdict *out)
{
    *out = (watch_verdict){.state = WATCH_STEADY,
                           .shape = WATCH_SHAPE_UNKNOWN,
                           .level = idle_s(h, s),
                           .floor = NAN,
                           .since_s = s->time_s - idle_s(h, s),
                           .growth = NAN,
                           .slope_per_s = NAN,
                           .slope_low_per_s = NAN,
                           .slope_high_per_s = NAN,
                           .limit = NAN,
                           .exhaustion_s = NAN,
                           .exhaustion_low_s = NAN,
                           .exhaustion_high_s = NAN,
                           .unit = WATCH_NONE,
                           .per_unit = NAN};
}

bool watch_hang_push(watch_hang *h, const watch_sample *s, const watch_course *courses,
                     double hang_s, watch_verdict *v)
{
    see_work(h, courses);
    see_effort(h, s);
    watch_hang_get(h, s, v);
    if (!watch_hang_is_known(h))
        return false;
    if (hang_s > 0)
        return v->level >= hang_s;
    double least_s = PAUSES * longest_pause(courses);
    least_s = least_s > LEAST_HANG_S ? least_s : LEAST_HANG_S;
    if (!h->has_effort) /* work alone is known: be slow to judge */
        return v->level >= 2 * least_s;
    return v->level >= least_s && s->time_s - h->effort_s >= LEAST_HANG_S;
}

/* units.c: courses of work, and which of them a rise follows. */
#include "units.h"

#include <math.h>

#include "valid.h"

void watch_course_push(watch_course *c, double time_s, double count)
{
    if (isnan(count))
        return;
    if (!c->is_known) {
        *c = (watch_course){
            .stride = 1, .is_known = true, .first_s = time_s, .moved_s = time_s, .last = count};
        c->time_s[0] = time_s;
        c->count[0] = count;
        c->n = 1;
        return;
    }
    if (count < c->last)
        c->base += c->last;
    if (count != c->last) {
        const double still_s = time_s - c->moved_s;
        c->longest_still_s = still_s > c->longest_still_s ? still_s : c->longest_still_s;
        c->moved_s = time_s;
    }
    c->last = count;
    if (++c->pending < c->stride)
        return;
    c->pending = 0;
    if (c->n == WATCH_COURSE_POINTS) {
        for (int i = 0; i < WATCH_COURSE_POINTS / 2; i++) {
            c->time_s[i] = c->time_s[2 * i];
            c->count[i] = c->count[2 * i];
        }
        c->n = WATCH_COURSE_POINTS / 2;
        c->stride *= 2;
    }
    c->time_s[c->n] = time_s;
    c->count[c->n++] = c->base + count;
}

bool watch_course_valid(const watch_course *c)
{
    if (!valid_bool(&c->is_known) || !valid_int(c->n, c->is_known, WATCH_COURSE_POINTS) ||
        !valid_int(c->stride, c->is_known, VALID_MOST_COUNT) ||
        !valid_int(c->pending, 0, c->stride) || !valid_real(c->first_s) ||
        !valid_real(c->moved_s) || !valid_real(c->longest_still_s) || !valid_real(c->base) ||
        !valid_real(c->last))
        return false;
    for (int i = 0; i < c->n; i++)
        if (!valid_real(c->time_s[i]) || !valid_real(c->count[i]) ||
            (i > 0 && !(c->time_s[i] >= c->time_s[i - 1])))
            return false;
    return true;
}

double watch_course_at(const watch_course *c, double time_s)
{
    if (c->n == 0 || time_s < c->time_s[0])
        return NAN;
    int i = c->n - 1;
    while (time_s < c->time_s[i])
        i--;
    if (i == c->n - 1) /* after the newest point: the newest reading */
        return c->base + c->last;
    const double span_s = c->time_s[i + 1] - c->time_s[i],
                 part = span_s > 0 ? (time_s - c->time_s[i]) / span_s : 0;
    return c->count[i] + part * (c->count[i + 1] - c->count[i]);
}

/* ---- what a rise follows ---- */

enum { N_PARTS = WATCH_UNITS_PARTS, LEAST_POINTS = 4 };

/* Which unit people name first when several explain a rise equally well: the rarest work. */
static const watch_series ORDER[] = {
    WATCH_WORK_RUNS,      WATCH_WORK_SHAPES,     WATCH_WORK_RECONNECTS, WATCH_WORK_FRAMES,
    WATCH_WORK_REQUESTS,  WATCH_WORK_EPOCH,      WATCH_WORK_STEP,       WATCH_WORK_CHECKPOINTS,
    WATCH_WORK_LOG_BYTES, WATCH_WORK_INPUT_BYTES};

/* How much closer another unit must follow to be named before one that stands earlier. */
static const double CLEARLY_BETTER = 0.05;

/* A unit that has all but stopped while the rise goes on is none: what was read or logged at the
 * beginning. Its part in the later half is held against the rise's; a handful is too few to tell.
 */
static const double LEAST_PART = 0.5;
enum { FEW = 8, FEWEST = 3 }; /* and of what moved once or twice nothing can be said */

static bool goes_on(const double *rise, const double *work, int n)
{
    const double all = work[n - 1];
    if (all < FEW || !(rise[n - 1] > 0))
        return true;
    const double late = (all - work[n / 2]) / all, risen = 1 - rise[n / 2] / rise[n - 1];
    return late >= LEAST_PART * fmin(fmax(risen, 0), 1);
}

/* Of a byte that is read or logged this much may be kept, as of pictures that are unpacked and
 * tensors of them; and no threads or descriptors at all. */
static const double MOST_PER_BYTE = 256;

double watch_units_fit(const watch_units_rise *r, const double *work, double per_unit)
{
    double left = 0, all = 0;
    for (int k = 1; k < r->n; k++) {
        const double miss = r->rise[k] - per_unit * work[k];
        left += miss * miss;
        all += r->rise[k] * r->rise[k];
    }
    return all > 0 ? 1 - left / all : 0;
}

bool watch_units_rise_of(watch_units_rise *r, const watch_detector *d, double since_s, double now_s)
{
    const double span_s = now_s - since_s;
    r->n = 0;
    if (!(span_s > 0))
        return false;
    /* Of a young rise the last parts are shorter than a detector's blocks: they are left out. */
    double newest = NAN;
    for (; r->n < N_PARTS; r->n++) {
        r->at_s[r->n] = since_s + span_s * r->n / N_PARTS;
        if (!watch_detector_ends(d, r->at_s[r->n], &r->rise[r->n], &newest))
            break;
    }
    if (r->n < LEAST_POINTS)
        return false;
    r->at_s[r->n] = now_s;
    r->rise[r->n++] = newest;
    for (int k = r->n - 1; k >= 0; k--)
        r->rise[k] -= r->rise[0];
    return true;
}

/* A count that began after the rise did is read from where it began. */
double watch_units_work(double *work, const watch_course *course, const watch_units_rise *r)
{
    const double first = watch_course_at(course, r->at_s[0]);
    const double start = !isnan(first) ? first : course->is_known ? course->count[0] : NAN;
    double sum_rw = 0, sum_ww = 0;
    for (int k = 0; k < r->n; k++) {
        const double at = watch_course_at(course, r->at_s[k]);
        work[k] = isnan(at) ? 0 : at - start;
        sum_rw += r->rise[k] * work[k];
        sum_ww += work[k] * work[k];
    }
    return sum_ww > 0 && sum_rw > 0 ? sum_rw / sum_ww : NAN;
}

double watch_units_follows(double *per_unit, const watch_course *course, const watch_detector *d,
                           double since_s, double now_s)
{
    watch_units_rise r;
    double work[N_PARTS + 1];
    *per_unit = NAN;
    if (!course->is_known || !watch_units_rise_of(&r, d, since_s, now_s))
        return 0;
    *per_unit = watch_units_work(work, course, &r);
    return isnan(*per_unit) ? 0 : watch_units_fit(&r, work, *per_unit);
}

watch_series watch_units_choose(double *per_unit, const watch_course *courses,
                                const watch_detector *d, const watch_verdict *v, watch_unit unit,
                                double now_s)
{
    watch_units_rise r;
    double work[N_PARTS + 1];
    const int n = watch_units_rise_of(&r, d, v->since_s, now_s) ? r.n : 0;
    watch_series best = WATCH_NONE;
    double best_fit = 0;
    *per_unit = NAN;
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER && n > 0; i++) {
        const watch_course *course = &courses[ORDER[i]];
        /* A second training, or a new shape, is reported by itself. */
        const double fewest =
            ORDER[i] == WATCH_WORK_RUNS || ORDER[i] == WATCH_WORK_SHAPES ? 1 : FEWEST;
        const double slope = watch_units_work(work, course, &r);
        if (isnan(slope) || work[n - 1] < fewest || !goes_on(r.rise, work, n))
            continue;
        if (watch_series_get(ORDER[i])->unit == WATCH_BYTES &&
            (unit != WATCH_BYTES || slope > MOST_PER_BYTE))
            continue;
        const double fit = watch_units_fit(&r, work, slope);
        if (best == WATCH_NONE || fit > best_fit + CLEARLY_BETTER) {
            best = ORDER[i];
            best_fit = fit;
            *per_unit = slope;
        }
    }
    return best;
}

/* vouch.c: rises held against work and against each other. The numbers are in thresholds.h. */
#include "vouch.h"

#include <math.h>

#include "thresholds.h"

enum { MOST = WATCH_UNITS_PARTS + 1 };

/* Least squares of y on a and b; false when they are not independent. *left: of y's squares. */
static bool fit_two(const double *y, const double *a, const double *b, int n, double *by_a,
                    double *left)
{
    double aa = 0, ab = 0, bb = 0, ya = 0, yb = 0, yy = 0;
    for (int i = 0; i < n; i++) {
        aa += a[i] * a[i];
        ab += a[i] * b[i];
        bb += b[i] * b[i];
        ya += y[i] * a[i];
        yb += y[i] * b[i];
        yy += y[i] * y[i];
    }
    const double d = aa * bb - ab * ab;
    if (!(d > 1e-6 * aa * bb))
        return false;
    const double p = (ya * bb - yb * ab) / d, q = (yb * aa - ya * ab) / d;
    *by_a = p;
    *left = yy - p * ya - q * yb;
    return true;
}

static double left_by_one(const double *y, const double *a, int n)
{
    double aa = 0, ya = 0, yy = 0;
    for (int i = 0; i < n; i++) {
        aa += a[i] * a[i];
        ya += y[i] * a[i];
        yy += y[i] * y[i];
    }
    return aa > 0 ? yy - ya * ya / aa : yy;
}

/* The same amount with each epoch, reconnect or run: what is cached of the data is cached after the
 * first, and what is kept for a connection is given back with it. */
static bool by_rare_work(const watch_course *c, const watch_units_rise *r, double gone)
{
    double work[MOST];
    if (!c->is_known || gone < VOUCH_RARE_GONE)
        return false;
    const double per_unit = watch_units_work(work, c, r);
    if (isnan(per_unit) || work[r->n - 1] < VOUCH_RARE_UNITS)
        return false;
    const int half = r->n / 2;
    const double early = r->rise[half] / work[half],
                 late = (r->rise[r->n - 1] - r->rise[half]) / (work[r->n - 1] - work[half]);
    return watch_units_fit(r, work, per_unit) >= VOUCH_FIT && late > VOUCH_EVEN * early &&
           early > VOUCH_EVEN * late;
}

/* A level that follows the load rises and falls with the pace of the work; a leak follows how much
 * was done. Where the pace has changed, the two can be told apart. */
static bool by_common_work(const watch_course *c, const watch_units_rise *r, double gone)
{
    double work[MOST], pace[MOST], by_work = NAN, left = NAN, all = 0, least = INFINITY, most = 0;
    const int n = r->n;
    if (!c->is_known || n < MOST - 4 || gone < VOUCH_COMMON_GONE ||
        isnan(watch_units_work(work, c, r)) || work[n - 1] < VOUCH_COMMON_UNITS)
        return false;
    for (int k = 0; k < n; k++) {
        const int a = k > 0 ? k - 1 : 0, b = k + 1 < n ? k + 1 : n - 1;
        pace[k] = (work[b] - work[a]) / (r->at_s[b] - r->at_s[a]);
        least = fmin(least, pace[k]);
        most = fmax(most, pace[k]);
        all += r->rise[k] * r->rise[k];
    }
    if (!(most > VOUCH_PACE * least))
        return false;
    const double first = pace[0];
    for (int k = 0; k < n; k++)
        pace[k] -= first;
    if (!fit_two(r->rise, work, pace, n, &by_work, &left))
        return false;
    return left <= (1 - VOUCH_FIT_COMMON) * all &&
           left_by_one(r->rise, pace, n) > VOUCH_PACE_ALONE * left &&
           by_work * work[n - 1] / r->rise[n - 1] * gone >= VOUCH_COMMON_GONE;
}

bool watch_vouch_by_work(const watch_course *courses, const watch_detector *d,
                         const watch_verdict *v, double now_s)
{
    static const watch_series rare[] = {WATCH_WORK_EPOCH, WATCH_WORK_RECONNECTS, WATCH_WORK_RUNS};
    static const watch_series common[] = {WATCH_WORK_REQUESTS, WATCH_WORK_FRAMES, WATCH_WORK_STEP};
    watch_units_rise r;
    const double gone = watch_detector_gone(d);
    if (gone < VOUCH_RARE_GONE || !watch_units_rise_of(&r, d, v->since_s, now_s))
        return false;
    for (size_t i = 0; i < sizeof rare / sizeof *rare; i++)
        if (by_rare_work(&courses[rare[i]], &r, gone))
            return true;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (by_common_work(&courses[common[i]], &r, gone))
            return true;
    return false;
}

/* Over equal times. */
static bool slows(const double *rise, int n)
{
    const double early = rise[n / 2], late = rise[n - 1] - rise[n / 2],
                 usual = (double)(n - 1 - n / 2) / (n / 2);
    return late < VOUCH_EVEN * usual * early;
}

bool watch_vouch_together(const watch_detector *d, const watch_verdict *v,
                          const watch_detector *other, double other_since_s, double now_s)
{
    watch_units_rise a, b;
    const double length_s = now_s - v->since_s;
    /* Of its true limit: a pool of threads and connections grows in step to what is many. */
    const double gone = v->growth / (v->limit - (v->floor - v->growth));
    if (fabs(other_since_s - v->since_s) > VOUCH_SINCE * length_s ||
        !(gone >= VOUCH_TOGETHER_GONE) || !watch_units_rise_of(&a, d, v->since_s, now_s) ||
        !watch_units_rise_of(&b, other, v->since_s, now_s))
        return false;
    const int n = a.n < b.n ? a.n - 1 : b.n - 1; /* their last parts are of different times */
    if (n < VOUCH_TOGETHER_PARTS || slows(a.rise, n))
        return false; /* a pool that fills rises in all of them, too */
    double ab = 0, bb = 0;
    for (int k = 0; k < n; k++) {
        ab += a.rise[k] * b.rise[k];
        bb += b.rise[k] * b.rise[k];
    }
    a.n = n;
    return ab > 0 && watch_units_fit(&a, b.rise, ab / bb) >= VOUCH_FIT;
}

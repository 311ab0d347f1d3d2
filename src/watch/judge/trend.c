/* trend.c: the questions to a window. Every constant was chosen on the traces for tuning of
 * bench/watch, none on those for scoring. */
#include "trend.h"

#include <math.h>

#include "base/base.h"
#include "cycle.h"

enum { PARTS = 16 };
#define MUCH 0.4 /* of the headroom gone */

int watch_trend_window(const watch_level *l, int n, double *time_s, double *floor)
{
    if (n > l->n)
        n = l->n;
    for (int i = 0; i < n; i++) {
        const watch_block *b = watch_history_back(l, n - 1 - i);
        time_s[i] = b->time_s;
        floor[i] = b->least;
    }
    return n;
}

double watch_trend_noise(const double *y, int n)
{
    double d[WATCH_BLOCKS];
    for (int i = 2; i < n; i++)
        d[i - 2] = fabs(y[i] - 2 * y[i - 1] + y[i - 2]);
    return 1.4826 * base_median(d, (size_t)(n - 2)) / sqrt(6);
}

static double mean_of(const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += y[i];
    return sum / n;
}

static double median_of(const double *y, int n)
{
    double v[WATCH_BLOCKS];
    for (int i = 0; i < n; i++)
        v[i] = y[i];
    return base_median(v, (size_t)n);
}

/* What is never taken back: the least from here on. Its growth in 16 equal times; the number of
 * equal parts that would spread as unevenly, (sum d)^2 / sum d^2: 16 for a line, k for k steps. */
static double parts_of(const double *time_s, const double *y, int n, double shake)
{
    double kept[WATCH_BLOCKS];
    kept[n - 1] = y[n - 1];
    for (int i = n - 2; i >= 0; i--)
        kept[i] = fmin(y[i], kept[i + 1]);
    const double step = (time_s[n - 1] - time_s[0]) / PARTS;
    double sum = 0, squares = 0, was = kept[0];
    for (int p = 1, i = 0; p <= PARTS; p++) {
        const double until = p == PARTS ? time_s[n - 1] : time_s[0] + p * step;
        while (i + 1 < n && time_s[i + 1] <= until)
            i++;
        /* Between blocks, the line between them. */
        double now = kept[i];
        if (i + 1 < n && time_s[i] < until)
            now += (kept[i + 1] - kept[i]) * (until - time_s[i]) / (time_s[i + 1] - time_s[i]);
        const double d = now - was;
        was = now;
        sum += d;
        squares += d * d;
    }
    /* Noise makes parts uneven, too: its share is taken off. */
    squares = fmax(squares - PARTS * shake * shake, sum * sum / PARTS);
    return squares > 0 ? sum * sum / squares : 0;
}

/* The part of the headroom that must be gone, by how long all of it lasts. */
static double between(const double (*at)[2], int n, double lasts_h)
{
    if (lasts_h <= at[0][0])
        return at[0][1];
    for (int i = 1; i < n; i++)
        if (lasts_h < at[i][0]) {
            const double part = log(lasts_h / at[i - 1][0]) / log(at[i][0] / at[i - 1][0]);
            return at[i - 1][1] + part * (at[i][1] - at[i - 1][1]);
        }
    return at[n - 1][1];
}

/* The faster, the more: what fills a tenth of the headroom in three minutes is often a batch, in an
 * hour a tooth. What needs months is told by its straightness over weeks. */
static double patience(double lasts_h)
{
    static const double at[][2] = {{0.25, 0.32}, {0.5, 0.26}, {1, 0.19},  {2, 0.175},
                                   {8, 0.17},    {14, 0.15},  {96, 0.14}, {300, 0.14},
                                   {1000, 0.1},  {5000, 0.05}};
    return between(at, (int)(sizeof at / sizeof at[0]), lasts_h);
}

/* The same while a day's cycle cannot be ruled out. */
static double patience_by_day(double lasts_h)
{
    static const double at[][2] = {{14, 0.15}, {18, 0.24}, {40, 0.24}, {75, 0.14}};
    return between(at, (int)(sizeof at / sizeof at[0]), lasts_h);
}

/* Standard errors that the slope must be worth: chance climbs a third of the headroom, too, but who
 * waits for certainty dies of it. */
static double sureness(double gone)
{
    return gone > 0.5 ? 2.5 : gone > MUCH ? 3.5 : gone > 0.3 ? 5 : 8;
}

/* Could a warm-up that comes to rest well below the limit have made this curve? An exponential
 * whose slope falls by the factor ratio over the window still grows by late slope x length /
 * -ln ratio. */
static bool may_rest(const watch_trend *t)
{
    const double ratio = t->fit.ratio - (t->gone > MUCH ? 0.2 : 0.7) * t->fit.ratio_error;
    if (ratio >= 1)
        return false;
    if (ratio <= 0.05)
        return true;
    const double mean = t->growth; /* slope x length */
    const double late = mean * 2 * ratio / (1 + ratio);
    return t->gone + late / -log(ratio) / t->headroom < 0.7;
}

/* With what was before the window, if it is known: that is where a cycle would show. */
static bool may_be_day(const watch_level *l, int n)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    n = watch_trend_window(l, n * 8 / 5, time_s, y);
    return watch_cycle_may_be(time_s, y, n);
}

static watch_answer ask(watch_trend *t, const watch_history *h, int level, const double *time_s,
                        const double *y, int n, double limit, double noise)
{
    const watch_level *l = &h->levels[level];
    const int end = n / 8 > 3 ? n / 8 : 3;
    const double begin = mean_of(y, end), rough = mean_of(y + n - end, end) - begin;
    /* The cheap questions first: nearly all windows of a healthy job end here. */
    if (!(rough > 0.02 * (limit - begin)))
        return WATCH_ANSWER_FLAT;
    const double shake = fmax(watch_trend_noise(y, n), noise);
    if (!(rough > 4 * shake))
        return WATCH_ANSWER_FLAT;

    watch_fit_make(&t->fit, time_s, y, n, noise);
    const watch_fit *f = &t->fit;
    t->growth = f->end - f->begin;
    t->headroom = limit - f->begin;
    t->gone = t->growth / t->headroom;
    const bool much = t->gone > MUCH; /* too late for fine distinctions */
    if (!(f->slope_per_s > sureness(t->gone) * f->slope_error_per_s) ||
        t->growth < (much ? 3 : 4) * f->line_sigma)
        return WATCH_ANSWER_FLAT;
    if (!(t->headroom > 0)) {
        t->gone = 1;
        return WATCH_ANSWER_LEAK;
    }
    if (t->gone < 0.03)
        return WATCH_ANSWER_FLAT;

    /* Noise alone makes ceilings and falls of a few standard deviations. */
    const double now = median_of(y + n - 3, 3);
    const double ceiling = watch_history_ceiling(h, level, time_s[0]) - 2 * f->line_sigma;
    if (now - ceiling < 0.5 * t->growth)
        return WATCH_ANSWER_OLD;
    const double fall = fmax(l->drawdown - 3.5 * f->line_sigma, 0);
    if (now - fall - f->begin < 0.5 * t->growth)
        return WATCH_ANSWER_FELL;
    t->parts = parts_of(time_s, y, n, shake);
    if (t->parts < (much ? 4 : t->gone > 0.3 ? 5 : 6))
        return WATCH_ANSWER_STEPS;
    if (may_rest(t))
        return WATCH_ANSWER_SLOWS;
    if (f->ratio > 3)
        return WATCH_ANSWER_BENDS;
    const double lasts_h = t->headroom / f->slope_per_s / 3600;
    /* The fewer its parts, the more chance may have had a hand in it. */
    const double fewer = fmin(1 + 0.3 * fmax(12.5 - t->parts, 0), 2);
    if (t->gone < patience(lasts_h) * fewer)
        return WATCH_ANSWER_SMALL;
    if (t->gone < patience_by_day(lasts_h) && time_s[n - 1] - time_s[0] < 16 * 3600.0 &&
        may_be_day(l, n))
        return WATCH_ANSWER_CYCLE;
    return WATCH_ANSWER_LEAK;
}

void watch_trend_ask(watch_trend *out, const watch_history *h, int level, const double *time_s,
                     const double *floor, int n, double limit, double noise)
{
    *out = (watch_trend){0};
    out->answer = ask(out, h, level, time_s, floor, n, limit, noise);
}

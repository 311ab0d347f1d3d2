/* trend.c: the questions to a window. The numbers are in thresholds.h. */
#include "trend.h"

#include <math.h>

#include "base/base.h"
#include "cycle.h"
#include "thresholds.h"

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
    return MAD_TO_SIGMA * base_median(d, (size_t)(n - 2)) / sqrt(6);
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
    const double step = (time_s[n - 1] - time_s[0]) / N_PARTS;
    double sum = 0, squares = 0, was = kept[0];
    for (int p = 1, i = 0; p <= N_PARTS; p++) {
        const double until = p == N_PARTS ? time_s[n - 1] : time_s[0] + p * step;
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
    squares = fmax(squares - N_PARTS * shake * shake, sum * sum / N_PARTS);
    return squares > 0 ? sum * sum / squares : 0;
}

/* Things that are taken one after another and never given back. Of such the steps are counted: what
 * they leave of a line is their chance in time, not noise that climbs. */
static bool is_ratchet(const double *y, int n)
{
    double up = 0, down = 0;
    int steps = 0;
    for (int i = 1; i < n; i++) {
        const double d = y[i] - y[i - 1];
        steps += d > 0;
        up += fmax(d, 0);
        down += fmax(-d, 0);
    }
    return steps >= RATCHET_STEPS && down <= RATCHET_BACK * up;
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

#define GONE_NEEDED(table, lasts_h) between(table, (int)(sizeof(table) / sizeof *(table)), lasts_h)

/* Chance climbs a third of the headroom, too, but who waits for certainty runs out of memory. */
static double slope_errors(double gone)
{
    const int last = (int)(sizeof SLOPE_ERRORS / sizeof *SLOPE_ERRORS) - 1;
    int i = 0;
    while (i < last && !(gone > SLOPE_ERRORS[i][0]))
        i++;
    return SLOPE_ERRORS[i][1];
}

/* Could a warm-up that comes to rest well below the limit have made this curve? An exponential
 * whose slope falls by the factor ratio over the window still grows by late slope x length /
 * -ln ratio. */
static bool may_rest(const watch_trend *t, bool ratchet)
{
    const double errors = t->gone > MUCH_GONE ? REST_ERRORS_MUCH
                          : ratchet           ? REST_ERRORS_RATCHET
                                              : REST_ERRORS;
    const double ratio = t->fit.ratio - errors * t->fit.ratio_error;
    if (ratio >= 1)
        return false;
    if (ratio <= RESTS_RATIO)
        return true;
    const double mean = t->growth; /* slope x length */
    const double late = mean * 2 * ratio / (1 + ratio);
    return t->gone + late / -log(ratio) / t->headroom < REST_BELOW;
}

/* With what was before the window, if it is known: that is where a cycle would show. */
static bool may_be_day(const watch_level *l, int n)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    n = watch_trend_window(l, n * 8 / 5, time_s, y);
    return watch_cycle_may_be(time_s, y, n);
}

int watch_trend_troughs(const watch_history *h, int level, double noise, double *time_s,
                        double *floor)
{
    double at_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    /* The finest blocks know the noise: in coarser ones a tooth is no longer than two or three. */
    const int n_finest = watch_trend_window(&h->levels[0], WATCH_BLOCKS, at_s, y);
    if (n_finest < 3 * LEAST_TROUGHS)
        return 0;
    const double shake = fmax(watch_trend_noise(y, n_finest), noise);
    const int n = watch_trend_window(&h->levels[level], WATCH_BLOCKS, at_s, y);
    const double tooth = TROUGH_DEEP * h->levels[level].drawdown;
    if (n < 3 * LEAST_TROUGHS || !(tooth > TROUGH_SIGMAS * shake))
        return 0;
    int n_found = 0, low = 0;
    bool falls = false;
    double peak = y[0];
    for (int i = 1; i < n; i++) {
        if (!falls && y[i] < peak - tooth) {
            falls = true;
            low = i;
        } else if (falls && y[i] < y[low]) {
            low = i;
        } else if (falls && y[i] > y[low] + tooth) {
            falls = false;
            time_s[n_found] = at_s[low];
            floor[n_found++] = y[low];
            peak = y[i];
        }
        peak = fmax(peak, y[i]);
    }
    return n_found;
}

static watch_answer answer(watch_trend *t, const watch_history *h, int level, const double *time_s,
                           const double *y, int n, const watch_trend_terms *a)
{
    const watch_level *l = &h->levels[level];
    const bool ratchet = a->counts && is_ratchet(y, n);
    const double limit = a->limit, noise = a->noise;
    const int end = n / 8 > 3 ? n / 8 : 3;
    const double begin = mean_of(y, end), rough = mean_of(y + n - end, end) - begin;
    /* The cheap questions first: nearly all windows of a healthy job end here. */
    if (!(rough > ROUGH_PART * (limit - begin)))
        return WATCH_ANSWER_FLAT;
    const double shake = fmax(watch_trend_noise(y, n), noise);
    if (!(rough > ROUGH_SIGMAS * shake))
        return WATCH_ANSWER_FLAT;

    watch_fit_make(&t->fit, time_s, y, n, noise);
    const watch_fit *f = &t->fit;
    t->growth = f->end - f->begin;
    t->headroom = limit - f->begin;
    t->gone = t->growth / t->headroom;
    const bool much = t->gone > MUCH_GONE;
    if (!(f->slope_per_s >
          (ratchet ? RATCHET_ERRORS : slope_errors(t->gone)) * f->slope_error_per_s) ||
        t->growth < (much || ratchet ? GROWTH_SIGMAS_MUCH : GROWTH_SIGMAS) * f->line_sigma)
        return WATCH_ANSWER_FLAT;
    if (!(t->headroom > 0)) {
        t->gone = 1;
        return WATCH_ANSWER_LEAK;
    }
    if (t->gone < LEAST_GONE)
        return WATCH_ANSWER_FLAT;

    const double now = median_of(y + n - 3, 3);
    const double ceiling =
        watch_history_ceiling(h, level, time_s[0]) - CEILING_SIGMAS * f->line_sigma;
    if (!a->troughs && now - ceiling < NEW_PART * t->growth)
        return WATCH_ANSWER_OLD;
    const double fall = a->troughs ? 0 : fmax(l->drawdown - FALL_SIGMAS * f->line_sigma, 0);
    if (now - fall - f->begin < NEW_PART * t->growth)
        return WATCH_ANSWER_FELL;
    t->parts = parts_of(time_s, y, n, shake);
    if (t->parts < (much || ratchet       ? LEAST_PARTS_MUCH
                    : t->gone > MORE_GONE ? LEAST_PARTS_MORE
                                          : LEAST_PARTS))
        return WATCH_ANSWER_STEPS;
    if (may_rest(t, ratchet))
        return WATCH_ANSWER_SLOWS;
    if (f->ratio > BEND_RATIO)
        return WATCH_ANSWER_BENDS;
    const double lasts_h = t->headroom / f->slope_per_s / 3600;
    const double fewer =
        ratchet ? 1 : fmin(1 + MORE_PER_PART * fmax(EVEN_PARTS - t->parts, 0), MOST_MORE);
    if (t->gone < GONE_NEEDED(GONE_BY_HOURS, lasts_h) * fewer * a->more)
        return WATCH_ANSWER_SMALL;
    if (t->gone < GONE_NEEDED(GONE_BY_HOURS_OF_DAY, lasts_h) &&
        time_s[n - 1] - time_s[0] < DAY_WINDOW_H * 3600.0 &&
        (a->troughs ? watch_cycle_may_be(time_s, y, n) : may_be_day(l, n)))
        return WATCH_ANSWER_CYCLE;
    return WATCH_ANSWER_LEAK;
}

void watch_trend_ask(watch_trend *out, const watch_history *h, int level, const double *time_s,
                     const double *floor, int n, const watch_trend_terms *terms)
{
    *out = (watch_trend){.troughs = terms->troughs};
    out->answer = answer(out, h, level, time_s, floor, n, terms);
}

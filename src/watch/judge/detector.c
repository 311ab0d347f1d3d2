/* detector.c: the state of one series.
 *
 * Whenever a level closes a block, windows of several lengths that end there are asked whether they
 * show a leak (trend.h). Two blocks in a row must agree. Once called, the rise since its
 * beginning is fitted again and again, and the state is left only when the rise has ended. */
#include "detector.h"

#include <math.h>

#include "base/base.h"
#include "cycle.h"
#include "fit.h"
#include "history.h"
#include "shape.h"
#include "thresholds.h"
#include "trend.h"
#include "valid.h"

struct watch_detector {
    watch_history history;
    watch_unit unit;
    watch_state state;
    watch_shape shape;
    double limit, horizon_s;
    double level;
    int leaks[WATCH_LEVELS]; /* blocks in a row that showed a leak */
    int rises[WATCH_LEVELS]; /* or one too small */
    double called_s;
    double quiet_s;       /* when SUSPECT ends unless it is renewed */
    double since_s, base; /* of the rise */
    double call_slope, call_growth;
    double slope, slope_error;
    double line, line_s, line_error; /* the fitted floor's newest point */
    double walk_per_s, faster_per_s2;
    double slower;   /* the slope's ratio of end and beginning, when it falls; else 1 */
    bool may_be_day; /* a flank of a day's cycle looks so, too */
    double mean_above, most_above; /* how far the readings are above it */
    double floor;
};

static const double hour_s = 3600;

size_t watch_detector_bytes(void)
{
    return sizeof(watch_detector);
}

void watch_detector_init(watch_detector *d, watch_unit unit)
{
    *d = (watch_detector){.unit = unit,
                          .slower = 1,
                          .state = WATCH_LEARNING,
                          .limit = NAN,
                          .since_s = NAN,
                          .base = NAN,
                          .slope = NAN,
                          .slope_error = NAN,
                          .level = NAN,
                          .floor = NAN};
    watch_history_init(&d->history);
}

bool watch_detector_valid(const watch_detector *d, watch_unit unit)
{
    const double numbers[] = {d->limit,       d->horizon_s,  d->level,         d->quiet_s,
                              d->called_s,    d->since_s,    d->base,          d->call_slope,
                              d->call_growth, d->slope,      d->slope_error,   d->line,
                              d->line_s,      d->line_error, d->walk_per_s,    d->slower,
                              d->mean_above,  d->most_above, d->faster_per_s2, d->floor};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!valid_number(numbers[i]))
            return false;
    for (int k = 0; k < WATCH_LEVELS; k++)
        if (!valid_int(d->leaks[k], 0, VALID_MOST_COUNT) ||
            !valid_int(d->rises[k], 0, VALID_MOST_COUNT))
            return false;
    return d->unit == unit && valid_int((int)d->state, 0, WATCH_N_STATES - 1) &&
           valid_int((int)d->shape, 0, WATCH_N_SHAPES - 1) && valid_bool(&d->may_be_day) &&
           watch_history_valid(&d->history);
}

/* Counts move by one; bytes by pages, but noise below a millionth of the level is nobody's. */
static double least_noise(const watch_detector *d)
{
    return d->unit == WATCH_COUNT ? LEAST_NOISE_COUNT
                                  : LEAST_NOISE_BYTES_0_1 * fabs(d->floor) + 1e-300;
}

static double limit_of(const watch_detector *d, double base)
{
    if (d->unit == WATCH_COUNT) {
        /* A limit of thousands or a million says nothing of a job that wants a hundred descriptors
         * or six workers. */
        const double many = fmax(COUNT_TIMES * base, base + COUNT_MORE);
        return isfinite(d->limit) ? fmin(d->limit, many) : UNKNOWN_TIMES * fmax(base, COUNT_LEAST);
    }
    return isfinite(d->limit) ? d->limit : UNKNOWN_TIMES * base;
}

/* Copies the blocks since a moment from the finest level that has them all. */
static int blocks_since(const watch_detector *d, double since_s, double *time_s, double *y,
                        const watch_level **from)
{
    const int k = watch_history_level(&d->history, since_s);
    const watch_level *l = &d->history.levels[k];
    int n = 0;
    while (n < l->n && watch_history_back(l, n)->time_s >= since_s)
        n++;
    *from = l;
    return watch_trend_window(l, n, time_s, y);
}

/* How far above the floor a level's blocks usually are, in the mean and at most. */
static void find_heights(const watch_level *l, int n, double *mean, double *most)
{
    double mean_above[WATCH_BLOCKS], most_above[WATCH_BLOCKS];
    for (int i = 0; i < n; i++) {
        const watch_block *b = watch_history_back(l, i);
        mean_above[i] = (double)b->mean_above;
        most_above[i] = (double)b->most_above;
    }
    *mean = base_median(mean_above, (size_t)n);
    *most = base_median(most_above, (size_t)n);
}

/* To take a day's rhythm off, the more days the better: all of the run, if the rise is most of it.
 */
static double with_days_before(const watch_detector *d)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    const watch_level *l;
    const int n = blocks_since(d, -INFINITY, time_s, y, &l);
    if (n < 2 || d->since_s - time_s[0] > 0.35 * (time_s[n - 1] - time_s[0]))
        return d->since_s;
    return watch_cycle_remove(time_s, y, n) ? time_s[0] : d->since_s;
}

/* Fits the rise since its beginning, or since it last bent. */
static void follow(watch_detector *d)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    double since_s = with_days_before(d);
    for (int round = 0; round < 6; round++) {
        const watch_level *l;
        const int n = blocks_since(d, since_s - 1, time_s, y, &l);
        if (n < (round == 0 ? 8 : 16))
            return;
        const bool has_cycle = watch_cycle_remove(time_s, y, n);
        watch_fit f;
        watch_fit_make(&f, time_s, y, n, least_noise(d));
        if (round == 0) {
            d->base = f.begin;
            const bool faster =
                !has_cycle && f.ratio > FASTER_RATIO && f.ratio - 1 > FASTER_ERRORS * f.ratio_error;
            const double early =
                2 * f.slope_per_s - f.late_per_s; /* a parabola's mean is its middle */
            const bool slower = !has_cycle && f.ratio < SLOWER_RATIO && 1 - f.ratio > f.ratio_error;
            d->slower = slower ? fmax(f.ratio, SLOWEST_RATIO) : 1;
            const double length_s = f.end_s - f.begin_s;
            const double lasts_s = (d->limit - f.begin) / f.slope_per_s;
            d->may_be_day = length_s < CYCLE_LEAST_H * hour_s && lasts_s > 12 * hour_s &&
                            lasts_s < 120 * hour_s && watch_cycle_may_be(time_s, y, n);
            d->faster_per_s2 = faster ? (f.late_per_s - early) / (f.end_s - f.begin_s) : 0;
        }
        d->slope = f.slope_per_s;
        d->slope_error = f.slope_error_per_s;
        d->line = f.end;
        d->line_s = f.end_s;
        /* What walked until now goes on walking: variance a second. */
        d->walk_per_s = f.drift * f.drift * (n - 1) / (f.end_s - f.begin_s);
        d->line_error = hypot(f.level_error, 0.5 * (f.end_s - f.begin_s) * f.slope_error_per_s);
        find_heights(l, n, &d->mean_above, &d->most_above);
        /* A block's least is that of its beginning, as far as the rise alone makes it, and its most
         * that of its end. */
        const double own = 0.5 * f.slope_per_s * (f.end_s - f.begin_s) / (n - 1);
        const double late = fmin(fmax(own, 0), d->mean_above);
        d->line += late;
        d->mean_above -= late;
        d->most_above = fmax(d->most_above - 2 * late, d->mean_above);
        const double bend = fabs(f.ratio - 1);
        if (has_cycle || bend < BENT_BY || bend < BENT_ERRORS * f.ratio_error)
            return;
        since_s = f.end_s - 0.75 * (f.end_s - f.begin_s);
    }
}

/* The newest two fifths of the rise's time no longer rise, or most of the rise was taken back. */
static bool has_ended(const watch_detector *d)
{
    if (d->floor < d->base + ENDED_GROWTH * d->call_growth)
        return true;
    const double now_s = d->history.last_s;
    const double begin_s = now_s - ENDED_NEWEST * (now_s - d->since_s);
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    const watch_level *l;
    const int n = blocks_since(d, begin_s, time_s, y, &l);
    if (n < 12)
        return false;
    watch_fit f;
    watch_fit_make(&f, time_s, y, n, least_noise(d));
    return f.slope_per_s + ENDED_ERRORS * f.slope_error_per_s < ENDED_SLOPE * d->call_slope;
}

/* The window may have caught a piece of the time before, or not all of the rise. */
static double beginning_of(const watch_detector *d, int k, const watch_trend *t)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    if (t->troughs)
        return t->fit.begin_s;
    const int n = watch_trend_window(&d->history.levels[k], t->fit.n * 8 / 5, time_s, y);
    const int hinge = watch_fit_hinge(time_s, y, n);
    const double since_s = time_s[hinge];
    /* Older blocks were no part of what was asked: believe them only when they turn at a hinge. */
    return hinge > 0 || n == t->fit.n ? since_s : t->fit.begin_s;
}

static void begin_rise(watch_detector *d, int k, const watch_trend *t, watch_state state)
{
    if (!(d->state == WATCH_SUSPECT && d->since_s < t->fit.begin_s) || state == WATCH_LEAKING) {
        d->since_s = beginning_of(d, k, t);
        d->base = t->fit.begin;
    }
    d->call_slope = t->fit.slope_per_s;
    d->call_growth = t->growth;
    d->state = state;
    d->called_s = d->history.last_s;
    d->shape = WATCH_SHAPE_RISING;
}

/* The longest window that shows a leak; else the longest whose only fault is that it is small. */
static watch_trend ask_windows(const watch_detector *d, int k)
{
    static const int lengths[] = {64, 52, 42, 34, 27, 21, 16, 12, 9};
    double time_s[WATCH_BLOCKS], floors[WATCH_BLOCKS];
    const int n_all = watch_trend_window(&d->history.levels[k], WATCH_BLOCKS, time_s, floors);
    const int least = k > 0 ? LEAST_WINDOW_COARSE : LEAST_WINDOW;
    watch_trend_terms terms = {
        .noise = least_noise(d), .more = 1, .counts = d->unit == WATCH_COUNT};
    watch_trend rise = {0}, t;
    int was = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const int n = lengths[i] < n_all ? lengths[i] : n_all, from = n_all - n;
        if (n < least)
            break;
        if (n == was)
            continue;
        was = n;
        terms.limit = limit_of(d, floors[from]);
        terms.more = terms.limit < d->limit ? SUPPOSED_MORE : 1;
        watch_trend_ask(&t, &d->history, k, time_s + from, floors + from, n, &terms);
        if (t.answer == WATCH_ANSWER_LEAK)
            return t;
        if (watch_trend_rises(t.answer) && !watch_trend_rises(rise.answer))
            rise = t;
    }
    const int n = watch_trend_troughs(&d->history, k, terms.noise, time_s, floors);
    if (n < LEAST_TROUGHS)
        return rise;
    terms.troughs = true;
    terms.limit = limit_of(d, floors[0]);
    terms.more = terms.limit < d->limit ? SUPPOSED_MORE : 1;
    watch_trend_ask(&t, &d->history, k, time_s, floors, n, &terms);
    return t.answer == WATCH_ANSWER_LEAK || !watch_trend_rises(rise.answer) ? t : rise;
}

/* Asks a level that has a new block. */
static void ask_level(watch_detector *d, int k)
{
    const watch_trend t = ask_windows(d, k);
    d->leaks[k] = t.answer == WATCH_ANSWER_LEAK ? d->leaks[k] + 1 : 0;
    d->rises[k] = watch_trend_rises(t.answer) ? d->rises[k] + 1 : 0;
    if (d->state >= WATCH_LEAKING)
        return;
    if (d->leaks[k] >= AGREE) {
        begin_rise(d, k, &t, WATCH_LEAKING);
    } else if (d->rises[k] >= AGREE) {
        begin_rise(d, k, &t, WATCH_SUSPECT);
        d->quiet_s = d->history.last_s + QUIET_PART * (t.fit.end_s - t.fit.begin_s);
    }
}

static void forecast(const watch_detector *d, double *at, double *low, double *high)
{
    *at = *low = *high = NAN;
    if (!isfinite(d->limit) || !isfinite(d->slope))
        return;
    /* Does the end come when peaks reach the limit, the mean, or even the floor? The answer is the
     * middle; the interval has them all. */
    const double line = d->line + d->slope * (d->history.last_s - d->line_s);
    const double left = fmax(d->limit - line, 0);
    const double peak = fmax(left - d->most_above, 0);
    *at = d->slope > 0 ? 0.5 * (left + peak) / d->slope : INFINITY;
    if (!(d->slope > 0)) {
        *low = d->slope + DATE_SIGMAS * d->slope_error > 0
                   ? peak / (d->slope + DATE_SIGMAS * d->slope_error)
                   : INFINITY;
        *high = INFINITY;
        return;
    }
    /* Errors of the way left: the level's, the slope's, and of the steps to come. */
    const double part =
        sqrt(d->line_error * d->line_error + d->walk_per_s * *at) / fmax(left, 1e-300);
    const double wide = DATE_SIGMAS * hypot(d->slope_error / d->slope, part);
    *low = peak / d->slope / (1 + wide);
    *high = wide < 1 ? left / d->slope / (1 - wide) : INFINITY;
    /* What slows may go on to: as much again. */
    *high /= d->slower;
    if (d->may_be_day) {
        *low *= DAY_SOONER;
        *high *= DAY_LATER;
    }
    if (d->faster_per_s2 > 0) {
        /* left = slope t + faster t^2 / 2 */
        const double a = d->faster_per_s2, b = d->slope;
        *at = (sqrt(b * b + a * (left + peak)) - b) / a;
        *low = fmin(*low, FASTER_SOONER * (sqrt(b * b + 2 * a * peak) - b) / a);
    }
}

static void describe(watch_detector *d)
{
    watch_fit newest = {0};
    d->shape = watch_shape_find(&d->history, least_noise(d), &newest);
    if (newest.n > 0) {
        d->slope = newest.slope_per_s;
        d->slope_error = newest.slope_error_per_s;
    }
}

static void decide(watch_detector *d, int closed)
{
    for (int k = 0; k < closed; k++)
        ask_level(d, k);
    if (d->state == WATCH_LEARNING && d->history.levels[0].n >= 16)
        d->state = WATCH_STEADY;
    if (d->state == WATCH_SUSPECT && d->history.last_s > d->quiet_s)
        d->state = WATCH_STEADY;
    const int whole = watch_history_level(&d->history, -INFINITY);
    if (d->state <= WATCH_STEADY && closed > whole)
        describe(d);
    if (d->state >= WATCH_SUSPECT)
        follow(d);
    if (d->state >= WATCH_LEAKING && has_ended(d)) {
        d->state = WATCH_STEADY;
        describe(d);
    }
    if (d->state >= WATCH_LEAKING) {
        const double horizon = d->horizon_s > 0 ? d->horizon_s : HORIZON_S;
        double at, low, high;
        forecast(d, &at, &low, &high);
        if (at < horizon && d->history.last_s > d->called_s + HELD * d->history.block_s &&
            (horizon > HORIZON_S || watch_detector_gone(d) >= CRITICAL_GONE))
            d->state = WATCH_CRITICAL;
        else if (d->state == WATCH_CRITICAL && at > LEAVE_CRITICAL * horizon)
            d->state = WATCH_LEAKING;
    }
}

/* Returns how many levels closed a block. */
static int record(watch_detector *d, double time_s, double value)
{
    if (isfinite(value))
        d->level = value;
    const int closed = watch_history_push(&d->history, time_s, value);
    if (closed > 0)
        d->floor = watch_history_back(&d->history.levels[0], 0)->least;
    return closed;
}

void watch_detector_push(watch_detector *d, double time_s, double value, double limit,
                         double horizon_s)
{
    d->limit = limit;
    d->horizon_s = horizon_s;
    const int closed = record(d, time_s, value);
    if (closed > 0)
        decide(d, closed);
}

void watch_detector_record(watch_detector *d, double time_s, double value)
{
    record(d, time_s, value);
}

void watch_detector_get(const watch_detector *d, watch_verdict *out)
{
    *out = (watch_verdict){.state = d->state,
                           .shape = d->shape,
                           .level = d->level,
                           .floor = d->floor,
                           .since_s = d->state >= WATCH_SUSPECT ? d->since_s : NAN,
                           .growth = d->state >= WATCH_SUSPECT ? d->floor - d->base : NAN,
                           .slope_per_s = d->slope,
                           .slope_low_per_s = d->slope - NORMAL_90 * d->slope_error,
                           .slope_high_per_s = d->slope + NORMAL_90 * d->slope_error,
                           .limit = d->limit,
                           .unit = WATCH_NONE,
                           .per_unit = NAN};
    if (d->state >= WATCH_SUSPECT)
        forecast(d, &out->exhaustion_s, &out->exhaustion_low_s, &out->exhaustion_high_s);
    else
        out->exhaustion_s = out->exhaustion_low_s = out->exhaustion_high_s =
            isfinite(d->limit) ? INFINITY : NAN;
}

double watch_detector_gone(const watch_detector *d)
{
    const double headroom = limit_of(d, d->base) - d->base;
    return d->state >= WATCH_SUSPECT && headroom > 0 ? (d->floor - d->base) / headroom : 0;
}

void watch_detector_call(watch_detector *d)
{
    if (d->state != WATCH_SUSPECT)
        return;
    d->state = WATCH_LEAKING;
    d->called_s = d->history.last_s;
}

enum { LEAST_CHANGE = 4 }; /* blocks; of fewer nothing is known */

bool watch_detector_ends(const watch_detector *d, double since_s, double *from, double *to)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    const watch_level *l;
    const int n = blocks_since(d, since_s, time_s, y, &l);
    if (n < LEAST_CHANGE)
        return false;
    *from = y[0];
    *to = y[n - 1];
    return true;
}

double watch_detector_slope(const watch_detector *d, double since_s)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    const watch_level *l;
    const int n = blocks_since(d, since_s, time_s, y, &l);
    return n >= LEAST_CHANGE ? watch_fit_theil_sen(time_s, y, n) : NAN;
}

bool watch_detector_change(const watch_detector *d, double since_s, watch_change *out)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    const watch_level *l;
    const int n = blocks_since(d, since_s, time_s, y, &l);
    if (n < LEAST_CHANGE)
        return false;
    const int end = n >= 12 ? n / 4 : 1;
    double first[WATCH_BLOCKS], last[WATCH_BLOCKS], apart[WATCH_BLOCKS];
    for (int i = 0; i < end; i++) {
        first[i] = y[i];
        last[i] = y[n - end + i];
    }
    int up = 0, down = 0;
    for (int i = 1; i < n; i++) {
        apart[i - 1] = fabs(y[i] - y[i - 1]);
        up += y[i] > y[i - 1];
        down += y[i] < y[i - 1];
    }
    const double moved = base_median(last, (size_t)end) - base_median(first, (size_t)end);
    const double noise =
        fmax(MAD_TO_SIGMA * base_median(apart, (size_t)(n - 1)) / sqrt(2), least_noise(d));
    *out = (watch_change){.from = y[0], .to = y[n - 1]};
    /* The slope last: of what hardly moved it need not be known. */
    if (moved > MOVED_SIGMAS * noise && up >= down)
        out->rises = watch_fit_theil_sen(time_s, y, n) > 0;
    else if (-moved > MOVED_SIGMAS * noise && down >= up)
        out->falls = watch_fit_theil_sen(time_s, y, n) < 0;
    return true;
}

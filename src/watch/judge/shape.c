/* shape.c: from the floors of all the run, coarse as they are by now. */
#include "shape.h"

#include <math.h>

#include "base/base.h"
#include "cycle.h"
#include "thresholds.h"
#include "trend.h"

typedef struct extremes {
    double low, high;
    double fall; /* the most that a later floor lies below an earlier one */
    int n_falls; /* times that half of that was lost */
    double step; /* the most that two neighbours rise */
} extremes;

static extremes find_extremes(const double *y, int n)
{
    extremes e = {.low = y[0], .high = y[0]};
    double peak = y[0];
    for (int i = 1; i < n; i++) {
        e.low = fmin(e.low, y[i]);
        e.high = fmax(e.high, y[i]);
        peak = fmax(peak, y[i]);
        e.fall = fmax(e.fall, peak - y[i]);
        e.step = fmax(e.step, y[i] - y[i - 1]);
    }
    peak = y[0];
    for (int i = 1; i < n; i++) {
        peak = fmax(peak, y[i]);
        if (peak - y[i] > 0.5 * e.fall) {
            e.n_falls++;
            peak = y[i];
        }
    }
    return e;
}

static bool has_teeth(const watch_level *l, double noise)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    const int n = watch_trend_window(l, WATCH_BLOCKS, time_s, y);
    const extremes e = find_extremes(y, n);
    return e.n_falls > 1 && e.fall > FLAT_SIGMAS * fmax(watch_trend_noise(y, n), noise);
}

watch_shape watch_shape_find(const watch_history *h, double noise, watch_fit *newest)
{
    double time_s[WATCH_BLOCKS], y[WATCH_BLOCKS];
    const int k = watch_history_level(h, -INFINITY);
    const watch_level *l = &h->levels[k];
    const int n = watch_trend_window(l, WATCH_BLOCKS, time_s, y);
    if (n < 12)
        return WATCH_SHAPE_UNKNOWN;
    const int half = n / 2;
    watch_fit_make(newest, time_s + n - half, y + n - half, half, noise);

    const double shake = fmax(watch_trend_noise(y, n), noise);
    const extremes e = find_extremes(y, n);
    if (e.high - e.low < FLAT_SIGMAS * shake) {
        /* Teeth too short for these blocks show in finer ones. */
        for (int j = 0; j < k; j++)
            if (has_teeth(&h->levels[j], noise))
                return WATCH_SHAPE_SAW_TOOTH;
        return WATCH_SHAPE_FLAT;
    }
    if (e.fall > FALLS_BACK * (e.high - e.low)) {
        if (watch_cycle_remove(time_s, y, n))
            return WATCH_SHAPE_CYCLE;
        return e.n_falls > 1 ? WATCH_SHAPE_SAW_TOOTH : WATCH_SHAPE_STEP;
    }
    if (e.step > ONE_STEP * (e.high - e.low))
        return WATCH_SHAPE_STEP;
    const double late = newest->end - newest->begin;
    if (late < PLATEAU_RISE * (e.high - e.low))
        return WATCH_SHAPE_PLATEAU;
    return late < WARM_UP_RISE * (e.high - e.low) ? WATCH_SHAPE_WARM_UP : WATCH_SHAPE_RISING;
}

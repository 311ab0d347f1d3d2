/* trend.h: is the floor of one window a leak's? The questions, one after another.
 *
 * A window is the newest n blocks of one level. A leak's floor rises, straight, in many small
 * parts, to where it never was; a warm-up slows down, a load step moves once, a saw-tooth falls
 * back, a daily cycle bends. How much of the headroom must be gone before it is called depends on
 * how near the end would be. */
#ifndef WATCH_TREND_H
#define WATCH_TREND_H

#include "fit.h"
#include "history.h"
#include "verdict.h"

typedef enum watch_answer {
    WATCH_ANSWER_FLAT,  /* no rise beyond the noise */
    WATCH_ANSWER_OLD,   /* it was as high before */
    WATCH_ANSWER_FELL,  /* it falls back by as much */
    WATCH_ANSWER_STEPS, /* few large parts */
    WATCH_ANSWER_SLOWS, /* a warm-up that ends below the limit would look so */
    WATCH_ANSWER_BENDS, /* speeds up: the window begins before the rise */
    WATCH_ANSWER_CYCLE, /* half a day's cycle would look so */
    WATCH_ANSWER_SMALL, /* a leak's curve, too little of the headroom */
    WATCH_ANSWER_LEAK
} watch_answer;

/* A leak, or what would be one if it were larger or no day's. */
static inline bool watch_trend_rises(watch_answer a)
{
    return a >= WATCH_ANSWER_CYCLE;
}

typedef struct watch_trend {
    watch_answer answer;
    watch_fit fit;
    double growth;   /* of the line over the window */
    double headroom; /* limit less the line's beginning */
    double gone;     /* growth / headroom */
    bool troughs;    /* it was asked of those */
    double parts;    /* in how many equal parts of 16 it rose */
} watch_trend;

/* Copies the newest n blocks, oldest first; returns how many there are. */
int watch_trend_window(const watch_level *l, int n, double *time_s, double *floor);
/* Standard deviation of floors' noise from neighbours' differences: rises and steps hardly show.
 * 3 <= n <= 64. */
double watch_trend_noise(const double *y, int n);
/* Where a saw-tooth has fallen to, oldest first: of the newest blocks of a level; returns how many.
 * A rise that is taken back again and again hides the trend; its troughs show it. */
int watch_trend_troughs(const watch_history *h, int level, double noise, double *time_s,
                        double *floor);

/* How a window is asked. limit: known or supposed. noise: the least that is believed of a floor's.
 */
typedef struct watch_trend_terms {
    double limit, noise;
    double more;  /* times as much of the headroom as usual must be gone */
    bool counts;  /* things, not bytes */
    bool troughs; /* the floors are those of a saw-tooth, and n >= 6 */
} watch_trend_terms;

/* Of the newest n >= 8 blocks of a level, as watch_trend_window gives them. */
void watch_trend_ask(watch_trend *out, const watch_history *h, int level, const double *time_s,
                     const double *floor, int n, const watch_trend_terms *terms);

#endif

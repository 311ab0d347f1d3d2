/* traces.h: made-up traces of 48 hours with their truth, for tuning the detector and for scoring
 * it.
 *
 * Two families, written apart: tune (traces_tune.c), on which every constant of src/watch was
 * chosen, and score (traces_score.c), other shapes, noises, intervals, levels and seeds, on which
 * nothing was. */
#ifndef BENCH_WATCH_TRACES_H
#define BENCH_WATCH_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_MOST = 40000 };

typedef enum trace_group {
    TRACE_BENIGN,
    TRACE_LEAK,      /* reaches the limit within 96 h */
    TRACE_HALF_HOUR, /* within 30 min of its beginning */
    TRACE_OPEN /* shown, under no bar: a leak that ends later, or what nobody can tell apart */
} trace_group;

typedef struct trace {
    int n;
    double time_s[TRACE_MOST];
    double value[TRACE_MOST];
    double leaked[TRACE_MOST]; /* truth: what of value is leak */
    double limit;
    double headroom; /* limit less the level without leak, noise and peaks, when the leak begins */
    double onset_s;
    double end_s;   /* when level and leak together reach the limit, noise apart; may lie beyond the
                       trace; INFINITY: never */
    double first_s; /* when a reading first reached the limit, peaks, teeth and noise with it: there
                       the trace ends; NAN: not within it */
    bool counts;    /* whole numbers */
    double slope_per_s; /* of a leak of constant rate, else NAN */
} trace;

typedef struct trace_class {
    const char *name;
    trace_group group;
    void (*make)(trace *t, uint64_t *seed);
} trace_class;

extern const trace_class trace_tune[], trace_score[];
extern const size_t trace_n_tune, trace_n_score;

/* splitmix64; uniform in [0, 1); normal by Box and Muller. */
double trace_uniform(uint64_t *seed);
double trace_normal(uint64_t *seed);

#endif

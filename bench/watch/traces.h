/* traces.h: made-up traces of 48 hours with their truth, for tuning the detector and for scoring
 * it.
 *
 * Three families, written apart: tune (traces_tune.c), on which every constant of src/watch was
 * chosen; score (traces_score.c), other shapes, noises, intervals, levels and seeds, and jobs
 * (traces_jobs.c), whole jobs with their work and their other resources beside the series, on which
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

/* What is read beside the series. */
typedef enum trace_beside {
    TRACE_EPOCHS,
    TRACE_REQUESTS,
    TRACE_RECONNECTS,
    TRACE_RUNS,
    TRACE_INPUT, /* bytes read */
    TRACE_FDS,   /* of a limit of 1024 */
    TRACE_THREADS,
    TRACE_N_BESIDE
} trace_beside;

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
    bool has[TRACE_N_BESIDE];
    double beside[TRACE_N_BESIDE][TRACE_MOST];
    double expect_rss; /* what the user says that it will hold; 0: nothing */
} trace;

typedef struct trace_class {
    const char *name;
    trace_group group;
    void (*make)(trace *t, uint64_t *seed);
} trace_class;

extern const trace_class trace_tune[], trace_score[], trace_jobs[];
extern const size_t trace_n_tune, trace_n_score, trace_n_jobs;

/* splitmix64; uniform in [0, 1); normal by Box and Muller. */
double trace_uniform(uint64_t *seed);
double trace_normal(uint64_t *seed);

#endif

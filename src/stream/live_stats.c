/* live_stats.c: histograms, and names of what is counted. */
#include "live_stats.h"

#include <math.h>

const double live_bucket_s[LIVE_BUCKETS] = {0.0005, 0.001, 0.0025, 0.005,   0.01, 0.02,
                                            0.03,   0.05,  0.075,  0.1,     0.15, 0.25,
                                            0.5,    1,     5,      INFINITY};

const char *live_stage_name(live_stage s)
{
    static const char *const names[] = {
#define X(name, text) text,
        LIVE_STAGES(X)
#undef X
    };
    return names[s];
}

const char *live_state_name(live_state s)
{
    static const char *const names[] = {"empty", "connecting", "playing", "waiting", "ended"};
    return names[s];
}

void live_histogram_add(live_histogram *h, int64_t ns)
{
    const double s = (double)ns * 1e-9;
    int i = 0;
    while (i < LIVE_BUCKETS - 1 && s > live_bucket_s[i])
        i++;
    atomic_fetch_add_explicit(&h->n[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_ns, ns > 0 ? (uint64_t)ns : 0, memory_order_relaxed);
}

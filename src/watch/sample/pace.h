/* pace.h: keeps what is dear to read below a share of all time. What it costs is measured in CPU
 * time and paid from a purse that fills with the clock, up to a bound, so that an idle day does not
 * allow a busy minute. For this folder. */
#ifndef WATCH_PACE_H
#define WATCH_PACE_H

#include "base/base.h"

typedef struct watch_pace {
    double share;   /* of one core */
    double purse_s; /* may be negative: a dear reading is paid off afterwards */
    double at_s;
} watch_pace;

static const double WATCH_PURSE_S = 0.05;      /* the most that the clock fills */
static const double WATCH_FIRST_PURSE_S = 0.1; /* for a first look at everything */

static inline bool watch_pace_may(watch_pace *p, double now_s)
{
    const double filled_s = p->purse_s + p->share * (now_s - p->at_s);
    if (p->purse_s < WATCH_PURSE_S)
        p->purse_s = filled_s < WATCH_PURSE_S ? filled_s : WATCH_PURSE_S;
    p->at_s = now_s;
    return p->purse_s > 0;
}

/* From base_thread_cpu_ns() before what was paid for. */
static inline void watch_pace_pay(watch_pace *p, int64_t began_ns)
{
    p->purse_s -= (double)(base_thread_cpu_ns() - began_ns) * 1e-9;
}

#endif

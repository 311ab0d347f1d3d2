/* judge.h: every series' detector together, rates per unit of work, and events with their causes.
 *
 * push takes a sample; then next gives the events that it made, oldest first. Nothing is allocated
 * after create. One owner; not thread-safe. */
#ifndef WATCH_JUDGE_H
#define WATCH_JUDGE_H

#include "detector.h"

typedef struct watch_judge watch_judge;

typedef struct watch_judge_options {
    double hang_s;     /* no progress for so long: HUNG; 0: from the epochs seen, at least 10 min */
    double horizon_s;  /* CRITICAL when the limit is nearer; 0: twice the checkpoint interval seen,
                          at least 10 min */
    double expect_rss; /* bytes that the whole job is meant to hold when it is warm; 0: not said */
} watch_judge_options;

vg_status watch_judge_create(watch_judge **out, const watch_judge_options *o, base_mem *mem,
                             vg_error *err);
void watch_judge_destroy(watch_judge **j);

void watch_judge_push(watch_judge *j, const watch_sample *s);
/* False: none is left. At most 64 wait; the oldest give way and are counted. */
bool watch_judge_next(watch_judge *j, watch_event *out);

/* What is thought now; explained like an event. False for a series that never had a value. */
bool watch_judge_get(const watch_judge *j, watch_series s, watch_event *out);
const watch_sample *watch_judge_sample(const watch_judge *j); /* the newest */
bool watch_judge_change(const watch_judge *j, watch_series s, double since_s, watch_change *out);
bool watch_judge_ends(const watch_judge *j, watch_series s, double since_s, double *from,
                      double *to);
double watch_judge_slope(const watch_judge *j, watch_series s, double since_s);

/* How much of a COUNTER or of WORK was added since a moment (or since it was first read). NAN: it
 * never was. */
double watch_judge_count(const watch_judge *j, watch_series s, double since_s);

/* A new process took the old one's place: what was learnt of levels is forgotten, time goes on. */
void watch_judge_restart(watch_judge *j);

/* The whole state as bytes, for the guard's own restart. load refuses bytes of another version or
 * length, and such as no judge could have saved, and is as it was then (VG_ERR_FORMAT). bytes:
 * aligned as by base_alloc. */
size_t watch_judge_state_bytes(const watch_judge *j);
void watch_judge_save(const watch_judge *j, void *bytes);
vg_status watch_judge_load(watch_judge *j, const void *bytes, size_t n_bytes, vg_error *err);

#endif

/* course.h: a stream job's numbers over time, in fixed memory however long it runs: when there is
 * no room, neighbours are joined two by two and the step doubles. One writer; copied under its
 * owner's lock. */
#ifndef STREAM_COURSE_H
#define STREAM_COURSE_H

#include "stream/shared/stats.h"

enum { STREAM_COURSE_POINTS = 240 };

typedef struct stream_course {
    size_t n;
    double step_s;                          /* between points; grows */
    double seconds[STREAM_COURSE_POINTS];   /* since the job began, at each point */
    double per_s[STREAM_COURSE_POINTS];     /* results a second, all sources together */
    double latency_s[STREAM_COURSE_POINTS]; /* mean; NAN: nothing came */
    double dropped_per_s[STREAM_COURSE_POINTS];
    double resident_bytes[STREAM_COURSE_POINTS];
    /* of the last point */
    int64_t last_ns;
    uint64_t n_results, n_dropped, n_latencies, latency_ns;
} stream_course;

/* Adds a point when one is due; true: it did. About once a second. Zeroed is valid. */
bool stream_course_step(stream_course *c, const stream_stats *s, int64_t now_ns);

/* Mean time from a packet's arrival to its result, of what came since the last call. */
typedef struct stream_latency {
    uint64_t n, sum_ns;
    double mean_s; /* NAN: nothing yet; stays while nothing comes */
} stream_latency;
void stream_latency_step(stream_latency *l, const stream_channel_stats *c);

#endif

/* health.h: whether a stream job is doing its work: what /healthz answers and a watchdog is fed
 * with. */
#ifndef STREAM_HEALTH_H
#define STREAM_HEALTH_H

#include "stats.h"

/* Every source has made progress lately (a frame, an attempt to connect, a wait that has begun and
 * is not longer than it may be), and no run of the network has been under way for too long. */
bool stream_stats_is_healthy(const stream_stats *s, const stream_options *o, int64_t now_ns);

#endif

/* metrics.h: a live job's numbers in Prometheus' text format and its health as JSON: what
 * --serve answers. docs/streams.md lists the names. */
#ifndef STREAM_LIVE_METRICS_H
#define STREAM_LIVE_METRICS_H

#include "stream/shared/stats.h"

/* Results a second of each source, smoothed over some five seconds: one writer, any readers. Zeroed
 * is valid. */
typedef struct live_rates {
    int64_t last_ns;
    uint64_t last_n[LIVE_MOST_CHANNELS];
    _Atomic double per_s[LIVE_MOST_CHANNELS];
} live_rates;
/* About once a second. */
void live_rates_step(live_rates *r, const live_stats *s, int64_t now_ns);

/* What a moment's page is made of; borrowed during the call. */
typedef struct live_moment {
    const live_stats *stats;
    const live_rates *rates;
    int64_t now_ns;
    bool is_healthy;
} live_moment;

/* Text format 0.0.4. Sources have the labels source (public name, cut to LIVE_NAME_BYTES) and
 * channel (place): two may have the same name. */
vg_status live_metrics(base_str *out, const live_moment *m, base_mem *mem, vg_error *err);
/* {"status":"ok"|"failing","version":...,"uptime_s":...,"sources":[...],"sinks":[...]} */
vg_status live_health_json(base_str *out, const live_moment *m, base_mem *mem, vg_error *err);
/* {"status":"ok"|"failing"}: for those who do not know the token. */
vg_status live_health_word(base_str *out, const live_moment *m, base_mem *mem, vg_error *err);

/* Copies the name of a channel that is not empty; false: there is no source in that place. */
bool live_channel_name(char out[LIVE_NAME_BYTES], const live_channel_stats *c);
const char *live_version(void);

#endif

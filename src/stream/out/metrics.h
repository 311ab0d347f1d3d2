/* metrics.h: a stream job's numbers in Prometheus' text format and its health as JSON: what
 * --serve answers. docs/streams.md lists the names. */
#ifndef STREAM_METRICS_H
#define STREAM_METRICS_H

#include "stream/shared/stats.h"

/* Results a second of each source, smoothed over some five seconds: one writer, any readers. Zeroed
 * is valid. */
typedef struct stream_rates {
    int64_t last_ns;
    uint64_t last_n[STREAM_MOST_CHANNELS];
    _Atomic double per_s[STREAM_MOST_CHANNELS];
} stream_rates;
/* About once a second. */
void stream_rates_step(stream_rates *r, const stream_stats *s, int64_t now_ns);

/* What a moment's page is made of; borrowed during the call. */
typedef struct stream_moment {
    const stream_stats *stats;
    const stream_rates *rates;
    int64_t now_ns;
    bool is_healthy;
} stream_moment;

/* Text format 0.0.4. Sources have the labels source (public name, cut to STREAM_NAME_BYTES) and
 * channel (place): two may have the same name. */
vg_status stream_metrics(base_str *out, const stream_moment *m, base_mem *mem, vg_error *err);
/* {"status":"ok"|"failing","version":...,"uptime_s":...,"sources":[...],"sinks":[...]} */
vg_status stream_health_json(base_str *out, const stream_moment *m, base_mem *mem, vg_error *err);
/* {"status":"ok"|"failing"}: for those who do not know the token. */
vg_status stream_health_word(base_str *out, const stream_moment *m, base_mem *mem, vg_error *err);

/* Copies the name of a channel that is not empty; false: there is no source in that place. */
bool stream_channel_name(char out[STREAM_NAME_BYTES], const stream_channel_stats *c);
const char *stream_version(void);

#endif

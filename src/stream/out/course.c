/* course.c: differences of counters, a point a step. */
#include "course.h"

#include <math.h>

#include "base/base.h"

static void count_latency(uint64_t *n, uint64_t *sum_ns, const stream_channel_stats *c)
{
    const stream_histogram *h = &c->stages[STREAM_STAGE_LATENCY];
    for (int k = 0; k < STREAM_BUCKETS; k++)
        *n += h->n[k];
    *sum_ns += h->sum_ns;
}

/* Of a counter that may have begun anew with another source in its place. */
static double since(uint64_t now, uint64_t before)
{
    return now >= before ? (double)(now - before) : (double)now;
}

static void join_neighbours(stream_course *c)
{
    double *const columns[] = {c->per_s, c->latency_s, c->dropped_per_s, c->resident_bytes};
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
        for (size_t i = 0; i < c->n / 2; i++) {
            const double a = columns[k][2 * i], b = columns[k][2 * i + 1];
            columns[k][i] = isnan(a) ? b : isnan(b) ? a : (a + b) / 2;
        }
    for (size_t i = 0; i < c->n / 2; i++)
        c->seconds[i] = c->seconds[2 * i + 1];
    c->n /= 2;
    c->step_s *= 2;
}

bool stream_course_step(stream_course *c, const stream_stats *s, int64_t now_ns)
{
    uint64_t n_results = 0, n_dropped = 0, n_latencies = 0, latency_ns = 0;
    const bool is_first = c->last_ns == 0;
    const double seconds = (double)(now_ns - c->last_ns) * 1e-9;
    if (is_first)
        c->step_s = 1;
    if (!is_first && seconds < 0.95 * c->step_s)
        return false;
    for (int i = 0; i < s->n_channels; i++) {
        n_results += s->channels[i].n_results;
        n_dropped += s->channels[i].n_dropped;
        count_latency(&n_latencies, &latency_ns, &s->channels[i]);
    }
    if (!is_first) {
        const double n = since(n_latencies, c->n_latencies);
        if (c->n == STREAM_COURSE_POINTS)
            join_neighbours(c);
        c->seconds[c->n] = (double)(now_ns - s->started_ns) * 1e-9;
        c->per_s[c->n] = since(n_results, c->n_results) / seconds;
        c->dropped_per_s[c->n] = since(n_dropped, c->n_dropped) / seconds;
        c->latency_s[c->n] = n > 0 ? since(latency_ns, c->latency_ns) * 1e-9 / n : (double)NAN;
        c->resident_bytes[c->n] = (double)base_mem_resident_bytes();
        c->n++;
    }
    c->last_ns = now_ns;
    c->n_results = n_results;
    c->n_dropped = n_dropped;
    c->n_latencies = n_latencies;
    c->latency_ns = latency_ns;
    return !is_first;
}

void stream_latency_step(stream_latency *l, const stream_channel_stats *c)
{
    uint64_t n = 0, sum_ns = 0;
    count_latency(&n, &sum_ns, c);
    if (n > l->n)
        l->mean_s = (double)(sum_ns - l->sum_ns) * 1e-9 / (double)(n - l->n);
    else if (n < l->n || n == 0)
        l->mean_s = NAN;
    l->n = n;
    l->sum_ns = sum_ns;
}

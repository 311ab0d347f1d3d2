/* stats.c: histograms, and names of what is counted. */
#include "stats.h"

#include <math.h>
#include <string.h>

const double stream_bucket_s[STREAM_BUCKETS] = {0.0005, 0.001, 0.0025, 0.005,   0.01, 0.02,
                                                0.03,   0.05,  0.075,  0.1,     0.15, 0.25,
                                                0.5,    1,     5,      INFINITY};

const char *stream_stage_name(stream_stage s)
{
    static const char *const names[] = {
#define X(name, text) text,
        STREAM_STAGES(X)
#undef X
    };
    return names[s];
}

const char *stream_state_name(stream_state s)
{
    static const char *const names[] = {"empty", "connecting", "playing", "waiting", "ended"};
    return names[s];
}

void stream_histogram_add(stream_histogram *h, int64_t ns)
{
    const double s = (double)ns * 1e-9;
    int i = 0;
    while (i < STREAM_BUCKETS - 1 && s > stream_bucket_s[i])
        i++;
    atomic_fetch_add_explicit(&h->n[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_ns, ns > 0 ? (uint64_t)ns : 0, memory_order_relaxed);
}

/* ---- a copy ---- */

#define COPY(field) to->field = from->field

static void copy_channel(stream_channel_stats *to, const stream_channel_stats *from)
{
    COPY(state);
    if (to->state != STREAM_EMPTY)
        memcpy(to->name, from->name, sizeof to->name);
    COPY(last_fault);
    COPY(w);
    COPY(h);
    COPY(n_frames);
    COPY(n_dropped);
    COPY(n_results);
    COPY(n_refused);
    COPY(n_boxes);
    COPY(n_events);
    COPY(n_connects);
    COPY(n_reconnects);
    for (int i = 0; i < VIDEO_N_FAULTS; i++)
        COPY(n_faults[i]);
    COPY(n_damaged);
    COPY(n_size_changes);
    COPY(n_time_jumps);
    COPY(n_bytes);
    COPY(last_frame_ns);
    COPY(last_progress_ns);
    for (int i = 0; i < STREAM_N_STAGES; i++) {
        for (int k = 0; k < STREAM_BUCKETS; k++)
            COPY(stages[i].n[k]);
        COPY(stages[i].sum_ns);
    }
}

static void copy_sink(stream_sink_stats *to, const stream_sink_stats *from)
{
    COPY(name);
    COPY(n_written);
    COPY(n_dropped);
    COPY(n_failed);
    COPY(n_waiting);
    COPY(capacity);
    COPY(is_failing);
    COPY(keeps);
    COPY(blocks);
}

void stream_stats_copy(stream_stats *to, const stream_stats *from)
{
    COPY(started_ns);
    COPY(n_channels);
    COPY(n_sinks);
    for (int i = 0; i < STREAM_MOST_CHANNELS; i++)
        copy_channel(&to->channels[i], &from->channels[i]);
    for (int i = 0; i < STREAM_MOST_SINKS; i++)
        copy_sink(&to->sinks[i], &from->sinks[i]);
    COPY(n_batches);
    COPY(n_batched);
    COPY(has_tracks);
    COPY(n_tracks_refused);
}

/* ---- for callers ---- */

/* The upper bound of the bucket in which the share of all values ends. */
static double quantile_ms(const uint64_t counts[STREAM_BUCKETS], uint64_t n, double share)
{
    uint64_t below = 0;
    for (int i = 0; i < STREAM_BUCKETS; i++) {
        below += counts[i];
        if ((double)below >= share * (double)n)
            return stream_bucket_s[i] * 1e3;
    }
    return INFINITY;
}

static void stage_get(vg_stream_stage *out, const stream_histogram *h, stream_stage stage)
{
    uint64_t counts[STREAM_BUCKETS];
    *out = (vg_stream_stage){.name = stream_stage_name(stage)};
    for (int i = 0; i < STREAM_BUCKETS; i++)
        out->n += counts[i] = h->n[i];
    if (out->n == 0)
        return;
    out->mean_ms = base_ms((int64_t)h->sum_ns) / (double)out->n;
    out->p50_ms = quantile_ms(counts, out->n, 0.5);
    out->p99_ms = quantile_ms(counts, out->n, 0.99);
}

_Static_assert((int)STREAM_N_STAGES == (int)VG_STREAM_STAGES, "every stage has a row");

void stream_stats_source(vg_stream_source_stats *out, const stream_stats *s, int index)
{
    *out = (vg_stream_source_stats){.state = stream_state_name(STREAM_EMPTY), .last_fault = ""};
    if (s == NULL || index < 0 || index >= s->n_channels)
        return;
    const stream_channel_stats *c = &s->channels[index];
    const int fault = c->last_fault;
    const int64_t last_ns = c->last_frame_ns;
    out->state = stream_state_name((stream_state)c->state);
    if (c->state == STREAM_EMPTY)
        return;
    base_format(out->name, sizeof out->name, "%s", c->name);
    out->last_fault = fault >= 0 ? video_fault_name((video_fault)fault) : "";
    out->width = c->w;
    out->height = c->h;
    out->n_frames = c->n_frames;
    out->n_dropped = c->n_dropped;
    out->n_results = c->n_results;
    out->n_boxes = c->n_boxes;
    out->n_events = c->n_events;
    out->n_connects = c->n_connects;
    out->n_reconnects = c->n_reconnects;
    for (int i = 0; i < VIDEO_N_FAULTS; i++)
        out->n_faults += c->n_faults[i];
    out->n_damaged = c->n_damaged;
    out->n_size_changes = c->n_size_changes;
    out->n_time_jumps = c->n_time_jumps;
    out->since_frame_s = last_ns > 0 ? base_ms(base_now_ns() - last_ns) * 1e-3 : -1;
    for (int i = 0; i < VG_STREAM_STAGES; i++)
        stage_get(&out->stages[i], &c->stages[i], (stream_stage)i);
}

void stream_stats_sink(vg_stream_sink_stats *out, const stream_stats *s, int index)
{
    *out = (vg_stream_sink_stats){.name = ""};
    if (s == NULL || index < 0 || index >= s->n_sinks || s->sinks[index].name == NULL)
        return;
    const stream_sink_stats *k = &s->sinks[index];
    *out = (vg_stream_sink_stats){.name = k->name,
                                  .n_written = k->n_written,
                                  .n_dropped = k->n_dropped,
                                  .n_failed = k->n_failed,
                                  .n_waiting = k->n_waiting,
                                  .capacity = k->capacity,
                                  .is_failing = k->is_failing,
                                  .n_lost =
                                      k->keeps ? k->n_failed + (k->blocks ? k->n_dropped : 0) : 0};
}

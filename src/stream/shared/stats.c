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

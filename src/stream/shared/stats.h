/* stats.h: numbers of a live job: written by its threads with relaxed atomics, read by anybody
 * at any time (metrics, health, the terminal, the watchdog). Nothing here grows. */
#ifndef STREAM_LIVE_STATS_H
#define STREAM_LIVE_STATS_H

#include <stdatomic.h>

#include "options.h"
#include "video/video.h"

enum { LIVE_MOST_SINKS = 16, LIVE_BUCKETS = 16, LIVE_NAME_BYTES = 256 };

#define LIVE_STAGES(X)                                                                             \
    X(DECODE, "decode")                                                                            \
    X(WAIT, "wait") /* from decoded to chosen */                                                   \
    X(PREPROCESS, "preprocess")                                                                    \
    X(INFERENCE, "inference")                                                                      \
    X(POSTPROCESS, "postprocess")                                                                  \
    X(LATENCY, "latency") /* from the packet's arrival to the result */
typedef enum live_stage {
#define X(name, text) LIVE_STAGE_##name,
    LIVE_STAGES(X)
#undef X
        LIVE_N_STAGES
} live_stage;
const char *live_stage_name(live_stage s);

/* Upper bounds in seconds of the buckets of every histogram; the last is +Inf. */
extern const double live_bucket_s[LIVE_BUCKETS];

typedef struct live_histogram {
    _Atomic uint64_t n[LIVE_BUCKETS];
    _Atomic uint64_t sum_ns;
} live_histogram;
void live_histogram_add(live_histogram *h, int64_t ns);

typedef enum live_state {
    LIVE_EMPTY, /* no source in this place */
    LIVE_CONNECTING,
    LIVE_PLAYING,
    LIVE_WAITING, /* to connect again */
    LIVE_ENDED    /* for good */
} live_state;
const char *live_state_name(live_state s);

typedef struct live_channel_stats {
    char name[LIVE_NAME_BYTES]; /* public; written before state leaves EMPTY */
    _Atomic int state;          /* live_state */
    _Atomic int last_fault;     /* video_fault, -1: none yet */
    _Atomic int w, h;
    _Atomic uint64_t n_frames;  /* decoded and wanted */
    _Atomic uint64_t n_dropped; /* gave way to newer ones */
    _Atomic uint64_t n_results;
    _Atomic uint64_t n_refused; /* pictures that could not be made into the network's input */
    _Atomic uint64_t n_boxes, n_events;
    _Atomic uint64_t n_connects, n_reconnects; /* that succeeded; of them, after the first */
    _Atomic uint64_t n_faults[VIDEO_N_FAULTS];
    _Atomic uint64_t n_damaged, n_size_changes, n_time_jumps, n_bytes;
    _Atomic int64_t last_frame_ns;    /* base_now_ns; 0: none yet */
    _Atomic int64_t last_progress_ns; /* frame, attempt or wait begun: what the watchdog asks for */
    live_histogram stages[LIVE_N_STAGES];
} live_channel_stats;

typedef struct live_sink_stats {
    const char *name; /* NULL: not wanted */
    _Atomic uint64_t n_written, n_dropped, n_failed;
    _Atomic int n_waiting, capacity;
    _Atomic bool is_failing; /* its last write failed */
    bool keeps;              /* files, or the reader of --json: what it lost was asked for */
    bool blocks;             /* it drops nothing but at an end that is hurried */
} live_sink_stats;

typedef struct live_stats {
    int64_t started_ns;
    int n_channels, n_sinks;
    live_channel_stats channels[LIVE_MOST_CHANNELS];
    live_sink_stats sinks[LIVE_MOST_SINKS];
    _Atomic uint64_t n_batches, n_batched; /* runs of the network, frames in them */
    bool has_tracks;                       /* written before the first frame */
    _Atomic uint64_t n_tracks_refused;     /* not begun: most_tracks were there */
    _Atomic int64_t run_began_ns;          /* base_now_ns of the run that is under way; 0: none */
    _Atomic bool wants_end;   /* a sink's wish: the user closed the window, the reader has gone */
    _Atomic bool is_ending;   /* close has begun: what waits for others gives up soon */
    const base_mem *accounts; /* (n_accounts): tags and bytes */
    int n_accounts;
} live_stats;

/* The numbers of channels, sinks and batches as they stand, one by one, while others write them; to
 * is the caller's alone. */
void live_stats_copy(live_stats *to, const live_stats *from);

#endif

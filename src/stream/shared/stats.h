/* stats.h: numbers of a stream job: written by its threads with relaxed atomics, read by anybody
 * at any time (metrics, health, the terminal, the watchdog). Nothing here grows. */
#ifndef STREAM_STATS_H
#define STREAM_STATS_H

#include <stdatomic.h>

#include "options.h"
#include "video/video.h"
#include "vigil/types.h"

enum {
    STREAM_MOST_SINKS = 16,
    STREAM_BUCKETS = 16,
    STREAM_NAME_BYTES = 256,
    STREAM_STEM_BYTES = 64
};

#define STREAM_STAGES(X)                                                                           \
    X(DECODE, "decode")                                                                            \
    X(WAIT, "wait") /* from decoded to chosen */                                                   \
    X(PREPROCESS, "preprocess")                                                                    \
    X(INFERENCE, "inference")                                                                      \
    X(POSTPROCESS, "postprocess")                                                                  \
    X(LATENCY, "latency") /* from the packet's arrival to the result */
typedef enum stream_stage {
#define X(name, text) STREAM_STAGE_##name,
    STREAM_STAGES(X)
#undef X
        STREAM_N_STAGES
} stream_stage;
const char *stream_stage_name(stream_stage s);

/* Upper bounds in seconds of the buckets of every histogram; the last is +Inf. */
extern const double stream_bucket_s[STREAM_BUCKETS];

typedef struct stream_histogram {
    _Atomic uint64_t n[STREAM_BUCKETS];
    _Atomic uint64_t sum_ns;
} stream_histogram;
void stream_histogram_add(stream_histogram *h, int64_t ns);

typedef enum stream_state {
    STREAM_EMPTY, /* no source in this place */
    STREAM_CONNECTING,
    STREAM_PLAYING,
    STREAM_WAITING, /* to connect again */
    STREAM_ENDED    /* for good */
} stream_state;
const char *stream_state_name(stream_state s);

typedef struct stream_channel_stats {
    char name[STREAM_NAME_BYTES]; /* public; written before state leaves EMPTY */
    _Atomic int state;            /* stream_state */
    _Atomic int last_fault;       /* video_fault, -1: none yet */
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
    stream_histogram stages[STREAM_N_STAGES];
} stream_channel_stats;

typedef struct stream_sink_stats {
    const char *name; /* NULL: not wanted */
    _Atomic uint64_t n_written, n_dropped, n_failed;
    _Atomic int n_waiting, capacity;
    _Atomic bool is_failing; /* its last write failed */
    bool keeps;              /* files, or the reader of --json: what it lost was asked for */
    bool blocks;             /* it drops nothing but at an end that is hurried */
} stream_sink_stats;

/* Of cameras that many machines share: written by the leases' thread. */
typedef struct stream_fleet_stats {
    bool is_on; /* leases are used; written before the first frame */
    int shard, n_shards_planned, most;
    _Atomic int n_cameras;                /* of the whole list */
    _Atomic int n_held;                   /* by this shard, */
    _Atomic int64_t until_ns;             /* of base_boot_ns; after it, none is */
    _Atomic int n_unread;                 /* by nobody, as seen from here */
    _Atomic int n_refused;                /* of those, that no shard has room for */
    _Atomic int n_shards;                 /* that live */
    _Atomic uint64_t n_beats, n_failures; /* of the store: answered, not answered */
    _Atomic uint64_t n_taken, n_taken_over, n_released,
        n_lost; /* cameras: free ones, dead shards',
                   handed over, lost to the others */
} stream_fleet_stats;

typedef struct stream_stats {
    int64_t started_ns;
    stream_fleet_stats fleet;
    int n_channels, n_sinks;
    stream_channel_stats channels[STREAM_MOST_CHANNELS];
    stream_sink_stats sinks[STREAM_MOST_SINKS];
    _Atomic uint64_t n_batches, n_batched; /* runs of the network, frames in them */
    bool has_tracks;                       /* written before the first frame */
    _Atomic uint64_t n_tracks_refused;     /* not begun: most_tracks were there */
    _Atomic int64_t run_began_ns;          /* base_now_ns of the run that is under way; 0: none */
    _Atomic bool wants_end;   /* a sink's wish: the user closed the window, the reader has gone */
    _Atomic bool is_ending;   /* close has begun: what waits for others gives up soon */
    const base_mem *accounts; /* (n_accounts): tags and bytes */
    int n_accounts;
} stream_stats;

/* The numbers of channels, sinks and batches as they stand, one by one, while others write them; to
 * is the caller's alone. */
void stream_stats_copy(stream_stats *to, const stream_stats *from);

/* Those of one source, or one sink, as callers are told them; empty where there is none of that
 * index, and of NULL. */
void stream_stats_source(vg_stream_source_stats *out, const stream_stats *s, int index);
void stream_stats_sink(vg_stream_sink_stats *out, const stream_stats *s, int index);

#endif

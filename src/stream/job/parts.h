/* parts.h: the inside of a live job. job.c: the owner's side; open.c: sizes, plan, parts;
 * stages.c: what is done to frames. Internal to stream. */
#ifndef STREAM_JOB_PARTS_H
#define STREAM_JOB_PARTS_H

#include <pthread.h>

#include "job.h"
#include "outlet.h"
#include "stream/in/capture.h"
#include "stream/in/sources.h"
#include "stream/scene/tracks.h"
#include "stream/scene/zones.h"
#include "stream/shared/health.h"

enum { LIVE_MOST_INPUTS = 2, LIVE_MOST_BATCH = 16, LIVE_N_STAGE_THREADS = 3 };

/* Frames of one shape on their way through the network. */
typedef struct live_batch {
    live_item *items[LIVE_MOST_BATCH];
    int n, h, w;
    float *input; /* (most_batch, h, w, 3) */
} live_batch;

/* A place for a source. */
typedef struct live_channel {
    live_source *source; /* into sources; NULL: empty */
    live_capture *capture;
    _Atomic int occupant; /* counts the sources that had the place */
    char stem[LIVE_STEM_BYTES];
    uint64_t n_results;                /* post stage */
    int seen_occupant, seen_w, seen_h; /* of the last result */
    uint64_t seen_connects;
    int64_t seen_ns;
    struct { /* how far a film is, over all its files */
        bool is_begun;
        int64_t at_ns, number, pts_ns, lasts_ns;
    } film;
    uint64_t n_frames_of; /* of the whole file, 0: not known */
} live_channel;

struct stream_live {
    live_options o;
    live_listener listener; /* result NULL: none */
    stream_accounts *mem;
    stream_detector *detector;
    uint8_t *wanted_classes; /* (nc), or NULL: all */
    live_sources sources;
    live_channel channels[LIVE_MOST_CHANNELS];
    pthread_mutex_t places_lock; /* who the channels are: a reload and prepare meet here */
    live_intake *intake;
    live_outlet *outlet;
    live_tracks *tracks; /* NULL: not asked for */
    live_zones *zones;   /* likewise */
    uint64_t n_events;
    live_setting setting;
    live_stats stats;
    char folder[4096];
    int n_made;     /* folders of that path that were not there before */
    bool has_begun; /* a source was there, or is waited for */
    detect_nms_options nms;
    /* what the plan decided */
    live_outlet_plan plan;
    int n_channels, most_batch, n_inputs;
    size_t input_bytes;
    bool makes_rgb; /* some frames have to be RGB before they are the network's input */
    size_t decoder_bytes, picture_bytes; /* FFmpeg's, about: all decoders, a frame that is held */
    /* stages */
    live_batch batches[LIVE_MOST_INPUTS];
    base_queue *blank, *to_infer, *to_post;
    video_scaler *scaler; /* of the prepare stage */
    pthread_t threads[LIVE_N_STAGE_THREADS];
    int n_threads;
    atomic_bool stopping;
    /* the first fatal error */
    pthread_mutex_t failure_lock;
    vg_status failure;
    vg_error failure_error;
};

/* Plans, checks the limit, takes everything but the captures. What a failure leaves is
 * stream_live_close's. */
vg_status live_job_open(stream_live *l, vg_error *err);
/* As far as what it would take is known and the options are seen to fit the model. */
vg_status live_job_check(stream_live *l, vg_error *err);
void live_job_free(stream_live *l);
/* The capture of source s in a place. */
vg_status live_job_start_channel(stream_live *l, int channel, live_source *s, vg_error *err);
void live_job_stop_channel(stream_live *l, int channel);

vg_status live_stages_start(stream_live *l, vg_error *err);
/* Frames still under way are given up. */
void live_stages_stop(stream_live *l);

#endif

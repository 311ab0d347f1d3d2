/* parts.h: the inside of a stream job. job.c: the owner's side; open.c: sizes, plan, parts;
 * stages.c: what is done to frames. Internal to stream. */
#ifndef STREAM_JOB_PARTS_H
#define STREAM_JOB_PARTS_H

#include <pthread.h>

#include "job.h"
#include "outlet.h"
#include "stream/fleet/leases.h"
#include "stream/in/capture.h"
#include "stream/in/sources.h"
#include "stream/scene/tracks.h"
#include "stream/scene/zones.h"
#include "stream/shared/health.h"

enum { STREAM_MOST_INPUTS = 2, STREAM_MOST_BATCH = 16, STREAM_N_STAGE_THREADS = 3 };

/* Frames of one shape on their way through the network. */
typedef struct stream_batch {
    stream_item *items[STREAM_MOST_BATCH];
    int n, h, w;
    float *input; /* (most_batch, h, w, 3); NULL: frames go up as they are, */
    image_letterbox_fit fit[STREAM_MOST_BATCH]; /* each to be fitted so */
    int64_t began_ns;                           /* to compute there */
} stream_batch;

/* A place for a source. */
typedef struct stream_channel {
    stream_source *source; /* into sources; NULL: empty */
    stream_capture *capture;
    _Atomic int occupant; /* counts the sources that had the place */
    char stem[STREAM_STEM_BYTES];
    uint64_t n_results;                /* post stage */
    int seen_occupant, seen_w, seen_h; /* of the last result */
    uint64_t seen_connects;
    int64_t seen_ns;
    struct { /* how far a film is, over all its files */
        bool is_begun;
        int64_t at_ns, number, pts_ns, lasts_ns;
    } film;
    uint64_t n_frames_of; /* of the whole file, 0: not known */
} stream_channel;

struct stream_job {
    stream_options o;
    stream_listener listener; /* result NULL: none */
    stream_accounts *mem;
    stream_detector *detector;
    uint8_t *wanted_classes; /* (nc), or NULL: all */
    stream_sources sources;
    stream_channel channels[STREAM_MOST_CHANNELS];
    pthread_mutex_t places_lock; /* who the channels are: a reload and prepare meet here */
    stream_intake *intake;
    stream_outlet *outlet;
    stream_leases *leases; /* NULL: all sources are this job's */
    stream_tracks *tracks; /* NULL: not asked for */
    bool follows_camera;   /* the tracks do */
    bool has_warned_of_luma;
    stream_zones *zones; /* likewise */
    uint64_t n_events;
    stream_setting setting;
    stream_stats stats;
    char folder[4096];
    int n_made;     /* folders of that path that were not there before */
    bool has_begun; /* a source was there, or is waited for */
    detect_nms_options nms;
    /* what the plan decided */
    stream_outlet_plan plan;
    int n_channels, most_batch, n_inputs;
    size_t input_bytes;
    bool makes_rgb; /* some frames have to be RGB before they are the network's input */
    size_t decoder_bytes, picture_bytes; /* FFmpeg's, about: all decoders, a frame that is held */
    /* stages */
    stream_batch batches[STREAM_MOST_INPUTS];
    base_queue *blank, *to_infer, *to_post;
    video_scaler *scaler; /* of the prepare stage */
    image_buffer rgb;     /* likewise, of frames whose middle is looked at, */
    image_scratch scratch;
    pthread_t threads[STREAM_N_STAGE_THREADS];
    int n_threads;
    atomic_bool stopping;
    /* the first fatal error */
    pthread_mutex_t failure_lock;
    vg_status failure;
    vg_error failure_error;
};

/* Plans, checks the limit, takes everything but the captures. What a failure leaves is
 * stream_job_close's. */
vg_status stream_parts_open(stream_job *l, vg_error *err);
/* As far as what it would take is known and the options are seen to fit the model. */
vg_status stream_parts_check(stream_job *l, vg_error *err);
void stream_parts_free(stream_job *l);

/* A place without a source; -1: there is none. */
int stream_channel_find_empty(const stream_job *l);
/* On failure the place is empty. */
vg_status stream_channel_start(stream_job *l, int channel, stream_source *s, vg_error *err);
/* Since when it reads no more, of base_now_ns. */
int64_t stream_channel_stop(stream_job *l, int channel);

vg_status stream_stages_start(stream_job *l, vg_error *err);
/* Frames still under way are given up. */
void stream_stages_stop(stream_job *l);

#endif

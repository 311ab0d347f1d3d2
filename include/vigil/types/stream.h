/* SPDX-License-Identifier: Apache-2.0 */
/* types/stream.h: results and numbers of a stream, and of a fleet of them. */
#ifndef VIGIL_TYPES_STREAM_H
#define VIGIL_TYPES_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- results of a stream ---- */

typedef enum vg_stream_event_kind {
    VG_STREAM_ENTER,  /* a track came into the zone */
    VG_STREAM_LEAVE,  /* a track left it, or (is_lost) was not seen again */
    VG_STREAM_DWELL,  /* a track has been inside for longer than the zone's `dwell` */
    VG_STREAM_ABSENT, /* nothing of the class was inside for longer than the zone's `absent` */
    VG_STREAM_BACK    /* after ABSENT: there is something again */
} vg_stream_event_kind;

/* What happened in a zone. */
typedef struct vg_stream_event {
    uint64_t id; /* of the job, from 1 */
    vg_stream_event_kind kind;
    const char *zone;        /* its name, as long as the job */
    int class_index;         /* -1: any */
    int64_t track;           /* the track's id; 0: none */
    double seconds;          /* inside so far (LEAVE, DWELL), or missing so far (ABSENT, BACK) */
    int inside, n_in, n_out; /* of this zone and class, after the event */
    bool wants_snapshot;     /* the zone asks for a picture of it */
    bool is_lost;            /* LEAVE: the track ended inside */
    vg_detection box;        /* of the track; all 0: there is none */
} vg_stream_event;

typedef struct vg_stream_times { /* milliseconds, of one frame */
    double decode, wait, preprocess, inference, postprocess;
    double latency; /* from the arrival of its packet to the result */
} vg_stream_times;

/* Of one frame. */
typedef struct vg_stream_result {
    int source_index;   /* place of the source, from 0 */
    const char *source; /* its public name: without user, password and values of a query */
    const char *stem;   /* of the source, in names of files and topics */
    uint64_t index;     /* of the source's results, from 0 */
    uint64_t of;        /* frames of the whole file; 0: unknown */
    int width, height;  /* of the frame, pixels */
    int input_width, input_height; /* of the network's input, pixels */
    int64_t frame;                 /* of this connection, from 0; those of a stride are counted */
    double time_s;                 /* time stamp from the connection's first frame; NAN: none */
    double wall_s;                 /* Unix time of the picture: the camera's, or of its arrival */
    const vg_detection
        *detections; /* (n_detections) best first; with tracking, tracked ones only */
    size_t n_detections;
    vg_extras extras;
    const int64_t *ids;            /* (n_detections) of their tracks; NULL without tracking */
    const vg_stream_event *events; /* (n_events) that this frame caused */
    size_t n_events;
    vg_stream_times times;
    const char *file; /* of a source that plays several files: which; else "" */
} vg_stream_result;

/* Who looks on while a stream runs. Functions may be NULL. result is called by a thread of the
 * job's own, which may be behind the network by a queue (at a full one the oldest results give way,
 * unless every source keeps all its frames); the others by the thread that called run, several
 * times a second. wants_frames: a result's frame is kept until result returns, which may ask for
 * its pixels (vg_stream_frame); the queue is shorter then, and its frames are in the plan. */
typedef struct vg_stream_listener {
    void *ctx;
    bool wants_frames;
    void (*result)(void *ctx, const vg_stream_result *r);
    void (*ready)(void *ctx);                  /* everything is made: sources are connecting */
    void (*note)(void *ctx, const char *what); /* a reload, and what came of it */
    void (*tick)(void *ctx);                   /* about ten times a second */
    bool (*wants_stop)(void *ctx);
    bool (*wants_reload)(void *ctx); /* true once for each reload: the source list is read anew */
} vg_stream_listener;

/* ---- numbers of a stream ---- */

/* A source as it was understood, before anything is connected. */
typedef struct vg_stream_source {
    const char *name; /* public: without user, password and values of a query */
    const char *stem; /* in names of files and topics */
    const char *kind; /* "file", "network", "camera", "standard input", "drawn", "pushed" */
    size_t n_files;   /* played one after the other */
    bool keeps_all;   /* policy `every`; else `latest` */
    bool ends;        /* its end is for good; else it begins again */
    int stride;       /* every so many frames one is looked at */
} vg_stream_source;

enum { VG_STREAM_STAGES = 6, VG_STREAM_NAME_BYTES = 256 };

typedef struct vg_stream_stage {
    const char *name; /* "decode", "wait", "preprocess", "inference", "postprocess", "latency" */
    uint64_t n;       /* frames */
    double mean_ms;
    double p50_ms, p99_ms; /* upper bounds of the histogram's buckets; INFINITY: above 5 s */
} vg_stream_stage;

typedef struct vg_stream_source_stats {
    char name[VG_STREAM_NAME_BYTES];
    const char *state; /* "empty" (no source in this place), "connecting", "playing", "waiting",
                          "ended" */
    const char *last_fault;                   /* "refused", "stall", ...; "": none yet */
    int width, height;                        /* pixels; 0: unknown */
    uint64_t n_frames;                        /* decoded and wanted */
    uint64_t n_dropped;                       /* replaced by newer ones */
    uint64_t n_results, n_boxes, n_events;    /* of all its frames */
    uint64_t n_connects, n_reconnects;        /* that succeeded; of them, after the first */
    uint64_t n_faults;                        /* of every kind */
    uint64_t n_damaged;                       /* packets that could not be decoded */
    uint64_t n_size_changes, n_time_jumps;    /* while it played */
    double since_frame_s;                     /* since the last frame; below 0: none yet */
    vg_stream_stage stages[VG_STREAM_STAGES]; /* in the order of a frame's way */
} vg_stream_source_stats;

typedef struct vg_stream_sink_stats {
    const char *name;
    uint64_t n_written, n_dropped, n_failed; /* results */
    int n_waiting, capacity;                 /* of its queue, results */
    bool is_failing;                         /* its last write failed */
    /* Results that were to be kept (files, JSON lines) and are not: failed ones, and, of a sink
     * that waits for room (sink_policy), those dropped at the end. Messages to others (MQTT,
     * webhooks, pages) are not counted. */
    uint64_t n_lost;
} vg_stream_sink_stats;

/* ---- a fleet: cameras over machines ---- */

enum { VG_FLEET_MOST = 64, VG_FLEET_PATH_BYTES = 1024 };

typedef struct vg_fleet_machine {
    char name[64];
    int count;
    double frames_per_s;             /* of the network, on one of them */
    char bench[VG_FLEET_PATH_BYTES]; /* the file that says so; "": the configuration does */
    size_t memory_bytes;
    /* What one of them would hold: by its speed, by its memory, and so by both. */
    int by_speed, by_memory, holds;
    int n_shards;         /* processes for so many */
    size_t planned_bytes; /* of all of them */
} vg_fleet_machine;

typedef struct vg_fleet_cameras {
    char name[64];
    int count, width, height;
    double fps;
} vg_fleet_cameras;

typedef struct vg_fleet {
    char job[VG_FLEET_PATH_BYTES]; /* configuration of the shards */
    vg_fleet_machine machines[VG_FLEET_MOST];
    vg_fleet_cameras cameras[VG_FLEET_MOST];
    size_t n_machines, n_cameras;   /* entries */
    int n_all;                      /* cameras */
    double frames_per_s;            /* of all of them */
    int holds;                      /* all machines */
    int holds_without_one;          /* of those that hold most one less */
    size_t first_bytes, each_bytes; /* planned for a shard's first camera, and about each more */
} vg_fleet;

#ifdef __cplusplus
}
#endif
#endif

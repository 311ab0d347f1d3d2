/* stream.h: the handle behind vigil/stream.h. stream.c: options, check, numbers; run_stream.c: the
 * run. For this folder. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include "api.h"
#include "net/net.h"
#include "vigil/stream.h"

struct vg_stream {
    stream_accounts accounts;
    stream_options options;
    stream_options settled; /* of the run */
    bool has_run, is_of_files;
    stream_job *job; /* during run, and for its thread alone */
    /* During run, also for the thread of results, for which they are there before its first. */
    const stream_detector *detector;
    const stream_stats *stats; /* after the run: last; NULL before */
    stream_stats *last;        /* after it: its numbers; on no account, like the handle */
    vg_memory last_memory;
    char folder[4096];
    int64_t started_ns, ended_ns;
    const vg_stream_listener *listener; /* during run */
    net_service service;
    net_beacon beacon;
    int64_t told_ns, beat_ns;
    uint64_t told_results; /* results at told_ns, for frames a second */
    double frames_per_s;
};

/* The options as they hold for these sources, and the sources. Errors: as stream_options_check and
 * stream_sources_open. */
vg_status api_stream_settle(vg_stream *s, stream_sources *sources, vg_error *err);

#endif

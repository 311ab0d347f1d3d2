/* run.h: a stream job from its first frame to its last, and its numbers meanwhile and afterwards.
 */
#ifndef STREAM_JOB_RUN_H
#define STREAM_JOB_RUN_H

#include "job.h"
#include "net/net.h"

/* Members are for reading: those of the job during go, from the listener's functions; the others
 * also afterwards. */
typedef struct stream_run {
    stream_options options;
    bool has_run;
    stream_job *job; /* during go, and for its thread alone */
    /* During go, also for the thread of results, for which they are there before its first. */
    const stream_detector *detector;
    const stream_stats *stats; /* afterwards: last; NULL before */
    stream_stats last;
    vg_memory memory; /* afterwards: as it was while it ran */
    char folder[4096];
    int64_t started_ns, ended_ns;
    const vg_stream_listener *listener;
    const stream_result *now; /* that the listener is being told, in the thread of results */
    video_scaler *scaler;     /* of stream_run_frame */
    stream_accounts *mem;
    net_service service;
    net_beacon beacon;
    int64_t told_ns, beat_ns;
    uint64_t told_results; /* results at told_ns, for frames a second */
    double frames_per_s;
} stream_run;

void stream_run_init(stream_run *r);
/* Opens the job, looks after it and closes it, once. settled: stream_options_settle. listener NULL:
 * nobody. mem begins anew, with the options' limit, and must stay as long as the run. Errors: as
 * stream_job_open and stream_job_wait; VG_ERR_INTERRUPTED (the listener's wish). */
vg_status stream_run_go(stream_run *r, const stream_options *settled,
                        const vg_stream_listener *listener, stream_accounts *mem, vg_error *err);
/* RGB of the result that the listener is being told, into dst, which is of its size. Errors:
 * VG_ERR_ARGUMENT (none is, or it is of another size), and those of video_frame_to_rgb. */
vg_status stream_run_frame(stream_run *r, const image_view *dst, vg_error *err);
/* Since everything was made, or until it ended; 0 before. */
double stream_run_seconds(const stream_run *r);

#endif

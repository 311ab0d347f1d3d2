/* job.h: video for months: captures → intake → prepare → network → post → sinks.
 *
 *   captures (one thread a source) → intake → [infer: letterbox, forward] → [post: suppression,
 *   tracks, zones] → every sink's own queue and thread
 *
 * Everything is made before the first frame; nothing of ours is allocated per frame afterwards. */
#ifndef STREAM_JOB_JOB_H
#define STREAM_JOB_JOB_H

#include "stream/out/sink.h"
#include "stream/shared/options.h"
#include "stream/shared/stats.h"

typedef struct stream_job stream_job;

/* Reads the sources' list, connects as long as that takes at most connect_timeout (files must be
 * there; live sources may come later), plans, checks the limit, takes everything, starts the
 * threads. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED, VG_ERR_LIMIT,
 * VG_ERR_MEMORY, VG_ERR_SYSTEM. */
vg_status stream_job_open(stream_job **out, const stream_options *o,
                          const stream_listener *listener, stream_accounts *mem, vg_error *err);
/* What open would take, planned on mem, without it: reads sources, weights and zones, the heads of
 * files, and connects to nothing. Whatever it takes to find out is given back. VG_ERR_LIMIT: over
 * the limit of mem, which is planned on all the same. Other errors: as open's. */
vg_status stream_job_check(const stream_options *o, stream_accounts *mem, vg_error *err);
/* Waits up to timeout_ms. *ended: every source has ended for good and every result has reached its
 * sinks, or a sink wants the end (its window was closed). An error here is the job's: also when no
 * source was there at the first try and none was told to wait. */
vg_status stream_job_wait(stream_job *l, int timeout_ms, bool *ended, vg_error *err);
/* Reads the source list anew: sources that left it are closed, new ones opened, the rest are not
 * touched. On failure nothing has changed. */
vg_status stream_job_reload(stream_job *l, vg_error *err);
/* Errors when all sources are live and none has given a frame: for a job that ends by its time. */
vg_status stream_job_saw_nothing(const stream_job *l, vg_error *err);
/* Stops captures, lets sinks finish what waits for at most `patience_s`, closes them. Its numbers
 * can be read until it is closed, and are final. */
vg_status stream_job_end(stream_job *l, double patience_s, vg_error *err);
/* The same, and all of it is given back. */
vg_status stream_job_close(stream_job **l, double patience_s, vg_error *err);
const stream_stats *stream_job_stats(const stream_job *l);
stream_detector *stream_job_detector(const stream_job *l);
const char *stream_job_folder(const stream_job *l);
/* Every source has made progress lately, or waits to connect again as it should, and the network
 * moves when there are frames: what a watchdog is fed with. */
bool stream_job_is_healthy(const stream_job *l);

#endif

/* fleet.h: a job that shares its list of cameras with others by leases. Without them, all of this
 * does nothing. */
#ifndef STREAM_JOB_FLEET_H
#define STREAM_JOB_FLEET_H

#include "parts.h"

/* Places that are planned for: most_sources, where it is not given half as many again as the
 * shard's share of the list. Without leases: most_sources. */
int stream_fleet_places(const stream_job *l);
size_t stream_fleet_bytes(stream_job *l);
/* Once the plan is made. Errors: those of the store and of stream_leases_open. */
vg_status stream_fleet_open(stream_job *l, vg_error *err);
/* Closes and opens channels as the leases say now. */
void stream_fleet_follow(stream_job *l);
/* The job's list is about to be `next`. On failure it stays as it is. */
vg_status stream_fleet_reload(stream_job *l, stream_sources *next, vg_error *err);
/* When no channel is read any more: others hear of it. Close waits for that, no longer than a lease
 * time. */
void stream_fleet_end(stream_job *l);
void stream_fleet_close(stream_job *l);

#endif

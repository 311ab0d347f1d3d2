/* leases.h: a camera is read by one shard at a time, and by another when that one is gone.
 *
 * A shard beats once in a fifth of the lease time T and watches the others' beats. What counts is
 * its own clock alone: another one is dead when its beat has not changed for T as seen from here; a
 * shard whose own beats do not arrive stops reading 0.6 T after the last one that did was begun.
 * So it has stopped 0.4 T before anybody may take its cameras, however the clocks of the machines
 * are set. A shard that was dead comes back as another session, and asks for each camera anew.
 *
 * Stated: a dead shard's cameras are read again 1.6 T after its death at the latest (a beat until
 * it was last seen, T, a beat until that is noticed, one to claim them), those of one that ends in
 * order within 0.6 T, as long as somebody has room. No camera is read twice at once. What could
 * break that is a machine that stands still and does not know (a virtual machine that is paused
 * with its clock): when it goes on, its captures may hand over frames for one more beat.
 *
 * Of those who live and have room, the shard of the highest score (shard.h) takes a camera; who
 * reads one that another should, hands it over when that one lives: it stops, then lets go.
 * A shard takes no more than it has planned places for.
 *
 * One thread does all that waits for the store. Nothing is allocated after create but by relist. */
#ifndef STREAM_FLEET_LEASES_H
#define STREAM_FLEET_LEASES_H

#include "shard.h"
#include "store.h"
#include "stream/shared/stats.h"

typedef struct stream_leases stream_leases;

typedef struct stream_leases_options {
    stream_store store; /* taken on success */
    stream_shard shard;
    int most;       /* cameras at once */
    double lease_s; /* T */
    stream_fleet_stats *stats;
    /* For tests: the clock, NULL for the system's; no thread, so that they step. */
    int64_t (*now_ns)(void *ctx);
    void *ctx;
    bool is_stepped;
} stream_leases_options;

/* Cameras by name, each with the key of its name; copied. Beats once and starts the thread. Errors:
 * VG_ERR_MEMORY, VG_ERR_SYSTEM, VG_ERR_ARGUMENT (two names of one key), VG_ERR_UNSUPPORTED (the
 * store's: it is not allowed); a store that is out of reach is none. */
vg_status stream_leases_open(stream_leases **out, const stream_leases_options *o,
                             const char *const *names, size_t n, base_mem *mem, vg_error *err);
size_t stream_leases_bytes(const char *const *names, size_t n);
/* Another list. Cameras that are not on it any more are not read any more. Errors as open's: then
 * nothing has changed. */
vg_status stream_leases_relist(stream_leases *l, const char *const *names, size_t n, base_mem *mem,
                               vg_error *err);
/* Whether the camera may be read now. Never waits for the store. */
bool stream_leases_may_read(stream_leases *l, uint64_t key);
/* The reader begins, before its first frame, and says when it has ended: not until then is a camera
 * let go. */
void stream_leases_set_reading(stream_leases *l, uint64_t key, bool is_read);
/* It cannot be read here: this shard takes no more for ten lease times, and another may try. */
void stream_leases_give_up(stream_leases *l, uint64_t key);
/* Of base_boot_ns: a frame that is there later is nobody's. */
const _Atomic int64_t *stream_leases_until_ns(const stream_leases *l);
/* What the thread does once a beat. Returns whether some of it is left for at once. */
bool stream_leases_step(stream_leases *l);
/* All reading has ended. The thread says so to the others; returns at once. */
void stream_leases_end(stream_leases *l);
/* Waits for that: a lease time after end the others know anyway, and a thread that still hangs in
 * the store is left behind, with the memory of all this. */
void stream_leases_close(stream_leases **l);

#endif

/* leases_bench.h: many shards in one process on a folder, by a clock that the test turns, each with
 * what a job would do with its answers. At every moment a camera has one reader at most. */
#ifndef TESTS_STREAM_LEASES_BENCH_H
#define TESTS_STREAM_LEASES_BENCH_H

#include "support/test.h"

#include <dirent.h>
#include <unistd.h>

#include "stream/scenes.h"
#include "support/ok.h"
#include "support/random.h"

#include "stream/fleet/leases.h"

enum { MOST_SHARDS = 12, MOST_CAMERAS = 200, LEASE_S = 10, TICKS = 50 /* in a lease time */ };
static const int64_t S = INT64_C(1000000000);

typedef struct shard {
    stream_leases *leases;
    stream_fleet_stats stats;
    int tick;               /* of its next step */
    bool is_hung;           /* its thread waits for the store for ever; its job goes on */
    bool is_paused;         /* all of it stands still */
    bool is_killed, is_cut; /* nothing more reaches the store, and its end neither */
    stream_store store;
    int64_t *now_ns, slow_ns;  /* the time that a list of it takes */
    int64_t heard_ns, late_ns; /* its last beat; the longest time until a list began */
    int n_pages;               /* of its list of cameras, before the last one, */
    int64_t page_ns;           /* and the time that each takes */
    int n_left;
    bool reads[MOST_CAMERAS];
} shard;

typedef struct bench {
    char folder[256];
    base_mem mem;
    int64_t now_ns;
    int n_cameras, most, n_planned, tick;
    char names[MOST_CAMERAS][48];
    const char *list[MOST_CAMERAS];
    shard shards[MOST_SHARDS];
    int n_doubles;
    int unread_ticks[MOST_CAMERAS], longest_unread;
} bench;

static inline int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    base_mem_init(&t->mem, "test", NULL, 0);
    base_log_setup(BASE_LOG_OFF, false);
    t->now_ns = 1000 * S;
    t->n_cameras = 60;
    t->most = 60;
    t->n_planned = 4;
    for (int i = 0; i < MOST_CAMERAS; i++) {
        snprintf(t->names[i], sizeof t->names[i], "rtsp://10.1.0.%d/live", i);
        t->list[i] = t->names[i];
    }
    *state = t;
    return folder_make(t->folder, sizeof t->folder);
}

static int64_t now_of(void *ctx)
{
    return ((bench *)ctx)->now_ns;
}

/* ---- the store, which may be out of reach ---- */

static vg_status cut(vg_error *err)
{
    return base_fail(err, VG_ERR_IO, "store", NULL, "out of reach");
}

static vg_status beat(void *self, const stream_session *me, uint64_t n, bool *is_gone,
                      vg_error *err)
{
    shard *s = self;
    *is_gone = false;
    s->heard_ns = *s->now_ns;
    return s->is_cut ? cut(err) : s->store.functions->beat(s->store.self, me, n, is_gone, err);
}

static vg_status sessions(void *self, void (*see)(void *ctx, const stream_session *s), void *ctx,
                          vg_error *err)
{
    shard *s = self;
    *s->now_ns += s->slow_ns;
    return s->is_cut ? cut(err) : s->store.functions->sessions(s->store.self, see, ctx, err);
}

static vg_status claims(void *self, void (*see)(void *ctx, const stream_claim *c),
                        vg_status (*turn)(void *ctx, vg_error *err), void *ctx, vg_error *err)
{
    shard *s = self;
    vg_status st = VG_OK;
    if (*s->now_ns - s->heard_ns > s->late_ns)
        s->late_ns = *s->now_ns - s->heard_ns;
    for (int i = 0; i < s->n_pages && st == VG_OK; i++) {
        *s->now_ns += s->page_ns;
        if (*s->now_ns - s->heard_ns > s->late_ns)
            s->late_ns = *s->now_ns - s->heard_ns;
        st = turn(ctx, err);
    }
    if (st != VG_OK)
        return st;
    return s->is_cut ? cut(err) : s->store.functions->claims(s->store.self, see, turn, ctx, err);
}

static vg_status claim(void *self, stream_claim *c, const char *name, const char *holder,
                       bool *is_done, vg_error *err)
{
    shard *s = self;
    *is_done = false;
    return s->is_cut ? cut(err)
                     : s->store.functions->claim(s->store.self, c, name, holder, is_done, err);
}

static vg_status leave(void *self, const char *id, vg_error *err)
{
    shard *s = self;
    s->n_left++;
    return s->is_cut || s->is_killed ? VG_OK : s->store.functions->leave(s->store.self, id, err);
}

static void close_(void *self)
{
    stream_store_close(&((shard *)self)->store);
}

static const stream_store_functions wrapped = {beat, sessions, claims, claim, leave, close_};

static void start(bench *t, int k)
{
    shard *s = &t->shards[k];
    stream_leases_options o = {.shard = {k, t->n_planned},
                               .most = t->most,
                               .lease_s = LEASE_S,
                               .stats = &s->stats,
                               .now_ns = now_of,
                               .ctx = t,
                               .is_stepped = true};
    assert_null(s->leases);
    memset(s, 0, sizeof *s);
    s->tick = t->tick;
    s->now_ns = &t->now_ns;
    OK(stream_store_dir_open(&s->store, t->folder, &t->mem, err));
    o.store = (stream_store){&wrapped, s};
    OK(stream_leases_open(&s->leases, &o, t->list, (size_t)t->n_cameras, &t->mem, err));
}

static void stop(bench *t, int k)
{
    memset(t->shards[k].reads, 0, sizeof t->shards[k].reads);
    stream_leases_close(&t->shards[k].leases);
}

/* The process is gone at once: nobody leaves, nobody reads. */
static void kill_shard(bench *t, int k)
{
    t->shards[k].is_killed = true;
    stop(t, k);
}

static int tear_down(void **state)
{
    bench *t = *state;
    for (int k = 0; k < MOST_SHARDS; k++)
        stream_leases_close(&t->shards[k].leases);
    folder_remove(t->folder);
    const int left = t->mem.in_use_bytes != 0;
    free(t);
    return left ? -1 : 0;
}

/* What a job does ten times a second. */
static void follow(bench *t, shard *s)
{
    for (int i = 0; i < t->n_cameras && s->leases != NULL; i++) {
        const uint64_t key = stream_shard_key(t->names[i]);
        const bool may = stream_leases_may_read(s->leases, key);
        if (may != s->reads[i])
            stream_leases_set_reading(s->leases, key, may);
        s->reads[i] = may;
    }
}

static int n_readers(const bench *t, int camera)
{
    int n = 0;
    for (int k = 0; k < MOST_SHARDS; k++)
        n += t->shards[k].leases != NULL && !t->shards[k].is_paused && t->shards[k].reads[camera];
    return n;
}

static void count_doubles(bench *t)
{
    for (int i = 0; i < t->n_cameras; i++)
        t->n_doubles += n_readers(t, i) > 1;
}

static void count_unread(bench *t)
{
    for (int i = 0; i < t->n_cameras; i++) {
        t->unread_ticks[i] = n_readers(t, i) > 0 ? 0 : t->unread_ticks[i] + 1;
        if (t->unread_ticks[i] > t->longest_unread)
            t->longest_unread = t->unread_ticks[i];
    }
}

/* A tick: time goes on, who is due steps, all jobs look. */
static void tick(bench *t)
{
    t->tick++;
    t->now_ns += LEASE_S * S / TICKS;
    for (int k = 0; k < MOST_SHARDS; k++) {
        shard *s = &t->shards[k];
        if (s->is_paused)
            continue;
        if (s->leases != NULL && !s->is_hung && t->tick >= s->tick) {
            const bool owes = stream_leases_step(s->leases);
            s->tick = t->tick + (owes ? TICKS / 10 : TICKS / 5);
        }
        follow(t, s);
        count_doubles(t); /* between any two of them, too */
    }
    count_unread(t);
    assert_int_equal(t->n_doubles, 0);
}

static void pass(bench *t, double leases)
{
    for (int i = 0; i < (int)(leases * TICKS); i++)
        tick(t);
}

static int n_read(const bench *t)
{
    int n = 0;
    for (int i = 0; i < t->n_cameras; i++)
        n += n_readers(t, i) == 1;
    return n;
}

static int n_of(const bench *t, int k)
{
    int n = 0;
    for (int i = 0; i < t->n_cameras; i++)
        n += t->shards[k].reads[i];
    return n;
}

static void is_by_score(const bench *t)
{
    for (int i = 0; i < t->n_cameras; i++)
        assert_true(
            t->shards[stream_shard_owner(stream_shard_key(t->names[i]), t->n_planned)].reads[i]);
}

#endif

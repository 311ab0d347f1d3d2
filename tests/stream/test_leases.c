/* Leases on a folder, by a clock that the test turns: many shards in one process, each with what a
 * job would do with its answers. At every moment a camera has one reader at most. */
#include "support/test.h"

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

static int set_up(void **state)
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

static vg_status claims(void *self, void (*see)(void *ctx, const stream_claim *c), void *ctx,
                        vg_error *err)
{
    shard *s = self;
    if (*s->now_ns - s->heard_ns > s->late_ns)
        s->late_ns = *s->now_ns - s->heard_ns;
    return s->is_cut ? cut(err) : s->store.functions->claims(s->store.self, see, ctx, err);
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

/* ---- */

static void each_shard_reads_its_own_when_all_are_there(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 0.5);
    assert_int_equal(n_read(t), 60);
    is_by_score(t);
}

static void a_dead_shards_cameras_are_read_within_the_stated_time(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    for (int k = 0; k < 4; k++) {
        t->longest_unread = 0;
        kill_shard(t, k);
        pass(t, 0.7);
        assert_int_not_equal(n_read(t), 60); /* not sooner than it can be known */
        pass(t, 0.9);
        assert_int_equal(n_read(t), 60);
        assert_in_range(t->longest_unread, TICKS * 8 / 10, TICKS * 16 / 10);
        start(t, k);
        pass(t, 3);
        is_by_score(t); /* who comes back gets its own */
    }
    assert_true(t->shards[0].stats.n_taken_over > 0);
}

static void who_ends_in_order_is_followed_sooner(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    stop(t, 2);
    pass(t, 0.6);
    assert_int_equal(n_read(t), 60);
}

/* Its thread waits for the store, and its job goes on: it must stop by itself, and before anybody
 * takes its cameras (tick looks for two readers at every moment). */
static void who_cannot_be_heard_stops_before_others_begin(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    t->shards[1].is_hung = true;
    pass(t, 0.3);
    assert_int_not_equal(n_of(t, 1), 0);
    pass(t, 0.4);
    assert_int_equal(n_of(t, 1), 0);
    pass(t, 0.9);
    assert_int_equal(n_read(t), 60);
    t->shards[1].is_hung = false; /* it goes on where it stood */
    pass(t, 3);
    assert_int_equal(n_read(t), 60);
    assert_true(t->shards[1].stats.n_lost > 0);
    is_by_score(t);
}

/* A process that stood still: its lease thread may be the first to go on, and its captures, which
 * know the time until which they may read and nothing else, the last. */
static void who_stood_still_gets_no_time_until_its_captures_have_ended(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    shard *s = &t->shards[1];
    const int n_before = n_of(t, 1);
    assert_true(n_before > 0);
    s->is_paused = true;
    pass(t, 2);
    assert_int_equal(n_read(t), 60); /* by the others */
    for (int i = 0; i < 3; i++) {
        stream_leases_step(s->leases);
        assert_int_equal(n_of(t, 1), n_before);
        assert_true(*stream_leases_until_ns(s->leases) <= t->now_ns);
        pass(t, 0.1);
    }
    s->is_paused = false;
    follow(t, s);
    assert_int_equal(n_of(t, 1), 0);
    pass(t, 3);
    assert_int_equal(n_read(t), 60);
    is_by_score(t);
}

/* The network breaks for one of them, and for all. */
static void who_does_not_reach_the_store_stops_in_time_and_comes_back(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    t->shards[2].is_cut = true;
    pass(t, 0.7);
    assert_int_equal(n_of(t, 2), 0);
    assert_true(t->shards[2].stats.n_failures > 0);
    pass(t, 0.9);
    assert_int_equal(n_read(t), 60);
    t->shards[2].is_cut = false;
    pass(t, 3);
    is_by_score(t);
    for (int k = 0; k < 4; k++)
        t->shards[k].is_cut = true;
    pass(t, 1);
    assert_int_equal(n_read(t), 0);
    for (int k = 0; k < 4; k++)
        t->shards[k].is_cut = false;
    pass(t, 3);
    is_by_score(t);
}

static void a_shard_whose_word_was_taken_away_stops_and_begins_anew(void **state)
{
    bench *t = *state;
    char command[600];
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    snprintf(command, sizeof command, "rm %s/shards/1-*", t->folder);
    assert_int_equal(system(command), 0);
    pass(t, 3);
    assert_int_equal(n_read(t), 60);
    assert_true(t->shards[1].stats.n_lost > 0);
}

static void a_shard_takes_no_more_than_it_has_places_for(void **state)
{
    bench *t = *state;
    t->most = 20;
    start(t, 0);
    start(t, 1);
    pass(t, 3);
    assert_int_equal(n_of(t, 0), 20);
    assert_int_equal(n_of(t, 1), 20);
    assert_int_equal(t->shards[0].stats.n_unread, 20);
    assert_int_equal(t->shards[0].stats.n_refused, 20);
    start(t, 2);
    pass(t, 3);
    assert_int_equal(n_read(t), 60);
    assert_int_equal(t->shards[0].stats.n_refused, 0);
}

static void one_more_shard_takes_its_share_of_each(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    int before[4];
    for (int k = 0; k < 4; k++)
        before[k] = n_of(t, k);
    t->longest_unread = 0;
    start(t, 4); /* beyond those that were planned */
    pass(t, 2);
    assert_int_equal(n_read(t), 60);
    for (int i = 0; i < 60; i++) {
        const int owner = stream_shard_owner(stream_shard_key(t->names[i]), 5);
        assert_true(t->shards[owner].reads[i]);
    }
    for (int k = 0; k < 4; k++)
        assert_in_range(n_of(t, k), 1, before[k]);
    assert_in_range(t->longest_unread, 1, TICKS * 6 / 10); /* handed over, not waited for */
}

static void what_cannot_be_read_here_is_read_elsewhere(void **state)
{
    bench *t = *state;
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    int camera = 0;
    while (!t->shards[3].reads[camera])
        camera++;
    stream_leases_give_up(t->shards[3].leases, stream_shard_key(t->names[camera]));
    assert_false(stream_leases_may_read(t->shards[3].leases, stream_shard_key(t->names[camera])));
    pass(t, 2);
    assert_int_equal(n_readers(t, camera), 1);
    assert_false(t->shards[3].reads[camera]);
    pass(t, 12); /* and in time it is tried again */
    assert_true(t->shards[3].reads[camera]);
}

static void a_list_may_change_while_they_read(void **state)
{
    bench *t = *state;
    const char *odd[MOST_CAMERAS];
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 2);
    for (int i = 0; i < 50; i++)
        odd[i] = t->names[2 * i + 1]; /* of 60 cameras 30 go and 20 come */
    for (int k = 0; k < 4; k++)
        OK(stream_leases_relist(t->shards[k].leases, odd, 50, &t->mem, err));
    for (int k = 0; k < 4; k++) /* twice before it is seen: the first is forgotten */
        OK(stream_leases_relist(t->shards[k].leases, odd, 50, &t->mem, err));
    t->n_cameras = 100;
    pass(t, 3);
    for (int i = 0; i < 100; i++)
        assert_int_equal(n_readers(t, i), i % 2);
    assert_int_equal(t->shards[0].stats.n_cameras, 50);
}

static void two_of_the_same_number_do_not_read_twice(void **state)
{
    bench *t = *state;
    start(t, 0);
    t->shards[11] = (shard){0};
    stream_leases_options o = {.shard = {0, 1},
                               .most = 60,
                               .lease_s = LEASE_S,
                               .stats = &t->shards[11].stats,
                               .now_ns = now_of,
                               .ctx = t,
                               .is_stepped = true};
    OK(stream_store_dir_open(&o.store, t->folder, &t->mem, err));
    OK(stream_leases_open(&t->shards[11].leases, &o, t->list, 60, &t->mem, err));
    pass(t, 4);
    assert_int_equal(n_read(t), 60);
}

/* A store that hangs, files that are no ours, a clock that jumps ahead (the machine slept). */
static void after_a_sleep_nothing_is_read_that_others_have(void **state)
{
    bench *t = *state;
    char command[1500];
    for (int k = 0; k < 4; k++)
        start(t, k);
    snprintf(command, sizeof command,
             "touch %s/shards/.nfs0001 '%s/shards/a b' %s/cameras/zz %s/cameras/0123.free; mkdir "
             "%s/shards/9-folder",
             t->folder, t->folder, t->folder, t->folder, t->folder);
    assert_int_equal(system(command), 0);
    pass(t, 2);
    assert_int_equal(n_read(t), 60);
    t->now_ns += 3600 * S; /* for all: each of them was deaf */
    for (int k = 0; k < 4; k++)
        follow(t, &t->shards[k]);
    assert_int_equal(n_read(t), 0);
    pass(t, 3);
    assert_int_equal(n_read(t), 60);
}

/* Shards die, hang, end, come back and join at random, for hours; memory stands still. */
static void cameras_survive_any_mixture_of_faults(void **state)
{
    bench *t = *state;
    test_random random = {.state = 20240229};
    t->n_cameras = 120;
    t->most = 60;
    t->n_planned = 8;
    for (int k = 0; k < 8; k++)
        start(t, k);
    pass(t, 2);
    for (int round = 0; round < 60; round++) {
        const int k = (int)(random_u64(&random) % 8);
        shard *s = &t->shards[k];
        switch (random_u64(&random) % 4) {
        case 0:
            if (s->leases != NULL)
                kill_shard(t, k);
            break;
        case 1:
            if (s->leases != NULL)
                stop(t, k);
            break;
        case 2:
            s->is_hung = s->leases != NULL && !s->is_hung;
            break;
        default:
            if (s->leases == NULL)
                start(t, k);
            break;
        }
        int n_there = 0;
        for (int i = 0; i < 8; i++)
            n_there += t->shards[i].leases != NULL && !t->shards[i].is_hung;
        for (int i = 0; i < 8 && n_there < 3; i++) { /* room for all */
            if (t->shards[i].leases == NULL)
                start(t, i), n_there++;
            else if (t->shards[i].is_hung)
                t->shards[i].is_hung = false, n_there++;
        }
        pass(t, 0.2 * (double)(1 + random_u64(&random) % 5));
    }
    pass(t, 3);
    assert_int_equal(n_read(t), 120);
    for (int k = 0; k < 8; k++) {
        t->shards[k].is_hung = false;
        if (t->shards[k].leases == NULL)
            start(t, k);
    }
    pass(t, 3);
    const uint64_t n_allocs = t->mem.n_allocs;
    pass(t, 5);
    assert_int_equal(n_read(t), 120);
    is_by_score(t);
    assert_int_equal(t->mem.n_allocs, n_allocs);
}

/* What dead sessions left is taken away. */
static void the_folder_does_not_grow(void **state)
{
    bench *t = *state;
    for (int round = 0; round < 10; round++) {
        start(t, 0);
        start(t, 1);
        pass(t, 1);
        kill_shard(t, 0);
        kill_shard(t, 1);
    }
    start(t, 2);
    pass(t, 8);
    char path[600];
    int n_shards = 0, n_cameras = 0;
    snprintf(path, sizeof path, "%s/shards", t->folder);
    DIR *dir = opendir(path);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n_shards += e->d_name[0] != '.';
    closedir(dir);
    snprintf(path, sizeof path, "%s/cameras", t->folder);
    dir = opendir(path);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n_cameras += e->d_name[0] != '.';
    closedir(dir);
    assert_int_equal(n_shards, 1);
    assert_int_equal(n_cameras, 2 * 60); /* anchor and holder */
}

/* A list that takes longer than a beat's time, and what many dead ones left. */
static void a_slow_store_is_not_asked_much_between_two_beats(void **state)
{
    bench *t = *state;
    shard *s = &t->shards[9];
    for (int k = 0; k < 4; k++)
        start(t, k);
    pass(t, 0.2);
    for (int k = 0; k < 4; k++)
        kill_shard(t, k);
    start(t, 9);
    s->slow_ns = LEASE_S * S * 3 / 10;
    stream_leases_step(s->leases);
    assert_true(s->late_ns < LEASE_S * S / 5);
    s->slow_ns = 0;
    for (int i = 0; i < 4 * TICKS * 3; i++) {
        const int n_before = s->n_left;
        tick(t);
        assert_in_range(s->n_left - n_before, 0, 1);
    }
    assert_true(s->n_left >= 4);
}

/* ---- the store by itself ---- */

static void see_last(void *ctx, const stream_claim *c)
{
    *(stream_claim *)ctx = *c;
}

static void of_many_who_claim_one_gets_it(void **state)
{
    bench *t = *state;
    stream_store store;
    bool is_done;
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    stream_claim a = {.key = 42}, b = a, c;
    OK(store.functions->claim(store.self, &a, "x", "1-a", &is_done, err));
    assert_true(is_done);
    OK(store.functions->claim(store.self, &b, "x", "2-b", &is_done, err));
    assert_false(is_done); /* it was held first by another */
    OK(store.functions->claims(store.self, see_last, &b, err));
    assert_string_equal(b.holder, "1-a");
    c = b;
    OK(store.functions->claim(store.self, &b, "x", "2-b", &is_done, err));
    assert_true(is_done);
    OK(store.functions->claim(store.self, &c, "x", "3-c", &is_done, err));
    assert_false(is_done); /* it is not 1-a's any more */
    OK(store.functions->claim(store.self, &b, "x", "", &is_done, err));
    assert_true(is_done);
    c = b;
    OK(store.functions->claim(store.self, &b, "x", "4-d", &is_done, err));
    assert_true(is_done);
    OK(store.functions->claim(store.self, &c, "x", "5-e", &is_done, err));
    assert_false(is_done);
    stream_store_close(&store);
}

/* ---- the same at once ---- */

enum { N_RACERS = 4, N_RACES = 150 };

typedef struct racer {
    pthread_t thread;
    pthread_barrier_t *start;
    stream_store store;
    int k, n_won;
    bool has_won[N_RACES];
} racer;

/* The first race for a camera makes it, the second is for one that is held. */
static void *race(void *self)
{
    racer *r = self;
    char me[8];
    snprintf(me, sizeof me, "%d-me", r->k);
    for (int i = 0; i < N_RACES; i++) {
        stream_claim c = {.key = (uint64_t)(i / 2)};
        if (i % 2 == 1) {
            snprintf(c.holder, sizeof c.holder, "before");
            snprintf(c.version, sizeof c.version, "1");
        }
        pthread_barrier_wait(r->start);
        r->store.functions->claim(r->store.self, &c, "x", i % 2 == 0 ? "before" : me,
                                  &r->has_won[i], NULL);
        r->n_won += r->has_won[i];
    }
    return NULL;
}

static void of_many_at_the_same_time_one_gets_it(void **state)
{
    bench *t = *state;
    racer racers[N_RACERS] = {0};
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, N_RACERS);
    for (int k = 0; k < N_RACERS; k++) {
        racers[k].k = k;
        racers[k].start = &barrier;
        OK(stream_store_dir_open(&racers[k].store, t->folder, &t->mem, err));
        OK(base_thread_start(&racers[k].thread, "racer", 0, race, &racers[k], err));
    }
    for (int k = 0; k < N_RACERS; k++) {
        pthread_join(racers[k].thread, NULL);
        stream_store_close(&racers[k].store);
    }
    pthread_barrier_destroy(&barrier);
    for (int i = 1; i < N_RACES; i += 2) {
        int n = 0;
        for (int k = 0; k < N_RACERS; k++)
            n += racers[k].has_won[i];
        assert_int_equal(n, 1);
    }
}

/* Who died between making its file and linking it holds nothing. */
static void a_file_of_one_name_is_nobodys(void **state)
{
    bench *t = *state;
    stream_store store;
    bool is_done;
    char command[600];
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    snprintf(command, sizeof command, "touch %s/cameras/000000000000002a.9-dead", t->folder);
    assert_int_equal(system(command), 0);
    stream_claim c;
    OK(store.functions->claims(store.self, see_last, &c, err));
    assert_string_equal(c.holder, "9-dead");
    OK(store.functions->claim(store.self, &c, "x", "1-a", &is_done, err));
    assert_true(is_done);
    stream_claim again = {.key = 42, .holder = "9-dead", .version = "1"};
    OK(store.functions->claim(store.self, &again, "x", "2-b", &is_done, err));
    assert_false(is_done); /* another is the first, and this one is nobody's still */
    OK(store.functions->claims(store.self, see_last, &c, err)); /* and is there no more */
    assert_string_equal(c.holder, "1-a");
    snprintf(command, sizeof command, "test ! -e %s/cameras/000000000000002a.9-dead", t->folder);
    assert_int_equal(system(command), 0);
    OK(store.functions->claim(store.self, &c, "x", "2-b", &is_done, err));
    assert_true(is_done);
    stream_store_close(&store);
}

static void see_none(void *ctx, const stream_session *s)
{
    (void)s;
    ++*(int *)ctx;
}

/* With no file descriptor left, the folder is opened and the files in it are not. */
static void who_cannot_be_read_has_not_left(void **state)
{
    bench *t = *state;
    stream_store store;
    stream_session me = {.id = "1-a", .shard = 1};
    struct rlimit before, few;
    bool is_gone;
    int n = 0;
    vg_error e = {0};
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    OK(store.functions->beat(store.self, &me, 1, &is_gone, err));
    OK(store.functions->sessions(store.self, see_none, &n, err));
    assert_int_equal(n, 1);
    const int first = dup(0);
    close(first);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)first + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const vg_status st = store.functions->sessions(store.self, see_none, &n, &e);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(st, VG_ERR_IO);
    assert_non_null(strstr(e.where, "1-a"));
    assert_int_equal(n, 1);
    stream_store_close(&store);
}

static void a_folder_that_is_none_is_told(void **state)
{
    bench *t = *state;
    stream_store store;
    char path[600];
    vg_error e;
    snprintf(path, sizeof path, "%s/file", t->folder);
    fclose(fopen(path, "w"));
    assert_int_equal(stream_store_dir_open(&store, path, &t->mem, &e), VG_ERR_IO);
    assert_non_null(strstr(e.where, "file"));
}

static void a_folder_that_may_not_be_written_to_is_told(void **state)
{
    bench *t = *state;
    stream_store store;
    char path[600];
    vg_error e = {0};
    OK(stream_store_dir_open(&store, t->folder, &t->mem, err));
    stream_store_close(&store);
    snprintf(path, sizeof path, "%s/cameras", t->folder);
    assert_int_equal(chmod(t->folder, 0755), 0);
    assert_int_equal(chmod(path, 0555), 0);
    snprintf(path, sizeof path, "%s/shards", t->folder);
    assert_int_equal(chmod(path, 0777), 0);
    const uid_t me = geteuid();
    if (me == 0) /* to whom nothing is forbidden */
        assert_int_equal(seteuid(65534), 0);
    const vg_status st = stream_store_dir_open(&store, t->folder, &t->mem, &e);
    if (me == 0)
        assert_int_equal(seteuid(me), 0);
    assert_int_equal(st, VG_ERR_IO);
    assert_non_null(strstr(e.where, "cameras"));
    assert_string_not_equal(e.mend, "");
}

static vg_status beat_refused(void *self, const stream_session *me, uint64_t n, bool *is_gone,
                              vg_error *err)
{
    (void)self, (void)me, (void)n;
    *is_gone = false;
    return base_fail(err, VG_ERR_UNSUPPORTED, "store", NULL, "not allowed");
}

static void a_store_that_says_no_at_first_is_an_error(void **state)
{
    bench *t = *state;
    shard *s = &t->shards[0];
    stream_store_functions refusing = wrapped;
    stream_leases_options o = {.store = {&refusing, s},
                               .shard = {0, 1},
                               .most = 60,
                               .lease_s = LEASE_S,
                               .stats = &s->stats,
                               .now_ns = now_of,
                               .ctx = t,
                               .is_stepped = true};
    vg_error e = {0};
    s->now_ns = &t->now_ns;
    refusing.beat = beat_refused;
    assert_int_equal(stream_leases_open(&s->leases, &o, t->list, 60, &t->mem, &e),
                     VG_ERR_UNSUPPORTED);
    assert_string_equal(e.what, "not allowed");
    assert_null(s->leases);
    s->is_cut = true; /* out of reach: it may come back */
    refusing.beat = beat;
    OK(stream_leases_open(&s->leases, &o, t->list, 60, &t->mem, err));
    stream_leases_close(&s->leases);
}

/* ---- an end while the store hangs ---- */

typedef struct hanging {
    sem_t hangs, never;
    stream_fleet_stats stats;
    base_mem mem; /* of what is left behind */
} hanging;

static vg_status beat_hangs(void *self, const stream_session *me, uint64_t n, bool *is_gone,
                            vg_error *err)
{
    hanging *h = self;
    (void)me, (void)err;
    *is_gone = false;
    if (n == 2) {
        sem_post(&h->hangs);
        sem_wait(&h->never);
    }
    return VG_OK;
}

static vg_status no_sessions(void *self, void (*see)(void *ctx, const stream_session *s), void *ctx,
                             vg_error *err)
{
    (void)self, (void)see, (void)ctx;
    return cut(err);
}

static void a_store_that_hangs_is_not_waited_for_at_the_end(void **state)
{
    static hanging h;
    static stream_store_functions slow;
    bench *t = *state;
    stream_leases *leases;
    stream_leases_options o = {
        .store = {&slow, &h}, .shard = {0, 1}, .most = 60, .lease_s = 0.5, .stats = &h.stats};
    slow = wrapped;
    slow.beat = beat_hangs;
    slow.sessions = no_sessions;
    sem_init(&h.hangs, 0, 0);
    sem_init(&h.never, 0, 0);
    base_mem_init(&h.mem, "left", NULL, 0);
    OK(stream_leases_open(&leases, &o, t->list, 60, &h.mem, err));
    sem_wait(&h.hangs);
    stream_leases_end(leases); /* returns, as close does */
    stream_leases_close(&leases);
    assert_null(leases);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(each_shard_reads_its_own_when_all_are_there),
        T(a_dead_shards_cameras_are_read_within_the_stated_time),
        T(who_ends_in_order_is_followed_sooner),
        T(who_cannot_be_heard_stops_before_others_begin),
        T(who_stood_still_gets_no_time_until_its_captures_have_ended),
        T(who_does_not_reach_the_store_stops_in_time_and_comes_back),
        T(a_shard_whose_word_was_taken_away_stops_and_begins_anew),
        T(a_shard_takes_no_more_than_it_has_places_for),
        T(one_more_shard_takes_its_share_of_each),
        T(what_cannot_be_read_here_is_read_elsewhere),
        T(a_list_may_change_while_they_read),
        T(two_of_the_same_number_do_not_read_twice),
        T(after_a_sleep_nothing_is_read_that_others_have),
        T(cameras_survive_any_mixture_of_faults),
        T(the_folder_does_not_grow),
        T(a_slow_store_is_not_asked_much_between_two_beats),
        T(of_many_who_claim_one_gets_it),
        T(of_many_at_the_same_time_one_gets_it),
        T(a_file_of_one_name_is_nobodys),
        T(who_cannot_be_read_has_not_left),
        T(a_folder_that_is_none_is_told),
        T(a_folder_that_may_not_be_written_to_is_told),
        T(a_store_that_says_no_at_first_is_an_error),
        T(a_store_that_hangs_is_not_waited_for_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

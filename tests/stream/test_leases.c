/* Who reads which camera, whatever happens to shards and store: on a folder, by a clock that the
 * test turns. */
#include "leases_bench.h"

#include <semaphore.h>

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

/* A list of cameras that takes longer than the lease: it is heard meanwhile, and loses nothing. */
static void within_a_long_list_beats_go_on(void **state)
{
    bench *t = *state;
    shard *s = &t->shards[0];
    t->n_planned = 1;
    start(t, 0);
    pass(t, 2);
    assert_int_equal(n_read(t), t->n_cameras);
    const uint64_t n_before = s->stats.n_beats;
    s->heard_ns = t->now_ns;
    s->late_ns = 0;
    s->n_pages = 15;
    s->page_ns = LEASE_S * S / 10;
    for (int i = 0; i < 40 && s->stats.n_beats - n_before < 40; i++) /* until it lists, too */
        stream_leases_step(s->leases);
    assert_true(s->late_ns > 0);
    assert_true(s->late_ns <= LEASE_S * S * 3 / 10); /* a fifth, and a page */
    assert_int_equal(s->stats.n_lost, 0);
    s->n_pages = 0;
    pass(t, 0.5);
    assert_int_equal(n_read(t), t->n_cameras);
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
        T(within_a_long_list_beats_go_on),
        T(a_store_that_says_no_at_first_is_an_error),
        T(a_store_that_hangs_is_not_waited_for_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

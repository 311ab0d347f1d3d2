/* The intake: what waits, what gives way, who is next, and that nobody waits for ever. */
#include "support/ok.h"

#include <pthread.h>
#include <unistd.h>

#include "stream/fake_sources.h"
#include "stream/in/intake.h"

enum { MOST = 16 };
static atomic_bool never;

typedef struct scene {
    base_mem mem;
    stream_intake *in;
} scene;

static void begin(scene *s, int n_channels, int n_spare)
{
    base_mem_init(&s->mem, "intake", NULL, 0);
    OK(stream_intake_create(&s->in, n_channels, n_spare, &s->mem, err));
}

static void end(scene *s)
{
    stream_intake_destroy(&s->in);
    assert_null(s->in);
    assert_int_equal(s->mem.in_use_bytes, 0);
    assert_int_equal(fake_pictures, 0);
}

/* Puts a frame of that size and number; returns what gave way, -1: refused. */
static int put(scene *s, int channel, int w, int64_t number, const atomic_bool *stop)
{
    video_frame *f = stream_intake_blank(s->in);
    assert_non_null(f);
    fake_fill(f, w, 48, number);
    int n_dropped = 7;
    const bool is_put = stream_intake_put(s->in, channel, f, stop, &n_dropped);
    assert_true(n_dropped == 0 || (is_put && n_dropped == 1));
    return is_put ? n_dropped : -1;
}

/* Takes one batch; its channels and numbers as "2:0 3:5". */
static const char *take(scene *s, int most)
{
    static char text[256];
    stream_taken got[MOST];
    const int n = stream_intake_take(s->in, got, most, 0);
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d:%lld", i > 0 ? " " : "",
                               got[i].channel, (long long)video_frame_get(got[i].frame)->number);
        assert_true(got[i].put_ns > 0 && got[i].put_ns <= base_now_ns());
        stream_intake_give_back(s->in, got[i].frame);
    }
    return text;
}

/* ---- policies ---- */

static void latest_keeps_the_newest_and_counts_the_others(void **state)
{
    scene s;
    (void)state;
    begin(&s, 1, MOST);
    stream_intake_open_channel(s.in, 0, false);
    assert_int_equal(put(&s, 0, 64, 0, &never), 0);
    for (int i = 1; i < 100; i++) {
        assert_int_equal(put(&s, 0, 64, i, &never), 1);
        assert_int_equal(stream_intake_waiting(s.in, 0), 1);
        assert_int_equal(fake_pictures, 1);
    }
    assert_string_equal(take(&s, 1), "0:99");
    assert_string_equal(take(&s, 1), "");
    end(&s);
}

typedef struct putter {
    scene *s;
    int channel, n;
    atomic_bool stop;
    atomic_int n_put, n_dropped;
    atomic_bool refused;
    pthread_t thread;
} putter;

static void *put_many(void *self)
{
    putter *p = self;
    for (int i = 0; i < p->n; i++) {
        const int dropped = put(p->s, p->channel, 64, i, &p->stop);
        if (dropped < 0) {
            atomic_store(&p->refused, true);
            break;
        }
        atomic_fetch_add(&p->n_dropped, dropped);
        atomic_fetch_add(&p->n_put, 1);
    }
    return NULL;
}

static void start_putter(putter *p, scene *s, int channel, int n)
{
    *p = (putter){.s = s, .channel = channel, .n = n};
    assert_int_equal(pthread_create(&p->thread, NULL, put_many, p), 0);
}

static void wait_until_put(putter *p, int n)
{
    while (atomic_load(&p->n_put) < n)
        usleep(1000);
    usleep(20000); /* and now it waits, or it is a passing test that sees less */
}

static void every_waits_for_room_and_loses_none(void **state)
{
    scene s;
    putter p;
    (void)state;
    begin(&s, 1, MOST);
    stream_intake_open_channel(s.in, 0, true);
    start_putter(&p, &s, 0, 5);
    wait_until_put(&p, 2);
    assert_int_equal(p.n_put, 2);
    assert_int_equal(stream_intake_waiting(s.in, 0), 2);
    for (int i = 0; i < 5; i++) {
        char want[16];
        snprintf(want, sizeof want, "0:%d", i);
        while (stream_intake_waiting(s.in, 0) == 0)
            usleep(1000);
        assert_string_equal(take(&s, 4), want);
    }
    pthread_join(p.thread, NULL);
    assert_int_equal(p.n_dropped, 0);
    end(&s);
}

/* ---- who waits is woken ---- */

static void a_stopped_capture_does_not_wait_for_room(void **state)
{
    scene s;
    putter p;
    (void)state;
    begin(&s, 1, MOST);
    stream_intake_open_channel(s.in, 0, true);
    start_putter(&p, &s, 0, 5);
    wait_until_put(&p, 2);
    atomic_store(&p.stop, true);
    pthread_join(p.thread, NULL);
    assert_true(p.refused);
    assert_int_equal(p.n_put, 2);
    end(&s);
}

static void closing_a_channel_wakes_its_capture_and_drains_if_told(void **state)
{
    (void)state;
    for (int drain = 0; drain < 2; drain++) {
        scene s;
        putter p;
        begin(&s, 2, MOST);
        stream_intake_open_channel(s.in, 1, true);
        start_putter(&p, &s, 1, 5);
        wait_until_put(&p, 2);
        stream_intake_close_channel(s.in, 1, drain);
        pthread_join(p.thread, NULL);
        assert_true(p.refused);
        assert_int_equal(fake_pictures, drain ? 2 : 0);
        assert_int_equal(put(&s, 1, 64, 9, &never), -1);
        assert_int_equal(put(&s, 0, 64, 9, &never), -1); /* never opened */
        assert_string_equal(take(&s, 4), drain ? "1:0" : "");
        /* Opened again, as `latest`, it begins empty. */
        stream_intake_open_channel(s.in, 1, false);
        assert_int_equal(put(&s, 1, 64, 20, &never), 0);
        assert_string_equal(take(&s, 4), "1:20");
        assert_string_equal(take(&s, 4), "");
        end(&s);
    }
}

static void *take_for_ever(void *self)
{
    scene *s = self;
    stream_taken got[MOST];
    assert_int_equal(stream_intake_take(s->in, got, MOST, 1000000), 0);
    return NULL;
}

static void stop_wakes_all(void **state)
{
    scene s;
    putter p;
    pthread_t taker;
    (void)state;
    begin(&s, 2, MOST);
    assert_int_equal(pthread_create(&taker, NULL, take_for_ever, &s), 0);
    usleep(20000);
    stream_intake_stop(s.in);
    pthread_join(taker, NULL);
    end(&s);

    begin(&s, 2, MOST);
    stream_intake_open_channel(s.in, 0, true);
    start_putter(&p, &s, 0, 5);
    wait_until_put(&p, 2);
    stream_intake_stop(s.in);
    pthread_join(p.thread, NULL);
    assert_true(p.refused);
    assert_string_equal(take(&s, 4), "");
    end(&s); /* what still waits goes with it */
}

static void take_waits_no_longer_than_told(void **state)
{
    scene s;
    stream_taken got[MOST];
    (void)state;
    begin(&s, 1, MOST);
    assert_int_equal(stream_intake_take(s.in, got, MOST, 30), 0);
    assert_int_equal(stream_intake_take(s.in, got, MOST, 0), 0);
    end(&s);
}

/* ---- who is next ---- */

static void the_longest_unserved_channel_is_next(void **state)
{
    scene s;
    (void)state;
    begin(&s, 3, MOST);
    for (int i = 0; i < 3; i++)
        stream_intake_open_channel(s.in, i, false);
    /* All have one at any time: turns, whatever the order of arrival. */
    int n_of[3] = {0};
    for (int round = 0; round < 9; round++) {
        for (int i = 2; i >= 0; i--)
            put(&s, i, 64, round, &never);
        n_of[take(&s, 1)[0] - '0']++;
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(n_of[i], 3);
    /* Who was away for long does not get all turns of that time. */
    for (int round = 0; round < 50; round++) {
        put(&s, 0, 64, round, &never);
        take(&s, 1);
    }
    take(&s, 3);
    put(&s, 0, 64, 1, &never);
    put(&s, 1, 64, 1, &never);
    assert_string_equal(take(&s, 1), "1:1");
    put(&s, 1, 64, 2, &never);
    assert_string_equal(take(&s, 1), "0:1");
    assert_string_equal(take(&s, 1), "1:2");
    end(&s);
}

static void a_batch_is_of_one_shape_and_one_frame_a_channel(void **state)
{
    scene s;
    (void)state;
    begin(&s, 5, MOST);
    for (int i = 0; i < 5; i++)
        stream_intake_open_channel(s.in, i, true);
    for (int number = 0; number < 2; number++) {
        put(&s, 0, 64, number, &never);
        put(&s, 1, 32, number, &never);
        put(&s, 2, 64, number, &never);
        put(&s, 4, 64, number, &never);
    }
    assert_string_equal(take(&s, 8), "0:0 2:0 4:0");
    assert_string_equal(take(&s, 8), "1:0"); /* though three of the others wait again */
    assert_string_equal(take(&s, 2), "0:1 2:1");
    assert_string_equal(take(&s, 2), "4:1");
    assert_string_equal(take(&s, 2), "1:1");
    assert_string_equal(take(&s, 2), "");
    end(&s);
}

/* ---- all at once ---- */

static void many_captures_and_one_taker_lose_and_make_nothing(void **state)
{
    enum { N = 6, FRAMES = 2000 };
    scene s;
    putter p[N];
    int64_t last[N];
    int n_taken[N] = {0};
    (void)state;
    begin(&s, N, N);
    const uint64_t n_allocs = s.mem.n_allocs;
    for (int i = 0; i < N; i++) {
        last[i] = -1;
        stream_intake_open_channel(s.in, i, i % 2 == 0);
        start_putter(&p[i], &s, i, FRAMES);
    }
    for (int n_done = 0, sum = 0; n_done < N || sum > 0;) {
        stream_taken got[N];
        const int n = stream_intake_take(s.in, got, N, 10);
        for (int i = 0; i < n; i++) {
            const int64_t number = video_frame_get(got[i].frame)->number;
            const int c = got[i].channel;
            assert_true(c % 2 == 0 ? number == last[c] + 1 : number > last[c]);
            last[c] = number;
            n_taken[c]++;
            stream_intake_give_back(s.in, got[i].frame);
        }
        n_done = sum = 0;
        for (int i = 0; i < N; i++) {
            n_done += atomic_load(&p[i].n_put) == FRAMES;
            sum += stream_intake_waiting(s.in, i);
        }
    }
    for (int i = 0; i < N; i++) {
        pthread_join(p[i].thread, NULL);
        assert_int_equal(n_taken[i] + p[i].n_dropped, FRAMES);
        assert_int_equal(last[i], FRAMES - 1); /* the newest is never the one that is lost */
        assert_true(i % 2 == 1 || p[i].n_dropped == 0);
    }
    assert_int_equal(s.mem.n_allocs, n_allocs);
    assert_int_equal(fake_pictures, 0);
    end(&s);
}

static void its_memory_is_what_it_said_and_may_fail_anywhere(void **state)
{
    (void)state;
    for (int64_t fail_in = 1;; fail_in++) {
        base_mem mem;
        stream_intake *in;
        vg_error err = {0};
        base_mem_init(&mem, "intake", NULL, stream_intake_bytes(3, 4));
        mem.fail_in = fail_in;
        if (stream_intake_create(&in, 3, 4, &mem, &err) == VG_OK) {
            assert_int_equal(fail_in, 1 + 3 * 3 + 4 + 1);
            stream_intake_destroy(&in);
            assert_int_equal(mem.in_use_bytes, 0);
            return;
        }
        assert_null(in);
        assert_int_equal(err.status, VG_ERR_MEMORY);
        assert_int_equal(mem.in_use_bytes, 0);
    }
}

int main(void)
{
    alarm(240); /* who waits for ever fails */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latest_keeps_the_newest_and_counts_the_others),
        cmocka_unit_test(every_waits_for_room_and_loses_none),
        cmocka_unit_test(a_stopped_capture_does_not_wait_for_room),
        cmocka_unit_test(closing_a_channel_wakes_its_capture_and_drains_if_told),
        cmocka_unit_test(stop_wakes_all),
        cmocka_unit_test(take_waits_no_longer_than_told),
        cmocka_unit_test(the_longest_unserved_channel_is_next),
        cmocka_unit_test(a_batch_is_of_one_shape_and_one_frame_a_channel),
        cmocka_unit_test(many_captures_and_one_taker_lose_and_make_nothing),
        cmocka_unit_test(its_memory_is_what_it_said_and_may_fail_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

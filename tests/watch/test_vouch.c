/* test_vouch.c: what else is known of a job calls its leaks sooner, and excuses what only looks so:
 * growth with each reconnect, with requests and not with their pace, in several resources, under a
 * saw-tooth; pools, loads and batches. */
#include "support/test.h"

#include <math.h>

#include "watch/watch.h"

static const double GB = 1e9, HOUR = 3600;
enum { EVERY_S = 20 };

typedef void (*job)(watch_sample *s, double h);

/* The hour of the first call of any series; NAN: none was. */
static double called_h(job make, double hours, double *critical_h)
{
    static base_mem mem = {.tag = "test"};
    watch_judge *j = NULL;
    const watch_judge_options o = {0};
    vg_error err;
    double called = NAN;
    *critical_h = NAN;
    assert_int_equal(watch_judge_create(&j, &o, &mem, &err), VG_OK);
    for (double h = 0; h < hours; h += EVERY_S / HOUR) {
        watch_sample s;
        watch_event e;
        watch_sample_clear(&s, h * HOUR);
        s.value[WATCH_LIMIT_MEMORY_BYTES] = 12 * GB;
        s.value[WATCH_LIMIT_FDS] = 1024;
        s.value[WATCH_LIMIT_THREADS] = 4096;
        make(&s, h);
        watch_judge_push(j, &s);
        while (watch_judge_next(j, &e)) {
            if (!watch_state_rises(e.verdict.state))
                continue;
            if (e.verdict.state >= WATCH_LEAKING && isnan(called))
                called = h;
            if (e.verdict.state == WATCH_CRITICAL && isnan(*critical_h))
                *critical_h = h;
        }
    }
    watch_judge_destroy(&j);
    return called;
}

static double shake(double h)
{
    return 2e6 * sin(h * 7919);
}

/* 2 GB, and all of the 10 that are left in 50 hours. */
static void leaks(watch_sample *s, double h)
{
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 0.2 * GB * h + shake(h);
}

static void leaks_by_reconnect(watch_sample *s, double h)
{
    const double n = floor(3 * h);
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 0.2 / 3 * GB * n + shake(h);
    s->value[WATCH_WORK_RECONNECTS] = n;
}

static void same_steps_beside_nothing(watch_sample *s, double h)
{
    leaks_by_reconnect(s, h);
    s->value[WATCH_WORK_RECONNECTS] = NAN;
}

static void the_same_with_each_reconnect_is_called_sooner(void **state)
{
    (void)state;
    double critical;
    const double known = called_h(leaks_by_reconnect, 15, &critical),
                 not_known = called_h(same_steps_beside_nothing, 15, &critical);
    assert_true(known > 4 && known < 6.5); /* 50 h: a tenth is 5 h */
    assert_true(not_known > known + 1 && not_known < 10);
}

/* Descriptors and threads with it, as far from their own limits as memory is. */
static void leaks_several(watch_sample *s, double h)
{
    leaks(s, h);
    s->value[WATCH_MAIN_FDS] = 100 + floor(10 * h);
    s->value[WATCH_MAIN_THREADS] = 40 + floor(4 * h);
}

static void several_resources_are_called_sooner(void **state)
{
    (void)state;
    double critical;
    assert_true(called_h(leaks_several, 15, &critical) < 6.5);
    assert_true(called_h(leaks, 15, &critical) > 6.5);
}

/* A pool grows by day to 40 connections more; its threads and buffers with it. */
static void pool(watch_sample *s, double h)
{
    const double held = floor(40 * fmin(h / 9, 1));
    s->value[WATCH_MAIN_FDS] = 45 + held;
    s->value[WATCH_MAIN_THREADS] = 12 + floor(held / 4);
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 0.01 * GB * held + shake(h);
}

static void a_pool_that_fills_is_no_leak(void **state)
{
    (void)state;
    double critical;
    assert_true(isnan(called_h(pool, 40, &critical)));
}

/* Requests at a pace of 1 + 0.8 sin, least in the beginning; what is held follows the pace. */
static double requests(double h)
{
    const double w = 6.283185307179586 / 24;
    return floor(4000 * (h - 0.8 / w * sin(w * h)));
}

static double pace(double h)
{
    return 1 - 0.8 * cos(6.283185307179586 / 24 * h);
}

static void loaded(watch_sample *s, double h)
{
    s->value[WATCH_WORK_REQUESTS] = requests(h);
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 1.2 * GB * pace(h) + shake(h);
}

/* 100 kB of each request are kept. */
static void leaks_by_request(watch_sample *s, double h)
{
    s->value[WATCH_WORK_REQUESTS] = requests(h);
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 0.3 * GB * pace(h) + 1e5 * requests(h) + shake(h);
}

static void what_follows_the_pace_is_no_leak(void **state)
{
    (void)state;
    double critical;
    assert_true(isnan(called_h(loaded, 48, &critical)));
    /* 100 kB x 20,000 requests: a fifth of the headroom. */
    const double leak = called_h(leaks_by_request, 48, &critical);
    assert_true(requests(leak) < 20000);
}

/* Teeth of 1.2 GB in an hour and a half, on which 10 GB are lost in 60 hours. */
static void leaks_on_teeth(watch_sample *s, double h)
{
    s->value[WATCH_MAIN_ANON_BYTES] =
        2 * GB + 10.0 / 60 * GB * h + 0.8 * GB * fmod(h, 1.5) + shake(h);
}

static void teeth(watch_sample *s, double h)
{
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 0.8 * GB * fmod(h, 1.5) + shake(h);
}

static void troughs_of_teeth_show_the_leak(void **state)
{
    (void)state;
    double critical;
    assert_true(called_h(leaks_on_teeth, 20, &critical) < 12);
    assert_true(isnan(called_h(teeth, 20, &critical)));
}

/* A batch loads 4.5 of 10 GB in eight minutes, and ends after an hour. */
static void batch(watch_sample *s, double h)
{
    const double x = h - 3;
    s->value[WATCH_MAIN_ANON_BYTES] =
        2 * GB + (x > 0 && x < 1 ? 4.5 * GB * fmin(x * 60 / 8, 1) : 0) + shake(h);
}

/* The same that does not end: gone in 18 minutes. */
static void fast(watch_sample *s, double h)
{
    s->value[WATCH_MAIN_ANON_BYTES] =
        fmin(2 * GB + 4.5 * GB * fmax(h - 3, 0) * 60 / 8 + shake(h), 12 * GB);
}

static void nothing_is_done_before_half_is_gone(void **state)
{
    (void)state;
    double critical;
    called_h(batch, 6, &critical);
    assert_true(isnan(critical));
    const double called = called_h(fast, 3.29, &critical);
    assert_true(called < 3 + 0.33 * 17.8 / 60);
    assert_true(critical > 3 + 0.5 * 17.7 / 60 && critical < 3 + 0.7 * 17.8 / 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_with_each_reconnect_is_called_sooner),
        cmocka_unit_test(several_resources_are_called_sooner),
        cmocka_unit_test(a_pool_that_fills_is_no_leak),
        cmocka_unit_test(what_follows_the_pace_is_no_leak),
        cmocka_unit_test(troughs_of_teeth_show_the_leak),
        cmocka_unit_test(nothing_is_done_before_half_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

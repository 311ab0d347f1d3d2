/* test_ends.c: what grows in a straight line and may end is said to be growing, not leaking; when
 * it ends, the call is taken back with its reason; when it does not, it is a leak after all. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "watch/sample/world.h"
#include "watch/watch.h"

static const double GB = 1e9, HOUR = 3600;
enum { EVERY_S = 30 };

/* What a job shows at a time, in hours. */
typedef void (*job)(watch_sample *s, double h);

typedef struct seen {
    double growing_h, leaking_h, critical_h, back_h; /* first of each; NAN */
    watch_state last;
    char evidence[WATCH_EVIDENCE_BYTES], back[WATCH_REMEDY_BYTES];
} seen;

static double shake(double h)
{
    return 2e6 * sin(h * 7919); /* no rhythm at this pace */
}

static void look(seen *out, watch_judge *j, job make, double from_h, double to_h)
{
    for (double h = from_h; h < to_h; h += EVERY_S / HOUR) {
        watch_sample s;
        watch_event e;
        watch_sample_clear(&s, h * HOUR);
        s.value[WATCH_LIMIT_MEMORY_BYTES] = 10 * GB;
        make(&s, h);
        watch_judge_push(j, &s);
        while (watch_judge_next(j, &e)) {
            if (e.series != WATCH_MAIN_ANON_BYTES)
                continue;
            double *first = e.verdict.state == WATCH_GROWING    ? &out->growing_h
                            : e.verdict.state == WATCH_LEAKING  ? &out->leaking_h
                            : e.verdict.state == WATCH_CRITICAL ? &out->critical_h
                            : e.was >= WATCH_GROWING            ? &out->back_h
                                                                : NULL;
            if (first == &out->growing_h)
                memcpy(out->evidence, e.evidence, sizeof out->evidence);
            if (first == &out->back_h)
                memcpy(out->back, e.cause, sizeof out->back);
            if (first != NULL && isnan(*first))
                *first = h;
            out->last = e.verdict.state;
        }
    }
}

static watch_judge *judge_of(double expect_rss)
{
    watch_judge *j = NULL;
    const watch_judge_options o = {.expect_rss = expect_rss};
    static base_mem mem = {.tag = "test"};
    vg_error err;
    assert_int_equal(watch_judge_create(&j, &o, &mem, &err), VG_OK);
    return j;
}

static seen nothing(void)
{
    return (seen){.growing_h = NAN, .leaking_h = NAN, .critical_h = NAN, .back_h = NAN};
}

static seen watch_job(job make, double expect_rss, double hours)
{
    watch_judge *j = judge_of(expect_rss);
    seen out = nothing();
    look(&out, j, make, 0, hours);
    watch_judge_destroy(&j);
    return out;
}

/* 2 GB, and 3 GB more in six hours, then full. */
static void fills(watch_sample *s, double h)
{
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 3 * GB * fmin(h / 6, 1) + shake(h);
}

/* The same, and never full. */
static void leaks(watch_sample *s, double h)
{
    s->value[WATCH_MAIN_ANON_BYTES] = 2 * GB + 0.5 * GB * h + shake(h);
}

static void expected_growth_is_no_leak(void **state)
{
    (void)state;
    const seen blind = watch_job(fills, 0, 24), told = watch_job(fills, 5.2 * GB, 24);
    assert_true(blind.leaking_h < 6); /* nothing tells it from a leak */
    assert_true(isnan(blind.growing_h));
    assert_true(isnan(told.leaking_h) && isnan(told.critical_h));
    assert_true(told.growing_h < 6);
    assert_non_null(strstr(told.evidence, "--expect-rss"));
    assert_true(told.back_h > 6 && told.back_h < 24);
    assert_int_equal(told.last, WATCH_STEADY);
    assert_non_null(strstr(told.back, "taken back: it stopped after"));
    assert_non_null(strstr(told.back, "--expect-rss"));
    assert_non_null(strstr(blind.back, "taken back")); /* and of a call that was wrong */
}

static void growth_past_what_was_expected_leaks(void **state)
{
    (void)state;
    const seen o = watch_job(leaks, 5 * GB, 15);
    assert_true(o.growing_h < 4);
    /* 5 GB after 6 h; 2 % more, and a minute until it is looked at again. */
    assert_true(o.leaking_h > 6 && o.leaking_h < 6.5);
    assert_true(isnan(o.critical_h)); /* an hour is left */
}

/* An expectation that lies too near the limit does not hide that the end is near. */
static void time_that_is_needed_is_left(void **state)
{
    (void)state;
    const seen o = watch_job(leaks, 9.99 * GB, 15.95);
    assert_true(o.growing_h < 4);
    assert_true(isnan(o.leaking_h));
    /* Half of ten minutes before 8 GB are gone, at 16 h. */
    assert_true(o.critical_h > 15.8 && o.critical_h < 15.95);
}

static void epochs(watch_sample *s, double h, double until_h)
{
    s->value[WATCH_JOB_WORLD] = WATCH_WORLD_PYTHON | WATCH_WORLD_TRAINS;
    s->value[WATCH_WORK_INPUT_BYTES] = 0.1 * GB + 0.4 * GB * fmin(h, until_h);
    s->value[WATCH_WORK_STEP] = floor(h * 1000);
    s->value[WATCH_WORK_EPOCH] = floor(h / 6);
}

static void first_pass(watch_sample *s, double h)
{
    fills(s, h);
    epochs(s, h, 6);
}

static void keeps_each_pass(watch_sample *s, double h)
{
    leaks(s, h);
    epochs(s, h, INFINITY);
}

static void data_that_is_read_once_is_no_leak(void **state)
{
    (void)state;
    const seen cache = watch_job(first_pass, 0, 24), leak = watch_job(keeps_each_pass, 0, 12);
    assert_true(cache.growing_h < 6);
    assert_true(isnan(cache.leaking_h) && isnan(cache.critical_h));
    assert_non_null(strstr(cache.evidence, "first epoch"));
    assert_non_null(strstr(cache.back, "read once"));
    assert_true(leak.growing_h < 6);
    assert_true(leak.leaking_h > 6 && leak.leaking_h < 7); /* a tenth of the second pass kept on */
}

/* A small set whose unpacked copies are kept in every epoch, of which nothing is told: 8 MB a
 * second of 1 GB. Not a minute may pass until it is looked at again. */
static void fast_growth_is_looked_at_again_soon(void **state)
{
    (void)state;
    watch_judge *j = NULL;
    const watch_judge_options o = {.horizon_s = 15};
    static base_mem mem = {.tag = "test"};
    vg_error err;
    double growing_s = NAN, leaking_s = NAN;
    assert_int_equal(watch_judge_create(&j, &o, &mem, &err), VG_OK);
    for (double t = 0; t < 100; t += 0.4) {
        watch_sample s;
        watch_event e;
        watch_sample_clear(&s, t);
        s.value[WATCH_LIMIT_MEMORY_BYTES] = GB;
        s.value[WATCH_JOB_WORLD] = WATCH_WORLD_PYTHON | WATCH_WORLD_TRAINS;
        s.value[WATCH_MAIN_ANON_BYTES] = 0.2 * GB + 8e6 * t + 0.01 * shake(t);
        s.value[WATCH_WORK_INPUT_BYTES] = 2e7 + 2e6 * t;
        watch_judge_push(j, &s);
        while (watch_judge_next(j, &e)) {
            if (e.verdict.state == WATCH_GROWING && isnan(growing_s))
                growing_s = t;
            if (e.verdict.state >= WATCH_LEAKING && isnan(leaking_s))
                leaking_s = t;
        }
    }
    assert_true(growing_s > 20 && growing_s < 50);
    assert_true(leaking_s > 50 && leaking_s < 62); /* half of the headroom is gone after 50 s */
    watch_judge_destroy(&j);
}

/* Losses kept: they grow with what is read, but by far too little. */
static void keeps_scalars(watch_sample *s, double h)
{
    leaks(s, h);
    epochs(s, h, INFINITY);
    s->value[WATCH_WORK_INPUT_BYTES] *= 100;
}

static void little_of_what_is_read_is_a_leak(void **state)
{
    (void)state;
    const seen o = watch_job(keeps_scalars, 0, 6);
    assert_true(isnan(o.growing_h));
    assert_true(o.leaking_h < 4);
}

/* The disk gives 0.5 GB an hour; each request reads less of it, so there are more. */
static void disk_bound(watch_sample *s, double h)
{
    fills(s, h);
    s->value[WATCH_WORK_INPUT_BYTES] = 0.5 * GB * fmin(h, 6) + 1e5 * h;
    s->value[WATCH_WORK_REQUESTS] = floor(1000 * h + 400 * h * h);
}

static void reads_that_fall_are_a_cache_that_fills(void **state)
{
    (void)state;
    const seen o = watch_job(disk_bound, 0, 24);
    assert_true(o.growing_h < 6);
    assert_true(isnan(o.leaking_h));
    assert_non_null(strstr(o.evidence, "reads"));
    assert_non_null(strstr(o.back, "full"));
}

static void what_rested_before_a_restart_may_rest_again(void **state)
{
    (void)state;
    watch_judge *j = judge_of(0);
    seen first = nothing(), again = nothing();
    look(&first, j, fills, 0, 30);
    assert_true(first.leaking_h < 6); /* the first time nobody can know */
    watch_judge_restart(j);
    for (double h = 0; h < 24; h += EVERY_S / HOUR) {
        watch_sample s;
        watch_event e;
        watch_sample_clear(&s, (30 + h) * HOUR);
        s.value[WATCH_LIMIT_MEMORY_BYTES] = 10 * GB;
        fills(&s, h);
        watch_judge_push(j, &s);
        while (watch_judge_next(j, &e)) {
            again.growing_h = e.verdict.state == WATCH_GROWING ? h : again.growing_h;
            assert_true(e.verdict.state < WATCH_LEAKING);
        }
    }
    assert_true(again.growing_h < 6);
    watch_judge_destroy(&j);
}

/* A cache to 5 GB that its settings bound at 4 GB, which the allocator rounds up; and a leak there.
 */
static void bounded_cache(watch_sample *s, double h)
{
    fills(s, h);
    s->value[WATCH_JOB_BOUND_BYTES] = 4 * GB;
}

static void leaks_beyond_its_bound(watch_sample *s, double h)
{
    leaks(s, h);
    s->value[WATCH_JOB_BOUND_BYTES] = 4 * GB;
}

static void bound_beyond_the_limit(watch_sample *s, double h)
{
    leaks(s, h);
    s->value[WATCH_JOB_BOUND_BYTES] = 12 * GB;
}

static void what_a_jobs_own_settings_bound_is_no_leak(void **state)
{
    (void)state;
    const seen cache = watch_job(bounded_cache, 0, 24),
               leak = watch_job(leaks_beyond_its_bound, 0, 12),
               far = watch_job(bound_beyond_the_limit, 0, 6);
    assert_true(cache.growing_h < 6);
    assert_true(isnan(cache.leaking_h) && isnan(cache.critical_h));
    assert_non_null(strstr(cache.evidence, "own settings"));
    assert_non_null(strstr(cache.back, "own settings"));
    assert_true(leak.growing_h < 6);
    assert_true(leak.leaking_h > 6 && leak.leaking_h < 7); /* 5 GB and what is beside */
    assert_true(isnan(far.growing_h) && far.leaking_h < 4);
}

/* A heap of a JVM that is held: below its bound, but collected ever more often. */
static void collects_ever_more(watch_sample *s, double h)
{
    leaks(s, h);
    s->value[WATCH_JOB_WORLD] = WATCH_WORLD_JAVA;
    s->value[WATCH_JOB_BOUND_BYTES] = 6 * GB;
    s->value[WATCH_MAIN_CPU_S] = 360 * h + (h > 5 ? 2000 * (h - 5) : 0);
}

static void collects_evenly(watch_sample *s, double h)
{
    collects_ever_more(s, h);
    s->value[WATCH_MAIN_CPU_S] = 360 * h;
}

static void a_heap_that_is_collected_in_vain_leaks(void **state)
{
    (void)state;
    const seen held = watch_job(collects_ever_more, 0, 8), waste = watch_job(collects_evenly, 0, 8);
    assert_true(held.growing_h < 5);
    assert_true(held.leaking_h > 5 && held.leaking_h < 6.5);
    assert_true(waste.growing_h < 5);
    assert_true(isnan(waste.leaking_h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expected_growth_is_no_leak),
        cmocka_unit_test(growth_past_what_was_expected_leaks),
        cmocka_unit_test(time_that_is_needed_is_left),
        cmocka_unit_test(data_that_is_read_once_is_no_leak),
        cmocka_unit_test(fast_growth_is_looked_at_again_soon),
        cmocka_unit_test(little_of_what_is_read_is_a_leak),
        cmocka_unit_test(reads_that_fall_are_a_cache_that_fills),
        cmocka_unit_test(what_a_jobs_own_settings_bound_is_no_leak),
        cmocka_unit_test(a_heap_that_is_collected_in_vain_leaks),
        cmocka_unit_test(what_rested_before_a_restart_may_rest_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

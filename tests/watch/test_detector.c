/* test_detector.c: what is called a leak, what is not, and when. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "watch/judge/detector.h"

enum { BLOCK = 16384 };
static const double hour = 3600, GB = 1e9;

typedef struct outcome {
    double called_s; /* NAN: never */
    double value;    /* then */
    watch_verdict call, end;
    int changes;
} outcome;

/* A curve without noise, at a moment. */
typedef double curve(double time_s);

static double noise_of(uint32_t *seed)
{
    double sum = 0; /* of four uniform ones: near enough to normal, and the same everywhere */
    for (int i = 0; i < 4; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        sum += (double)(*seed >> 8) / 16777216.0 - 0.5;
    }
    return sum * 1.732;
}

static watch_detector *detector(void *block)
{
    assert_true(watch_detector_bytes() <= BLOCK);
    return block;
}

static outcome replay(curve *f, double lasts_s, double every_s, double sigma, double limit)
{
    static _Alignas(64) unsigned char block[BLOCK];
    watch_detector *d = detector(block);
    watch_detector_init(d, WATCH_BYTES);
    outcome o = {.called_s = NAN};
    watch_state was = WATCH_LEARNING;
    uint32_t seed = 7;
    for (double t = 0; t < lasts_s; t += every_s) {
        const double value = f(t) + sigma * noise_of(&seed);
        watch_detector_push(d, t, value, limit, 0);
        watch_detector_get(d, &o.end);
        o.changes += o.end.state != was;
        was = o.end.state;
        if (isnan(o.called_s) && o.end.state >= WATCH_LEAKING) {
            o.called_s = t;
            o.value = f(t);
            o.call = o.end;
        }
    }
    return o;
}

static double leak_40_h(double t)
{
    return 4 * GB + 4 * GB * t / (40 * hour);
}
static double leak_30_min(double t)
{
    return 4 * GB + 4 * GB * t / (0.5 * hour);
}
static double leak_30_min_late(double t)
{
    return 4 * GB + 4 * GB * fmax(t - 20 * hour, 0) / (0.5 * hour);
}
static double leak_and_teeth(double t)
{
    return leak_40_h(t) + 0.3 * GB * fmod(t, 700) / 700;
}
static double leak_by_steps(double t)
{
    return 4 * GB + 4 * GB * floor(t / 1800) * 1800 / (40 * hour);
}
static double flat(double t)
{
    (void)t;
    return 4 * GB;
}
static double warm_up(double t)
{
    return 4 * GB + 2 * GB * (1 - exp(-t / (5 * hour)));
}
static double filling_slowly(double t)
{
    return 4 * GB + 0.3 * GB * log1p(t / 300);
}
static double teeth(double t)
{
    return 4 * GB + 0.5 * GB * fmod(t, 5000) / 5000;
}
static double large_teeth(double t)
{
    return 4 * GB + 1.3 * GB * fmod(t + 6500, 9000) / 9000;
}
static double load_steps(double t)
{
    const double h = t / hour;
    return 4 * GB + GB * ((h > 5) * 0.8 + (h > 15) * 0.5 - (h > 22) * 0.6 + (h > 30) * 0.9);
}
static double daily(double t)
{
    return 4 * GB - 0.5 * GB * cos(t / (24 * hour) * 6.283185);
}
static double leak_that_stops(double t)
{
    return 4 * GB + 4 * GB * fmin(t, 12 * hour) / (40 * hour);
}

static void a_straight_leak_is_called_before_a_fifth_is_gone(void **state)
{
    (void)state;
    const outcome o = replay(leak_40_h, 39 * hour, 10, 0.02 * GB, 8 * GB);
    assert_true(o.value < 4.8 * GB);
    assert_true(fabs(o.call.slope_per_s * 36000 / GB - 1) < 0.1);
    assert_true(o.call.slope_low_per_s <= o.call.slope_per_s);
    assert_true(o.call.slope_per_s <= o.call.slope_high_per_s);
    const double left = 40 * hour - o.called_s;
    assert_true(o.call.exhaustion_low_s < left && left < o.call.exhaustion_high_s);
    assert_true(o.call.exhaustion_high_s < 1.2 * left && o.call.exhaustion_low_s > 0.8 * left);
    assert_int_equal(o.call.shape, WATCH_SHAPE_RISING);
    assert_true(o.call.since_s < hour);
    assert_true(o.end.state >= WATCH_LEAKING);
    assert_true(fabs(o.end.slope_per_s * 36000 / GB - 1) < 0.01);
    assert_true(o.changes <= 5);
}

static void a_leak_of_half_an_hour_is_called_before_half_is_gone(void **state)
{
    (void)state;
    const double every[] = {1, 5, 10, 30, 60};
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        const outcome o = replay(leak_30_min, 0.5 * hour, every[i], 0.01 * GB, 8 * GB);
        assert_true(o.value < 6 * GB);
        assert_int_equal(o.end.state, WATCH_CRITICAL);
    }
    assert_true(replay(leak_30_min_late, 20.5 * hour, 5, 0.01 * GB, 8 * GB).value < 6 * GB);
}

static void teeth_and_steps_do_not_hide_a_leak(void **state)
{
    (void)state;
    assert_true(replay(leak_and_teeth, 38 * hour, 10, 0.01 * GB, 8 * GB).value < 5.5 * GB);
    const outcome o = replay(leak_by_steps, 38 * hour, 10, 0.01 * GB, 8 * GB);
    assert_true(o.value < 5 * GB);
    assert_true(fabs(o.call.slope_per_s * 36000 / GB - 1) < 0.1);
}

static void what_only_looks_like_a_leak_is_not_called(void **state)
{
    (void)state;
    static const struct {
        curve *f;
        watch_shape shape;
    } cases[] = {{flat, WATCH_SHAPE_FLAT},
                 {warm_up, WATCH_SHAPE_PLATEAU},
                 {filling_slowly, WATCH_SHAPE_WARM_UP},
                 {teeth, WATCH_SHAPE_SAW_TOOTH},
                 {large_teeth, WATCH_SHAPE_UNKNOWN},
                 {load_steps, WATCH_SHAPE_UNKNOWN},
                 {daily, WATCH_SHAPE_CYCLE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const outcome o = replay(cases[i].f, 48 * hour, 10, 0.02 * GB, 8 * GB);
        assert_true(isnan(o.called_s));
        assert_int_equal(o.end.state, WATCH_STEADY);
        assert_true(o.end.exhaustion_s > 1e300);
        if (cases[i].shape != WATCH_SHAPE_UNKNOWN)
            assert_int_equal(o.end.shape, cases[i].shape);
    }
}

static void a_rise_that_ends_is_no_leak_any_more(void **state)
{
    (void)state;
    const outcome o = replay(leak_that_stops, 40 * hour, 10, 0.01 * GB, 8 * GB);
    assert_true(o.called_s > 0);
    assert_int_equal(o.end.state, WATCH_STEADY);
    assert_int_equal(o.end.shape, WATCH_SHAPE_PLATEAU);
}

static void without_a_limit_it_decides_and_dates_nothing(void **state)
{
    (void)state;
    const outcome o = replay(leak_40_h, 39 * hour, 10, 0.02 * GB, NAN);
    assert_true(o.called_s > 0);
    assert_true(isnan(o.call.exhaustion_s) && isnan(o.call.exhaustion_low_s));
    assert_true(isnan(replay(warm_up, 48 * hour, 10, 0.02 * GB, NAN).called_s));
}

static void descriptors_lost_one_by_one_are_called(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char block[BLOCK];
    watch_detector *d = detector(block);
    watch_detector_init(d, WATCH_COUNT);
    watch_verdict v = {0};
    int t = 0;
    for (; t < 12 * 3600 && v.state < WATCH_LEAKING; t += 5) {
        watch_detector_push(d, t, 60 + floor(t / 45.0) + t / 5 % 3, 1024, 0);
        watch_detector_get(d, &v);
    }
    assert_true(v.floor < 300);
    assert_true(fabs(v.slope_per_s * 45 - 1) < 0.1);
}

static void critical_comes_within_the_horizon_and_not_before(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char block[BLOCK];
    watch_detector *d = detector(block);
    watch_detector_init(d, WATCH_BYTES);
    watch_verdict v;
    uint32_t seed = 1;
    double first = NAN;
    for (double t = 0; t < 39.5 * hour; t += 10) {
        watch_detector_push(d, t, leak_40_h(t) + 1e6 * noise_of(&seed), 8 * GB, 5 * hour);
        watch_detector_get(d, &v);
        if (v.state == WATCH_CRITICAL && isnan(first))
            first = t;
    }
    assert_true(first > 34.5 * hour && first < 35.5 * hour);
}

static void a_copy_of_the_block_goes_on_alike(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char one[BLOCK], other[BLOCK];
    watch_detector *d = detector(one), *e = detector(other);
    watch_detector_init(d, WATCH_BYTES);
    uint32_t seed = 3;
    for (int i = 0; i < 4000; i++) {
        const double t = i * 10.0, value = leak_40_h(t) + 0.02 * GB * noise_of(&seed);
        watch_detector_push(d, t, value, 8 * GB, 0);
        if (i == 1000)
            memcpy(other, one, sizeof one);
        if (i > 1000)
            watch_detector_push(e, t, value, 8 * GB, 0);
    }
    watch_verdict v, w;
    watch_detector_get(d, &v);
    watch_detector_get(e, &w);
    assert_int_equal(v.state, WATCH_LEAKING);
    assert_int_equal(w.state, v.state);
    assert_true(w.slope_per_s == v.slope_per_s && w.exhaustion_s == v.exhaustion_s);
}

static void scale_does_not_matter(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char one[BLOCK], other[BLOCK];
    watch_detector *d = detector(one), *e = detector(other);
    watch_detector_init(d, WATCH_BYTES);
    watch_detector_init(e, WATCH_BYTES);
    uint32_t seed = 5;
    for (int i = 0; i < 6000; i++) {
        const double t = i * 10.0, value = leak_40_h(t) + 0.02 * GB * noise_of(&seed);
        watch_detector_push(d, t, value, 8 * GB, 0);
        watch_detector_push(e, t, value / 1024, 8 * GB / 1024, 0);
        watch_verdict v, w;
        watch_detector_get(d, &v);
        watch_detector_get(e, &w);
        assert_int_equal(v.state, w.state);
    }
}

static void holes_and_a_clock_that_stands_still_do_no_harm(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char block[BLOCK];
    watch_detector *d = detector(block);
    watch_detector_init(d, WATCH_BYTES);
    uint32_t seed = 9;
    watch_verdict v = {0};
    double called = NAN;
    for (int i = 0; i < 14000; i++) {
        double t = i * 10.0;
        if (t > 3 * hour && t < 5 * hour)
            continue; /* the guard slept */
        t += 3 * noise_of(&seed);
        const double value = i % 5 == 0 ? NAN : leak_40_h(t) + 0.02 * GB * noise_of(&seed);
        watch_detector_push(d, t, value, 8 * GB, 0);
        watch_detector_push(d, t, 1e15, 8 * GB, 0);    /* no time has passed */
        watch_detector_push(d, t - 100, 0, 8 * GB, 0); /* nor backwards */
        watch_detector_push(d, NAN, 0, 8 * GB, 0);
        watch_detector_push(d, t + 1, INFINITY, 8 * GB, 0);
        watch_detector_get(d, &v);
        if (v.state >= WATCH_LEAKING && isnan(called))
            called = t;
    }
    assert_true(called < 8.5 * hour);
    assert_true(fabs(v.slope_per_s * 36000 / GB - 1) < 0.02);
}

static void it_knows_nothing_before_it_has_seen_anything(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char block[BLOCK];
    watch_detector *d = detector(block);
    watch_detector_init(d, WATCH_BYTES);
    watch_verdict v;
    watch_detector_get(d, &v);
    assert_int_equal(v.state, WATCH_LEARNING);
    assert_true(isnan(v.slope_per_s) && isnan(v.level));
    watch_change c;
    assert_false(watch_detector_change(d, 0, &c));
    for (int i = 0; i < 20; i++)
        watch_detector_push(d, i * 10.0, 5, NAN, 0);
    watch_detector_get(d, &v);
    assert_int_equal(v.state, WATCH_LEARNING);
    assert_true(v.level == 5);
}

static void a_change_is_told_from_a_moment_on(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char block[BLOCK];
    watch_detector *d = detector(block);
    watch_detector_init(d, WATCH_BYTES);
    uint32_t seed = 11;
    for (double t = 0; t < 10 * hour; t += 10)
        watch_detector_push(
            d, t, 4 * GB + 1e5 * fmax(t - 6 * hour, 0) + 0.01 * GB * noise_of(&seed), NAN, 0);
    watch_change c;
    assert_true(watch_detector_change(d, 6 * hour, &c));
    assert_true(c.rises && !c.falls);
    assert_true(fabs(watch_detector_slope(d, 6 * hour) / 1e5 - 1) < 0.05);
    assert_true(fabs((c.to - c.from) / (1e5 * 4 * hour) - 1) < 0.1);

    watch_detector_init(d, WATCH_BYTES);
    for (double t = 0; t < 10 * hour; t += 10)
        watch_detector_push(d, t, 4 * GB + 0.01 * GB * noise_of(&seed), NAN, 0);
    assert_true(watch_detector_change(d, 6 * hour, &c));
    assert_false(c.rises || c.falls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_straight_leak_is_called_before_a_fifth_is_gone),
        cmocka_unit_test(a_leak_of_half_an_hour_is_called_before_half_is_gone),
        cmocka_unit_test(teeth_and_steps_do_not_hide_a_leak),
        cmocka_unit_test(what_only_looks_like_a_leak_is_not_called),
        cmocka_unit_test(a_rise_that_ends_is_no_leak_any_more),
        cmocka_unit_test(without_a_limit_it_decides_and_dates_nothing),
        cmocka_unit_test(descriptors_lost_one_by_one_are_called),
        cmocka_unit_test(critical_comes_within_the_horizon_and_not_before),
        cmocka_unit_test(a_copy_of_the_block_goes_on_alike),
        cmocka_unit_test(scale_does_not_matter),
        cmocka_unit_test(holes_and_a_clock_that_stands_still_do_no_harm),
        cmocka_unit_test(it_knows_nothing_before_it_has_seen_anything),
        cmocka_unit_test(a_change_is_told_from_a_moment_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

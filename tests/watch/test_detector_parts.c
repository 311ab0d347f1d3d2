/* test_detector_parts.c: the detector's history, fits and days, each alone. */
#include "support/test.h"

#include <math.h>

#include "watch/judge/cycle.h"
#include "watch/judge/fit.h"
#include "watch/judge/history.h"

static void a_block_holds_twenty_seconds_and_its_least(void **state)
{
    (void)state;
    static watch_history h;
    watch_history_init(&h);
    for (int i = 0; i < 61; i++)
        watch_history_push(&h, i * 5.0, 100 + i % 4);
    assert_int_equal(h.levels[0].n, 15);
    const watch_block *b = watch_history_back(&h.levels[0], 0);
    assert_true(b->least == 100 && fabs((double)b->mean_above - 1.5) < 1e-6);
    assert_true((double)b->most_above == 3 && fabs(b->time_s - 287.5) < 1e-6);
    assert_int_equal(h.levels[1].n, 3);
    assert_true(watch_history_back(&h.levels[1], 0)->least == 100);
}

static void a_year_fits_and_still_knows_how_it_began(void **state)
{
    (void)state;
    static watch_history h;
    watch_history_init(&h);
    const double day = 86400;
    for (double t = 0; t < 370 * day; t += 60)
        watch_history_push(&h, t, t < 20 * day ? 500 : 300);
    const int k = watch_history_level(&h, 10 * day);
    const watch_level *l = &h.levels[k];
    assert_true(watch_history_back(l, l->n - 1)->time_s < 10 * day);
    assert_true(watch_history_ceiling(&h, 0, 200 * day) == 500);
    assert_int_equal(watch_history_level(&h, 370 * day - 1800), 0);
}

static void readings_that_are_none_are_left_out(void **state)
{
    (void)state;
    static watch_history h;
    watch_history_init(&h);
    for (int i = 0; i < 200; i++) {
        watch_history_push(&h, i * 10.0, 7);
        assert_int_equal(watch_history_push(&h, i * 10.0, 1), 0);
        assert_int_equal(watch_history_push(&h, i * 10.0 + 1, NAN), 0);
    }
    assert_true(watch_history_back(&h.levels[0], 0)->least == 7);
    assert_true(watch_history_ceiling(&h, 0, 1e9) == 7);
}

static void a_line_is_found_among_peaks(void **state)
{
    (void)state;
    double t[40], y[40];
    for (int i = 0; i < 40; i++) {
        t[i] = i * 60.0;
        y[i] = 1000 + 3 * t[i] + (i % 2 ? 4 : -4) + (i % 9 == 4 ? 2000 : 0);
    }
    watch_fit f;
    watch_fit_make(&f, t, y, 40, 0);
    assert_true(fabs(f.slope_per_s / 3 - 1) < 0.05);
    assert_true(fabs(watch_fit_theil_sen(t, y, 40) / 3 - 1) < 0.05);
}

static void a_bend_shows_in_the_ratio_of_slopes(void **state)
{
    (void)state;
    double t[40], line[40], slows[40];
    for (int i = 0; i < 40; i++) {
        t[i] = i * 60.0;
        line[i] = 5 * t[i] + (i % 3);
        slows[i] = 5000 * (1 - exp(-t[i] / 2340)) + (i % 3);
    }
    watch_fit f;
    watch_fit_make(&f, t, line, 40, 0);
    assert_true(fabs(f.ratio - 1) < 0.02);
    watch_fit_make(&f, t, slows, 40, 0);
    assert_true(f.ratio > 0.25 && f.ratio < 0.5);
}

static void a_walk_widens_the_error(void **state)
{
    (void)state;
    double t[60], still[60], walks[60], at = 0;
    uint32_t seed = 4;
    for (int i = 0; i < 60; i++) {
        seed = seed * 1664525u + 1013904223u;
        const double kick = (double)(seed >> 8) / 8388608.0 - 1;
        at += kick;
        t[i] = i;
        still[i] = 2.0 * i + kick;
        walks[i] = 2.0 * i + at;
    }
    watch_fit f, g;
    watch_fit_make(&f, t, still, 60, 0);
    watch_fit_make(&g, t, walks, 60, 0);
    assert_true(g.slope_error_per_s > 4 * f.slope_error_per_s);
}

static void a_hinge_is_found_where_the_rise_begins(void **state)
{
    (void)state;
    double t[50], y[50];
    for (int i = 0; i < 50; i++) {
        t[i] = i;
        y[i] = 10 * fmax(i - 18, 0) + i % 2;
    }
    assert_in_range(watch_fit_hinge(t, y, 50), 16, 20);
    for (int i = 0; i < 50; i++)
        y[i] = 10.0 * i + i % 2;
    assert_int_equal(watch_fit_hinge(t, y, 50), 0);
}

static void a_days_flank_is_told_from_a_line(void **state)
{
    (void)state;
    double t[40], line[40], flank[40];
    for (int i = 0; i < 40; i++) {
        t[i] = i * 900.0;
        line[i] = t[i] + 100 * (i % 2);
        flank[i] = -20000 * cos(t[i] / 86400 * 6.283185) + 100 * (i % 2);
    }
    assert_false(watch_cycle_may_be(t, line, 40));
    assert_true(watch_cycle_may_be(t, flank, 40));
}

static void a_days_rhythm_is_taken_off_a_line(void **state)
{
    (void)state;
    double t[60], y[60];
    for (int i = 0; i < 60; i++) {
        t[i] = i * 1920.0;
        y[i] = 3 * t[i] + 50000 * sin(t[i] / 86400 * 6.283185 + 1);
    }
    assert_true(watch_cycle_remove(t, y, 60));
    watch_fit f;
    watch_fit_make(&f, t, y, 60, 0);
    assert_true(fabs(f.slope_per_s / 3 - 1) < 0.01);
    assert_false(watch_cycle_remove(t, y, 40)); /* 21 h */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_block_holds_twenty_seconds_and_its_least),
                                       cmocka_unit_test(a_year_fits_and_still_knows_how_it_began),
                                       cmocka_unit_test(readings_that_are_none_are_left_out),
                                       cmocka_unit_test(a_line_is_found_among_peaks),
                                       cmocka_unit_test(a_bend_shows_in_the_ratio_of_slopes),
                                       cmocka_unit_test(a_walk_widens_the_error),
                                       cmocka_unit_test(a_hinge_is_found_where_the_rise_begins),
                                       cmocka_unit_test(a_days_flank_is_told_from_a_line),
                                       cmocka_unit_test(a_days_rhythm_is_taken_off_a_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

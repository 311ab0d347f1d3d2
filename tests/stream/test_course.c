/* test_course.c: a job's numbers over time are differences of its counters, in bounded room. */
#include "stream/out/course.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static stream_stats stats;
static stream_course course;

static int set_up(void **state)
{
    (void)state;
    memset(&stats, 0, sizeof stats);
    memset(&course, 0, sizeof course);
    stats.n_channels = 2;
    stats.started_ns = INT64_C(1000000000);
    return 0;
}

/* Second t of a job: 10 results a second of each source, 3 dropped, 20 ms each. */
static bool second(int t)
{
    for (int i = 0; i < 2; i++) {
        stats.channels[i].n_results += 10;
        for (int k = 0; k < 10; k++)
            stream_histogram_add(&stats.channels[i].stages[STREAM_STAGE_LATENCY], 20000000);
    }
    stats.channels[1].n_dropped += 3;
    return stream_course_step(&course, &stats, (int64_t)(t + 1) * INT64_C(1000000000));
}

static void points_are_differences(void **state)
{
    (void)state;
    assert_false(second(0)); /* there is nothing before it */
    for (int t = 1; t <= 5; t++)
        assert_true(second(t));
    assert_int_equal(course.n, 5);
    for (size_t i = 0; i < course.n; i++) {
        assert_true(course.seconds[i] == (double)i + 1);
        assert_true(fabs(course.per_s[i] - 20) < 1e-9);
        assert_true(fabs(course.dropped_per_s[i] - 3) < 1e-9);
        assert_true(fabs(course.latency_s[i] - 0.02) < 1e-9);
        assert_true(course.resident_bytes[i] > 0);
    }
    assert_true(stream_course_step(&course, &stats, INT64_C(7000000000)));
    assert_true(isnan(course.latency_s[5])); /* nothing came */
    assert_true(course.per_s[5] == 0);
}

static void a_week_takes_the_same_room(void **state)
{
    (void)state;
    for (int t = 0; t < 7 * 86400; t += 1)
        second(t);
    assert_in_range(course.n, STREAM_COURSE_POINTS / 2, STREAM_COURSE_POINTS);
    for (size_t i = 0; i < course.n; i++) {
        assert_true(fabs(course.per_s[i] - 20) < 0.5);
        assert_true(i == 0 || course.seconds[i] > course.seconds[i - 1]);
    }
    assert_true(course.seconds[course.n - 1] > 6.9 * 86400);
}

static void a_source_that_gave_way_counts_anew(void **state)
{
    stream_latency l = {.mean_s = NAN};
    (void)state;
    stream_latency_step(&l, &stats.channels[0]);
    assert_true(isnan(l.mean_s));
    second(0);
    stream_latency_step(&l, &stats.channels[0]);
    assert_true(fabs(l.mean_s - 0.02) < 1e-9);
    stream_latency_step(&l, &stats.channels[0]); /* nothing since: it stays */
    assert_true(fabs(l.mean_s - 0.02) < 1e-9);
    memset(&stats.channels[0], 0, sizeof stats.channels[0]);
    stream_latency_step(&l, &stats.channels[0]);
    assert_true(isnan(l.mean_s));
    assert_false(second(0));
    memset(&stats.channels, 0, sizeof stats.channels);
    assert_true(second(1));
    assert_true(course.per_s[0] >= 0 && course.per_s[0] < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(points_are_differences, set_up),
        cmocka_unit_test_setup(a_week_takes_the_same_room, set_up),
        cmocka_unit_test_setup(a_source_that_gave_way_counts_anew, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

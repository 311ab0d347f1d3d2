/* Time stamps that jump are closed up; a name is looked up. */
#include "support/test.h"

#include "video/clock.h"
#include "video/resolve.h"

static const int64_t S = 1000000000, MS = 1000000;

static void steady_stamps_start_at_zero(void **state)
{
    video_clock c;
    bool jumped;
    (void)state;
    video_clock_begin(&c, 10 * S, false, S / 25);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(video_clock_next(&c, 77 * S + i * S / 10, 0, &jumped), i * S / 10);
        assert_false(jumped);
    }
}

static void jumps_back_and_far_ahead_go_on_by_one_frame(void **state)
{
    video_clock c;
    bool jumped;
    (void)state;
    video_clock_begin(&c, 10 * S, false, S / 25);
    video_clock_next(&c, 5 * S, 0, &jumped);
    assert_int_equal(video_clock_next(&c, 6 * S, 0, &jumped), S);
    assert_int_equal(video_clock_next(&c, 2 * S, 0, &jumped), S + S / 25);
    assert_true(jumped);
    assert_int_equal(video_clock_next(&c, 3 * S, 0, &jumped), 2 * S + S / 25);
    assert_false(jumped);
    assert_int_equal(video_clock_next(&c, 100 * S, 0, &jumped), 2 * S + 2 * S / 25);
    assert_true(jumped);
    /* from one end of the numbers to the other */
    video_clock_next(&c, INT64_MIN + 1, 0, &jumped);
    assert_true(jumped);
    video_clock_next(&c, INT64_MAX, 0, &jumped);
    assert_true(jumped);
}

/* They rise whatever the server sends, and what was given for a stamp that came twice is not kept.
 */
static void stamps_that_come_twice_rise_and_are_no_jump(void **state)
{
    video_clock c;
    bool jumped;
    (void)state;
    video_clock_begin(&c, 10 * S, true, S / 25);
    int64_t last = -MS;
    for (int i = 0; i < 300; i++) {
        const int64_t out = video_clock_next(&c, i / 3 * S / 25, 0, &jumped);
        assert_false(jumped);
        assert_true(out >= last + MS);
        assert_int_equal(out, i / 3 * S / 25 + i % 3 * MS);
        last = out;
    }
    for (int i = 0; i < 100; i++) { /* beyond the next stamp */
        const int64_t out = video_clock_next(&c, 99 * S / 25, 0, &jumped);
        assert_true(out > last);
        last = out;
    }
    assert_true(video_clock_next(&c, 100 * S / 25, 0, &jumped) > last);
    assert_false(jumped);
    assert_int_equal(video_clock_next(&c, 110 * S / 25, 0, &jumped), 110 * S / 25);
}

/* The n stamps, in milliseconds (-1: none), and the times that come of them. */
static void times_are(const int *in_ms, const int *out_ms, size_t n, int frame_ms)
{
    video_clock c;
    bool jumped;
    video_clock_begin(&c, 10 * S, false, frame_ms * MS);
    for (size_t i = 0; i < n; i++) { /* reading takes any time */
        const int64_t in = in_ms[i] < 0 ? INT64_MIN : in_ms[i] * MS;
        assert_int_equal(video_clock_next(&c, in, (int64_t)(i * i) * S, &jumped), out_ms[i] * MS);
        assert_false(jumped);
    }
}

static void a_file_without_stamps_goes_by_its_frames(void **state)
{
    enum { N = 6 };
    (void)state;
    times_are((const int[N]){-1, -1, -1, -1, -1, -1}, (const int[N]){0, 80, 160, 240, 320, 400}, N,
              80);
    times_are((const int[N]){7, 7, 7, 7, 7, 7}, (const int[N]){0, 80, 160, 240, 320, 400}, N, 80);
    /* they begin later, are missing, stand still for long, come in a wrong order */
    times_are((const int[N]){-1, -1, 500, 540, 580, 700}, (const int[N]){0, 40, 80, 120, 160, 280},
              N, 40);
    times_are((const int[N]){0, -1, -1, 120, -1, 200}, (const int[N]){0, 40, 80, 120, 160, 200}, N,
              40);
    times_are((const int[N]){0, 40, 40, 40, 40, 200}, (const int[N]){0, 40, 41, 81, 121, 200}, N,
              40);
    times_are((const int[N]){0, 80, 40, 160, 120, 240}, (const int[N]){0, 80, 120, 160, 200, 240},
              N, 40);
}

static void a_clock_set_back_a_little_is_followed_soon(void **state)
{
    video_clock c;
    bool jumped, has_jumped = false;
    int64_t out = 0;
    (void)state;
    video_clock_begin(&c, 10 * S, false, 40 * MS);
    video_clock_next(&c, S, 0, &jumped);
    for (int i = 0; i < 10; i++) {
        out = video_clock_next(&c, S / 2 + i * 40 * MS, 0, &jumped);
        assert_int_equal(out, (i + 1) * 40 * MS);
        has_jumped = has_jumped || jumped;
    }
    assert_true(has_jumped);
}

/* A camera that sends pictures alone has the time at which they come. */
static void a_live_stream_without_stamps_goes_by_arrival(void **state)
{
    video_clock c;
    bool jumped;
    (void)state;
    video_clock_begin(&c, 10 * S, true, S / 25);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(video_clock_next(&c, INT64_MIN, 5 * S + i * S / 5, &jumped), i * S / 5);
        assert_false(jumped);
    }
}

static void a_live_silence_is_no_jump_when_it_was_one(void **state)
{
    video_clock c;
    bool jumped;
    (void)state;
    video_clock_begin(&c, 10 * S, true, 0);
    video_clock_next(&c, 0, 0, &jumped);
    assert_int_equal(video_clock_next(&c, 60 * S, 60 * S, &jumped), 60 * S);
    assert_false(jumped);
    video_clock_next(&c, 120 * S, 61 * S, &jumped);
    assert_true(jumped);
}

static int never(void *ctx)
{
    (void)ctx;
    return 0;
}

static void names_are_resolved_or_not(void **state)
{
    const char *why;
    (void)state;
    assert_int_equal(video_resolve("rtsp://127.0.0.1:1/", never, NULL, &why), VIDEO_RESOLVED);
    assert_int_equal(video_resolve("rtsp://localhost:1/", never, NULL, &why), VIDEO_RESOLVED);
    assert_int_equal(video_resolve("udp://@:1", never, NULL, &why), VIDEO_RESOLVED);
    assert_int_equal(video_resolve("rtsp://no-such-host.invalid/", never, NULL, &why),
                     VIDEO_NO_NAME);
    assert_true(why[0] != '\0');
}

static int at_once(void *ctx)
{
    (void)ctx;
    return 1;
}

static void a_look_up_is_left_when_told_to_stop(void **state)
{
    const char *why;
    (void)state;
    for (int i = 0; i < 100; i++) { /* also when those left behind are not done */
        video_resolved r = video_resolve("rtsp://no-such-host.invalid/", at_once, NULL, &why);
        assert_true(r == VIDEO_RESOLVE_CUT || r == VIDEO_NO_NAME);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_stamps_start_at_zero),
        cmocka_unit_test(jumps_back_and_far_ahead_go_on_by_one_frame),
        cmocka_unit_test(stamps_that_come_twice_rise_and_are_no_jump),
        cmocka_unit_test(a_file_without_stamps_goes_by_its_frames),
        cmocka_unit_test(a_clock_set_back_a_little_is_followed_soon),
        cmocka_unit_test(a_live_stream_without_stamps_goes_by_arrival),
        cmocka_unit_test(a_live_silence_is_no_jump_when_it_was_one),
        cmocka_unit_test(names_are_resolved_or_not),
        cmocka_unit_test(a_look_up_is_left_when_told_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

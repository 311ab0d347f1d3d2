/* test_recorder.c: recordings as ffprobe sees them: times, pixels, what cannot be recorded. */
#include <sys/mman.h>

#include "video/recorder_bed.h"

/* ---- one recording ---- */

static void times_are_those_of_the_frames(void **state)
{
    (void)state;
    static const int64_t ms[] = {0, 40, 80, 81, 300, 1000, 1040, 2500, 2533, 7000};
    enum { N = sizeof ms / sizeof *ms };
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    assert_string_equal("", video_recorder_path(b.r));
    for (int i = 0; i < N; i++)
        assert_int_equal(VG_OK, put(i, 5 * S + ms[i] * 1000000));
    char path[512];
    snprintf(path, sizeof path, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    assert_string_equal(path, only_file());
    probe *p = probe_open(path);
    assert_int_equal(N, p->n);
    assert_int_equal(N, p->n_frames);
    assert_string_equal("h264", p->codec);
    for (int i = 0; i < N; i++)
        assert_float_equal(p->times[i], (double)ms[i] / 1000, 1.0 / 60000);
    assert_float_equal(p->duration_s, 7.04, 0.001); /* the last frame's time is the nominal one */
    free(p);
}

static void clocks_that_step_are_smoothed(void **state)
{
    (void)state;
    static const int64_t at_ms[] = {10000, 10040, 3000, 3040, 9000000, 9000040, 9000040};
    static const double seen[] = {0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24};
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (size_t i = 0; i < sizeof at_ms / sizeof *at_ms; i++)
        assert_int_equal(VG_OK, put((int)i, at_ms[i] * 1000000));
    OK(video_recorder_close(&b.r, err));
    probe *p = probe_open(only_file());
    assert_int_equal(sizeof seen / sizeof *seen, p->n);
    for (int i = 0; i < p->n; i++)
        assert_float_equal(p->times[i], seen[i], 2.0 / 60000);
    free(p);
}

static void pixels_come_back_in_odd_and_large_sizes(void **state)
{
    (void)state;
    static const int sizes[][2] = {{96, 64}, {97, 65}, {641, 33}, {2, 2}, {1, 1}, {1280, 721}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int w = sizes[i][0], h = sizes[i][1], even_w = (w + 1) & ~1, even_h = (h + 1) & ~1;
        char stem[16];
        snprintf(stem, sizeof stem, "cam%zu", i);
        b.o.stem = stem;
        b.o.one_file = true;
        OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
        for (int t = 0; t < 3; t++) {
            const image_view v = draw(w, h, 0, false);
            OK(video_recorder_write(b.r, &v, t * S / 25, 0, err));
        }
        OK(video_recorder_close(&b.r, err));
        char name[64];
        snprintf(name, sizeof name, "cam%zu.mp4", i);
        probe *p = probe_open(in(name));
        assert_int_equal(even_w, p->w);
        assert_int_equal(even_h, p->h);
        free(p);
        uint8_t *rgb = probe_pixels(in(name), 1, even_w, even_h);
        double sum = 0, edges = 0;
        for (int y = 0; y < even_h; y++)
            for (int x = 0; x < even_w; x++)
                for (int c = 0; c < 3; c++) {
                    const int from_x = x < w ? x : w - 1, from_y = y < h ? y : h - 1;
                    const int d =
                        rgb[(y * even_w + x) * 3 + c] -
                        b.pixels[((size_t)from_y * (size_t)w + (size_t)from_x) * 3 + (size_t)c];
                    sum += abs(d);
                    if (x >= w - 1 || y >= h - 1)
                        edges = abs(d) > edges ? abs(d) : edges;
                }
        /* A wrong matrix or range is off by 6 and more on the average. */
        assert_true(sum / (even_w * even_h * 3) < 3);
        assert_true(edges < 12);
        free(rgb);
    }
}

/* Nothing beyond the last pixel is read: behind it is a page that must not be. */
static void pictures_may_end_where_memory_does(void **state)
{
    (void)state;
    static const int sizes[][2] = {{96, 64}, {97, 65}, {1281, 33}, {5, 3}, {1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int w = sizes[i][0], h = sizes[i][1];
        const size_t page = 4096, bytes = (size_t)w * (size_t)h * 3,
                     whole = (bytes + page - 1) / page * page;
        uint8_t *map =
            mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(map != MAP_FAILED);
        assert_int_equal(0, mprotect(map + whole, page, PROT_NONE));
        image_view v = draw(w, h, 0, false);
        v.data = memcpy(map + whole - bytes, v.data, bytes);
        OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
        for (int t = 0; t < 3; t++)
            OK(video_recorder_write(b.r, &v, t * S / 25, 0, err));
        OK(video_recorder_close(&b.r, err));
        munmap(map, whole + page);
    }
}

static void nothing_of_ours_is_allocated_by_writes(void **state)
{
    (void)state;
    b.o.segment_s = 0.2;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    const uint64_t before = b.mem.n_allocs;
    put_many(20, 0, S / 25);
    assert_int_equal(before, b.mem.n_allocs);
}

/* ---- what cannot be ---- */

static void encoders_by_name(void **state)
{
    (void)state;
    vg_error e = {0};
    b.o.codec = "h265000";
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_create(&b.r, &b.o, &b.mem, &e));
    assert_non_null(strstr(e.what, "h265000"));
    b.o.codec = "aac";
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_create(&b.r, &b.o, &b.mem, &e));
    b.o.codec = "gif"; /* an encoder, but not of yuv420p */
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_create(&b.r, &b.o, &b.mem, &e));
    b.o.codec = "mpeg4";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    assert_string_equal("mpeg4", video_recorder_encoder(b.r));
    put_many(30, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    assert_int_equal(30, probe_whole(only_file()));
}

static void a_stream_that_mp4_does_not_hold_is_told(void **state)
{
    (void)state;
    vg_error e = {0};
    b.o.codec = "ffv1"; /* not in this muxer's table, whatever its version */
    if (video_recorder_create(&b.r, &b.o, &b.mem, &e) != VG_OK)
        skip();
    const image_view v = draw(W, H, 0, false);
    assert_int_equal(VG_ERR_UNSUPPORTED, video_recorder_write(b.r, &v, 0, 0, &e));
    assert_int_equal(0, folder_count_entries(b.folder));
}

static void a_folder_that_cannot_be_is_told(void **state)
{
    (void)state;
    vg_error e = {0};
    b.o.folder = "/proc/no-such-place";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    const image_view v = draw(W, H, 0, false);
    assert_int_equal(VG_ERR_IO, video_recorder_write(b.r, &v, 0, 0, &e));
    assert_int_equal(VG_ERR_IO, video_recorder_write(b.r, &v, S, 0, &e));
    OK(video_recorder_close(&b.r, err));
    const image_view none = {.data = b.pixels};
    b.o.folder = b.folder;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    assert_int_equal(VG_ERR_ARGUMENT, video_recorder_write(b.r, &none, 0, 0, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(times_are_those_of_the_frames),           TEST(clocks_that_step_are_smoothed),
        TEST(pixels_come_back_in_odd_and_large_sizes), TEST(pictures_may_end_where_memory_does),
        TEST(nothing_of_ours_is_allocated_by_writes),  TEST(encoders_by_name),
        TEST(a_stream_that_mp4_does_not_hold_is_told), TEST(a_folder_that_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

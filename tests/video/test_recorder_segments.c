/* test_recorder_segments.c: where one segment ends and the next begins, and which are kept. */
#include "video/recorder_bed.h"

/* ---- segments ---- */

static void segments_end_by_time_before_a_key_frame(void **state)
{
    (void)state;
    b.o.segment_s = 1;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(85, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(4, l->n);
    int sum = 0, n_short = 0;
    for (int i = 0; i < l->n; i++) {
        const int n = probe_whole(l->paths[i]); /* begins with a key frame at 0 */
        n_short += n != 25;
        sum += n;
    }
    assert_int_equal(85, sum);
    assert_int_equal(1, n_short);
    free(l);
}

static void segments_end_by_size(void **state)
{
    (void)state;
    b.o.segment_bytes = 50000;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (int i = 0; i < 60; i++) {
        const image_view v = draw(W, H, i, true);
        OK(video_recorder_write(b.r, &v, i * S / 25, 0, err));
    }
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_true(l->n >= 4);
    int sum = 0;
    for (int i = 0; i < l->n; i++) {
        sum += probe_whole(l->paths[i]);
        assert_true(probe_bytes(l->paths[i]) < 50000 + 20000); /* one frame and the boxes more */
    }
    assert_int_equal(60, sum);
    free(l);
}

static void another_size_is_another_segment(void **state)
{
    (void)state;
    static const int sizes[][2] = {{96, 64}, {64, 64}, {64, 31}, {97, 31}};
    b.o.one_file = true;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (int i = 0; i < 40; i++) {
        const image_view v = draw(sizes[i / 10][0], sizes[i / 10][1], i, false);
        OK(video_recorder_write(b.r, &v, i * S / 25, 0, err));
    }
    OK(video_recorder_close(&b.r, err));
    static const char *const names[] = {"cam.mp4", "cam-2.mp4", "cam-3.mp4", "cam-4.mp4"};
    for (int i = 0; i < 4; i++) {
        probe *p = probe_open(in(names[i]));
        assert_int_equal(10, p->n_frames);
        assert_int_equal((sizes[i][0] + 1) & ~1, p->w);
        assert_int_equal((sizes[i][1] + 1) & ~1, p->h);
        free(p);
    }
}

static void a_file_that_is_there_is_not_written_over(void **state)
{
    (void)state;
    FILE *f = fopen(in("cam.mp4"), "w");
    fputs("mine", f);
    fclose(f);
    b.o.one_file = true;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(5, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    assert_int_equal(4, probe_bytes(in("cam.mp4")));
    assert_int_equal(5, probe_whole(in("cam-2.mp4")));
}

static void an_ended_segment_is_followed_by_another(void **state)
{
    (void)state;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    OK(video_recorder_end_segment(b.r, err));
    put_many(5, 0, S / 25);
    OK(video_recorder_end_segment(b.r, err));
    assert_string_equal("", video_recorder_path(b.r));
    assert_int_equal(5, probe_whole(only_file()));
    put_many(7, S, S / 25);
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(2, l->n);
    assert_int_equal(12, probe_whole(l->paths[0]) + probe_whole(l->paths[1]));
    free(l);
}

/* ---- retention ---- */

static void copy_file(const char *to, const char *from)
{
    char command[2048];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    assert_int_equal(0, system(command));
}

static void only_the_oldest_of_this_stem_are_removed(void **state)
{
    (void)state;
    static const char *const others[] = {
        "cam-20200101-000000.mp4",   /* named like ours, but not by a recorder */
        "cam-20200101-000001-2.mp4", /* another stem's recording under such a name */
        "cam2-20200101-000000.mp4",
        "cam-20200101-000000.txt",
        "cam-front-20200101-000000.mp4",
        "cam-20200101-0000.mp4",
        "cam.mp4"};
    b.o.stem = "cam2";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    char of_cam2[512];
    snprintf(of_cam2, sizeof of_cam2, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        copy_file(in(others[i]), i == 1 ? of_cam2 : "/dev/null");

    b.o.stem = "cam";
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    char of_cam[512];
    snprintf(of_cam, sizeof of_cam, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    copy_file(in("cam-20210101-000000.mp4"), of_cam); /* of an earlier run */
    copy_file(in("cam-20210101-000000-2.mp4"), of_cam);
    copy_file(in("cam-20210101-000000-10.mp4"), of_cam);
    assert_int_equal(0, mkdir(in("cam-20200102-000000.mp4"), 0777));

    /* Two and the foreign two that are named alike are over a limit of six, with the new one. */
    b.o.keep_n = 6;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(0, access(in(others[i]), F_OK));
    assert_int_equal(0, access(of_cam2, F_OK));
    assert_int_equal(0, access(in("cam-20200102-000000.mp4"), F_OK));

    b.o.keep_n = 3;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(0, access(in(others[i]), F_OK));
    assert_int_not_equal(0, access(in("cam-20210101-000000.mp4"), F_OK));
    assert_int_not_equal(0, access(in("cam-20210101-000000-2.mp4"), F_OK));
    assert_int_not_equal(0, access(in("cam-20210101-000000-10.mp4"), F_OK));
    assert_int_equal(0, access(of_cam, F_OK));
}

static void many_old_ones_go_at_once(void **state)
{
    (void)state;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    char first[512], name[64];
    snprintf(first, sizeof first, "%s", video_recorder_path(b.r));
    OK(video_recorder_close(&b.r, err));
    for (int i = 0; i < 200; i++) { /* more than are looked at at a time */
        snprintf(name, sizeof name, "cam-20210101-%06d.mp4", (i * 37) % 200);
        copy_file(in(name), first);
    }
    b.o.keep_n = 10;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(3, 0, S / 25);
    OK(video_recorder_close(&b.r, err));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(10, l->n);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "cam-20210101-%06d.mp4", 192 + i);
        assert_string_equal(in(name), l->paths[i]);
    }
    free(l);
}

static void bytes_of_all_segments_stay_below_their_limit(void **state)
{
    (void)state;
    b.o.keep_bytes = 300000;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    for (int i = 0; i < 200; i++) {
        const image_view v = draw(W, H, i, true);
        OK(video_recorder_write(b.r, &v, i * S / 25, 0, err));
        probe_list *l = probe_files(b.folder, "cam-", ".mp4");
        long sum = 0;
        for (int k = 0; k < l->n; k++)
            sum += probe_bytes(l->paths[k]);
        assert_true(sum < 300000 + 10000);
        assert_true(i < 100 || sum > 150000); /* and is used */
        free(l);
    }
}

static void segments_without_end_take_nothing(void **state)
{
    (void)state;
    b.o.segment_s = 0.01;
    b.o.keep_n = 3;
    OK(video_recorder_create(&b.r, &b.o, &b.mem, err));
    put_many(40, 0, S / 25);
    const size_t library = base_mem_library_bytes();
    const int n_open = folder_count_entries("/proc/self/fd");
    put_many(300, 10 * S, S / 25);
    assert_true(base_mem_library_bytes() <= library + 65536);
    assert_int_equal(n_open, folder_count_entries("/proc/self/fd"));
    probe_list *l = probe_files(b.folder, "cam-", ".mp4");
    assert_int_equal(3, l->n);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(segments_end_by_time_before_a_key_frame),
        TEST(segments_end_by_size),
        TEST(another_size_is_another_segment),
        TEST(a_file_that_is_there_is_not_written_over),
        TEST(an_ended_segment_is_followed_by_another),
        TEST(only_the_oldest_of_this_stem_are_removed),
        TEST(many_old_ones_go_at_once),
        TEST(bytes_of_all_segments_stay_below_their_limit),
        TEST(segments_without_end_take_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_record.c: recordings of a stream job: videos with boxes, one for each source. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "stream/bed.h"

extern const stream_sink stream_sink_record;

static void a_file_becomes_one_video_with_boxes(void **state)
{
    bed *b = *state;
    bed_open(b, &stream_sink_record);
    b->r.n_boxes = 1;
    b->o.hide_labels = true;
    b->o.line_width_px = 8;
    bed_write(b, 40);
    const uint64_t n_allocs = b->mem.n_allocs;
    bed_write(b, 10);
    assert_int_equal(n_allocs, b->mem.n_allocs);
    OK(bed_close(b, err));
    assert_int_equal(50, probe_whole(bed_in(b, "cam.mp4")));
    assert_int_equal(1, folder_count_entries(b->folder));
    probe *p = probe_open(bed_in(b, "cam.mp4"));
    for (int i = 0; i < p->n; i++)
        assert_float_equal(p->times[i], (float)i / 25, 1e-3);
    free(p);
    uint8_t *rgb = probe_pixels(bed_in(b, "cam.mp4"), 20, BED_W, BED_H);
    const image_color c = image_class_color(2);
    const uint8_t *at = rgb + (50 * BED_W + 13) * 3; /* on the left edge of the box */
    assert_true(abs(at[0] - c.r) < 45 && abs(at[1] - c.g) < 45 && abs(at[2] - c.b) < 45);
    free(rgb);
}

static void each_file_of_a_folder_is_a_video(void **state)
{
    bed *b = *state;
    bed_open(b, &stream_sink_record);
    bed_write(b, 10);
    bed_connect(b, "lavfi:testsrc2=size=160x120:rate=25");
    bed_write(b, 15);
    bed_connect(b, "lavfi:testsrc2=size=200x80:rate=10");
    bed_write(b, 5);
    OK(bed_close(b, err));
    assert_int_equal(10, probe_whole(bed_in(b, "cam.mp4")));
    assert_int_equal(15, probe_whole(bed_in(b, "cam-2.mp4")));
    probe *p = probe_open(bed_in(b, "cam-3.mp4"));
    assert_int_equal(5, p->n_frames);
    assert_int_equal(200, p->w);
    assert_float_equal(p->times[4], 0.4, 1e-3);
    free(p);
}

static double length_of(const bed *b, const char *name)
{
    probe *p = probe_open(bed_in(b, name));
    const double length_s = p->duration_s;
    free(p);
    return length_s;
}

/* The last frame lasts as long as the others, also when it is the only one, and however long the
 * network took for each. */
static void a_copy_lasts_as_long_as_its_film(void **state)
{
    bed *b = *state;
    bed_open(b, &stream_sink_record);
    bed_connect(b, "lavfi:testsrc2=size=160x120:rate=10");
    bed_write(b, 1);
    bed_connect(b, "lavfi:testsrc2=size=160x120:rate=5");
    for (int i = 0; i < 5; i++) {
        bed_next(b);
        b->r.frame.arrived_ns = i * i;
        OK(b->sink->write(b->state, &b->s, &b->r, err));
    }
    OK(bed_close(b, err));
    assert_float_equal(length_of(b, "cam.mp4"), 0.1, 1e-3);
    assert_float_equal(length_of(b, "cam-2.mp4"), 1, 1e-3);
}

/* Films in one recording follow each other at once. */
static void films_in_a_segment_follow_each_other(void **state)
{
    bed *b = *state;
    b->o.segment_s = 600;
    bed_open(b, &stream_sink_record);
    for (int i = 0; i < 3; i++) {
        bed_connect(b, "lavfi:testsrc2=size=160x120:rate=5");
        bed_next(b);
        b->r.frame.arrived_ns += i * INT64_C(7000000000);
        OK(b->sink->write(b->state, &b->s, &b->r, err));
    }
    OK(bed_close(b, err));
    probe_list *l = probe_files(b->folder, "cam-20", ".mp4");
    assert_int_equal(1, l->n);
    probe *p = probe_open(l->paths[0]);
    assert_int_equal(3, p->n_frames);
    assert_float_equal(p->times[2], 0.4, 1e-3);
    assert_float_equal(p->duration_s, 0.6, 1e-3);
    free(p);
    free(l);
}

/* Reconnects do not cut a live source's segment; what comes between them is its time. */
static void a_live_source_goes_on_with_its_segment(void **state)
{
    bed *b = *state;
    b->s.is_of_files = false;
    b->is_live = true;
    b->o.segment_s = 600;
    bed_open(b, &stream_sink_record);
    bed_write(b, 10); /* to 0.36 s */
    const int64_t arrived_ns = b->r.frame.arrived_ns;
    bed_connect(b, "lavfi:testsrc2=size=160x120:rate=25");
    for (int i = 0; i < 10; i++) {
        bed_next(b);
        b->r.frame.arrived_ns =
            arrived_ns + INT64_C(2000000000) + i; /* a camera's come in bursts */
        OK(b->sink->write(b->state, &b->s, &b->r, err));
    }
    bed_connect(b, "lavfi:testsrc2=size=160x120:rate=1");
    for (int i = 0; i < 3; i++) { /* time stamps of the new connection are beyond the old one's */
        bed_next(b);
        b->r.frame.arrived_ns = arrived_ns + INT64_C(3000000000);
        if (i > 1)
            OK(b->sink->write(b->state, &b->s, &b->r, err));
    }
    OK(bed_close(b, err));
    probe_list *l = probe_files(b->folder, "cam-20", ".mp4");
    assert_int_equal(1, l->n);
    probe *p = probe_open(l->paths[0]);
    assert_int_equal(21, p->n_frames);
    assert_float_equal(p->times[10], 2.36, 0.001);
    assert_float_equal(p->times[19], 2.72, 0.001);
    assert_float_equal(p->times[20], 3.72, 0.001);
    free(p);
    free(l);
}

static void sources_do_not_mix(void **state)
{
    bed *b = *state;
    bed_open(b, &stream_sink_record);
    for (int i = 0; i < 20; i++) {
        b->r.channel = i % 2;
        b->r.stem = i % 2 ? "two" : "one";
        bed_write(b, 1);
    }
    b->sink->channel_ended(b->state, 0); /* gone: its file is whole now */
    assert_int_equal(10, probe_whole(bed_in(b, "one.mp4")));
    b->r.channel = 0;
    b->r.stem = "three";
    bed_write(b, 4);
    b->r.stem = "four"; /* another source in that place */
    bed_write(b, 5);
    assert_int_equal(4, probe_whole(bed_in(b, "three.mp4")));
    OK(bed_close(b, err));
    assert_int_equal(10, probe_whole(bed_in(b, "two.mp4")));
    assert_int_equal(5, probe_whole(bed_in(b, "four.mp4")));
}

static void add_settled(bed *b, stream_settled *sum)
{
    stream_settled now;
    b->sink->settle(b->state, &now);
    sum->n_written += now.n_written;
    sum->n_lost += now.n_lost;
}

static vg_status record_next(bed *b, stream_settled *sum)
{
    vg_error e = {0};
    bed_next(b);
    const vg_status st = b->sink->write(b->state, &b->s, &b->r, &e);
    add_settled(b, sum);
    if (st != VG_OK && (st != VG_ERR_IO || strstr(e.where, "cam-") == NULL))
        return VG_ERR_ARGUMENT;
    return st;
}

/* A full disk is tried again after 2 s, 4, ..., not with each fragment; what is told as written is
 * what is in the files, and the rest is lost. */
static int record_to_full_disk(bed *b)
{
    enum { FIRST = 200, MOST = 6000, FIRST_WAIT_S = 2 };
    struct rlimit limit = {.rlim_cur = 3000, .rlim_max = RLIM_INFINITY}; /* a head, no fragment */
    stream_settled sum = {0};
    uint64_t n = 0;
    int n_tries = 1;
    signal(SIGXFSZ, SIG_IGN);
    b->s.is_of_files = false;
    b->o.segment_s = 600;
    bed_open(b, &stream_sink_record);
    setrlimit(RLIMIT_FSIZE, &limit);
    const int64_t began_ns = base_now_ns();
    for (vg_status before = VG_OK, st; n < FIRST; n++, before = st) {
        st = record_next(b, &sum);
        if (st == VG_ERR_ARGUMENT)
            return 1;
        n_tries += st == VG_OK && before != VG_OK;
    }
    if (n_tries > 1 + (base_now_ns() - began_ns) / 1000000000 / FIRST_WAIT_S)
        return 2;
    if (sum.n_written != 0 || sum.n_lost == 0)
        return 3;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    for (; sum.n_written == 0 && n < MOST; n++) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        record_next(b, &sum);
    }
    b->sink->channel_ended(b->state, b->r.channel);
    add_settled(b, &sum);
    probe_list *l = probe_files(b->folder, "cam-", ".mp4");
    const int n_frames = l->n == 1 ? probe_whole(l->paths[0]) : 0;
    free(l);
    if (bed_close(b, NULL) != VG_OK)
        return 4;
    return n_frames == 0 || sum.n_written != (uint64_t)n_frames ? 5
           : sum.n_written + sum.n_lost != n                    ? 6
                                                                : 0;
}

static void a_full_disk_is_not_tried_with_every_fragment(void **state)
{
    bed *b = *state;
    const pid_t child = fork();
    if (child == 0)
        _exit(record_to_full_disk(b));
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(0, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void a_codec_that_is_not_there_is_told_at_once(void **state)
{
    bed *b = *state;
    vg_error e = {0};
    snprintf(b->o.video_codec, sizeof b->o.video_codec, "h999");
    assert_int_equal(VG_ERR_UNSUPPORTED, stream_sink_record.check(&b->o, b->s.mem, &e));
    assert_non_null(strstr(e.what, "h999"));
    assert_string_equal(e.where, "option video_codec");
    assert_int_equal(0, folder_count_entries(b->folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(a_file_becomes_one_video_with_boxes),
        BED_TEST(each_file_of_a_folder_is_a_video),
        BED_TEST(a_copy_lasts_as_long_as_its_film),
        BED_TEST(films_in_a_segment_follow_each_other),
        BED_TEST(a_live_source_goes_on_with_its_segment),
        BED_TEST(sources_do_not_mix),
        BED_TEST(a_full_disk_is_not_tried_with_every_fragment),
        BED_TEST(a_codec_that_is_not_there_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}

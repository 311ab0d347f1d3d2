/* test_tracks.c: what a channel's boxes become, and what --conf means with tracking. */
#include "support/ok.h"

#include <math.h>

#include "stream/scene/tracks.h"
#include "video/video.h"

enum { MOST = 8 };

typedef struct bench {
    base_mem mem;
    vg_error err;
    stream_tracks *t;
    vg_detection boxes[MOST];
    int64_t ids[MOST];
    size_t n;
} bench;

static detect_track_options small(void)
{
    detect_track_options o = DETECT_TRACK_DEFAULT;
    o.most_tracks = 16;
    o.most_detections = MOST;
    return o;
}

static void open_tracks(bench *b, int n_channels)
{
    const detect_track_options o = small();
    *b = (bench){.mem = {.tag = "test"}};
    assert_int_equal(stream_tracks_open(&b->t, &o, false, n_channels, &b->mem, &b->err), VG_OK);
    assert_int_equal(b->mem.in_use_bytes, stream_tracks_bytes(&o, false, n_channels));
}

static void close_tracks(bench *b)
{
    stream_tracks_close(&b->t);
    assert_int_equal(b->mem.in_use_bytes, 0);
}

static vg_detection box_at(float x, float score)
{
    return (vg_detection){x, 10, x + 30, 90, score, 2};
}

static size_t step(bench *b, int channel, const vg_detection *boxes, size_t n, size_t most,
                   float conf)
{
    const uint64_t n_allocs = b->mem.n_allocs;
    if (n > 0)
        memcpy(b->boxes, boxes, n * sizeof *boxes);
    b->n = stream_tracks_step(b->t, channel, &(task_found){.boxes = b->boxes}, b->ids, n, most,
                              conf, NULL);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    return b->n;
}

static void boxes_stay_the_detectors_best_first(void **state)
{
    (void)state;
    bench b;
    open_tracks(&b, 1);
    const vg_detection boxes[] = {box_at(300, 0.9f), box_at(100, 0.8f), box_at(200, 0.7f)};
    const vg_detection later[] = {box_at(103, 0.9f), box_at(203, 0.8f), box_at(400, 0.75f),
                                  box_at(303, 0.7f)};
    assert_int_equal(step(&b, 0, boxes, 3, MOST, 0.25f), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(b.ids[i], i + 1);
    assert_memory_equal(b.boxes, boxes, sizeof boxes);
    assert_int_equal(step(&b, 0, later, 4, MOST, 0.25f), 3); /* the new one is seen once */
    assert_memory_equal(&b.boxes[0], &later[0], sizeof *later);
    assert_memory_equal(&b.boxes[1], &later[1], sizeof *later);
    assert_memory_equal(&b.boxes[2], &later[3], sizeof *later);
    assert_true(b.ids[0] == 2 && b.ids[1] == 3 && b.ids[2] == 1);
    assert_int_equal(step(&b, 0, later, 4, 2, 0.25f), 2); /* the best of them */
    assert_true(b.ids[0] == 2 && b.ids[1] == 3);
    assert_int_equal(step(&b, 0, later, 4, MOST, 0.25f), 4);
    assert_int_equal(b.ids[2], 4);
    close_tracks(&b);
}

static void a_track_begins_above_conf_and_goes_on_below(void **state)
{
    (void)state;
    bench b;
    open_tracks(&b, 1);
    vg_detection box = box_at(100, 0.5f);
    for (int k = 0; k < 5; k++) /* above new_track_thresh, not above what was asked for */
        assert_int_equal(step(&b, 0, &box, 1, MOST, 0.6f), 0);
    box.confidence = 0.7f;
    step(&b, 0, &box, 1, MOST, 0.6f);
    assert_int_equal(step(&b, 0, &box, 1, MOST, 0.6f), 1);
    const int64_t id = b.ids[0];
    static const float scores[] = {0.5f, 0.15f, 0.3f};
    for (int k = 0; k < 3; k++) {
        box.confidence = scores[k];
        assert_int_equal(step(&b, 0, &box, 1, MOST, 0.6f), 1);
        assert_int_equal(b.ids[0], id);
        assert_true(b.boxes[0].confidence == scores[k]); /* as it is */
    }
    box.confidence = 0.05f; /* below track_low_thresh */
    assert_int_equal(step(&b, 0, &box, 1, MOST, 0.6f), 0);
    close_tracks(&b);
}

static void suppression_must_let_weak_boxes_through(void **state)
{
    (void)state;
    const detect_track_options o = small();
    assert_true(stream_tracks_candidate_conf(&o, 0.25f) == o.track_low_thresh);
    assert_true(stream_tracks_candidate_conf(&o, 0.05f) == 0.05f);
}

static void channels_do_not_see_each_other(void **state)
{
    (void)state;
    bench b;
    open_tracks(&b, 3);
    const vg_detection one = box_at(100, 0.9f), two[] = {box_at(200, 0.9f), box_at(300, 0.8f)};
    for (int k = 0; k < 10; k++) {
        assert_int_equal(step(&b, 0, &one, 1, MOST, 0.25f), 1);
        assert_int_equal(b.ids[0], 1);
        assert_int_equal(step(&b, 2, two, 2, MOST, 0.25f), 2);
        assert_true(b.ids[0] == 1 && b.ids[1] == 2);
        assert_int_equal(step(&b, 1, NULL, 0, MOST, 0.25f), 0);
    }
    stream_tracks_clear(b.t, 2); /* that one alone, and no id comes again */
    assert_int_equal(step(&b, 2, two, 2, MOST, 0.25f), 2);
    assert_true(b.ids[0] == 3 && b.ids[1] == 4);
    assert_int_equal(step(&b, 0, &one, 1, MOST, 0.25f), 1);
    assert_int_equal(b.ids[0], 1);
    close_tracks(&b);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    (void)state;
    bench b = {.mem = {.tag = "test"}};
    const detect_track_options o = small();
    for (int64_t k = 1;; k++) {
        b.mem.fail_in = k;
        const vg_status st = stream_tracks_open(&b.t, &o, false, 2, &b.mem, &b.err);
        const bool was_reached = b.mem.fail_in == 0;
        b.mem.fail_in = 0;
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        assert_true((st == VG_OK) == (b.t != NULL));
        stream_tracks_close(&b.t);
        assert_int_equal(b.mem.in_use_bytes, 0);
        if (!was_reached) {
            assert_true(k > 8);
            break;
        }
    }
    detect_track_options none = o;
    none.most_tracks = 0;
    assert_int_equal(stream_tracks_open(&b.t, &none, false, 1, &b.mem, &b.err), VG_ERR_ARGUMENT);
    none.most_tracks = none.most_detections = 2000000000;
    assert_true(stream_tracks_bytes(&none, false, 64) > ((size_t)1 << 62));
    b.mem.limit_bytes = (size_t)1 << 30;
    assert_int_equal(stream_tracks_open(&b.t, &none, false, 64, &b.mem, &b.err), VG_ERR_MEMORY);
    assert_int_equal(b.mem.in_use_bytes, 0);
}

/* A picture that stands still, seen through a window that is shaken. */
static const char SHAKEN[] =
    "lavfi:mandelbrot=size=640x480:rate=25,trim=end_frame=1,loop=loop=-1:size=1:start=0,"
    "setpts=N/25/TB,crop=320:240:x='150+30*sin(2.1*n)':y='110+20*cos(1.7*n)'";

/* Ids that one standing object of the picture got. */
static int64_t last_id(detect_track_kind kind, bool follows_camera)
{
    bench b = {.mem = {.tag = "test"}};
    detect_track_options o = small();
    video_source *source;
    video_frame *frame;
    video_stream_info info;
    video_fault fault;
    base_mem video = {.tag = "video"};
    const video_source_options from = {.text = SHAKEN};
    int64_t last = 0;
    o.kind = kind;
    OK(stream_tracks_open(&b.t, &o, follows_camera, 1, &b.mem, err));
    assert_int_equal(b.mem.in_use_bytes, stream_tracks_bytes(&o, follows_camera, 1));
    OK(video_frame_create(&frame, &video, err));
    OK(video_source_create(&source, &from, NULL, &video, err));
    OK(video_source_connect(source, &info, &fault, err));
    for (int n = 0; n < 20; n++) {
        assert_int_equal(video_source_read(source, frame, &fault, NULL), VIDEO_FRAME);
        const float x = 300 - floorf(150 + 30 * sinf(2.1f * (float)n)),
                    y = 220 - floorf(110 + 20 * cosf(1.7f * (float)n));
        const uint64_t n_allocs = b.mem.n_allocs;
        b.boxes[0] = (vg_detection){x, y, x + 20, y + 40, 0.9f, 2};
        image_luma luma;
        assert_true(video_frame_luma(&luma, frame));
        b.n = stream_tracks_step(b.t, 0, &(task_found){.boxes = b.boxes}, b.ids, 1, MOST, 0.25f,
                                 &luma);
        assert_int_equal(b.mem.n_allocs, n_allocs);
        last = b.n > 0 ? b.ids[0] : last;
        if (follows_camera)
            assert_int_equal(b.n, 1);
    }
    video_source_destroy(&source);
    video_frame_destroy(&frame);
    close_tracks(&b);
    return last;
}

static void a_camera_that_shakes_is_followed(void **state)
{
    (void)state;
    assert_int_equal(last_id(DETECT_TRACK_BOT, true), 1);
    assert_int_equal(last_id(DETECT_TRACK_BOT, false), 1); /* never seen again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_stay_the_detectors_best_first),
        cmocka_unit_test(a_track_begins_above_conf_and_goes_on_below),
        cmocka_unit_test(suppression_must_let_weak_boxes_through),
        cmocka_unit_test(channels_do_not_see_each_other),
        cmocka_unit_test(a_camera_that_shakes_is_followed),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_no_leak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

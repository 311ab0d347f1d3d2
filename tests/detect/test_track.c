/* test_track.c: objects of known identity keep their number: through motion, weak detections,
 * occlusion and crossings; none comes twice; memory is what was planned. Step by step:
 * test_track_steps.c; how many are kept: test_track_mota.c. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/random.h"

enum { MOST_BOXES = 64, MOST_TRACKS = 64 };

typedef struct bench {
    base_mem mem;
    vg_error err;
    detect_tracker *t;
    detect_tracked out[MOST_TRACKS];
    size_t n;
} bench;

static void open_tracker(bench *b, const detect_track_options *o)
{
    *b = (bench){.mem = {.tag = "test"}};
    assert_int_equal(detect_tracker_create(&b->t, o, 1, &b->mem, &b->err), VG_OK);
    assert_int_equal(b->mem.in_use_bytes, detect_tracker_bytes(o, 1));
}

static void close_tracker(bench *b)
{
    detect_tracker_destroy(&b->t);
    assert_int_equal(b->mem.in_use_bytes, 0);
}

static detect_track_options small(void)
{
    detect_track_options o = DETECT_TRACK_DEFAULT;
    o.most_tracks = MOST_TRACKS;
    o.most_detections = MOST_BOXES;
    return o;
}

static vg_detection box_at(float cx, float cy, float w, float h, float score)
{
    return (vg_detection){cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, score, 0};
}

static void step(bench *b, const vg_detection *boxes, size_t n)
{
    b->n = detect_tracker_step(b->t, 0, b->out, boxes, n, 0, NULL);
}

static void a_moving_object_keeps_its_number(void **state)
{
    (void)state;
    bench b;
    const detect_track_options o = small();
    open_tracker(&b, &o);
    const uint64_t n_allocs = b.mem.n_allocs;
    for (int f = 0; f < 200; f++) {
        const vg_detection box = box_at(50 + 3.0f * (float)f, 80 + 1.5f * (float)f, 40, 90, 0.9f);
        step(&b, &box, 1);
        assert_int_equal(b.n, 1);
        assert_int_equal(b.out[0].id, 1);
        assert_int_equal(b.out[0].n_frames, f + 1);
        if (f > 20) /* the filter has found the velocity: it does not lag */
            assert_true(fabsf(b.out[0].box.x1 - box.x1) < 1.5f);
    }
    assert_int_equal(b.mem.n_allocs, n_allocs);
    close_tracker(&b);
}

static void an_object_begins_when_it_is_seen_twice(void **state)
{
    (void)state;
    bench b;
    const detect_track_options o = small();
    const vg_detection first = box_at(100, 100, 40, 60, 0.9f),
                       late = box_at(300, 100, 40, 60, 0.9f);
    open_tracker(&b, &o);
    step(&b, &first, 1);
    assert_int_equal(b.n, 1); /* the first frame is believed */
    const vg_detection both[] = {first, late};
    step(&b, both, 2);
    assert_int_equal(b.n, 1);
    step(&b, both, 2);
    assert_int_equal(b.n, 2);
    assert_int_equal(b.out[1].id, 2);
    assert_int_equal(b.out[1].detection, 1);
    close_tracker(&b);
}

static void a_weak_detection_keeps_a_track_but_begins_none(void **state)
{
    (void)state;
    bench b;
    const detect_track_options o = small();
    open_tracker(&b, &o);
    for (int f = 0; f < 40; f++) {
        const float score = f < 5 || f > 30 ? 0.8f : 0.15f; /* occluded in between */
        const vg_detection boxes[] = {box_at(100 + 2.0f * (float)f, 100, 40, 80, score),
                                      box_at(400, 300, 40, 80, 0.2f)};
        step(&b, boxes, 2);
        assert_int_equal(b.n, 1);
        assert_int_equal(b.out[0].id, 1);
    }
    close_tracker(&b);
}

static void a_short_occlusion_is_survived_and_a_long_one_not(void **state)
{
    (void)state;
    bench b;
    const detect_track_options o = small();
    static const struct {
        int gap;
        int64_t id;
    } cases[] = {{20, 1}, {45, 2}};
    for (size_t i = 0; i < 2; i++) {
        open_tracker(&b, &o);
        int f = 0;
        for (; f < 30; f++)
            step(&b, &(vg_detection){100, 100, 140, 180, 0.9f, 0}, 1);
        for (; f < 30 + cases[i].gap; f++) {
            step(&b, NULL, 0);
            assert_int_equal(b.n, 0);
        }
        for (int k = 0; k < 3; k++)
            step(&b, &(vg_detection){104, 100, 144, 180, 0.9f, 0}, 1);
        assert_int_equal(b.n, 1);
        assert_int_equal(b.out[0].id, cases[i].id);
        close_tracker(&b);
    }
}

static void tracks_past_the_bound_are_counted_not_begun(void **state)
{
    (void)state;
    bench b;
    detect_track_options o = small();
    o.most_tracks = 3;
    open_tracker(&b, &o);
    vg_detection boxes[5];
    for (int i = 0; i < 5; i++)
        boxes[i] = box_at(100 + 100 * (float)i, 100, 40, 40, 0.9f);
    step(&b, boxes, 5);
    assert_int_equal(b.n, 3);
    assert_int_equal(detect_tracker_n_refused(b.t), 2);
    close_tracker(&b);
}

static void crossing_objects_keep_their_numbers(void **state)
{
    (void)state;
    static const float ANGLES[] = {0, 0.3f, 0.8f, 1.2f};
    const detect_track_options o = small();
    for (size_t i = 0; i < sizeof ANGLES / sizeof *ANGLES; i++) {
        bench b;
        open_tracker(&b, &o);
        for (int f = -60; f <= 60; f++) { /* one passes behind the other in frame 0 */
            const float d = 4 * (float)f, y = d * tanf(ANGLES[i]) / 2;
            const vg_detection boxes[] = {box_at(400 + d, 300 + y, 40, 90, 0.9f),
                                          box_at(400 - d, 300 - y, 32, 76, 0.85f)};
            const bool one_hides = abs(f) < 3;
            step(&b, boxes, one_hides ? 1 : 2);
            for (size_t k = 0; k < b.n; k++)
                if (b.out[k].id != b.out[k].detection + 1)
                    fail_msg("angle %g, frame %d: %lld is at detection %d", (double)ANGLES[i], f,
                             (long long)b.out[k].id, b.out[k].detection);
            assert_int_equal(b.n, one_hides ? 1 : 2);
        }
        close_tracker(&b);
    }
}

static void boxes_that_are_none_are_passed_over(void **state)
{
    (void)state;
    static const float WRONG[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f};
    const detect_track_options o = small();
    const vg_detection good = {100, 100, 140, 180, 0.9f, 0};
    bench b;
    open_tracker(&b, &o);
    for (int f = 0; f < 400; f++) {
        vg_detection boxes[3] = {good, good, good};
        float *const fields[] = {&boxes[0].x1, &boxes[0].y1, &boxes[0].x2, &boxes[0].y2};
        if (f % 5 < 4)
            *fields[f % 4] = WRONG[f / 4 % 5];
        else
            boxes[0].confidence = NAN;
        boxes[1].x2 = f % 2 ? boxes[1].x1 : boxes[1].x1 - 10; /* empty, or turned around */
        step(&b, boxes, 3);
        assert_int_equal(b.n, 1);
        assert_int_equal(b.out[0].id, 1);
        assert_int_equal(b.out[0].detection, 2);
        assert_true(fabsf(b.out[0].box.x1 - 100) < 0.01f);
    }
    close_tracker(&b);
}

static void no_number_comes_twice(void **state)
{
    (void)state;
    enum { MOST_IDS = 20000 };
    static int last_seen[MOST_IDS];
    static float x_of[MOST_IDS];
    const detect_track_options o = small();
    test_random r = {.state = 9};
    bench b;
    int64_t greatest = 0;
    open_tracker(&b, &o);
    for (int f = 1; f <= 3000; f++) {
        vg_detection boxes[12];
        const int group = f / 4; /* a few frames at one place each, then elsewhere */
        for (int i = 0; i < 12; i++)
            boxes[i] = box_at(100 * (float)((group * 7 + i * 13) % 40), 100, 40, 60,
                              random_float(&r, 0.1f, 0.9f));
        if (f % 500 == 0)
            detect_tracker_clear(b.t, 0);
        step(&b, boxes, 12);
        for (size_t k = 0; k < b.n; k++) {
            const int64_t id = b.out[k].id;
            assert_in_range(id, 1, MOST_IDS - 1);
            assert_true(k == 0 || id > b.out[k - 1].id);
            /* One that was forgotten, or cleared away, is gone for good. */
            if (last_seen[id] != 0) {
                assert_true(f - last_seen[id] <= o.track_buffer + 1);
                assert_int_equal(f / 500, last_seen[id] / 500);
                assert_true(fabsf(b.out[k].box.x1 - x_of[id]) < 30);
            }
            last_seen[id] = f;
            x_of[id] = b.out[k].box.x1;
            greatest = id > greatest ? id : greatest;
        }
    }
    assert_true(greatest > 1000);
    close_tracker(&b);
}

static void what_comes_after_a_clear_is_believed_at_once(void **state)
{
    (void)state;
    bench b;
    const detect_track_options o = small();
    const vg_detection box = box_at(100, 100, 40, 60, 0.9f);
    open_tracker(&b, &o);
    step(&b, &box, 1);
    step(&b, &box, 1);
    detect_tracker_clear(b.t, 0);
    step(&b, &box, 1);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.out[0].id, 2);
    assert_int_equal(b.out[0].n_frames, 1);
    close_tracker(&b);
}

static void scenes_are_independent(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    vg_error err;
    detect_tracker *several;
    const detect_track_options o = small();
    test_random r = {.state = 21};
    bench alone[3];
    assert_int_equal(detect_tracker_create(&several, &o, 3, &mem, &err), VG_OK);
    assert_int_equal(mem.in_use_bytes, detect_tracker_bytes(&o, 3));
    for (int i = 0; i < 3; i++)
        open_tracker(&alone[i], &o);
    for (int f = 0; f < 300; f++) {
        const int scene = (int)(random_u64(&r) % 3);
        vg_detection boxes[6];
        detect_tracked out[MOST_TRACKS];
        for (int i = 0; i < 6; i++)
            boxes[i] = box_at(60 * (float)i + random_float(&r, 0, 20), 100 + 10 * (float)scene, 40,
                              60, random_float(&r, 0, 1));
        step(&alone[scene], boxes, 6);
        const size_t n = detect_tracker_step(several, scene, out, boxes, 6, 0, NULL);
        assert_int_equal(n, alone[scene].n);
        for (size_t i = 0; i < n; i++) { /* not as bytes: there is padding */
            const detect_tracked *a = &out[i], *b = &alone[scene].out[i];
            assert_int_equal(a->id, b->id);
            assert_memory_equal(&a->box, &b->box, sizeof a->box);
            assert_int_equal(a->detection, b->detection);
            assert_int_equal(a->n_frames, b->n_frames);
        }
    }
    for (int i = 0; i < 3; i++)
        close_tracker(&alone[i]);
    detect_tracker_destroy(&several);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* Lost tracks count for the bound, and make room when they are forgotten. */
static void the_bound_holds_for_lost_tracks_too(void **state)
{
    (void)state;
    bench b;
    detect_track_options o = small();
    o.most_tracks = 4;
    o.track_buffer = 10;
    open_tracker(&b, &o);
    vg_detection first[4], later[6];
    for (int i = 0; i < 4; i++)
        first[i] = box_at(100 + 100 * (float)i, 100, 40, 40, 0.9f);
    for (int i = 0; i < 6; i++)
        later[i] = box_at(100 + 100 * (float)i, 500, 40, 40, 0.9f);
    step(&b, first, 4);
    for (int f = 0; f < 10; f++) {
        step(&b, later, 6);
        assert_int_equal(b.n, 0);
    }
    assert_int_equal(detect_tracker_n_refused(b.t), 60);
    step(&b, later, 6); /* room again: begun, */
    assert_int_equal(b.n, 0);
    step(&b, later, 6); /* and confirmed */
    assert_int_equal(b.n, 4);
    /* More detections than it was made for: the rest is left out. */
    vg_detection many[MOST_BOXES + 20];
    for (int i = 0; i < MOST_BOXES + 20; i++)
        many[i] = box_at(60 * (float)i, 900, 40, 40, 0.9f);
    for (int f = 0; f < 20; f++) {
        step(&b, many, MOST_BOXES + 20);
        assert_true(b.n <= 4);
        for (size_t k = 0; k < b.n; k++)
            assert_in_range(b.out[k].detection, 0, MOST_BOXES - 1);
    }
    close_tracker(&b);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    (void)state;
    bench b = {.mem = {.tag = "test"}};
    detect_track_options o = small();
    for (int64_t k = 1;; k++) {
        b.mem.fail_in = k;
        const vg_status st = detect_tracker_create(&b.t, &o, 2, &b.mem, &b.err);
        const bool was_reached = b.mem.fail_in == 0;
        b.mem.fail_in = 0;
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        detect_tracker_destroy(&b.t);
        assert_int_equal(b.mem.in_use_bytes, 0);
        if (!was_reached) {
            assert_true(k > 6);
            break;
        }
    }
    o.track_high_thresh = NAN;
    assert_int_equal(detect_tracker_create(&b.t, &o, 2, &b.mem, &b.err), VG_ERR_ARGUMENT);
    o = small();
    assert_int_equal(detect_tracker_create(&b.t, &o, 0, &b.mem, &b.err), VG_ERR_ARGUMENT);
    o.track_buffer = -1;
    assert_int_equal(detect_tracker_create(&b.t, &o, 1, &b.mem, &b.err), VG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moving_object_keeps_its_number),
        cmocka_unit_test(an_object_begins_when_it_is_seen_twice),
        cmocka_unit_test(a_weak_detection_keeps_a_track_but_begins_none),
        cmocka_unit_test(a_short_occlusion_is_survived_and_a_long_one_not),
        cmocka_unit_test(tracks_past_the_bound_are_counted_not_begun),
        cmocka_unit_test(crossing_objects_keep_their_numbers),
        cmocka_unit_test(boxes_that_are_none_are_passed_over),
        cmocka_unit_test(no_number_comes_twice),
        cmocka_unit_test(what_comes_after_a_clear_is_believed_at_once),
        cmocka_unit_test(scenes_are_independent),
        cmocka_unit_test(the_bound_holds_for_lost_tracks_too),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_no_leak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

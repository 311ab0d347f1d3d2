/* test_track.c: objects of known identity keep their number: through motion, weak detections,
 * occlusion and crossings; memory is what was planned; MOTA on a drawn scene. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/random.h"

enum { MOST_OBJECTS = 16, MOST_BOXES = 64, MOST_TRACKS = 64 };

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

static detect_box box_at(float cx, float cy, float w, float h, float score)
{
    return (detect_box){cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, score, 0};
}

static void step(bench *b, const detect_box *boxes, size_t n)
{
    b->n = detect_tracker_step(b->t, 0, b->out, boxes, n, 0);
}

static void a_moving_object_keeps_its_number(void **state)
{
    (void)state;
    bench b;
    const detect_track_options o = small();
    open_tracker(&b, &o);
    const uint64_t n_allocs = b.mem.n_allocs;
    for (int f = 0; f < 200; f++) {
        const detect_box box = box_at(50 + 3.0f * (float)f, 80 + 1.5f * (float)f, 40, 90, 0.9f);
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
    const detect_box first = box_at(100, 100, 40, 60, 0.9f), late = box_at(300, 100, 40, 60, 0.9f);
    open_tracker(&b, &o);
    step(&b, &first, 1);
    assert_int_equal(b.n, 1); /* the first frame is believed */
    const detect_box both[] = {first, late};
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
        const detect_box boxes[] = {box_at(100 + 2.0f * (float)f, 100, 40, 80, score),
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
            step(&b, &(detect_box){100, 100, 140, 180, 0.9f, 0}, 1);
        for (; f < 30 + cases[i].gap; f++) {
            step(&b, NULL, 0);
            assert_int_equal(b.n, 0);
        }
        for (int k = 0; k < 3; k++)
            step(&b, &(detect_box){104, 100, 144, 180, 0.9f, 0}, 1);
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
    detect_box boxes[5];
    for (int i = 0; i < 5; i++)
        boxes[i] = box_at(100 + 100 * (float)i, 100, 40, 40, 0.9f);
    step(&b, boxes, 5);
    assert_int_equal(b.n, 3);
    assert_int_equal(detect_tracker_n_refused(b.t), 2);
    close_tracker(&b);
}

/* ---- a scene ---- */

typedef struct object {
    float x, y, vx, vy, w, h;
} object;

/* Objects cross the picture, bounce at its edges, and hide behind a pillar; detections jitter, miss
 * and invent. Counts as in CLEAR MOT (Bernardin and Stiefelhagen, 2008). */
static void a_drawn_scene_is_tracked(void **state)
{
    (void)state;
    enum { N = 8, FRAMES = 600, W = 1280, H = 720 };
    bench b;
    const detect_track_options o = small();
    object objects[N];
    int64_t last_id[N] = {0};
    int misses = 0, inventions = 0, switches = 0, truths = 0;
    test_random r = {.state = 11};
    open_tracker(&b, &o);
    for (int i = 0; i < N; i++)
        objects[i] = (object){random_float(&r, 100, W - 100),
                              60 + 82 * (float)i,
                              random_float(&r, 2, 6) * (i % 2 ? 1 : -1),
                              random_float(&r, -0.3f, 0.3f),
                              random_float(&r, 30, 60),
                              random_float(&r, 60, 110)};
    for (int f = 0; f < FRAMES; f++) {
        detect_box boxes[MOST_BOXES];
        bool seen[N];
        size_t n = 0;
        for (int i = 0; i < N; i++) {
            object *p = &objects[i];
            p->x += p->vx;
            p->y += p->vy;
            if (p->x < 40 || p->x > W - 40)
                p->vx = -p->vx;
            if (p->y < 40 || p->y > H - 40)
                p->vy = -p->vy;
            seen[i] = fabsf(p->x - W / 2.0f) > 25; /* the pillar */
            if (!seen[i] || random_float(&r, 0, 1) < 0.03f)
                continue;
            const bool is_weak = random_float(&r, 0, 1) < 0.1f;
            boxes[n++] =
                box_at(p->x + random_float(&r, -1.5f, 1.5f), p->y + random_float(&r, -1.5f, 1.5f),
                       p->w * random_float(&r, 0.97f, 1.03f), p->h * random_float(&r, 0.97f, 1.03f),
                       is_weak ? 0.15f : random_float(&r, 0.4f, 0.95f));
        }
        if (random_float(&r, 0, 1) < 0.1f) /* a mistake that does not come again */
            boxes[n++] =
                box_at(random_float(&r, 50, W - 50), random_float(&r, 50, H - 50), 40, 80, 0.5f);
        step(&b, boxes, n);
        bool is_used[MOST_TRACKS] = {false};
        for (int i = 0; i < N; i++) {
            const object *p = &objects[i];
            const float truth[] = {p->x - p->w / 2, p->y - p->h / 2, p->x + p->w / 2,
                                   p->y + p->h / 2};
            size_t best = b.n;
            float best_iou = 0.5f;
            for (size_t k = 0; k < b.n; k++) {
                const detect_box *box = &b.out[k].box;
                const float iou =
                    detect_iou(truth, (const float[]){box->x1, box->y1, box->x2, box->y2});
                if (!is_used[k] && iou >= best_iou) {
                    best = k;
                    best_iou = iou;
                }
            }
            truths += seen[i];
            if (best == b.n) {
                misses += seen[i];
                continue;
            }
            is_used[best] = true;
            switches += last_id[i] != 0 && last_id[i] != b.out[best].id;
            last_id[i] = b.out[best].id;
        }
        for (size_t k = 0; k < b.n; k++)
            inventions += !is_used[k];
    }
    const double mota = 1 - (double)(misses + inventions + switches) / truths;
    print_message("MOTA %.3f: %d misses, %d inventions, %d switches of %d\n", mota, misses,
                  inventions, switches, truths);
    assert_true(mota > 0.93);
    assert_true(switches <= 6);
    close_tracker(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moving_object_keeps_its_number),
        cmocka_unit_test(an_object_begins_when_it_is_seen_twice),
        cmocka_unit_test(a_weak_detection_keeps_a_track_but_begins_none),
        cmocka_unit_test(a_short_occlusion_is_survived_and_a_long_one_not),
        cmocka_unit_test(tracks_past_the_bound_are_counted_not_begun),
        cmocka_unit_test(a_drawn_scene_is_tracked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

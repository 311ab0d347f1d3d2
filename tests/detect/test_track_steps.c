/* test_track_steps.c: the trackers do, step by step, what the papers' algorithm says: every frame
 * of drawn scenes is compared with the reference in track_reference.h, and every line of it was at
 * work. */
#include "support/test.h"

#include "support/random.h"
#include "track_reference.h"

enum { MOST_OBJECTS = 6, MOST_BOXES = 12 };

typedef struct both {
    base_mem mem;
    vg_error err;
    detect_tracker *t;
    detect_tracked out[REF_MOST];
    ref_tracker ref;
} both;

static void open_both(both *b, const detect_track_options *o)
{
    *b = (both){.mem = {.tag = "test"}, .ref = {.o = *o}};
    assert_int_equal(detect_tracker_create(&b->t, o, 1, &b->mem, &b->err), VG_OK);
}

static void close_both(both *b)
{
    detect_tracker_destroy(&b->t);
    assert_int_equal(b->mem.in_use_bytes, 0);
}

static void step_both(both *b, const vg_detection *boxes, size_t n, const detect_camera *camera)
{
    const size_t n_out = detect_tracker_step(b->t, 0, b->out, boxes, n, 0, camera);
    ref_step(&b->ref, boxes, (int)n, camera);
    size_t k = 0;
    for (int i = 0; i < b->ref.n; i++) {
        const ref_track *r = &b->ref.tracks[i];
        if (r->phase != REF_TRACKED || r->seen != b->ref.frame)
            continue;
        assert_true(k < n_out);
        const detect_tracked *t = &b->out[k++];
        const vg_detection box = ref_box(r);
        assert_int_equal(t->id, r->id);
        assert_int_equal(t->detection, r->detection);
        assert_int_equal(t->n_frames, b->ref.frame - r->began + 1);
        assert_true(t->box.confidence == r->score);
        if (fabsf(t->box.x1 - box.x1) > 1e-2f || fabsf(t->box.y1 - box.y1) > 1e-2f ||
            fabsf(t->box.x2 - box.x2) > 1e-2f || fabsf(t->box.y2 - box.y2) > 1e-2f)
            fail_msg("frame %lld, track %lld: %g %g %g %g, not %g %g %g %g",
                     (long long)b->ref.frame, (long long)r->id, (double)t->box.x1,
                     (double)t->box.y1, (double)t->box.x2, (double)t->box.y2, (double)box.x1,
                     (double)box.y1, (double)box.x2, (double)box.y2);
    }
    assert_int_equal(k, n_out);
}

typedef struct object {
    float x, y, vx, vy, w, h;
    int hidden; /* frames to come */
} object;

/* A hand-held camera about the picture's middle; now and then nothing is known of it. */
static const detect_camera *shake(detect_camera *c, test_random *r)
{
    const float turned = random_float(r, -0.05f, 0.05f), larger = random_float(r, 0.95f, 1.05f);
    *c =
        (detect_camera){.a = (double)(larger * cosf(turned)), .b = (double)(larger * sinf(turned))};
    c->x = 150 - (c->a * 150 - c->b * 100) + (double)random_float(r, -15, 15);
    c->y = 100 - (c->b * 150 + c->a * 100) + (double)random_float(r, -15, 15);
    return random_u64(r) % 8 == 0 ? NULL : c;
}

static void shift(object *p, const detect_camera *c)
{
    const double x = (double)p->x, y = (double)p->y;
    p->x = (float)(c->a * x - c->b * y + c->x);
    p->y = (float)(c->b * x + c->a * y + c->y);
}

/* Few objects in little room: they cross, hide, fade, turn and double. */
static size_t draw(vg_detection *boxes, object *objects, test_random *r)
{
    size_t n = 0;
    for (int i = 0; i < MOST_OBJECTS; i++) {
        object *p = &objects[i];
        p->x += p->vx + random_float(r, -2, 2);
        p->y += p->vy + random_float(r, -2, 2);
        if (p->x < 0 || p->x > 300)
            p->vx = -p->vx;
        if (p->y < 0 || p->y > 200)
            p->vy = -p->vy;
        if (p->hidden > 0) {
            p->hidden--;
            continue;
        }
        if (random_u64(r) % 40 == 0)
            p->hidden = (int)(random_u64(r) % 16);
        const float score =
            random_u64(r) % 4 == 0 ? random_float(r, 0.02f, 0.3f) : random_float(r, 0.3f, 0.99f);
        const float w = p->w * random_float(r, 0.9f, 1.1f), h = p->h * random_float(r, 0.9f, 1.1f);
        boxes[n++] =
            (vg_detection){p->x - w / 2, p->y - h / 2, p->x + w / 2, p->y + h / 2, score, 0};
        if (random_u64(r) % 20 == 0) { /* suppression left a double */
            boxes[n] = boxes[n - 1];
            boxes[n].x1 += 2;
            boxes[n++].confidence = random_float(r, 0.2f, 0.9f);
        }
    }
    return n;
}

static void follow_scenes(const detect_track_options *o, int n_scenes, ref_counts *sum)
{
    for (int scene = 0; scene < n_scenes; scene++) {
        both b;
        object objects[MOST_OBJECTS];
        test_random r = {.state = (uint64_t)scene + 100};
        open_both(&b, o);
        for (int i = 0; i < MOST_OBJECTS; i++)
            objects[i] = (object){random_float(&r, 0, 300),
                                  random_float(&r, 0, 200),
                                  random_float(&r, -6, 6),
                                  random_float(&r, -3, 3),
                                  random_float(&r, 25, 60),
                                  random_float(&r, 40, 100),
                                  0};
        for (int f = 0; f < 150; f++) {
            vg_detection boxes[2 * MOST_OBJECTS];
            detect_camera c;
            const detect_camera *camera = o->kind == DETECT_TRACK_BOT ? shake(&c, &r) : NULL;
            for (int i = 0; i < MOST_OBJECTS && camera != NULL; i++)
                shift(&objects[i], camera);
            step_both(&b, boxes, draw(boxes, objects, &r), camera);
        }
        const int *from = (const int *)&b.ref.counts;
        for (size_t i = 0; i < sizeof *sum / sizeof(int); i++)
            ((int *)sum)[i] += from[i];
        close_both(&b);
    }
}

static void follow_many(detect_track_kind kind)
{
    detect_track_options o = DETECT_TRACK_DEFAULT;
    ref_counts c = {0};
    o.kind = kind;
    o.most_tracks = REF_MOST;
    o.most_detections = 2 * MOST_OBJECTS;
    o.track_buffer = 8;
    follow_scenes(&o, 100, &c);
    print_message("first %d, found again %d, second %d, confirmed %d, doubted %d, begun %d, lost "
                  "%d, expired %d, doubles %d, too weak %d\n",
                  c.first, c.found_again, c.second, c.confirmed, c.doubted, c.begun, c.lost,
                  c.expired, c.doubles, c.too_weak);
    assert_true(c.first > 1000 && c.found_again > 50 && c.second > 100 && c.confirmed > 50);
    assert_true(c.doubted > 50 && c.begun > 200 && c.lost > 100 && c.expired > 20);
    assert_true(c.doubles > 5 && c.too_weak > 50);
}

static void every_frame_is_the_references(void **state)
{
    (void)state;
    follow_many(DETECT_TRACK_BYTE);
}

static void every_frame_of_a_moving_camera_is_too(void **state)
{
    (void)state;
    follow_many(DETECT_TRACK_BOT);
}

static void other_options_are_the_references_too(void **state)
{
    (void)state;
    static const detect_track_options cases[] = {
        {0.6f, 0.1f, 0.7f, 30, 0.8f, true, REF_MOST, 2 * MOST_OBJECTS, DETECT_TRACK_BYTE},
        {0.25f, 0.1f, 0.25f, 0, 0.8f, true, REF_MOST, 2 * MOST_OBJECTS, DETECT_TRACK_BOT},
        {0.5f, 0.05f, 0.4f, 4, 0.6f, false, REF_MOST, 2 * MOST_OBJECTS, DETECT_TRACK_BYTE},
        {0.25f, 0.1f, 0.25f, 8, 0.1f, false, REF_MOST, 2 * MOST_OBJECTS,
         DETECT_TRACK_BYTE}, /* doubles of new ones */
        {0.3f, 0.3f, 0.3f, 12, 0.95f, true, REF_MOST, 2 * MOST_OBJECTS, DETECT_TRACK_BOT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ref_counts c = {0};
        follow_scenes(&cases[i], 20, &c);
        assert_true(c.first > 200);
    }
}

/* The steps by themselves: which detection goes to whom, where two could have it. */
static void weak_detections_are_for_what_is_left(void **state)
{
    (void)state;
    both b;
    detect_track_options o = DETECT_TRACK_DEFAULT;
    o.most_tracks = REF_MOST;
    o.most_detections = MOST_BOXES;
    open_both(&b, &o);
    const vg_detection start[] = {{100, 100, 140, 200, 0.9f, 0}, {130, 100, 170, 200, 0.9f, 0}};
    for (int k = 0; k < 5; k++)
        step_both(&b, start, 2, NULL);
    /* The weak one lies right on the first track; the strong one takes that track first, although
     * it is a worse fit, and the weak one is left for the second, which it does not fit. */
    const vg_detection now[] = {{100, 100, 140, 200, 0.2f, 0}, {108, 100, 148, 200, 0.9f, 0}};
    step_both(&b, now, 2, NULL);
    assert_int_equal(b.out[0].id, 1);
    assert_int_equal(b.out[0].detection, 1);
    /* A lost track is not found again by a weak detection. */
    step_both(&b, NULL, 0, NULL);
    step_both(&b, now, 1, NULL);
    assert_int_equal(detect_tracker_step(b.t, 0, b.out, now, 1, 0, NULL), 0);
    close_both(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_frame_is_the_references),
                                       cmocka_unit_test(every_frame_of_a_moving_camera_is_too),
                                       cmocka_unit_test(other_options_are_the_references_too),
                                       cmocka_unit_test(weak_detections_are_for_what_is_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

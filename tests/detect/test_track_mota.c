/* test_track_mota.c: scenes with known identities, and how many of them are kept: CLEAR MOT (K.
 * Bernardin, R. Stiefelhagen, EURASIP J. Image and Video Processing, 2008). Objects cross, hide
 * behind a pillar and behind each other; detections jitter, fade, miss and invent. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/random.h"

enum { MOST_OBJECTS = 16, MOST_BOXES = 64, MOST_TRACKS = 128, FRAMES = 600, W = 1280, H = 720 };

typedef struct scene {
    const char *name;
    int n_objects;
    bool has_lanes;   /* two ways on the same lines: they meet head on */
    float miss, weak; /* shares of detections */
    float inventions; /* a frame */
    float jitter_px;
    int skip; /* every skip-th frame is looked at */
    double least_mota;
    int most_switches, most_inventions;
} scene;

typedef struct object {
    float x, y, vx, vy, w, h;
    bool is_visible;
    int64_t last_id; /* 0: not yet found */
} object;

typedef struct clear_mot {
    int truths, misses, inventions, switches;
} clear_mot;

static detect_box box_of(const object *p)
{
    return (detect_box){p->x - p->w / 2, p->y - p->h / 2, p->x + p->w / 2, p->y + p->h / 2, 1, 0};
}

static float iou_of(const detect_box *a, const detect_box *b)
{
    return detect_iou((const float[]){a->x1, a->y1, a->x2, a->y2},
                      (const float[]){b->x1, b->y1, b->x2, b->y2});
}

static void place(object *objects, const scene *s, test_random *r)
{
    for (int i = 0; i < s->n_objects; i++) {
        const int lane = s->has_lanes ? i / 2 : i, n_lanes = s->n_objects / (s->has_lanes ? 2 : 1);
        objects[i] = (object){.x = random_float(r, 100, W - 100),
                              .y = 80 + 560 * (float)lane / (float)n_lanes,
                              .vx = random_float(r, 2, 5) * (i % 2 ? 1 : -1),
                              .vy = s->has_lanes ? 0 : random_float(r, -0.3f, 0.3f),
                              .w = random_float(r, 30, 60),
                              .h = random_float(r, 60, 110)};
    }
}

static void move(object *objects, const scene *s)
{
    for (int i = 0; i < s->n_objects; i++) {
        object *p = &objects[i];
        p->x += p->vx;
        p->y += p->vy;
        if (p->x < 40 || p->x > W - 40)
            p->vx = -p->vx;
        if (p->y < 40 || p->y > H - 40)
            p->vy = -p->vy;
        p->is_visible = fabsf(p->x - W / 2.0f) > 25; /* the pillar */
        for (int k = 0; k < i && p->is_visible; k++) {
            const detect_box a = box_of(p), b = box_of(&objects[k]);
            p->is_visible = iou_of(&a, &b) < 0.5f; /* the first stands in front */
        }
    }
}

static size_t see(detect_box *boxes, const object *objects, const scene *s, test_random *r)
{
    size_t n = 0;
    for (int i = 0; i < s->n_objects; i++) {
        const float j = s->jitter_px;
        const bool is_missed = random_float(r, 0, 1) < s->miss;
        detect_box b = box_of(&objects[i]);
        if (!objects[i].is_visible || is_missed)
            continue;
        const float dx = random_float(r, -j, j), dy = random_float(r, -j, j);
        b.x1 += dx + random_float(r, -j, j) / 2;
        b.x2 += dx + random_float(r, -j, j) / 2;
        b.y1 += dy + random_float(r, -j, j) / 2;
        b.y2 += dy + random_float(r, -j, j) / 2;
        b.score = random_float(r, 0, 1) < s->weak ? 0.15f : random_float(r, 0.4f, 0.95f);
        boxes[n++] = b;
    }
    for (float left = s->inventions; random_float(r, 0, 1) < left; left--) {
        const object nobody = {.x = random_float(r, 50, W - 50),
                               .y = random_float(r, 60, H - 60),
                               .w = random_float(r, 30, 60),
                               .h = random_float(r, 60, 110)};
        boxes[n] = box_of(&nobody);
        boxes[n++].score = random_float(r, 0.15f, 0.8f);
    }
    return n;
}

/* Pairs that were and still fit stay; the others by the best fit. */
static void judge(clear_mot *c, object *objects, int n_objects, const detect_tracked *out, size_t n)
{
    bool is_used[MOST_TRACKS] = {false}, is_found[MOST_OBJECTS] = {false};
    for (int i = 0; i < n_objects; i++)
        for (size_t k = 0; k < n; k++) {
            const detect_box truth = box_of(&objects[i]);
            if (out[k].id == objects[i].last_id && iou_of(&truth, &out[k].box) >= 0.5f)
                is_used[k] = is_found[i] = true;
        }
    for (;;) {
        int best_i = -1;
        size_t best_k = 0;
        float best = 0.5f;
        for (int i = 0; i < n_objects; i++)
            for (size_t k = 0; k < n && !is_found[i]; k++) {
                const detect_box truth = box_of(&objects[i]);
                const float iou = iou_of(&truth, &out[k].box);
                if (!is_used[k] && iou >= best) {
                    best = iou;
                    best_i = i;
                    best_k = k;
                }
            }
        if (best_i < 0)
            break;
        object *p = &objects[best_i];
        c->switches += p->last_id != 0; /* it had another */
        p->last_id = out[best_k].id;
        is_used[best_k] = is_found[best_i] = true;
    }
    for (int i = 0; i < n_objects; i++) {
        c->truths += objects[i].is_visible;
        c->misses += objects[i].is_visible && !is_found[i];
    }
    for (size_t k = 0; k < n; k++)
        c->inventions += !is_used[k];
}

static clear_mot follow(const scene *s, uint64_t seed)
{
    base_mem mem = {.tag = "test"};
    vg_error err;
    detect_tracker *t;
    detect_track_options o = DETECT_TRACK_DEFAULT;
    object objects[MOST_OBJECTS];
    clear_mot c = {0};
    test_random r = {.state = seed};
    o.most_tracks = MOST_TRACKS;
    o.most_detections = MOST_BOXES;
    assert_int_equal(detect_tracker_create(&t, &o, 1, &mem, &err), VG_OK);
    place(objects, s, &r);
    for (int f = 0; f < FRAMES; f++) {
        detect_box boxes[MOST_BOXES];
        detect_tracked out[MOST_TRACKS];
        move(objects, s);
        if (f % s->skip)
            continue;
        const size_t n = see(boxes, objects, s, &r);
        judge(&c, objects, s->n_objects, out, detect_tracker_step(t, 0, out, boxes, n, 0));
    }
    detect_tracker_destroy(&t);
    return c;
}

static double mota(const clear_mot *c)
{
    return 1 - (double)(c->misses + c->inventions + c->switches) / c->truths;
}

/* Bounds are what it reaches, and a little: a change for the worse shows. */
static const scene SCENES[] = {
    {"clean", 8, false, 0, 0, 0, 0, 1, 0.999, 0, 0},
    {"noisy", 8, false, 0.03f, 0.1f, 0.1f, 1.5f, 1, 0.96, 4, 2},
    {"head on", 16, true, 0, 0, 0, 0.5f, 1, 0.998, 12, 2},
    {"head on, noisy", 16, true, 0.05f, 0.15f, 0.2f, 1.5f, 1, 0.93, 28, 2},
    {"many misses", 8, false, 0.25f, 0.1f, 0, 1, 1, 0.71, 28, 2},
    {"many inventions", 8, false, 0.03f, 0.1f, 3, 1.5f, 1, 0.955, 8, 36},
    {"every third frame", 8, false, 0.03f, 0.1f, 0.1f, 1.5f, 3, 0.91, 70,
     2}, /* bounces are sharp */
};

static void identities_are_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SCENES / sizeof *SCENES; i++) {
        const scene *s = &SCENES[i];
        clear_mot sum = {0};
        for (uint64_t seed = 1; seed <= 4; seed++) {
            const clear_mot c = follow(s, 10 * seed);
            sum.truths += c.truths;
            sum.misses += c.misses;
            sum.inventions += c.inventions;
            sum.switches += c.switches;
        }
        print_message("%-18s MOTA %.4f: %d misses, %d inventions, %d switches of %d\n", s->name,
                      mota(&sum), sum.misses, sum.inventions, sum.switches, sum.truths);
        assert_true(mota(&sum) >= s->least_mota);
        assert_true(sum.switches <= s->most_switches);
        assert_true(sum.inventions <= s->most_inventions);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(identities_are_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

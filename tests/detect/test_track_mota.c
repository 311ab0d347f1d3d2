/* test_track_mota.c: scenes with known identities, and how many of them are kept: CLEAR MOT (K.
 * Bernardin, R. Stiefelhagen, EURASIP J. Image and Video Processing, 2008), and IDF1 (E. Ristani et
 * al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking, 2016). Objects
 * cross, hide behind a pillar and behind each other; detections jitter, fade, miss and invent; a
 * camera may shake. */
#include "support/test.h"

#include <math.h>

#include "detect/assignment.h"
#include "detect/detect.h"
#include "support/random.h"

enum { MOST_OBJECTS = 16, MOST_BOXES = 64, MOST_TRACKS = 128, FRAMES = 600, W = 1280, H = 720 };
enum { MOST_IDS = 8192 };

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
    float shake_px; /* of the camera, from frame to frame; it turns and zooms a little, too */
} scene;

typedef struct object {
    float x, y, vx, vy, w, h;
    bool is_visible;
    int64_t last_id; /* 0: not yet found */
} object;

typedef struct clear_mot {
    int truths, misses, inventions, switches;
    int outputs, at_home; /* at_home: by the track that is the object's over the whole film */
} clear_mot;

/* together[i][id]: frames in which object i and that track are at one place. */
typedef struct company {
    float together[MOST_OBJECTS][MOST_IDS];
} company;

static vg_detection box_of(const object *p)
{
    return (vg_detection){p->x - p->w / 2, p->y - p->h / 2, p->x + p->w / 2, p->y + p->h / 2, 1, 0};
}

static float iou_of(const vg_detection *a, const vg_detection *b)
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
            const vg_detection a = box_of(p), b = box_of(&objects[k]);
            p->is_visible = iou_of(&a, &b) < 0.5f; /* the first stands in front */
        }
    }
}

static size_t see(vg_detection *boxes, const object *objects, const scene *s, test_random *r)
{
    size_t n = 0;
    for (int i = 0; i < s->n_objects; i++) {
        const float j = s->jitter_px;
        const bool is_missed = random_float(r, 0, 1) < s->miss;
        vg_detection b = box_of(&objects[i]);
        if (!objects[i].is_visible || is_missed)
            continue;
        const float dx = random_float(r, -j, j), dy = random_float(r, -j, j);
        b.x1 += dx + random_float(r, -j, j) / 2;
        b.x2 += dx + random_float(r, -j, j) / 2;
        b.y1 += dy + random_float(r, -j, j) / 2;
        b.y2 += dy + random_float(r, -j, j) / 2;
        b.confidence = random_float(r, 0, 1) < s->weak ? 0.15f : random_float(r, 0.4f, 0.95f);
        boxes[n++] = b;
    }
    for (float left = s->inventions; random_float(r, 0, 1) < left; left--) {
        const object nobody = {.x = random_float(r, 50, W - 50),
                               .y = random_float(r, 60, H - 60),
                               .w = random_float(r, 30, 60),
                               .h = random_float(r, 60, 110)};
        boxes[n] = box_of(&nobody);
        boxes[n++].confidence = random_float(r, 0.15f, 0.8f);
    }
    return n;
}

/* Pairs that were and still fit stay; the others by the best fit. */
static void judge(clear_mot *c, object *objects, int n_objects, const detect_tracked *out, size_t n)
{
    bool is_used[MOST_TRACKS] = {false}, is_found[MOST_OBJECTS] = {false};
    for (int i = 0; i < n_objects; i++)
        for (size_t k = 0; k < n; k++) {
            const vg_detection truth = box_of(&objects[i]);
            if (out[k].id == objects[i].last_id && iou_of(&truth, &out[k].box) >= 0.5f)
                is_used[k] = is_found[i] = true;
        }
    for (;;) {
        int best_i = -1;
        size_t best_k = 0;
        float best = 0.5f;
        for (int i = 0; i < n_objects; i++)
            for (size_t k = 0; k < n && !is_found[i]; k++) {
                const vg_detection truth = box_of(&objects[i]);
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

/* The camera's place in the world, which it shakes about; what it did comes with a small error. */
static detect_camera shake(detect_camera *at, const scene *s, test_random *r)
{
    const float j = s->shake_px, turned = random_float(r, -j, j) / 1000,
                larger = 1 + random_float(r, -j, j) / 2000;
    const detect_camera was = *at;
    *at = (detect_camera){.a = (double)(larger * cosf(turned)),
                          .b = (double)(larger * sinf(turned)),
                          .x = (double)random_float(r, -j, j),
                          .y = (double)random_float(r, -j, j)};
    const double n = was.a * was.a + was.b * was.b;
    detect_camera did = {.a = (at->a * was.a + at->b * was.b) / n,
                         .b = (at->b * was.a - at->a * was.b) / n};
    did.x = at->x - (did.a * was.x - did.b * was.y) + (double)random_float(r, -0.3f, 0.3f);
    did.y = at->y - (did.b * was.x + did.a * was.y) + (double)random_float(r, -0.3f, 0.3f);
    return did;
}

/* As the camera shows them. */
static void show(object *shown, const object *objects, int n, const detect_camera *at)
{
    const double scale = sqrt(at->a * at->a + at->b * at->b);
    for (int i = 0; i < n; i++) {
        const double x = (double)objects[i].x, y = (double)objects[i].y;
        const int64_t last_id = shown[i].last_id;
        shown[i] = objects[i];
        shown[i].last_id = last_id;
        shown[i].x = (float)(at->a * x - at->b * y + at->x);
        shown[i].y = (float)(at->b * x + at->a * y + at->y);
        shown[i].w *= (float)scale;
        shown[i].h *= (float)scale;
    }
}

static void keep_company(company *c, const object *objects, int n_objects,
                         const detect_tracked *out, size_t n)
{
    for (int i = 0; i < n_objects; i++)
        for (size_t k = 0; k < n && objects[i].is_visible; k++) {
            const vg_detection truth = box_of(&objects[i]);
            assert_true(out[k].id < MOST_IDS);
            c->together[i][out[k].id] += (float)(iou_of(&truth, &out[k].box) >= 0.5f);
        }
}

/* Each object's one track, so that they are together in most frames. */
static int most_together(const company *c, base_mem *mem)
{
    static float cost[MOST_OBJECTS * MOST_IDS];
    detect_assignment *a;
    int id_of[MOST_OBJECTS], sum = 0;
    vg_error err;
    assert_int_equal(detect_assignment_create(&a, MOST_OBJECTS, MOST_IDS, mem, &err), VG_OK);
    for (int i = 0; i < MOST_OBJECTS * MOST_IDS; i++)
        cost[i] = FRAMES - c->together[i / MOST_IDS][i % MOST_IDS];
    detect_assignment_run(a, id_of, cost, MOST_OBJECTS, MOST_IDS, FRAMES);
    for (int i = 0; i < MOST_OBJECTS; i++)
        sum += id_of[i] >= 0 ? (int)c->together[i][id_of[i]] : 0;
    detect_assignment_destroy(&a);
    return sum;
}

static clear_mot follow(const scene *s, detect_track_kind kind, uint64_t seed)
{
    static company together;
    base_mem mem = {.tag = "test"};
    vg_error err;
    detect_tracker *t;
    detect_track_options o = DETECT_TRACK_DEFAULT;
    object objects[MOST_OBJECTS], shown[MOST_OBJECTS] = {0};
    detect_camera at = {.a = 1};
    clear_mot c = {0};
    test_random r = {.state = seed};
    o.most_tracks = MOST_TRACKS;
    o.most_detections = MOST_BOXES;
    o.kind = kind;
    memset(&together, 0, sizeof together);
    assert_int_equal(detect_tracker_create(&t, &o, 1, &mem, &err), VG_OK);
    place(objects, s, &r);
    for (int f = 0; f < FRAMES; f++) {
        vg_detection boxes[MOST_BOXES];
        detect_tracked out[MOST_TRACKS];
        move(objects, s);
        if (f % s->skip)
            continue;
        const detect_camera did = s->shake_px > 0 ? shake(&at, s, &r) : at;
        show(shown, objects, s->n_objects, &at);
        const size_t n = see(boxes, shown, s, &r);
        const size_t n_out = detect_tracker_step(t, 0, out, boxes, n, 0, &did);
        judge(&c, shown, s->n_objects, out, n_out);
        keep_company(&together, shown, s->n_objects, out, n_out);
        c.outputs += (int)n_out;
    }
    c.at_home = most_together(&together, &mem);
    detect_tracker_destroy(&t);
    return c;
}

static double mota(const clear_mot *c)
{
    return 1 - (double)(c->misses + c->inventions + c->switches) / c->truths;
}

static double idf1(const clear_mot *c)
{
    return 2.0 * c->at_home / (c->truths + c->outputs);
}

static clear_mot follow_all(const scene *s, detect_track_kind kind)
{
    clear_mot sum = {0};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        const clear_mot c = follow(s, kind, 10 * seed);
        sum.truths += c.truths;
        sum.misses += c.misses;
        sum.inventions += c.inventions;
        sum.switches += c.switches;
        sum.outputs += c.outputs;
        sum.at_home += c.at_home;
    }
    print_message("%-18s %-8s MOTA %.4f, IDF1 %.4f: %d misses, %d inventions, %d switches of %d\n",
                  s->name, kind == DETECT_TRACK_BOT ? "BoT-SORT" : "Byte", mota(&sum), idf1(&sum),
                  sum.misses, sum.inventions, sum.switches, sum.truths);
    return sum;
}

/* Bounds are what both reach, and a little: a change for the worse shows. */
static const scene SCENES[] = {
    {"clean", 8, false, 0, 0, 0, 0, 1, 0.999, 0, 0, 0},
    {"noisy", 8, false, 0.03f, 0.1f, 0.1f, 1.5f, 1, 0.96, 4, 2, 0},
    {"head on", 16, true, 0, 0, 0, 0.5f, 1, 0.998, 12, 2, 0},
    {"head on, noisy", 16, true, 0.05f, 0.15f, 0.2f, 1.5f, 1, 0.93, 28, 2, 0},
    {"many misses", 8, false, 0.25f, 0.1f, 0, 1, 1, 0.71, 28, 2, 0},
    {"many inventions", 8, false, 0.03f, 0.1f, 3, 1.5f, 1, 0.955, 8, 36, 0},
    {"every third frame", 8, false, 0.03f, 0.1f, 0.1f, 1.5f, 3, 0.91, 70, 2,
     0}, /* bounces are sharp */
};

static void identities_are_kept(void **state)
{
    (void)state;
    static const detect_track_kind kinds[] = {DETECT_TRACK_BYTE, DETECT_TRACK_BOT};
    for (size_t i = 0; i < 2 * sizeof SCENES / sizeof *SCENES; i++) {
        const scene *s = &SCENES[i / 2];
        const clear_mot sum = follow_all(s, kinds[i % 2]);
        assert_true(mota(&sum) >= s->least_mota);
        assert_true(sum.switches <= s->most_switches);
        assert_true(sum.inventions <= s->most_inventions);
    }
}

static void a_camera_that_shakes_costs_bot_sort_no_identities(void **state)
{
    (void)state;
    static const scene scenes[] = {
        {"shaking", 8, false, 0.03f, 0.1f, 0.1f, 1.5f, 1, 0.95, 8, 2, 20},
        {"shaking harder", 8, false, 0.03f, 0.1f, 0.1f, 1.5f, 1, 0.95, 8, 2, 40},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        const clear_mot byte = follow_all(&scenes[i], DETECT_TRACK_BYTE),
                        bot = follow_all(&scenes[i], DETECT_TRACK_BOT);
        assert_true(mota(&bot) >= scenes[i].least_mota);
        assert_true(bot.switches <= scenes[i].most_switches);
        assert_true(bot.inventions <= scenes[i].most_inventions);
        assert_true(byte.switches > 10 * scenes[i].most_switches);
        assert_true(idf1(&bot) > idf1(&byte) + 0.2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_kept),
        cmocka_unit_test(a_camera_that_shakes_costs_bot_sort_no_identities)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

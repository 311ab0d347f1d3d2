/* test_task_loss.c: the losses of masks, keypoints, turned boxes and classes: gradients against
 * finite differences with the targets held, threads, what is refused. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "detect/detect.h"
#include "support/random.h"

enum {
    BATCH = 2,
    SIDE = 64,
    NC = 3,
    LEVELS = 3,
    N_LABELS = 6,
    CHANNELS = 6,
    MAP = SIDE / 4,
    KEYPOINTS = 5,
    MOST_FLOATS = BATCH * SIDE * SIDE * 6
};

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

/* A batch with all that any kind wants; n_extra says which. */
typedef struct scene {
    detect_level level[LEVELS];
    detect_gradient gradient[LEVELS];
    detect_label labels[N_LABELS];
    float keypoints[N_LABELS * KEYPOINTS * 3];
    int32_t index_maps[BATCH * SIDE / 2 * SIDE / 2];
    uint8_t masks[N_LABELS * MAP * MAP];
    float *floats; /* (MOST_FLOATS): maps */
    float *slopes; /* (MOST_FLOATS): their gradients, at the same places */
    size_t used;
    size_t extra_at[LEVELS], box_at[LEVELS], result_at, result_n;
    detect_batch batch;
    detect_loss *loss;
} scene;

static float *take(scene *s, size_t n, test_random *r, float least, float most)
{
    float *at = s->floats + s->used;
    assert_true(s->used + n <= MOST_FLOATS);
    for (size_t i = 0; i < n; i++)
        at[i] = random_float(r, least, most);
    s->used += n;
    return at;
}

static float *slope_at(const scene *s, const float *map)
{
    return s->slopes + (map - s->floats);
}

static void make_labels(scene *s, test_random *r)
{
    for (int i = 0; i < N_LABELS; i++) {
        detect_label *l = &s->labels[i];
        *l = (detect_label){.picture = i * BATCH / N_LABELS,
                            .class_index = i % NC,
                            .angle = random_float(r, -0.7f, 2)};
        for (int k = 0; k < 2; k++) {
            l->xywh_norm[k] = random_float(r, 0.3f, 0.7f);
            l->xywh_norm[k + 2] = random_float(r, 0.2f, 0.6f);
        }
        for (int k = 0; k < KEYPOINTS; k++) {
            float *p = s->keypoints + (i * KEYPOINTS + k) * 3;
            p[0] = random_float(r, 0.2f, 0.8f);
            p[1] = random_float(r, 0.2f, 0.8f);
            p[2] = i == 0 ? 0 : (float)((i + k) % 3); /* object 0 shows nothing */
        }
    }
    for (size_t i = 0; i < sizeof s->masks; i++)
        s->masks[i] = random_float(r, 0, 1) > 0.5f;
    for (size_t i = 0; i < sizeof s->index_maps / sizeof *s->index_maps; i++)
        s->index_maps[i] = (int32_t)random_float(r, 0, 3.999f);
}

static void scene_open(scene *s, const detect_loss_kind *kind, int n_extra, uint64_t seed)
{
    test_random r = {seed};
    *s = (scene){0};
    s->floats = base_alloc(&mem, MOST_FLOATS * sizeof(float), NULL);
    s->slopes = base_alloc(&mem, MOST_FLOATS * sizeof(float), NULL);
    assert_true(s->floats != NULL && s->slopes != NULL);
    for (size_t i = 0; i < MOST_FLOATS; i++)
        s->slopes[i] = NAN; /* every element has to be written */
    make_labels(s, &r);
    s->batch = (detect_batch){.levels = s->level,
                              .n_levels = LEVELS,
                              .nc = NC,
                              .batch = BATCH,
                              .labels = s->labels,
                              .n_labels = N_LABELS,
                              .extras = {.keypoints = s->keypoints,
                                         .n_keypoints = KEYPOINTS,
                                         .keypoint_dims = n_extra / KEYPOINTS,
                                         .index_maps = s->index_maps,
                                         .mask_h = SIDE / 2,
                                         .mask_w = SIDE / 2}};
    for (int i = 0; i < LEVELS; i++) {
        const int side = SIDE / (8 << i);
        const size_t pixels = (size_t)(BATCH * side * side);
        float *box = take(s, pixels * (DETECT_BOX_CHANNELS + NC), &r, -2, 2),
              *extra = take(s, pixels * (size_t)n_extra, &r, -1, 1);
        s->box_at[i] = (size_t)(box - s->floats);
        s->extra_at[i] = (size_t)(extra - s->floats);
        s->level[i] = (detect_level){.box = box,
                                     .cls = box + DETECT_BOX_CHANNELS,
                                     .box_pitch = DETECT_BOX_CHANNELS + NC,
                                     .cls_pitch = DETECT_BOX_CHANNELS + NC,
                                     .h = side,
                                     .w = side,
                                     .stride = (float)(8 << i),
                                     .extra = extra,
                                     .extra_pitch = (size_t)n_extra,
                                     .n_extra = n_extra};
        s->gradient[i] = (detect_gradient){.box = slope_at(s, box),
                                           .cls = slope_at(s, box) + DETECT_BOX_CHANNELS,
                                           .box_pitch = DETECT_BOX_CHANNELS + NC,
                                           .cls_pitch = DETECT_BOX_CHANNELS + NC,
                                           .extra = slope_at(s, extra),
                                           .extra_pitch = (size_t)n_extra};
    }
    s->result_n = BATCH * MAP * MAP * CHANNELS;
    const float *map = take(s, s->result_n, &r, -1, 2);
    s->result_at = (size_t)(map - s->floats);
    s->batch.result = (detect_result){.data = map,
                                      .pitch = CHANNELS,
                                      .h = MAP,
                                      .w = MAP,
                                      .channels = CHANNELS,
                                      .gradient = slope_at(s, map),
                                      .gradient_pitch = CHANNELS};
    const detect_loss_bounds bounds = {.most_batch = BATCH,
                                       .most_anchors = detect_n_anchors(s->level, LEVELS),
                                       .most_labels = N_LABELS,
                                       .n_threads = 2,
                                       .kind = kind};
    assert_int_equal(detect_loss_create(&s->loss, &bounds, &mem, NULL), VG_OK);
}

static void scene_close(scene *s)
{
    detect_loss_destroy(&s->loss);
    base_free(s->floats);
    base_free(s->slopes);
}

static double total(scene *s, const detect_loss_gains *gains)
{
    detect_loss_value v;
    detect_loss_terms(s->loss, &v, NULL, &s->batch, gains, NULL);
    return v.total;
}

/* Each of n maps' elements from `at` on, some of them: the slope by a small step either way. About
 * how many of all are steep. Where every access is watched, a tenth of them is looked at. */
static size_t check_slopes(scene *s, size_t at, size_t n, size_t every,
                           const detect_loss_gains *gains)
{
    const size_t part = getenv("VIGIL_TEST_SMALL") != NULL ? 11 : 1;
    size_t n_steep = 0;
    for (size_t i = at; i < at + n; i += every * part) {
        const float was = s->floats[i], step = 2e-3f;
        s->floats[i] = was + step;
        const double up = total(s, gains), up_at = s->floats[i];
        s->floats[i] = was - step;
        const double want = (up - total(s, gains)) / (up_at - s->floats[i]);
        s->floats[i] = was;
        assert_true(fabs(want - s->slopes[i]) <= 6e-4 + 5e-3 * fabs(want));
        n_steep += fabs(want) > 3e-3;
    }
    return n_steep * part;
}

static void run(scene *s, detect_loss_value *v, const detect_loss_gains *gains)
{
    assert_int_equal(detect_loss_run(s->loss, v, s->gradient, &s->batch, gains, NULL, NULL), VG_OK);
    assert_true(v->n_foreground > 5);
}

/* The CIoU term's slope leaves out a part on purpose (test_loss.c), so box has no gain here. */
static const detect_loss_gains without_box = {.cls = 0.5f, .pose = 12, .kobj = 1};

static void slopes_of_masks_are_those_of_their_loss(void **state)
{
    (void)state;
    /* The gain of boxes is the masks' gain, too: the coefficients and prototypes alone are looked
     * at, which boxes do not depend on. */
    const detect_loss_gains gains = {.box = 7.5f};
    for (int form = 0; form < 2; form++) {
        scene s;
        detect_loss_value v;
        scene_open(&s, &DETECT_LOSS_MASKS, CHANNELS, 3);
        if (form == 1) {
            s.batch.extras.index_maps = NULL;
            s.batch.extras.masks = s.masks;
            s.batch.extras.mask_h = s.batch.extras.mask_w = MAP;
        }
        run(&s, &v, &gains);
        assert_int_equal(v.n_items, 4);
        assert_true(v.items[1] > 0.1);
        size_t n_steep = check_slopes(&s, s.extra_at[0], BATCH * 64 * CHANNELS, 1, &gains);
        assert_true(n_steep > 20);
        n_steep = check_slopes(&s, s.result_at, s.result_n, 3, &gains);
        assert_true(n_steep > 20);
        scene_close(&s);
    }
}

static void slopes_of_keypoints_are_those_of_their_loss(void **state)
{
    (void)state;
    for (int dims = 2; dims <= 3; dims++) {
        scene s;
        detect_loss_value v;
        scene_open(&s, &DETECT_LOSS_KEYPOINTS, KEYPOINTS * dims, 4);
        run(&s, &v, &without_box);
        assert_int_equal(v.n_items, 5);
        assert_true(v.items[1] > 0.1);
        assert_true(dims == 2 ? v.items[2] == 0 : v.items[2] > 0.1);
        size_t n_steep = 0;
        for (int i = 0; i < LEVELS; i++)
            n_steep += check_slopes(
                &s, s.extra_at[i], (size_t)(BATCH * s.level[i].h * s.level[i].w * KEYPOINTS * dims),
                1, &without_box);
        assert_true(n_steep > 20);
        scene_close(&s);
    }
}

static void slopes_of_turned_boxes_are_those_of_their_loss(void **state)
{
    (void)state;
    scene s;
    detect_loss_value v;
    const detect_loss_gains gains = DETECT_LOSS_GAINS;
    scene_open(&s, &DETECT_LOSS_ROTATED, 1, 5);
    run(&s, &v, &gains);
    size_t n_steep = 0, n_turns = 0;
    for (int i = 0; i < LEVELS; i++) {
        const size_t pixels = (size_t)(BATCH * s.level[i].h * s.level[i].w);
        n_turns += check_slopes(&s, s.extra_at[i], pixels, 1, &gains);
        n_steep += check_slopes(&s, s.box_at[i], pixels * (DETECT_BOX_CHANNELS + NC), 1, &gains);
    }
    assert_true(n_turns > 5 && n_steep > 20);
    scene_close(&s);
}

static void a_turned_box_too_thin_is_left_out_by_the_other_side(void **state)
{
    (void)state;
    scene s;
    detect_loss_value v;
    scene_open(&s, &DETECT_LOSS_ROTATED, 1, 5);
    /* 128 x 64 pixels, so far: levels of 16 x 8 cells are made of the same floats. */
    for (int i = 0; i < LEVELS; i++) {
        s.level[i].h /= 2;
        s.level[i].w *= 2;
    }
    s.batch.n_labels = 1;
    s.labels[0] = (detect_label){.xywh_norm = {0.5f, 0.5f, 0.05f, 0.5f}};
    /* 0.05 * 128 = 6.4 pixels wide, but 0.05 * 32 = 1.6 by the height. */
    assert_int_equal(detect_loss_run(s.loss, &v, NULL, &s.batch, &DETECT_LOSS_GAINS, NULL, NULL),
                     VG_OK);
    assert_int_equal(detect_loss_targets(s.loss, 0).n_truths, 0);
    s.labels[0].xywh_norm[2] = 0.07f;
    assert_int_equal(detect_loss_run(s.loss, &v, NULL, &s.batch, &DETECT_LOSS_GAINS, NULL, NULL),
                     VG_OK);
    assert_int_equal(detect_loss_targets(s.loss, 0).n_truths, 1);
    scene_close(&s);
}

static void threads_change_no_bit_and_nothing_allocates(void **state)
{
    (void)state;
    const detect_loss_kind *kinds[] = {&DETECT_LOSS_MASKS, &DETECT_LOSS_KEYPOINTS,
                                       &DETECT_LOSS_ROTATED};
    const int n_extra[] = {CHANNELS, 3 * KEYPOINTS, 1};
    base_pool *pool = NULL;
    assert_int_equal(base_pool_create(&pool, 2, &mem, NULL), VG_OK);
    for (int k = 0; k < 3; k++) {
        scene s;
        detect_loss_value alone, shared;
        scene_open(&s, kinds[k], n_extra[k], 6);
        const uint64_t before = mem.n_allocs;
        run(&s, &alone, &DETECT_LOSS_GAINS);
        assert_int_equal(mem.n_allocs, before);
        float *first = base_alloc(&mem, s.used * sizeof(float), NULL);
        memcpy(first, s.slopes, s.used * sizeof(float));
        for (size_t i = 0; i < s.used; i++)
            s.slopes[i] = NAN;
        assert_int_equal(
            detect_loss_run(s.loss, &shared, s.gradient, &s.batch, &DETECT_LOSS_GAINS, pool, NULL),
            VG_OK);
        assert_memory_equal(&alone, &shared, sizeof alone);
        for (size_t i = 0; i < s.used; i++)
            assert_true(isfinite(first[i]) || (k > 0 && i >= s.result_at && first[i] == 0));
        assert_memory_equal(first, s.slopes, s.used * sizeof(float));
        base_free(first);
        scene_close(&s);
    }
    base_pool_destroy(&pool);
}

static void no_labels_leave_no_slope_but_the_classes(void **state)
{
    (void)state;
    scene s;
    detect_loss_value v;
    scene_open(&s, &DETECT_LOSS_MASKS, CHANNELS, 7);
    s.batch.n_labels = 0;
    s.batch.extras = (detect_extras){0};
    assert_int_equal(
        detect_loss_run(s.loss, &v, s.gradient, &s.batch, &DETECT_LOSS_GAINS, NULL, NULL), VG_OK);
    assert_true(v.items[0] == 0 && v.items[1] == 0 && v.items[3] == 0 && v.items[2] > 0);
    for (size_t i = s.result_at; i < s.result_at + s.result_n; i++)
        assert_true(s.slopes[i] == 0);
    scene_close(&s);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    const struct {
        const detect_loss_kind *kind;
        int n_extra;
    } cases[] = {{&DETECT_LOSS_MASKS, CHANNELS},
                 {&DETECT_LOSS_KEYPOINTS, 3 * KEYPOINTS},
                 {&DETECT_LOSS_ROTATED, 1}};
    for (int k = 0; k < 3; k++) {
        scene s;
        vg_error err;
        detect_loss_value v;
        scene_open(&s, cases[k].kind, cases[k].n_extra, 8);
        s.level[1].n_extra++;
        assert_int_equal(
            detect_loss_run(s.loss, &v, NULL, &s.batch, &DETECT_LOSS_GAINS, NULL, &err),
            VG_ERR_ARGUMENT);
        s.level[1].n_extra--;
        s.batch.extras.index_maps = NULL;
        s.batch.extras.keypoints = NULL;
        assert_int_equal(
            detect_loss_run(s.loss, &v, NULL, &s.batch, &DETECT_LOSS_GAINS, NULL, &err),
            k < 2 ? VG_ERR_ARGUMENT : VG_OK);
        scene_close(&s);
    }
}

/* ---- classes ---- */

static void slopes_of_classes_are_those_of_their_mean(void **state)
{
    (void)state;
    enum { N = 4 };
    test_random r = {9};
    float logits[N * NC], slopes[N * NC];
    detect_label labels[N];
    for (int i = 0; i < N; i++)
        labels[i] = (detect_label){.picture = i, .class_index = i % NC};
    for (int i = 0; i < N * NC; i++)
        logits[i] = random_float(&r, -3, 3);
    detect_batch b = {.nc = NC,
                      .batch = N,
                      .labels = labels,
                      .n_labels = N,
                      .result = {.data = logits,
                                 .pitch = NC,
                                 .h = 1,
                                 .w = 1,
                                 .channels = NC,
                                 .gradient = slopes,
                                 .gradient_pitch = NC}};
    const detect_loss_bounds bounds = {.most_batch = N,
                                       .most_anchors = 1,
                                       .most_labels = 1,
                                       .n_threads = 1,
                                       .kind = &DETECT_LOSS_CLASSES};
    detect_loss *l = NULL;
    detect_gradient none[1] = {{0}};
    detect_loss_value v, moved;
    vg_error err;
    assert_int_equal(detect_loss_create(&l, &bounds, &mem, NULL), VG_OK);
    assert_int_equal(detect_loss_run(l, &v, none, &b, &DETECT_LOSS_GAINS, NULL, NULL), VG_OK);
    assert_true(v.n_items == 1 && v.total == v.items[0]); /* the mean, not the sum */
    for (int i = 0; i < N * NC; i++) {
        const float was = logits[i];
        logits[i] = was + 1e-3f;
        detect_loss_terms(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL);
        logits[i] = was - 1e-3f;
        detect_loss_terms(l, &moved, NULL, &b, &DETECT_LOSS_GAINS, NULL);
        logits[i] = was;
        assert_true(fabs((v.total - moved.total) / 2e-3 - slopes[i]) < 1e-4);
    }
    b.as_validated = true; /* about ln 3, whatever is right */
    detect_loss_terms(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL);
    assert_true(v.total > 0.5 && v.total < 2);
    b.n_labels = N - 1;
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, &err),
                     VG_ERR_ARGUMENT);
    b.n_labels = N;
    labels[2].picture = 1;
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, &err),
                     VG_ERR_ARGUMENT);
    assert_string_equal(err.where, "picture 2 of the batch");
    detect_loss_destroy(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_of_masks_are_those_of_their_loss),
        cmocka_unit_test(slopes_of_keypoints_are_those_of_their_loss),
        cmocka_unit_test(slopes_of_turned_boxes_are_those_of_their_loss),
        cmocka_unit_test(a_turned_box_too_thin_is_left_out_by_the_other_side),
        cmocka_unit_test(threads_change_no_bit_and_nothing_allocates),
        cmocka_unit_test(no_labels_leave_no_slope_but_the_classes),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(slopes_of_classes_are_those_of_their_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

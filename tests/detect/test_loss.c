/* test_loss.c: assigner, loss and gradient against the golden files and finite differences; bounds;
 * threads. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "detect/levels.h"
#include "support/golden.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static void *take(size_t n, size_t size)
{
    void *p = base_alloc_zero(&mem, n ? n : 1, size, NULL);
    assert_non_null(p);
    return p;
}

/* Gradient maps of the levels' layout, filled with rubbish, which run must replace. */
typedef struct grads {
    float *data[TEST_LEVELS];
    detect_gradient level[TEST_LEVELS];
    size_t n[TEST_LEVELS];
} grads;

static grads grads_make(const detect_level *levels, int batch, int nc)
{
    grads g;
    for (int i = 0; i < TEST_LEVELS; i++) {
        size_t channels = (size_t)(DETECT_BOX_CHANNELS + nc);
        g.n[i] = (size_t)(batch * levels[i].h * levels[i].w) * channels;
        g.data[i] = take(g.n[i], sizeof(float));
        for (size_t k = 0; k < g.n[i]; k++)
            g.data[i][k] = 1e9f;
        g.level[i] = (detect_gradient){.box = g.data[i],
                                       .cls = g.data[i] + DETECT_BOX_CHANNELS,
                                       .box_pitch = channels,
                                       .cls_pitch = channels};
    }
    return g;
}

static void grads_free(grads *g)
{
    for (int i = 0; i < TEST_LEVELS; i++)
        base_free(g->data[i]);
}

/* ---- golden ---- */

typedef struct scene {
    golden_file *file;
    int nc, n, h, w;
    float *data[TEST_LEVELS];
    detect_level level[TEST_LEVELS];
    detect_label *labels;
    detect_batch batch;
} scene;

/* (N,C,H,W) at pixel p of picture i -> channel c. */
static size_t nchw(const detect_level *l, size_t channels, size_t i, size_t p, size_t c)
{
    return (i * channels + c) * (size_t)(l->h * l->w) + p;
}

static void scene_open(scene *s, const char *name)
{
    s->file = golden_open(name);
    s->nc = (int)strtol(golden_meta(s->file, "nc"), NULL, 10);
    s->n = (int)golden_dim(s->file, "raw0", 0);
    size_t channels = (size_t)(DETECT_BOX_CHANNELS + s->nc);
    for (int i = 0; i < TEST_LEVELS; i++) {
        char key[16];
        snprintf(key, sizeof key, "raw%d", i);
        detect_level *l = &s->level[i];
        const float *raw = golden_f32(s->file, key, NULL);
        *l = (detect_level){.h = (int)golden_dim(s->file, key, 2)};
        l->w = (int)golden_dim(s->file, key, 3);
        l->stride = (float)(8 << i);
        l->box_pitch = l->cls_pitch = channels;
        size_t pixels = (size_t)(l->h * l->w);
        s->data[i] = take((size_t)s->n * pixels * channels, sizeof(float));
        for (size_t b = 0; b < (size_t)s->n; b++)
            for (size_t p = 0; p < pixels; p++)
                for (size_t c = 0; c < channels; c++)
                    s->data[i][(b * pixels + p) * channels + c] = raw[nchw(l, channels, b, p, c)];
        l->box = s->data[i];
        l->cls = s->data[i] + DETECT_BOX_CHANNELS;
    }
    size_t n_labels = golden_dim(s->file, "targets", 0);
    const float *t = golden_f32(s->file, "targets", NULL);
    s->labels = take(n_labels, sizeof *s->labels);
    for (size_t i = 0; i < n_labels; i++, t += 6)
        s->labels[i] = (detect_label){
            .picture = (int)t[0], .class_index = (int)t[1], .xywh_norm = {t[2], t[3], t[4], t[5]}};
    s->batch = (detect_batch){.levels = s->level,
                              .n_levels = TEST_LEVELS,
                              .nc = s->nc,
                              .batch = s->n,
                              .labels = s->labels,
                              .n_labels = n_labels};
}

static void scene_close(scene *s)
{
    golden_close(s->file);
    base_free(s->labels);
    for (int i = 0; i < TEST_LEVELS; i++)
        base_free(s->data[i]);
}

static detect_loss *loss_make(const detect_level *levels, int batch, size_t most_labels)
{
    detect_loss *l = NULL;
    const detect_loss_bounds b = {.most_batch = (size_t)batch,
                                  .most_anchors = detect_n_anchors(levels, TEST_LEVELS),
                                  .most_labels = most_labels,
                                  .n_threads = 2};
    assert_int_equal(detect_loss_create(&l, &b, &mem, NULL), VG_OK);
    return l;
}

static void check_targets(const scene *s, const detect_loss *l)
{
    size_t n = detect_n_anchors(s->level, TEST_LEVELS), nc = (size_t)s->nc;
    const uint8_t *fg = golden_u8(s->file, "fg_mask", NULL);
    const int64_t *labels = golden_i64(s->file, "target_labels", NULL);
    const int64_t *index = golden_i64(s->file, "target_gt_idx", NULL);
    const float *scores = golden_f32(s->file, "target_scores", NULL);
    const float *boxes = golden_f32(s->file, "target_bboxes", NULL);
    for (int i = 0; i < s->n; i++) {
        detect_targets t = detect_loss_targets(l, i);
        for (size_t a = 0; a < n; a++) {
            size_t at = (size_t)i * n + a;
            assert_int_equal(t.truth_index[a] >= 0, fg[at]);
            for (size_t c = 0; c < nc; c++) {
                bool hot = fg[at] && (int64_t)c == labels[at];
                assert_float_equal((hot ? t.weight[a] : 0), scores[at * nc + c],
                                   1e-4f * scores[at * nc + c] + 1e-9f);
            }
            if (!fg[at])
                continue;
            const detect_truth *truth = &t.truths[t.truth_index[a]];
            assert_int_equal(t.truth_index[a], index[at]);
            assert_int_equal(truth->class_index, labels[at]);
            for (size_t k = 0; k < 4; k++)
                assert_float_equal(truth->xyxy[k], boxes[at * 4 + k], 1e-4);
        }
    }
}

static void check_gradients(const scene *s, const grads *g)
{
    size_t channels = (size_t)(DETECT_BOX_CHANNELS + s->nc);
    for (int i = 0; i < TEST_LEVELS; i++) {
        char key[16];
        snprintf(key, sizeof key, "grad%d", i);
        const float *want = golden_f32(s->file, key, NULL);
        size_t pixels = (size_t)(s->level[i].h * s->level[i].w);
        for (size_t b = 0; b < (size_t)s->n; b++)
            for (size_t p = 0; p < pixels; p++)
                for (size_t c = 0; c < channels; c++) {
                    float w = want[nchw(&s->level[i], channels, b, p, c)];
                    float got = g->data[i][(b * pixels + p) * channels + c];
                    assert_true(fabsf(got - w) <= 1e-5f + 1e-3f * fabsf(w));
                }
    }
}

static void check_golden(const char *name, bool objects)
{
    scene s;
    scene_open(&s, name);
    grads g = grads_make(s.level, s.n, s.nc);
    detect_loss *l = loss_make(s.level, s.n, 16);
    detect_loss_value v;
    assert_int_equal(detect_loss_run(l, &v, g.level, &s.batch, &DETECT_LOSS_GAINS, NULL, NULL),
                     VG_OK);
    const float *items = golden_f32(s.file, "loss_items", NULL),
                total = *golden_f32(s.file, "loss_total", NULL);
    assert_true(fabs(v.items[0] - items[0]) <= 1e-4 * items[0]);
    assert_true(fabs(v.items[1] - items[1]) <= 1e-4 * items[1]);
    assert_true(fabs(v.items[2] - items[2]) <= 1e-4 * items[2]);
    assert_true(fabs(v.total - total) <= 1e-4 * total);
    float sum = *golden_f32(s.file, "target_scores_sum", NULL); /* already raised to 1 */
    assert_true(fabs(fmax(v.scores_sum, 1) - sum) <= 1e-4 * sum);
    assert_int_equal(v.n_foreground > 0, objects);
    check_targets(&s, l);
    check_gradients(&s, &g);
    detect_loss_destroy(&l);
    grads_free(&g);
    scene_close(&s);
}

static void golden_losses_targets_and_gradients_are_met(void **state)
{
    (void)state;
    check_golden("loss_a_regular.safetensors", true);
    check_golden("loss_b_one_image_empty.safetensors", true);
    check_golden("loss_c_overlap.safetensors", true);
    check_golden("loss_d_no_objects.safetensors", false);
    check_golden("loss_e_tiny_boxes.safetensors", true);
}

/* ---- finite differences ---- */

enum { NC = 5, BATCH = 2, SIDE = 64 };

static size_t random_labels(detect_label *out, size_t n, test_random *r)
{
    for (size_t i = 0; i < n; i++) {
        out[i].picture = (int)(random_u64(r) % BATCH);
        out[i].class_index = (int)(random_u64(r) % NC);
        for (int k = 0; k < 2; k++) {
            out[i].xywh_norm[k] = random_float(r, 0.2f, 0.8f);
            out[i].xywh_norm[k + 2] = random_float(r, 0.1f, 0.6f);
        }
    }
    return n;
}

/* The slope of one term by a logit, the targets held. */
static double slope(detect_loss *l, const detect_batch *b, const detect_loss_gains *gains,
                    float *logit, float step)
{
    detect_loss_value up, down;
    float was = *logit;
    *logit = was + step;
    double high = *logit;
    detect_loss_terms(l, &up, NULL, b, gains, NULL);
    *logit = was - step;
    double low = *logit;
    detect_loss_terms(l, &down, NULL, b, gains, NULL);
    *logit = was;
    return (up.total - down.total) / (high - low);
}

static void class_and_dfl_gradients_are_slopes_with_the_targets_held(void **state)
{
    (void)state;
    /* The box term's shape weight counts as constant, so its slope is not its gradient: test below.
     */
    const detect_loss_gains gains = {.box = 0, .cls = 0.5f, .dfl = 1.5f};
    test_random r = {11};
    test_levels t;
    detect_label labels[8];
    detect_loss_value v;
    levels_make(&t, BATCH, SIDE, SIDE, NC, 0, -4, 4, 12, &mem);
    grads g = grads_make(t.level, BATCH, NC);
    detect_loss *l = loss_make(t.level, BATCH, 16);
    detect_batch b = {.levels = t.level,
                      .n_levels = TEST_LEVELS,
                      .nc = NC,
                      .batch = BATCH,
                      .labels = labels,
                      .n_labels = random_labels(labels, 8, &r)};
    assert_int_equal(detect_loss_run(l, &v, g.level, &b, &gains, NULL, NULL), VG_OK);
    assert_true(v.n_foreground > 10);
    double largest_box = 0;
    for (int i = 0; i < TEST_LEVELS; i++)
        for (size_t k = 0; k < g.n[i]; k += 1 + random_u64(&r) % 5) {
            double want = slope(l, &b, &gains, &t.data[i][k], 0.01f);
            if (k % (DETECT_BOX_CHANNELS + NC) < DETECT_BOX_CHANNELS)
                largest_box = fmax(largest_box, fabs(want));
            assert_true(fabs(g.data[i][k] - want) <= 2e-5 + 1e-3 * fabs(want));
        }
    assert_true(largest_box > 0.01); /* foreground was among them */
    detect_loss_destroy(&l);
    grads_free(&g);
    levels_free(&t);
}

static void the_box_gradient_is_the_chain_of_its_parts(void **state)
{
    (void)state;
    /* A small step of every logit of one anchor along a random direction moves its box; the box's
     * gradient by CIoU and the box's own move (finite differences of the decode) must add up to
     * what the logits' gradient says. */
    const detect_loss_gains gains = {.box = 7.5f, .cls = 0, .dfl = 0};
    test_random r = {21};
    test_levels t;
    detect_label labels[6];
    detect_loss_value v;
    levels_make(&t, BATCH, SIDE, SIDE, NC, 0, -4, 4, 22, &mem);
    grads g = grads_make(t.level, BATCH, NC);
    detect_loss *l = loss_make(t.level, BATCH, 16);
    detect_batch b = {.levels = t.level,
                      .n_levels = TEST_LEVELS,
                      .nc = NC,
                      .batch = BATCH,
                      .labels = labels,
                      .n_labels = random_labels(labels, 6, &r)};
    assert_int_equal(detect_loss_run(l, &v, g.level, &b, &gains, NULL, NULL), VG_OK);
    double divisor = fmax(v.scores_sum, 1), sum = 0;
    size_t seen = 0;
    for (int picture = 0; picture < BATCH; picture++) {
        detect_targets targets = detect_loss_targets(l, picture);
        size_t anchor = 0;
        for (int i = 0; i < TEST_LEVELS; i++)
            for (int p = 0; p < t.level[i].h * t.level[i].w; p++, anchor++) {
                const detect_level *lv = &t.level[i];
                size_t at = (size_t)(picture * lv->h * lv->w + p);
                const float *z = lv->box + at * lv->box_pitch,
                            *got = g.level[i].box + at * g.level[i].box_pitch;
                if (targets.truth_index[anchor] < 0) {
                    for (int k = 0; k < DETECT_BOX_CHANNELS; k++)
                        assert_true(got[k] == 0);
                    continue;
                }
                const detect_truth *truth = &targets.truths[targets.truth_index[anchor]];
                float target[4], box[4];
                double d[4][3], move[4], along = 0, direction[DETECT_BOX_CHANNELS], ciou_slope[4];
                for (int k = 0; k < DETECT_BOX_CHANNELS; k++)
                    along += (direction[k] = random_float(&r, -1, 1)) * got[k];
                for (int side = 0; side < 4; side++) {
                    for (int e = 0; e < 3; e++) {
                        double total = 0, mean = 0;
                        for (int k = 0; k < DETECT_REG_MAX; k++) {
                            int c = side * DETECT_REG_MAX + k;
                            double x = exp(z[c] + (e - 1) * 1e-5 * direction[c]);
                            total += x;
                            mean += k * x;
                        }
                        d[side][e] = mean / total;
                    }
                    move[side] = (d[side][2] - d[side][0]) / 2e-5 * (side < 2 ? -1 : 1);
                    target[side] = truth->xyxy[side] / lv->stride;
                }
                double ax = p % lv->w + 0.5, ay = p / lv->w + 0.5; /* NOLINT: whole rows */
                box[0] = (float)(ax - d[0][1]), box[1] = (float)(ay - d[1][1]);
                box[2] = (float)(ax + d[2][1]), box[3] = (float)(ay + d[3][1]);
                double ciou = detect_ciou_gradient(ciou_slope, box, target), want = 0;
                for (int side = 0; side < 4; side++)
                    want -= ciou_slope[side] * move[side] * 7.5 * BATCH * targets.weight[anchor] /
                            divisor;
                assert_true(fabs(along - want) <= 1e-5 + 1e-3 * fabs(want));
                sum += (1 - ciou) * targets.weight[anchor];
                seen++;
            }
    }
    assert_int_equal(seen, v.n_foreground);
    assert_true(seen > 10);
    assert_true(fabs(v.items[0] - sum * 7.5 / divisor) <= 1e-5 * v.items[0]);
    detect_loss_destroy(&l);
    grads_free(&g);
    levels_free(&t);
}

/* ---- assigner's edges ---- */

static void an_anchor_that_several_objects_want_goes_to_the_one_it_fits_best(void **state)
{
    (void)state;
    /* The same box twice: every anchor is a tie, and ties go to the first. Each object has ten
     * wishes, all the same. */
    test_levels t;
    detect_loss_value v;
    levels_make(&t, 1, SIDE, SIDE, NC, 0, -1, 1, 4, &mem);
    detect_loss *l = loss_make(t.level, 1, 16);
    const detect_label twins[2] = {
        {.picture = 0, .class_index = 2, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}},
        {.picture = 0, .class_index = 2, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}}};
    detect_batch b = {.levels = t.level,
                      .n_levels = TEST_LEVELS,
                      .nc = NC,
                      .batch = 1,
                      .labels = twins,
                      .n_labels = 2};
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, NULL), VG_OK);
    assert_int_equal(v.n_foreground, DETECT_TOPK);
    detect_targets targets = detect_loss_targets(l, 0);
    for (size_t a = 0; a < t.n_anchors; a++)
        assert_true(targets.truth_index[a] <= 0);
    detect_loss_destroy(&l);
    levels_free(&t);
}

static void an_object_centred_outside_the_picture_gets_no_anchors(void **state)
{
    (void)state;
    /* x1 + y1 + x2 + y2 <= 0 marks a row of padding in the reference: such a box counts as none
     * though it reaches in. */
    test_levels t;
    detect_loss_value v;
    levels_make(&t, 1, SIDE, SIDE, NC, 0, -1, 1, 4, &mem);
    detect_loss *l = loss_make(t.level, 1, 16);
    detect_label label = {.picture = 0, .class_index = 2, .xywh_norm = {-0.01f, 0, 0.9f, 0.9f}};
    detect_batch b = {.levels = t.level,
                      .n_levels = TEST_LEVELS,
                      .nc = NC,
                      .batch = 1,
                      .labels = &label,
                      .n_labels = 1};
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, NULL), VG_OK);
    assert_int_equal(v.n_foreground, 0);
    assert_true(v.items[0] == 0 && v.items[2] == 0 && v.items[1] > 0);
    label.xywh_norm[0] = 0.01f;
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, NULL), VG_OK);
    assert_true(v.n_foreground > 0);
    detect_loss_destroy(&l);
    levels_free(&t);
}

static void distances_past_the_last_bin_aim_just_below_it(void **state)
{
    (void)state;
    /* One level of 40 x 40 cells and an object as large as the picture: its sides are up to 40
     * cells away, bins end at 15, so t is clamped to 14.99 (spec 3.3). */
    test_levels t;
    detect_loss_value v;
    levels_make(&t, 1, 320, 320, NC, 0, -1, 1, 4, &mem);
    detect_loss *l = loss_make(t.level, 1, 16);
    const detect_label label = {.picture = 0, .class_index = 2, .xywh_norm = {0.5f, 0.5f, 1, 1}};
    detect_batch b = {
        .levels = t.level, .n_levels = 1, .nc = NC, .batch = 1, .labels = &label, .n_labels = 1};
    const detect_loss_gains gains = {.dfl = 1};
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &gains, NULL, NULL), VG_OK);
    detect_targets targets = detect_loss_targets(l, 0);
    double want = 0;
    size_t clamped = 0;
    for (int p = 0; p < 40 * 40; p++) {
        if (targets.truth_index[p] < 0)
            continue;
        double ax = p % 40 + 0.5, ay = p / 40 + 0.5,
               d[4] = {ax, ay, 40 - ax, 40 - ay}; /* NOLINT: whole rows */
        for (int side = 0; side < 4; side++) {
            const float *z =
                t.level[0].box + (size_t)p * t.level[0].box_pitch + side * DETECT_REG_MAX;
            double sum = 0, at = fmin(d[side], 14.99), low = floor(at);
            clamped += d[side] > 14.99;
            for (int k = 0; k < DETECT_REG_MAX; k++)
                sum += exp(z[k]);
            want += targets.weight[p] / 4 *
                    ((low + 1 - at) * (log(sum) - z[(int)low]) +
                     (at - low) * (log(sum) - z[(int)low + 1]));
        }
    }
    assert_true(clamped > 5);
    assert_true(fabs(v.items[2] - want / fmax(v.scores_sum, 1)) <= 1e-5 * v.items[2]);
    detect_loss_destroy(&l);
    levels_free(&t);
}

static void wild_labels_and_logits_end_in_numbers_or_nan_but_no_crash(void **state)
{
    (void)state;
    test_levels t;
    detect_loss_value v;
    levels_make(&t, BATCH, SIDE, SIDE, NC, 0, -100, 100, 4, &mem);
    detect_loss *l = loss_make(t.level, BATCH, 16);
    grads g = grads_make(t.level, BATCH, NC);
    const detect_label wild[] = {
        {.picture = 0, .class_index = 0, .xywh_norm = {NAN, 0.5f, 0.5f, 0.5f}},
        {.picture = 0, .class_index = 1, .xywh_norm = {INFINITY, 0.5f, 1, 1}},
        {.picture = 1, .class_index = 2, .xywh_norm = {0.5f, 0.5f, INFINITY, 1}},
        {.picture = 1, .class_index = 3, .xywh_norm = {-5, -5, 1, 1}},
        {.picture = 1, .class_index = 4, .xywh_norm = {0.5f, 0.5f, 0, 0}},
        {.picture = 0, .class_index = 4, .xywh_norm = {0.5f, 0.5f, -1, -1}},
        {.picture = 0, .class_index = 4, .xywh_norm = {0.5f, 0.5f, 1e30f, 1e30f}},
        {.picture = 0, .class_index = 0, .xywh_norm = {0.5f, 0.5f, 1, 1}}};
    detect_batch b = {.levels = t.level,
                      .n_levels = TEST_LEVELS,
                      .nc = NC,
                      .batch = BATCH,
                      .labels = wild,
                      .n_labels = sizeof wild / sizeof *wild};
    assert_int_equal(detect_loss_run(l, &v, g.level, &b, &DETECT_LOSS_GAINS, NULL, NULL), VG_OK);
    assert_true(isfinite(v.total));
    assert_int_equal(v.n_foreground > 0, 1);
    const size_t channels = DETECT_BOX_CHANNELS + NC;
    for (int i = 0; i < TEST_LEVELS; i++)
        t.data[i][channels * 3 + 10] = t.data[i][channels * 3 + 66] = NAN;
    assert_int_equal(detect_loss_run(l, &v, g.level, &b, &DETECT_LOSS_GAINS, NULL, NULL), VG_OK);
    assert_true(isnan(v.total)); /* a model that diverged is seen in its loss */
    detect_loss_destroy(&l);
    grads_free(&g);
    levels_free(&t);
}

static void labels_out_of_range_or_bounds_are_refused_by_name(void **state)
{
    (void)state;
    test_levels t;
    detect_loss_value v;
    vg_error err;
    levels_make(&t, BATCH, SIDE, SIDE, NC, 0, -1, 1, 4, &mem);
    detect_loss *l = loss_make(t.level, BATCH, 1);
    detect_label one[2] = {{.picture = 0, .class_index = NC, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}},
                           {.picture = 0, .class_index = 0, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}}};
    detect_batch b = {.levels = t.level,
                      .n_levels = TEST_LEVELS,
                      .nc = NC,
                      .batch = BATCH,
                      .labels = one,
                      .n_labels = 1};
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, &err),
                     VG_ERR_ARGUMENT);
    assert_string_equal(err.what, "class 5 in a model of 5 classes");
    one[0].class_index = 0;
    one[0].picture = BATCH;
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, &err),
                     VG_ERR_ARGUMENT);
    one[0].picture = 0;
    b.n_labels = 2;
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, &err),
                     VG_ERR_LIMIT);
    b.n_labels = 1;
    b.batch = BATCH + 1;
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, &err),
                     VG_ERR_LIMIT);
    b.batch = BATCH;
    assert_int_equal(detect_loss_run(l, &v, NULL, &b, &DETECT_LOSS_GAINS, NULL, &err), VG_OK);
    detect_loss_destroy(&l);
    levels_free(&t);
}

static void bounds_are_counted_before_they_are_trusted(void **state)
{
    (void)state;
    detect_loss *l = NULL;
    vg_error err;
    base_mem m = {.tag = "loss", .limit_bytes = SIZE_MAX};
    detect_loss_bounds b = {
        .most_batch = 16, .most_anchors = 8400, .most_labels = 100, .n_threads = 2};
    assert_int_equal(detect_loss_create(&l, &b, &m, &err), VG_OK);
    assert_int_equal(m.in_use_bytes, detect_loss_bytes(&b));
    detect_loss_destroy(&l);
    assert_int_equal(m.in_use_bytes, 0);
    m.fail_in = 1;
    assert_int_equal(detect_loss_create(&l, &b, &m, &err), VG_ERR_MEMORY);
    const detect_loss_bounds bad[] = {
        {.most_batch = 0, .most_anchors = 1, .most_labels = 1, .n_threads = 1},
        {.most_batch = 1, .most_anchors = 0, .most_labels = 1, .n_threads = 1},
        {.most_batch = 1, .most_anchors = 1, .most_labels = 0, .n_threads = 1},
        {.most_batch = 1, .most_anchors = 1, .most_labels = 1, .n_threads = 0},
        {.most_batch = SIZE_MAX, .most_anchors = 1, .most_labels = 1, .n_threads = 1},
        {.most_batch = 1, .most_anchors = SIZE_MAX / 4, .most_labels = 1, .n_threads = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(detect_loss_create(&l, &bad[i], &m, &err), VG_ERR_ARGUMENT);
        assert_null(l);
        assert_int_equal(detect_loss_bytes(&bad[i]), 0);
    }
}

static void threads_change_no_bit_and_nothing_allocates(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, "loss_c_overlap.safetensors");
    grads alone = grads_make(s.level, s.n, s.nc), shared = grads_make(s.level, s.n, s.nc);
    detect_loss *l = loss_make(s.level, s.n, 16);
    base_pool *pool = NULL;
    detect_loss_value v1, v2;
    assert_int_equal(base_pool_create(&pool, 2, &mem, NULL), VG_OK);
    uint64_t before = mem.n_allocs;
    assert_int_equal(detect_loss_run(l, &v1, alone.level, &s.batch, &DETECT_LOSS_GAINS, NULL, NULL),
                     VG_OK);
    assert_int_equal(
        detect_loss_run(l, &v2, shared.level, &s.batch, &DETECT_LOSS_GAINS, pool, NULL), VG_OK);
    assert_int_equal(mem.n_allocs, before);
    assert_memory_equal(&v1, &v2, sizeof v1);
    for (int i = 0; i < TEST_LEVELS; i++)
        assert_memory_equal(alone.data[i], shared.data[i], alone.n[i] * sizeof(float));
    base_pool_destroy(&pool);
    detect_loss_destroy(&l);
    grads_free(&alone);
    grads_free(&shared);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_losses_targets_and_gradients_are_met),
        cmocka_unit_test(class_and_dfl_gradients_are_slopes_with_the_targets_held),
        cmocka_unit_test(the_box_gradient_is_the_chain_of_its_parts),
        cmocka_unit_test(an_anchor_that_several_objects_want_goes_to_the_one_it_fits_best),
        cmocka_unit_test(an_object_centred_outside_the_picture_gets_no_anchors),
        cmocka_unit_test(distances_past_the_last_bin_aim_just_below_it),
        cmocka_unit_test(wild_labels_and_logits_end_in_numbers_or_nan_but_no_crash),
        cmocka_unit_test(labels_out_of_range_or_bounds_are_refused_by_name),
        cmocka_unit_test(bounds_are_counted_before_they_are_trusted),
        cmocka_unit_test(threads_change_no_bit_and_nothing_allocates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

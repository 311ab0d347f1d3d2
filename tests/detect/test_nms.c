/* test_nms.c: suppression against the golden rows, against a slow and plain greedy loop, and at its
 * edges. */
#include "support/test.h"

#include <jansson.h>
#include <math.h>

#include "detect/detect.h"
#include "detect/levels.h"
#include "support/golden.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static detect_nms *nms_make(size_t most_rows, int max_det)
{
    detect_nms *n = NULL;
    assert_int_equal(detect_nms_create(&n, most_rows, max_det, &mem, NULL), VG_OK);
    return n;
}

/* ---- golden ---- */

static detect_nms_options golden_options(const char *json, uint8_t *classes)
{
    detect_nms_options o = DETECT_NMS_PREDICT;
    json_t *root = json_loads(json, 0, NULL), *v;
    assert_non_null(root);
    if ((v = json_object_get(root, "conf_thres")))
        o.conf = (float)json_number_value(v);
    if ((v = json_object_get(root, "iou_thres")))
        o.iou = (float)json_number_value(v);
    if ((v = json_object_get(root, "max_det")))
        o.max_det = (int)json_integer_value(v);
    if ((v = json_object_get(root, "max_nms")))
        o.max_nms = (int)json_integer_value(v);
    o.multi_label = json_is_true(json_object_get(root, "multi_label"));
    o.agnostic = json_is_true(json_object_get(root, "agnostic"));
    if ((v = json_object_get(root, "classes"))) {
        for (size_t i = 0; i < json_array_size(v); i++)
            classes[json_integer_value(json_array_get(v, i))] = 1;
        o.classes = classes;
    }
    json_decref(root);
    return o;
}

static void check_golden(golden_file *g, const char *name)
{
    int nc = (int)golden_dim(g, "pred", 1) - 4;
    size_t n_anchors = golden_dim(g, "pred", 2);
    const float *pred = golden_f32(g, "pred", NULL);
    uint8_t classes[16] = {0};
    detect_nms_options o = golden_options(golden_meta(g, name), classes);
    detect_nms *nms = nms_make(30000, 300);
    vg_detection out[300];
    for (size_t image = 0; image < golden_dim(g, "pred", 0); image++) {
        char key[64];
        snprintf(key, sizeof key, "%s.%zu", name, image);
        const float *want = golden_f32(g, key, NULL);
        size_t n = detect_nms_run(nms, out, NULL, pred + image * (size_t)(4 + nc) * n_anchors, nc,
                                  n_anchors, &o);
        assert_int_equal(n, golden_dim(g, key, 0));
        for (size_t i = 0; i < n; i++, want += 6) {
            assert_float_equal(out[i].x1, want[0], 1e-4);
            assert_float_equal(out[i].y1, want[1], 1e-4);
            assert_float_equal(out[i].x2, want[2], 1e-4);
            assert_float_equal(out[i].y2, want[3], 1e-4);
            assert_true(out[i].confidence == want[4]);
            assert_int_equal(out[i].class_index, (int)want[5]);
        }
    }
    detect_nms_destroy(&nms);
}

static void golden_rows_are_kept_in_their_order(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "single_025_070", "single_025_045", "multi_0001_070", "multi_005_060_max50",
        "agnostic",       "classes_1_3",    "maxnms200"};
    golden_file *g = golden_open("nms.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_golden(g, cases[i]);
    golden_close(g);
}

/* ---- the fast way equals the plain way ---- */

static void check_run_equals(float least, float most, int nc, size_t most_rows,
                             const detect_nms_options *o)
{
    test_levels t;
    levels_make(&t, 2, 96, 160, nc, 3, least, most, (uint64_t)nc + 17, &mem);
    float *pred = base_alloc(&mem, (size_t)(4 + nc) * t.n_anchors * sizeof(float), NULL);
    detect_nms *a = nms_make(most_rows, 300), *b = nms_make(most_rows, 300);
    vg_detection got[300], want[300];
    for (int picture = 0; picture < 2; picture++) {
        memset(got, 0, sizeof got);
        memset(want, 0, sizeof want);
        detect_decode_all(pred, t.level, TEST_LEVELS, nc, picture);
        size_t n_want = detect_nms_run(a, want, NULL, pred, nc, t.n_anchors, o);
        size_t n_got = detect_run(b, got, NULL, t.level, TEST_LEVELS, nc, picture, o);
        assert_int_equal(n_got, n_want);
        assert_memory_equal(got, want, sizeof got);
    }
    detect_nms_destroy(&a);
    detect_nms_destroy(&b);
    base_free(pred);
    levels_free(&t);
}

static void run_from_logits_equals_decode_then_nms_bit_for_bit(void **state)
{
    (void)state;
    static const float conf[] = {-1, 0, 1e-35f, 0.001f, 0.25f, 0.5f, 0.999f, 1};
    static const int nc[] = {1, 3, 80, 133};
    for (size_t i = 0; i < sizeof conf / sizeof *conf; i++)
        for (size_t k = 0; k < sizeof nc / sizeof *nc; k++) {
            detect_nms_options o = DETECT_NMS_PREDICT;
            o.conf = conf[i];
            check_run_equals(-8, 2, nc[k], 30000, &o);
            check_run_equals(-40, 40, nc[k], 30000, &o); /* many scores saturate: ties */
            o.multi_label = true;
            check_run_equals(-8, 2, nc[k], 30000, &o);
            check_run_equals(-8, 2, nc[k], 64, &o);
        }
}

static void a_score_just_above_conf_is_never_lost_by_the_quick_look(void **state)
{
    (void)state;
    /* One anchor, one class; conf is the float just below, at, or just above the anchor's own
     * score. */
    detect_nms *nms = nms_make(4, 4);
    float box[DETECT_BOX_CHANNELS] = {0}, logit, pred[5];
    detect_level l = {.box = box,
                      .cls = &logit,
                      .box_pitch = DETECT_BOX_CHANNELS,
                      .cls_pitch = 1,
                      .h = 1,
                      .w = 1,
                      .stride = 8};
    for (logit = -20; logit < 18; logit += 0.0171f) {
        detect_decode_all(pred, &l, 1, 1, 0);
        detect_nms_options o = DETECT_NMS_PREDICT;
        vg_detection out[4];
        o.conf = nextafterf(pred[4], 0);
        assert_int_equal(detect_run(nms, out, NULL, &l, 1, 1, 0, &o), 1);
        assert_true(out[0].confidence == pred[4]);
        o.conf = pred[4];
        assert_int_equal(detect_run(nms, out, NULL, &l, 1, 1, 0, &o), 0);
    }
    detect_nms_destroy(&nms);
}

/* ---- against a plain loop ---- */

enum { PLAIN_ANCHORS = 300, PLAIN_CLASSES = 4 };

typedef struct plain_row {
    vg_detection box;
    bool done;
} plain_row;

/* Spec 2.3 word for word, single label, no bounds; quadratic. */
static size_t plain_nms(vg_detection *out, const float *pred, const detect_nms_options *o)
{
    static plain_row rows[PLAIN_ANCHORS];
    size_t n = 0, kept = 0;
    for (size_t a = 0; a < PLAIN_ANCHORS; a++) {
        int best = 0;
        for (int c = 1; c < PLAIN_CLASSES; c++)
            if (pred[(size_t)(4 + c) * PLAIN_ANCHORS + a] >
                pred[(size_t)(4 + best) * PLAIN_ANCHORS + a])
                best = c;
        float score = pred[(size_t)(4 + best) * PLAIN_ANCHORS + a];
        float x = pred[a], y = pred[PLAIN_ANCHORS + a], w = pred[2 * PLAIN_ANCHORS + a],
              h = pred[3 * PLAIN_ANCHORS + a];
        if (score > o->conf)
            rows[n++] =
                (plain_row){{x - w / 2, y - h / 2, x + w / 2, y + h / 2, score, best}, false};
    }
    for (;;) {
        plain_row *top = NULL;
        for (size_t i = 0; i < n; i++)
            if (!rows[i].done && (!top || rows[i].box.confidence > top->box.confidence))
                top = &rows[i];
        if (!top || kept == (size_t)o->max_det)
            return kept;
        top->done = true;
        bool drop = false;
        for (size_t k = 0; k < kept && !drop; k++) {
            float w = fminf(out[k].x2, top->box.x2) - fmaxf(out[k].x1, top->box.x1);
            float h = fminf(out[k].y2, top->box.y2) - fmaxf(out[k].y1, top->box.y1);
            float inter = fmaxf(w, 0) * fmaxf(h, 0);
            float both = (out[k].x2 - out[k].x1) * (out[k].y2 - out[k].y1) +
                         (top->box.x2 - top->box.x1) * (top->box.y2 - top->box.y1);
            drop = (o->agnostic || out[k].class_index == top->box.class_index) &&
                   inter / (both - inter) > o->iou;
        }
        if (!drop)
            out[kept++] = top->box;
    }
}

/* Coordinates are multiples of 1/8, so that the class offset loses no bits and the plain loop needs
 * none. */
static void random_pred(float *pred, uint64_t seed)
{
    test_random r = {seed};
    for (size_t a = 0; a < PLAIN_ANCHORS; a++) {
        for (size_t k = 0; k < 4; k++)
            pred[k * PLAIN_ANCHORS + a] =
                floorf(random_float(&r, k < 2 ? 0 : 20, k < 2 ? 200 : 120)) / 4;
        for (size_t c = 0; c < PLAIN_CLASSES; c++) /* few distinct scores: many ties */
            pred[(4 + c) * PLAIN_ANCHORS + a] = floorf(random_float(&r, 0, 40)) / 40;
    }
}

static void rows_and_ties_are_as_a_plain_greedy_loop_has_them(void **state)
{
    (void)state;
    static float pred[(4 + PLAIN_CLASSES) * PLAIN_ANCHORS];
    detect_nms *nms = nms_make(PLAIN_ANCHORS, PLAIN_ANCHORS);
    for (uint64_t seed = 0; seed < 40; seed++) {
        vg_detection got[PLAIN_ANCHORS], want[PLAIN_ANCHORS];
        memset(got, 0, sizeof got);
        memset(want, 0, sizeof want);
        random_pred(pred, seed);
        detect_nms_options o = DETECT_NMS_PREDICT;
        o.agnostic = seed % 2;
        o.iou = seed % 3 ? 0.5f : 0.1f;
        o.max_det = seed % 5 ? 300 : 7;
        size_t n = plain_nms(want, pred, &o);
        assert_int_equal(detect_nms_run(nms, got, NULL, pred, PLAIN_CLASSES, PLAIN_ANCHORS, &o), n);
        assert_memory_equal(got, want, sizeof got);
    }
    detect_nms_destroy(&nms);
}

static void too_many_rows_leave_the_best_ones(void **state)
{
    (void)state;
    /* max_nms = 25 by option or by room: the result is that of the 25 best rows alone, lower index
     * first on ties. */
    static float pred[(4 + PLAIN_CLASSES) * PLAIN_ANCHORS];
    detect_nms *wide = nms_make(5000, 300), *narrow = nms_make(25, 300);
    for (uint64_t seed = 0; seed < 20; seed++) {
        vg_detection by_option[300], by_room[300], all[300];
        random_pred(pred, seed + 100);
        detect_nms_options o = {
            .conf = 0.1f, .iou = 2, .max_det = 300, .max_nms = 30000, .multi_label = true};
        size_t n_all = detect_nms_run(wide, all, NULL, pred, PLAIN_CLASSES, PLAIN_ANCHORS, &o);
        size_t n_room =
            detect_nms_run(narrow, by_room, NULL, pred, PLAIN_CLASSES, PLAIN_ANCHORS, &o);
        o.max_nms = 25;
        size_t n_option =
            detect_nms_run(wide, by_option, NULL, pred, PLAIN_CLASSES, PLAIN_ANCHORS, &o);
        assert_int_equal(n_all, 300);
        assert_int_equal(n_room, 25);
        assert_int_equal(n_option, 25);
        assert_memory_equal(by_room, all,
                            25 * sizeof *all); /* iou 2: nothing is dropped, so order is by score */
        assert_memory_equal(by_option, all, 25 * sizeof *all);
    }
    detect_nms_destroy(&wide);
    detect_nms_destroy(&narrow);
}

/* ---- edges ---- */

static void nan_scores_and_boxes_are_never_kept(void **state)
{
    (void)state;
    /* anchors: sound, NaN score, NaN x, infinite w, NaN beside a sound class */
    static const float pred[6 * 5] = {50,   50,  NAN,  50,       250, /* x */
                                      50,   50,  50,   50,       250, /* y */
                                      10,   10,  10,   INFINITY, 10,   10,   10,  10,   10,   10,
                                      0.9f, NAN, 0.9f, 0.95f,    0.8f, 0.1f, NAN, 0.1f, 0.1f, NAN};
    detect_nms *nms = nms_make(10, 10);
    detect_nms_options o = DETECT_NMS_PREDICT;
    vg_detection out[10];
    for (int multi = 0; multi < 2; multi++) {
        o.multi_label = multi;
        assert_int_equal(detect_nms_run(nms, out, NULL, pred, 2, 5, &o), 2);
        assert_float_equal(out[0].x1, 45, 0);
        assert_float_equal(out[0].confidence, 0.9f, 0);
        assert_float_equal(out[1].x1, 245, 0);
        assert_int_equal(out[1].class_index, 0);
    }
    o.conf = NAN;
    assert_int_equal(detect_nms_run(nms, out, NULL, pred, 2, 5, &o), 0);
    detect_nms_destroy(&nms);
}

static void nan_logits_are_never_kept_either(void **state)
{
    (void)state;
    test_levels t;
    detect_nms *nms = nms_make(1000, 300);
    vg_detection out[300];
    levels_make(&t, 1, 32, 32, 5, 0, -3, 3, 5, &mem);
    size_t pitch = t.level[0].cls_pitch;
    for (size_t i = 0; i < 16; i++) {
        t.data[0][i * pitch + i] = i % 2 ? NAN : INFINITY;
        t.data[0][i * pitch + DETECT_BOX_CHANNELS + i % 5] = NAN;
    }
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = 0.001f;
    size_t n = detect_run(nms, out, NULL, t.level, TEST_LEVELS, 5, 0, &o);
    assert_true(n > 0 && n <= 5); /* what is left: one pixel of 16 x 16 and 4 of 8 x 8 are sound */
    for (size_t i = 0; i < n; i++)
        assert_true(isfinite(out[i].x1) && isfinite(out[i].x2) && isfinite(out[i].confidence));
    levels_free(&t);
    detect_nms_destroy(&nms);
}

static void nothing_in_nothing_out(void **state)
{
    (void)state;
    detect_nms *nms = nms_make(1, 1);
    vg_detection out[1];
    float none = 0;
    detect_nms_options o = DETECT_NMS_PREDICT;
    assert_int_equal(detect_nms_run(nms, out, NULL, &none, 80, 0, &o), 0);
    assert_int_equal(detect_run(nms, out, NULL, NULL, 0, 80, 0, &o), 0);
    const float pred[5] = {5, 5, 2, 2, 0.9f};
    assert_int_equal(detect_nms_run(nms, out, NULL, pred, 1, 1, &o), 1);
    o.max_nms = 0;
    assert_int_equal(detect_nms_run(nms, out, NULL, pred, 1, 1, &o), 0);
    o = DETECT_NMS_PREDICT;
    o.max_det = 0;
    assert_int_equal(detect_nms_run(nms, out, NULL, pred, 1, 1, &o), 0);
    detect_nms_destroy(&nms);
}

static void negative_zero_ties_with_zero(void **state)
{
    (void)state;
    const float pred[10] = {5, 50, 5, 50, 2, 2, 2, 2, -0.0f, 0.0f};
    detect_nms *nms = nms_make(4, 4);
    vg_detection out[4];
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = -1;
    assert_int_equal(detect_nms_run(nms, out, NULL, pred, 1, 2, &o), 2);
    assert_float_equal(out[0].x1, 4, 0);
    detect_nms_destroy(&nms);
}

static void the_class_filter_comes_after_the_best_class(void **state)
{
    (void)state;
    /* The anchor's best class is 0: without multi_label its second class does not step in. */
    const float pred[6] = {5, 5, 2, 2, 0.9f, 0.8f};
    const uint8_t only_1[2] = {0, 1};
    detect_nms *nms = nms_make(4, 4);
    vg_detection out[4];
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.classes = only_1;
    assert_int_equal(detect_nms_run(nms, out, NULL, pred, 2, 1, &o), 0);
    o.multi_label = true;
    assert_int_equal(detect_nms_run(nms, out, NULL, pred, 2, 1, &o), 1);
    assert_int_equal(out[0].class_index, 1);
    detect_nms_destroy(&nms);
}

static void create_takes_what_it_says_and_refuses_nonsense(void **state)
{
    (void)state;
    detect_nms *nms = NULL;
    vg_error err;
    base_mem m = {.tag = "nms", .limit_bytes = SIZE_MAX};
    assert_int_equal(detect_nms_create(&nms, 1000, 300, &m, &err), VG_OK);
    assert_int_equal(m.in_use_bytes, detect_nms_bytes(1000, 300));
    detect_nms_destroy(&nms);
    assert_null(nms);
    assert_int_equal(m.in_use_bytes, 0);
    assert_int_equal(detect_nms_create(&nms, 0, 300, &m, &err), VG_ERR_ARGUMENT);
    assert_int_equal(detect_nms_create(&nms, 10, 0, &m, &err), VG_ERR_ARGUMENT);
    m.fail_in = 1;
    assert_int_equal(detect_nms_create(&nms, 10, 10, &m, &err), VG_ERR_MEMORY);
    assert_null(nms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_rows_are_kept_in_their_order),
        cmocka_unit_test(run_from_logits_equals_decode_then_nms_bit_for_bit),
        cmocka_unit_test(a_score_just_above_conf_is_never_lost_by_the_quick_look),
        cmocka_unit_test(rows_and_ties_are_as_a_plain_greedy_loop_has_them),
        cmocka_unit_test(too_many_rows_leave_the_best_ones),
        cmocka_unit_test(nan_scores_and_boxes_are_never_kept),
        cmocka_unit_test(nan_logits_are_never_kept_either),
        cmocka_unit_test(nothing_in_nothing_out),
        cmocka_unit_test(negative_zero_ties_with_zero),
        cmocka_unit_test(the_class_filter_comes_after_the_best_class),
        cmocka_unit_test(create_takes_what_it_says_and_refuses_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

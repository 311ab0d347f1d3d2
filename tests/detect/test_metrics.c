/* test_metrics.c: matching, average precision, curves and confusion against the golden file and by
 * hand. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/golden.h"
#include "support/random.h"

enum { PICTURE_MOST = 64 };

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static detect_metrics *metrics_make(int nc)
{
    detect_metrics *m = NULL;
    const detect_metrics_bounds b = {nc, 1000, PICTURE_MOST, PICTURE_MOST, 1, false};
    assert_int_equal(detect_metrics_create(&m, &b, 0.25f, &mem, NULL), VG_OK);
    return m;
}

static bool near(double a, double b, double most)
{
    return fabs(a - b) <= most;
}

/* ---- golden ---- */

static size_t golden_dets(vg_detection *out, size_t *rows, golden_file *g, int picture)
{
    const float *d = golden_f32(g, "dets", NULL);
    size_t n = 0;
    for (size_t i = 0; i < golden_dim(g, "dets", 0); i++, d += 7)
        if ((int)d[0] == picture) {
            rows[n] = i;
            out[n++] = (vg_detection){d[1], d[2], d[3], d[4], d[5], (int)d[6]};
        }
    return n;
}

static size_t golden_truths(detect_truth *out, golden_file *g, int picture)
{
    const float *t = golden_f32(g, "gts", NULL);
    size_t n = 0;
    for (size_t i = 0; i < golden_dim(g, "gts", 0); i++, t += 6)
        if ((int)t[0] == picture)
            out[n++] = (detect_truth){.xyxy = {t[2], t[3], t[4], t[5]}, .class_index = (int)t[1]};
    return n;
}

static void golden_true_positives_are_exact(void **state)
{
    (void)state;
    golden_file *g = golden_open("metrics.safetensors");
    const uint8_t *want = golden_u8(g, "tp", NULL);
    const float *thresholds = golden_f32(g, "iouv", NULL);
    size_t seen = 0;
    for (int t = 0; t < DETECT_N_IOU; t++)
        assert_true(detect_iou_thresholds[t] == thresholds[t]);
    for (int picture = 0; picture < 20; picture++) {
        vg_detection dets[PICTURE_MOST];
        detect_truth truths[PICTURE_MOST];
        uint16_t tp[PICTURE_MOST], taken[PICTURE_MOST];
        size_t rows[PICTURE_MOST], n = golden_dets(dets, rows, g, picture),
                                   n_truths = golden_truths(truths, g, picture);
        detect_match(tp, dets, n, truths, n_truths, NULL, taken, DETECT_AP_8_3);
        for (size_t i = 0; i < n; i++, seen++)
            for (size_t t = 0; t < DETECT_N_IOU; t++)
                assert_int_equal(tp[i] >> t & 1, want[rows[i] * DETECT_N_IOU + t]);
    }
    assert_int_equal(seen, golden_dim(g, "dets", 0));
    golden_close(g);
}

static void check_rows(golden_file *g, const char *key, const double *got, size_t n)
{
    size_t n_want;
    const double *want = golden_f64(g, key, &n_want);
    assert_int_equal(n, n_want);
    for (size_t i = 0; i < n; i++)
        if (!near(got[i], want[i], 1e-6))
            fail_msg("%s[%zu] is %.9g, not %.9g", key, i, got[i], want[i]);
}

static void check_curve(golden_file *g, const char *key, const double *curves)
{
    const double *want = golden_f64(g, key, NULL);
    size_t n = golden_dim(g, key, 1), step = DETECT_CURVE_POINTS / n;
    for (size_t c = 0; c < golden_dim(g, key, 0); c++)
        for (size_t i = 0; i < n; i++)
            assert_true(near(curves[c * DETECT_CURVE_POINTS + i * step], want[c * n + i], 1e-6));
}

static void golden_figures_are_met(void **state)
{
    (void)state;
    golden_file *g = golden_open("metrics.safetensors");
    int nc = (int)strtol(golden_meta(g, "nc"), NULL, 10);
    detect_metrics *m = metrics_make(nc);
    detect_metrics_result r;
    for (int round = 0; round < 2; round++) { /* the second after a reset */
        for (int picture = 0; picture < 20; picture++) {
            vg_detection dets[PICTURE_MOST];
            detect_truth truths[PICTURE_MOST];
            size_t rows[PICTURE_MOST], n = golden_dets(dets, rows, g, picture);
            size_t n_truths = golden_truths(truths, g, picture);
            assert_int_equal(detect_metrics_add(m, dets, n, truths, n_truths, NULL), VG_OK);
        }
        if (round == 0)
            detect_metrics_reset(m);
    }
    detect_metrics_make_result(m, &r);
    assert_int_equal(r.n_pictures, 20);
    assert_int_equal(r.n_truths, golden_dim(g, "gts", 0));
    assert_int_equal(r.n_classes, golden_dim(g, "ap", 0));
    const int64_t *classes = golden_i64(g, "ap_class_index", NULL);
    for (size_t i = 0; i < r.n_classes; i++)
        assert_int_equal(r.classes[i], classes[i]);
    check_rows(g, "ap", r.figures[0].ap, r.n_classes * DETECT_N_IOU);
    check_rows(g, "p", r.figures[0].p, r.n_classes);
    check_rows(g, "r", r.figures[0].r, r.n_classes);
    check_rows(g, "f1", r.figures[0].f1, r.n_classes);
    check_rows(g, "tp_count", r.figures[0].tp, r.n_classes);
    check_rows(g, "fp_count", r.figures[0].fp, r.n_classes);
    check_rows(g, "maps", r.maps, (size_t)nc);
    check_rows(
        g, "mean_results",
        (double[]){r.figures[0].mean_p, r.figures[0].mean_r, r.figures[0].map50, r.figures[0].map},
        4);
    check_rows(g, "fitness", &r.fitness, 1);
    check_curve(g, "p_curve", r.figures[0].p_curve);
    check_curve(g, "r_curve", r.figures[0].r_curve);
    check_curve(g, "f1_curve", r.figures[0].f1_curve);
    const double *confusion = golden_f64(g, "confusion", NULL);
    for (int i = 0; i < (nc + 1) * (nc + 1); i++)
        assert_true((double)r.confusion[i] == confusion[i]);
    detect_metrics_destroy(&m);
    golden_close(g);
}

/* ---- by hand ---- */

static vg_detection det(float x, float score, int class_index)
{
    return (vg_detection){x, 0, x + 10, 10, score, class_index};
}

static detect_truth truth(float x, int class_index)
{
    return (detect_truth){.xyxy = {x, 0, x + 10, 10}, .class_index = class_index};
}

static void an_object_is_found_once_by_the_first_that_wants_it(void **state)
{
    (void)state;
    /* Detection 0 overlaps by 2/3, detection 1 wholly: up to 0.65 the first has it, above the
     * second. */
    const vg_detection dets[3] = {det(2, 0.9f, 1), det(0, 0.8f, 1), det(0, 0.7f, 0)};
    const detect_truth truths[1] = {truth(0, 1)};
    uint16_t tp[3], taken[1];
    detect_match(tp, dets, 3, truths, 1, NULL, taken, DETECT_AP_8_3);
    assert_int_equal(tp[0], 0x00f);
    assert_int_equal(tp[1], 0x3f0);
    assert_int_equal(tp[2], 0);
}

static void an_object_that_is_taken_makes_way_for_the_next_in_the_newest_way(void **state)
{
    (void)state;
    /* Both detections overlap object 0 most, by 9/11; the second also object 1, by 8/12. */
    const vg_detection dets[2] = {det(0, 0.9f, 0), det(2, 0.8f, 0)};
    const detect_truth truths[2] = {truth(1, 0), truth(4, 0)};
    uint16_t tp[2], taken[2];
    detect_match(tp, dets, 2, truths, 2, NULL, taken, DETECT_AP_8_4_37);
    assert_int_equal(tp[0], 0x07f); /* 9/11: up to 0.80 */
    assert_int_equal(tp[1], 0);
    detect_match(tp, dets, 2, truths, 2, NULL, taken, DETECT_AP_8_4);
    assert_int_equal(tp[0], 0x07f);
    assert_int_equal(tp[1], 0x00f);
}

/* Spec 6's words with lists of pairs, by brute force: the two thinnings for AP. */
static void plain_match(uint16_t *tp, const vg_detection *dets, size_t n_dets,
                        const detect_truth *truths, size_t n_truths)
{
    for (size_t d = 0; d < n_dets; d++)
        tp[d] = 0;
    for (unsigned t = 0; t < DETECT_N_IOU; t++) {
        int best[PICTURE_MOST], used[PICTURE_MOST] = {0};
        for (size_t d = 0; d < n_dets; d++) {
            float most = 0;
            best[d] = -1;
            for (size_t g = 0; g < n_truths; g++) {
                float iou = detect_iou(truths[g].xyxy,
                                       (float[]){dets[d].x1, dets[d].y1, dets[d].x2, dets[d].y2});
                if (truths[g].class_index == dets[d].class_index &&
                    iou >= detect_iou_thresholds[t] && iou > most) {
                    most = iou;
                    best[d] = (int)g;
                }
            }
        }
        for (size_t d = 0; d < n_dets; d++)
            if (best[d] >= 0 && !used[best[d]]++)
                tp[d] = (uint16_t)(tp[d] | 1u << t);
    }
}

static void crowds_match_as_lists_of_pairs_would(void **state)
{
    (void)state;
    test_random r = {5};
    for (int round = 0; round < 200; round++) {
        vg_detection dets[40];
        detect_truth truths[30];
        uint16_t got[40], want[40], taken[30];
        for (size_t i = 0; i < 40; i++)
            dets[i] = det(random_float(&r, 0, 60), 1 - (float)i / 40, (int)(random_u64(&r) % 2));
        for (size_t i = 0; i < 30; i++)
            truths[i] = truth(random_float(&r, 0, 60), (int)(random_u64(&r) % 2));
        detect_match(got, dets, 40, truths, 30, NULL, taken, DETECT_AP_8_3);
        plain_match(want, dets, 40, truths, 30);
        assert_memory_equal(got, want, sizeof got);
    }
}

static void perfect_detections_have_every_figure_near_one(void **state)
{
    (void)state;
    detect_metrics *m = metrics_make(3);
    detect_metrics_result r;
    for (int i = 0; i < 10; i++) {
        const vg_detection dets[2] = {det(0, 1, 0), det(50, 0.99f, 2)};
        const detect_truth truths[2] = {truth(50, 2), truth(0, 0)};
        assert_int_equal(detect_metrics_add(m, dets, 2, truths, 2, NULL), VG_OK);
    }
    detect_metrics_make_result(m, &r);
    assert_int_equal(r.n_classes, 2);
    assert_int_equal(r.pictures_by_class[2], 10);
    assert_int_equal(r.truths_by_class[1], 0);
    assert_true(near(r.figures[0].map, 0.995,
                     1e-9)); /* the reference's own: the last of 101 points is always 0 */
    assert_true(near(r.figures[0].mean_p, 1, 1e-9) && near(r.figures[0].mean_r, 1, 1e-9));
    assert_true(r.figures[0].r_curve[999] ==
                1); /* a confidence of exactly 1 is not below the point at 1 */
    assert_int_equal(r.confusion[0 * 4 + 0], 10);
    assert_int_equal(r.confusion[2 * 4 + 2], 10);
    assert_true(near(r.maps[1], r.figures[0].map, 0)); /* a class without objects shows the mean */
    detect_metrics_destroy(&m);
}

static void half_right_has_the_area_that_paper_gives(void **state)
{
    (void)state;
    /* 4 objects; detections by confidence: right, wrong, right. Precision 1 up to recall 1/4, 2/3
     * at 1/2, then along a line to 0 at recall 1. */
    detect_metrics *m = metrics_make(1);
    detect_metrics_result r;
    const vg_detection dets[3] = {det(0, 0.9f, 0), det(500, 0.8f, 0), det(50, 0.7f, 0)};
    const detect_truth truths[4] = {truth(0, 0), truth(50, 0), truth(100, 0), truth(150, 0)};
    assert_int_equal(detect_metrics_add(m, dets, 3, truths, 4, NULL), VG_OK);
    detect_metrics_make_result(m, &r);
    /* 0 to 0.25: 1; at 0.25 the knot counts of the wrong one, 2/3; 0.25 to 0.5: 2/3; then a
     * triangle. The jump at 0.25 is a slope of one step of 0.01. */
    double want = 0.24 + 0.01 * (1 + 2.0 / 3) / 2 + 0.25 * 2 / 3 + 0.5 * 2 / 3 / 2;
    assert_true(near(r.figures[0].ap[0], want, 1e-9));
    assert_true(r.figures[0].r_curve[999] == 0 && r.figures[0].p_curve[999] == 1);
    assert_true(near(r.figures[0].r_curve[0], 0.5, 1e-12) &&
                near(r.figures[0].p_curve[0], 2.0 / 3, 1e-12));
    /* Halfway between the confidences 0.9 and 0.8, precision is halfway between 1 and 1/2. */
    double x = 849.0 / 999, share = (0.9f - x) / ((double)0.9f - 0.8f);
    assert_true(near(r.figures[0].p_curve[849], 1 - 0.5 * share, 1e-9));
    detect_metrics_destroy(&m);
}

static void equal_confidences_keep_the_order_of_the_pictures(void **state)
{
    (void)state;
    /* One object, found at the first or at the second of two detections of one confidence: AP 0.995
     * or half of it. */
    for (int found_second = 0; found_second < 2; found_second++) {
        detect_metrics *m = metrics_make(1);
        detect_metrics_result r;
        const vg_detection dets[2] = {det(found_second ? 500 : 0, 0.5f, 0),
                                      det(found_second ? 0 : 500, 0.5f, 0)};
        const detect_truth object = truth(0, 0);
        assert_int_equal(detect_metrics_add(m, dets, 1, &object, 1, NULL), VG_OK);
        assert_int_equal(detect_metrics_add(m, dets + 1, 1, &object, 1, NULL), VG_OK);
        detect_metrics_make_result(m, &r);
        assert_true(found_second ? r.figures[0].ap[0] < 0.4 : r.figures[0].ap[0] > 0.5);
        detect_metrics_destroy(&m);
    }
}

static void pictures_with_a_class_count_once_however_crowded(void **state)
{
    (void)state;
    detect_metrics *m = metrics_make(2);
    detect_metrics_result r;
    const detect_truth truths[4] = {truth(0, 1), truth(20, 0), truth(40, 1), truth(60, 1)};
    assert_int_equal(detect_metrics_add(m, NULL, 0, truths, 4, NULL), VG_OK);
    assert_int_equal(detect_metrics_add(m, NULL, 0, truths, 1, NULL), VG_OK);
    detect_metrics_make_result(m, &r);
    assert_int_equal(r.truths_by_class[1], 4);
    assert_int_equal(r.pictures_by_class[1], 2);
    assert_int_equal(r.pictures_by_class[0], 1);
    detect_metrics_destroy(&m);
}

static void nothing_right_makes_every_figure_zero(void **state)
{
    (void)state;
    detect_metrics *m = metrics_make(2);
    detect_metrics_result r;
    const vg_detection wrong = det(500, 0.9f, 1);
    const detect_truth object = truth(0, 1);
    detect_metrics_make_result(m, &r); /* nothing at all */
    assert_int_equal(r.n_classes, 0);
    assert_int_equal(detect_metrics_add(m, &wrong, 1, &object, 1, NULL), VG_OK);
    assert_int_equal(detect_metrics_add(m, NULL, 0, &object, 1, NULL), VG_OK);
    assert_int_equal(detect_metrics_add(m, &wrong, 1, NULL, 0, NULL), VG_OK);
    detect_metrics_make_result(m, &r);
    assert_int_equal(r.n_classes, 0);
    assert_true(r.figures[0].map == 0 && r.figures[0].map50 == 0 && r.figures[0].mean_p == 0 &&
                r.figures[0].mean_r == 0 && r.fitness == 0 && r.maps[1] == 0);
    assert_int_equal(r.confusion[2 * 3 + 1],
                     2); /* both objects missed; strays count only beside a match */
    assert_int_equal(r.confusion[1 * 3 + 2], 0);
    detect_metrics_destroy(&m);
}

static void confusion_pairs_by_overlap_whatever_the_class(void **state)
{
    (void)state;
    detect_metrics *m = metrics_make(3);
    detect_metrics_result r;
    /* Object of class 0: two want it, the closer one (class 2) has it; the other is a stray, as is
     * the faint one not. */
    const vg_detection dets[3] = {det(2, 0.9f, 1), det(1, 0.8f, 2), det(0, 0.2f, 0)};
    const detect_truth object = truth(0, 0);
    assert_int_equal(detect_metrics_add(m, dets, 3, &object, 1, NULL), VG_OK);
    detect_metrics_make_result(m, &r);
    for (int i = 0; i < 16; i++)
        assert_int_equal(r.confusion[i], i == 2 * 4 + 0 || i == 1 * 4 + 3);
    detect_metrics_destroy(&m);
}

static void bounds_and_classes_are_checked_before_anything_is_counted(void **state)
{
    (void)state;
    detect_metrics *m = NULL;
    detect_metrics_result r;
    vg_error err;
    base_mem account = {.tag = "metrics", .limit_bytes = SIZE_MAX};
    detect_metrics_bounds b = {80, 100, 2, 2, 1, false};
    assert_int_equal(detect_metrics_create(&m, &b, 0.25f, &account, &err), VG_OK);
    assert_int_equal(account.in_use_bytes, detect_metrics_bytes(&b));
    const vg_detection dets[3] = {det(0, 1, 0), det(0, 1, 80), det(0, 1, 0)};
    const detect_truth truths[3] = {truth(0, 0), truth(0, -1), truth(0, 0)};
    assert_int_equal(detect_metrics_add(m, dets, 2, truths, 1, &err), VG_ERR_ARGUMENT);
    assert_string_equal(err.what, "class 80 where there are 80");
    assert_int_equal(detect_metrics_add(m, dets, 1, truths, 2, &err), VG_ERR_ARGUMENT);
    assert_int_equal(detect_metrics_add(m, dets, 3, truths, 1, &err), VG_ERR_LIMIT);
    assert_int_equal(detect_metrics_add(m, dets, 1, truths, 3, &err), VG_ERR_LIMIT);
    for (int i = 0; i < 100; i++)
        assert_int_equal(detect_metrics_add(m, dets, 1, truths, 1, &err), VG_OK);
    assert_int_equal(detect_metrics_add(m, dets, 1, truths, 1, &err), VG_ERR_LIMIT);
    detect_metrics_make_result(m, &r);
    assert_int_equal(r.n_detections, 100);
    assert_int_equal(r.n_truths, 100);
    assert_int_equal(account.n_allocs, 1);
    detect_metrics_destroy(&m);
    assert_int_equal(account.in_use_bytes, 0);
    account.fail_in = 1;
    assert_int_equal(detect_metrics_create(&m, &b, 0.25f, &account, &err), VG_ERR_MEMORY);
    assert_null(m);
    const detect_metrics_bounds bad[] = {{0, 1, 1, 1, 1, false},
                                         {1, 0, 1, 1, 1, false},
                                         {1, 1, 0, 1, 1, false},
                                         {1, 1, 1, 0, 1, false},
                                         {1, SIZE_MAX / 8, 1, 1, 1, false},
                                         {1, 1, 1, 1, DETECT_MOST_FIGURES + 1, false}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(detect_metrics_create(&m, &bad[i], 0.25f, &account, &err),
                         VG_ERR_ARGUMENT);
}

/* ---- the two ends of the curve ---- */

/* Hits (1) and misses, best first, of one class with n objects; and what 8.3.253 and 8.4.190 of the
 * Python tool say. */
static void average_precision_is_that_of_either_version(void **state)
{
    (void)state;
    static const struct {
        const char *hits;
        int n;
        double as_8_3, as_8_4;
    } cases[] = {
        {"1", 2, 0.75, 0.495},
        {"1", 1, 0.995, 0.995},
        {"101", 10, 0.431666666667, 0.161666666667},
        {"1101", 5, 0.69875, 0.545},
        {"010110", 4, 0.512, 0.447},
        {"10", 1, 0.995, 0.995},
        {"111111111111111111111111111111111111111111111111111", 200, 0.627483221477, 0.255}};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const detect_ap ap = i % 2 ? DETECT_AP_8_4 : DETECT_AP_8_3;
        const size_t n_dets = strlen(cases[i / 2].hits), n = (size_t)cases[i / 2].n;
        detect_metrics *m = metrics_make(1);
        detect_metrics_result r;
        detect_metrics_choose_ap(m, ap);
        const detect_truth truth = {.xyxy = {100, 100, 150, 150}};
        size_t left = n;
        for (size_t k = 0; k < n_dets; k++) { /* a picture for each */
            const bool is_hit = cases[i / 2].hits[k] == '1';
            const vg_detection det = {100, 100, 150, 150, 0.9f - (float)k / 1000, 0};
            assert_int_equal(detect_metrics_add(m, &det, 1, &truth, is_hit, NULL), VG_OK);
            left -= is_hit;
        }
        for (; left > 0; left--)
            assert_int_equal(detect_metrics_add(m, NULL, 0, &truth, 1, NULL), VG_OK);
        detect_metrics_make_result(m, &r);
        const double want = i % 2 ? cases[i / 2].as_8_4 : cases[i / 2].as_8_3;
        if (!near(r.figures[0].map50, want, 1e-9))
            fail_msg("%s of %zu: %.12f, not %.12f", cases[i / 2].hits, n, r.figures[0].map50, want);
        detect_metrics_destroy(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(average_precision_is_that_of_either_version),
        cmocka_unit_test(golden_true_positives_are_exact),
        cmocka_unit_test(golden_figures_are_met),
        cmocka_unit_test(an_object_is_found_once_by_the_first_that_wants_it),
        cmocka_unit_test(an_object_that_is_taken_makes_way_for_the_next_in_the_newest_way),
        cmocka_unit_test(crowds_match_as_lists_of_pairs_would),
        cmocka_unit_test(perfect_detections_have_every_figure_near_one),
        cmocka_unit_test(half_right_has_the_area_that_paper_gives),
        cmocka_unit_test(equal_confidences_keep_the_order_of_the_pictures),
        cmocka_unit_test(pictures_with_a_class_count_once_however_crowded),
        cmocka_unit_test(nothing_right_makes_every_figure_zero),
        cmocka_unit_test(confusion_pairs_by_overlap_whatever_the_class),
        cmocka_unit_test(bounds_and_classes_are_checked_before_anything_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

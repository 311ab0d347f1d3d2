/* test_nms_rotated.c: suppression of rotated boxes against the whole matrix of probIoU; cells, and
 * what tasks add to a box. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "detect/levels.h"

enum { NC = 3, ANCHORS = 400, ROWS = 4 + NC + 1 };

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
static float pred[ROWS * ANCHORS];

static void pred_make(uint64_t seed)
{
    test_random r = {seed};
    for (int a = 0; a < ANCHORS; a++) {
        pred[a] = random_float(&r, 0, 200);
        pred[ANCHORS + a] = random_float(&r, 0, 200);
        pred[2 * ANCHORS + a] = random_float(&r, 2, 80);
        pred[3 * ANCHORS + a] = random_float(&r, 2, 80);
        for (int c = 0; c < NC; c++)
            pred[(4 + c) * ANCHORS + a] = random_float(&r, 0, 1);
        pred[(4 + NC) * ANCHORS + a] = random_float(&r, -0.7f, 2.3f);
    }
}

static void box_of(float xywhr[5], int a)
{
    for (int k = 0; k < 4; k++)
        xywhr[k] = pred[k * ANCHORS + a];
    xywhr[4] = pred[(4 + NC) * ANCHORS + a];
}

static int class_of(int a)
{
    int best = 0;
    for (int c = 1; c < NC; c++)
        if (pred[(4 + c) * ANCHORS + a] > pred[(4 + best) * ANCHORS + a])
            best = c;
    return best;
}

static float score_of(int a)
{
    return pred[(4 + class_of(a)) * ANCHORS + a];
}

/* Kept: no better one of its class, kept or not, has a probIoU of iou or more. */
static bool plain_keeps(int a, const detect_nms_options *o)
{
    float box[5], other[5];
    if (!(score_of(a) > o->conf))
        return false;
    box_of(box, a);
    for (int b = 0; b < ANCHORS; b++) {
        const bool is_better = score_of(b) > score_of(a) || (score_of(b) == score_of(a) && b < a);
        if (!is_better || !(score_of(b) > o->conf) || (!o->agnostic && class_of(a) != class_of(b)))
            continue;
        box_of(other, b);
        if (detect_probiou_float(other, box) >= o->iou)
            return false;
    }
    return true;
}

static void rows_are_those_of_the_whole_matrix(void **state)
{
    (void)state;
    static const float ious[] = {0.05f, 0.3f, 0.7f, 0.95f};
    detect_nms *nms;
    vg_detection out[ANCHORS];
    float xywhr[5 * ANCHORS];
    uint32_t cells[ANCHORS];
    assert_int_equal(detect_nms_create_rotated(&nms, ANCHORS * NC, ANCHORS, &mem, NULL), VG_OK);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        detect_nms_options o = DETECT_NMS_PREDICT;
        o.iou = ious[seed % 4];
        o.agnostic = seed > 4;
        o.max_det = ANCHORS;
        pred_make(seed);
        size_t want = 0;
        for (int a = 0; a < ANCHORS; a++)
            want += plain_keeps(a, &o);
        const size_t n = detect_nms_run_rotated(nms, out, xywhr, cells, pred, NC, ANCHORS, &o);
        assert_int_equal(n, want);
        for (size_t i = 0; i < n; i++) {
            float box[5];
            assert_true(plain_keeps((int)cells[i], &o));
            assert_true(i == 0 || out[i].confidence <= out[i - 1].confidence);
            box_of(box, (int)cells[i]);
            assert_memory_equal(box, xywhr + 5 * i, sizeof box);
            assert_int_equal(out[i].class_index, class_of((int)cells[i]));
        }
        o.max_det = 7;
        assert_int_equal(detect_nms_run_rotated(nms, out, xywhr, NULL, pred, NC, ANCHORS, &o), 7);
    }
    detect_nms_destroy(&nms);
}

static void boxes_that_are_no_numbers_are_not_there(void **state)
{
    (void)state;
    detect_nms *nms;
    vg_detection out[ANCHORS];
    float xywhr[5 * ANCHORS];
    uint32_t cells[ANCHORS];
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.iou = 0.99f;
    assert_int_equal(detect_nms_create_rotated(&nms, ANCHORS * NC, ANCHORS, &mem, NULL), VG_OK);
    pred_make(3);
    pred[4 * ANCHORS + 11] = 2; /* the best of all, */
    pred[(4 + NC) * ANCHORS + 11] = NAN;
    size_t n = detect_nms_run_rotated(nms, out, xywhr, cells, pred, NC, ANCHORS, &o);
    assert_true(n > 50);
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(cells[i], 11);
    detect_nms_destroy(&nms);
}

/* ---- cells ---- */

static void cells_lead_back_to_the_logits(void **state)
{
    (void)state;
    enum { CLASSES = 4, EXTRA = 6, H = 64, W = 96 };
    test_levels t;
    detect_nms *nms;
    vg_detection out[300];
    uint32_t cells[300];
    levels_make(&t, 2, H, W, CLASSES, EXTRA, -6, 1, 5, &mem);
    for (int i = 0; i < TEST_LEVELS; i++) {
        t.level[i].extra = t.data[i] + DETECT_BOX_CHANNELS + CLASSES;
        t.level[i].extra_pitch = t.level[i].box_pitch;
        t.level[i].n_extra = EXTRA;
    }
    assert_int_equal(detect_nms_create(&nms, t.n_anchors, 300, &mem, NULL), VG_OK);
    const detect_nms_options o = DETECT_NMS_PREDICT;
    const size_t n = detect_run(nms, out, cells, t.level, TEST_LEVELS, CLASSES, 1, &o);
    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        const detect_cell c = detect_cell_at(t.level, TEST_LEVELS, 1, cells[i]);
        const float *logits = c.extra - CLASSES; /* they lie before it here */
        assert_true(fabsf(1 / (1 + expf(-logits[out[i].class_index])) - out[i].confidence) < 1e-6f);
    }
    detect_nms_destroy(&nms);
    levels_free(&t);
}

static void angles_turn_what_the_sides_say(void **state)
{
    (void)state;
    /* All distances 2 cells but the right one, 6: the box is 8 x 4 cells, its centre 2 cells along
     * its own axis from the cell's. */
    float box[DETECT_BOX_CHANNELS] = {0}, cls = 4, angle = logf(0.75f / 0.25f); /* pi / 2 */
    for (int side = 0; side < 4; side++)
        box[side * DETECT_REG_MAX + (side == 2 ? 6 : 2)] = 60;
    const detect_level l = {
        .box = box, .cls = &cls, .extra = &angle, .n_extra = 1, .h = 1, .w = 1, .stride = 8};
    detect_nms *nms;
    vg_detection out;
    float r[5];
    const detect_nms_options o = DETECT_NMS_PREDICT;
    assert_int_equal(detect_nms_create_rotated(&nms, 1, 1, &mem, NULL), VG_OK);
    assert_int_equal(detect_run_rotated(nms, &out, r, NULL, &l, 1, 1, 0, &o), 1);
    assert_float_equal(r[0], 4, 1e-3);
    assert_float_equal(r[1], 4 + 16, 1e-3);
    assert_float_equal(r[2], 64, 1e-3);
    assert_float_equal(r[3], 32, 1e-3);
    assert_float_equal(r[4], 1.5707963, 1e-5);
    assert_float_equal(out.x1, 4 - 16, 1e-3);
    assert_float_equal(out.y2, 20 + 32, 1e-3);
    detect_nms_destroy(&nms);
}

/* ---- what is added ---- */

static void keypoints_go_by_their_cell(void **state)
{
    (void)state;
    const float raw[] = {0.25f, -0.5f, 0, 1, 1, -3};
    const detect_cell cell = {.extra = raw, .x = 3, .y = 2, .stride = 16};
    vg_keypoint k[3];
    detect_keypoints_decode(k, &cell, 2, 3);
    assert_float_equal(k[0].x, (0.5 + 3) * 16, 1e-5);
    assert_float_equal(k[0].y, (-1.0 + 2) * 16, 1e-5);
    assert_float_equal(k[0].visibility, 0.5, 1e-6);
    assert_true(k[1].visibility < 0.05f);
    detect_keypoints_scale(k, 2, 64, 128, 30, 90); /* gain 128 / 90, borders above and below */
    assert_float_equal(k[0].x, 39.375, 1e-4);
    assert_float_equal(k[0].y, 3.75, 1e-4);
    detect_keypoints_hide(k, 2);
    assert_true(k[0].x != 0); /* 0.5 is not below 0.5 */
    assert_true(k[1].x == 0 && k[1].y == 0 && k[1].visibility > 0);
    detect_keypoints_decode(k, &cell, 3, 2);
    assert_float_equal(k[1].y, (2.0 + 2) * 16, 1e-5);
    assert_float_equal(k[1].visibility, 1, 0);
}

static void the_best_classes_come_first(void **state)
{
    (void)state;
    const float logits[] = {1, 3, 3, -2, 0, 2, 1000 - 1000};
    float scores[7];
    vg_class_score top[DETECT_TOP];
    assert_int_equal(detect_top(top, scores, logits, 7), 5);
    static const int want[] = {1, 2, 5, 0, 4};
    double sum = 0;
    for (int i = 0; i < 7; i++)
        sum += scores[i];
    assert_float_equal(sum, 1, 1e-6);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(top[i].class_index, want[i]);
        assert_true(top[i].confidence == scores[want[i]]);
    }
    const float large[] = {1000, 999};
    assert_int_equal(detect_top(top, scores, large, 2), 2);
    assert_float_equal(top[0].confidence, 0.7310586, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_the_whole_matrix),
        cmocka_unit_test(boxes_that_are_no_numbers_are_not_there),
        cmocka_unit_test(cells_lead_back_to_the_logits),
        cmocka_unit_test(angles_turn_what_the_sides_say),
        cmocka_unit_test(keypoints_go_by_their_cell),
        cmocka_unit_test(the_best_classes_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

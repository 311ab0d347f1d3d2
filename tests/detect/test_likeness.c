/* test_likeness.c: masks, keypoints and turned boxes against what paper gives; metrics of two rows
 * of figures. The golden files hold the reference's numbers. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/random.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static bool near(double a, double b, double most)
{
    return fabs(a - b) <= most;
}

static detect_bitmaps bitmaps_make(void **block, size_t most, int h, int w)
{
    const size_t bytes = detect_bitmaps_bytes(most, h, w);
    assert_true(bytes > 0);
    *block = base_alloc(&mem, bytes, NULL);
    return detect_bitmaps_make(*block, most, h, w);
}

/* Sets the rectangle x0 <= x < x1, y0 <= y < y1 of mask i. */
static void put_rectangle(detect_bitmaps *b, size_t i, int x0, int y0, int x1, int y1)
{
    float ones[512];
    for (size_t k = 0; k < 512; k++)
        ones[k] = 1;
    detect_bitmaps_clear(b, i);
    for (int y = y0; y < y1; y++)
        detect_bitmaps_add_row(b, i, y, x0, x1, ones, 0);
    detect_bitmaps_count(b, i);
}

static void masks_overlap_by_their_common_pixels(void **state)
{
    (void)state;
    void *blocks[2];
    detect_bitmaps a = bitmaps_make(&blocks[0], 3, 40, 200),
                   b = bitmaps_make(&blocks[1], 3, 40, 200);
    put_rectangle(&a, 0, 60, 5, 140, 25); /* over three words: 80 x 20 */
    put_rectangle(&b, 0, 100, 15, 180, 35);
    put_rectangle(&b, 1, 60, 30, 140, 40); /* below it */
    put_rectangle(&b, 2, 0, 0, 0, 0);
    put_rectangle(&a, 2, 0, 0, 0, 0);
    assert_int_equal(a.facts[0].area, 1600);
    assert_int_equal(a.facts[0].y0, 5);
    assert_int_equal(a.facts[0].y1, 25);
    assert_true(near(detect_bitmaps_iou(&a, 0, &b, 0), 40.0 * 10 / (3200 - 400), 1e-7));
    assert_true(detect_bitmaps_iou(&a, 0, &b, 1) == 0);
    assert_true(detect_bitmaps_iou(&a, 0, &a, 0) == 1);
    assert_true(detect_bitmaps_iou(&a, 2, &b, 2) == 0); /* of nothing with nothing */
    base_free(blocks[0]);
    base_free(blocks[1]);
}

static void masks_of_any_width_count_as_pixels_do(void **state)
{
    (void)state;
    test_random r = {7};
    void *block;
    detect_bitmaps b = bitmaps_make(&block, 2, 33, 130);
    for (int w = 1; w <= 130; w += 3) {
        const int h = 1 + w % 33;
        float row[2][130];
        unsigned n[2] = {0}, common = 0;
        detect_bitmaps_resize(&b, h, w);
        for (size_t i = 0; i < 2; i++)
            detect_bitmaps_clear(&b, i);
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                for (size_t i = 0; i < 2; i++) {
                    row[i][x] = random_float(&r, -1, 1);
                    n[i] += row[i][x] > 0.25f;
                }
                common += row[0][x] > 0.25f && row[1][x] > 0.25f;
            }
            for (size_t i = 0; i < 2; i++)
                detect_bitmaps_add_row(&b, i, y, 0, w, row[i], 0.25f);
        }
        for (size_t i = 0; i < 2; i++) {
            detect_bitmaps_count(&b, i);
            assert_int_equal(b.facts[i].area, n[i]);
        }
        const float want = (float)common / ((float)(n[0] + n[1] - common) + 1e-7f);
        assert_true(detect_bitmaps_iou(&b, 0, &b, 1) == want);
    }
    base_free(block);
}

static void an_index_map_is_split_into_its_objects(void **state)
{
    (void)state;
    const int32_t map[2][5] = {{1, 1, 0, 3, 9}, {2, 1, 0, 3, -4}};
    void *block;
    detect_bitmaps b = bitmaps_make(&block, 4, 2, 5);
    detect_bitmaps_split(&b, 4, map[0], 2, 5);
    const uint32_t areas[] = {3, 1, 2, 0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(b.facts[i].area, areas[i]);
    assert_int_equal(*detect_bitmaps_row(&b, 0, 0), 3);
    assert_int_equal(*detect_bitmaps_row(&b, 0, 1), 2);
    base_free(block);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_int_equal(detect_bitmaps_bytes(0, 1, 1), 0);
    assert_int_equal(detect_bitmaps_bytes(1, 0, 1), 0);
    assert_int_equal(detect_bitmaps_bytes(1, 1, 65536), 0);
    assert_int_equal(detect_bitmaps_bytes(SIZE_MAX / 8, 100, 100), 0);
}

static void keypoints_are_alike_by_distance_size_and_sigma(void **state)
{
    (void)state;
    float sigmas[17];
    detect_keypoint_sigmas(sigmas, 17, 3);
    assert_true(sigmas[0] == .026f && sigmas[16] == .089f);
    detect_keypoint_sigmas(sigmas, 17, 2);
    assert_true(sigmas[0] == 1.0f / 17);
    detect_keypoint_sigmas(sigmas, 2, 3);
    assert_true(sigmas[0] == 0.5f && sigmas[1] == 0.5f);
    /* Two points; a third pair of objects whose second, and whose none is labelled. */
    const float dets[] = {10, 10, 0, 20, 20, 0};
    const float truths[] = {10, 10, 2, 23, 24, 1, 10, 10, 0, 23, 24, 1, 10, 10, 0, 20, 20, 0};
    const detect_truth boxes[3] = {{.xyxy = {0, 0, 10, 5}, .class_index = 0},
                                   {.xyxy = {0, 0, 10, 5}, .class_index = 0},
                                   {.xyxy = {0, 0, 10, 5}, .class_index = 0}};
    const detect_keypoint_pairs p = {.n_keypoints = 2,
                                     .dims = 3,
                                     .sigmas = sigmas,
                                     .dets = dets,
                                     .truths = truths,
                                     .boxes = boxes};
    const detect_likeness alike = detect_likeness_of_keypoints(&p);
    const double far = exp(-25.0 / (1.0 * 50 * 0.53 * 2)); /* (2 sigma)^2 = 1 */
    assert_true(near(alike.of(alike.ctx, 0, 0), (1 + far) / 2, 1e-6));
    assert_true(near(alike.of(alike.ctx, 0, 1), far, 1e-6));
    assert_true(alike.of(alike.ctx, 0, 2) == 0);
}

static void turned_boxes_are_alike_by_probiou(void **state)
{
    (void)state;
    const float dets[] = {50, 50, 40, 10, 0.5f, 50, 50, 40, 10, 2.07f},
                truths[] = {50, 50, 40, 10, 0.5f};
    const detect_rotated_pairs p = {dets, truths};
    const detect_likeness alike = detect_likeness_of_rotated(&p);
    assert_true(near(alike.of(alike.ctx, 0, 0), 0.99955, 5e-4));
    assert_true(alike.of(alike.ctx, 1, 0) < 0.6f); /* across it */
}

/* Of every class one object, and a detection on it whose mask is right only where the class is
 * even. */
static float even(const void *ctx, size_t det, size_t truth)
{
    const vg_detection *d = ctx;
    (void)truth;
    return d[det].class_index % 2 == 0 ? 0.99f : 0.6f;
}

static void both_rows_of_figures_stand_by_themselves(void **state)
{
    (void)state;
    detect_metrics *m = NULL;
    detect_metrics_result r;
    const detect_metrics_bounds bounds = {.nc = 2,
                                          .most_detections = 10,
                                          .most_picture_detections = 2,
                                          .most_picture_truths = 2,
                                          .n_figures = 2};
    assert_int_equal(detect_metrics_create(&m, &bounds, 0.25f, &mem, NULL), VG_OK);
    const vg_detection dets[2] = {{0, 0, 10, 10, 0.9f, 0}, {20, 20, 30, 30, 0.4f, 1}};
    const detect_truth truths[2] = {{.xyxy = {0, 0, 10, 10}, .class_index = 0},
                                    {.xyxy = {20, 20, 30, 30}, .class_index = 1}};
    const detect_scene s = {
        .dets = dets, .n_dets = 2, .truths = truths, .n_truths = 2, .second = {even, dets}};
    assert_int_equal(detect_metrics_add_scene(m, &s, NULL), VG_OK);
    detect_metrics_make_result(m, &r);
    assert_int_equal(r.n_figures, 2);
    assert_int_equal(r.n_confused, 3);
    assert_true(near(r.figures[0].map, 0.995, 1e-9));
    assert_true(near(r.figures[1].map50, 0.995, 1e-9));
    /* class 1's masks are right up to 0.6 alone: at 3 of 10 thresholds */
    assert_true(near(r.figures[1].maps[1], 0.3 * 0.995, 1e-9));
    assert_true(near(r.maps[1], 1.3 * 0.995, 1e-9));
    assert_true(near(r.fitness, r.figures[0].fitness + r.figures[1].fitness, 1e-12));
    const char *names[] = {"a", "b"};
    const vg_val_class row = detect_metrics_class(&r, 1, names);
    assert_true(row.map == r.figures[0].maps[1] && row.second.map == r.figures[1].maps[1]);
    assert_true(row.second.precision == 1 && row.second.recall == 1);
    detect_metrics_destroy(&m);
}

static void pictures_of_a_class_are_right_at_once_or_among_five(void **state)
{
    (void)state;
    detect_metrics *m = NULL;
    detect_metrics_result r;
    vg_error err;
    const detect_metrics_bounds bounds = {.nc = 7,
                                          .most_detections = 1,
                                          .most_picture_detections = 1,
                                          .most_picture_truths = 1,
                                          .has_no_boxes = true};
    assert_int_equal(detect_metrics_create(&m, &bounds, 0.25f, &mem, NULL), VG_OK);
    const vg_class_score top[5] = {{3, 0.5f}, {1, 0.2f}, {0, 0.1f}, {6, 0.1f}, {2, 0.05f}};
    assert_int_equal(detect_metrics_rank(m, top, 5, 3, NULL), VG_OK);
    assert_int_equal(detect_metrics_rank(m, top, 5, 2, NULL), VG_OK);
    assert_int_equal(detect_metrics_rank(m, top, 5, 2, NULL), VG_OK);
    assert_int_equal(detect_metrics_rank(m, top, 5, 4, NULL), VG_OK);
    assert_int_equal(detect_metrics_rank(m, top, 5, 7, &err), VG_ERR_ARGUMENT);
    detect_metrics_make_result(m, &r);
    assert_true(near(r.top1, 0.25, 0) && near(r.top5, 0.75, 0) && near(r.fitness, 0.5, 0));
    assert_int_equal(r.n_pictures, 4);
    assert_int_equal(r.n_figures, 0);
    assert_int_equal(r.n_classes, 0);
    assert_int_equal(r.n_confused, 7); /* no background */
    assert_int_equal(r.confusion[3 * 7 + 2], 2);
    detect_metrics_reset(m);
    detect_metrics_make_result(m, &r);
    assert_true(r.top1 == 0 && r.top5 == 0 && r.fitness == 0);
    detect_metrics_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_overlap_by_their_common_pixels),
        cmocka_unit_test(masks_of_any_width_count_as_pixels_do),
        cmocka_unit_test(an_index_map_is_split_into_its_objects),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(keypoints_are_alike_by_distance_size_and_sigma),
        cmocka_unit_test(turned_boxes_are_alike_by_probiou),
        cmocka_unit_test(both_rows_of_figures_stand_by_themselves),
        cmocka_unit_test(pictures_of_a_class_are_right_at_once_or_among_five),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

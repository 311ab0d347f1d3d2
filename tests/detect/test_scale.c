/* test_scale.c: boxes back to the original picture, and the plain IoU. */
#include "support/test.h"

#include "detect/detect.h"
#include "support/golden.h"

static void golden_scale_is_met(void **state)
{
    (void)state;
    golden_file *g = golden_open("nms.safetensors");
    size_t files = 0;
    for (;; files++) {
        char in_key[32], out_key[32], shapes_key[32];
        snprintf(in_key, sizeof in_key, "scale%zu.in", files);
        snprintf(out_key, sizeof out_key, "scale%zu.out", files);
        snprintf(shapes_key, sizeof shapes_key, "scale%zu.shapes", files);
        if (!golden_has(g, in_key))
            break;
        const float *in = golden_f32(g, in_key, NULL), *want = golden_f32(g, out_key, NULL);
        const int64_t *s = golden_i64(g, shapes_key, NULL);
        size_t n = golden_dim(g, in_key, 0);
        for (size_t i = 0; i < n; i++) {
            vg_detection b = {in[4 * i], in[4 * i + 1], in[4 * i + 2], in[4 * i + 3], 0.5f, 1};
            detect_scale_boxes(&b, 1, (int)s[0], (int)s[1], (int)s[2], (int)s[3]);
            assert_float_equal(b.x1, want[4 * i], 1e-4);
            assert_float_equal(b.y1, want[4 * i + 1], 1e-4);
            assert_float_equal(b.x2, want[4 * i + 2], 1e-4);
            assert_float_equal(b.y2, want[4 * i + 3], 1e-4);
        }
    }
    assert_int_equal(files, 4);
    golden_close(g);
}

static void padding_rounds_as_the_letterbox_does(void **state)
{
    (void)state;
    /* 640 x 480 in 640 x 643: 81.5 on each side; 81.5 - 0.1 rounds to 81. */
    vg_detection b = {0, 81, 640, 561, 1, 0};
    detect_scale_boxes(&b, 1, 643, 640, 480, 640);
    assert_float_equal(b.y1, 0, 0);
    assert_float_equal(b.y2, 480, 0);
}

static void a_noted_gain_and_padding_undo_the_letterbox(void **state)
{
    (void)state;
    vg_detection b = {10, 20, 110, 1000, 1, 0};
    detect_unpad_boxes(&b, 1, 0.5f, 5, 10);
    detect_cut_boxes(&b, 1, 100, 300);
    assert_float_equal(b.x1, 10, 0);
    assert_float_equal(b.y1, 20, 0);
    assert_float_equal(b.x2, 210, 0);
    assert_float_equal(b.y2, 100, 0);
}

static void iou_of_identical_disjoint_and_empty_boxes(void **state)
{
    (void)state;
    const float a[4] = {0, 0, 10, 10}, half[4] = {5, 0, 15, 10}, far[4] = {20, 20, 30, 30},
                empty[4] = {3, 3, 3, 3};
    assert_float_equal(detect_iou(a, a), 1, 1e-6);
    assert_float_equal(detect_iou(a, half), 50.0 / 150, 1e-6);
    assert_float_equal(detect_iou(a, far), 0, 0);
    assert_float_equal(detect_iou(empty, empty), 0, 0);
}

static void golden_iou_matrix_is_met(void **state)
{
    (void)state;
    golden_file *g = golden_open("ciou.safetensors");
    const float *a = golden_f32(g, "box1", NULL), *b = golden_f32(g, "box2", NULL);
    const float *want = golden_f32(g, "box_iou_matrix", NULL);
    for (size_t i = 0; i < 20; i++)
        for (size_t j = 0; j < 20; j++)
            assert_float_equal(detect_iou(a + 4 * i, b + 4 * j), want[20 * i + j], 1e-6);
    golden_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_scale_is_met),
        cmocka_unit_test(padding_rounds_as_the_letterbox_does),
        cmocka_unit_test(a_noted_gain_and_padding_undo_the_letterbox),
        cmocka_unit_test(iou_of_identical_disjoint_and_empty_boxes),
        cmocka_unit_test(golden_iou_matrix_is_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

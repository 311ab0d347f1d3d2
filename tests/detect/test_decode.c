/* test_decode.c: decode against the formulas of spec 1.4 in double, and the shared exp and sigmoid
 * over their range. */
#include "support/test.h"

#include <math.h>

#include "detect/levels.h"
#include "detect/maths.h"

static double dfl_double(const float *logits)
{
    double sum = 0, mean = 0;
    for (int b = 0; b < DETECT_REG_MAX; b++) {
        sum += exp(logits[b]);
        mean += b * exp(logits[b]);
    }
    return mean / sum;
}

static void check_anchor(const float *out, const test_levels *t, const detect_level *l, int nc,
                         int picture, int pixel, size_t anchor)
{
    const size_t at = (size_t)(picture * l->h * l->w + pixel), n = t->n_anchors;
    double d[4], ax = pixel % l->w + 0.5, ay = pixel / l->w + 0.5; /* NOLINT: whole rows */
    for (int side = 0; side < 4; side++)
        d[side] = dfl_double(l->box + at * l->box_pitch + side * DETECT_REG_MAX);
    assert_float_equal(out[anchor], (ax + (d[2] - d[0]) / 2) * l->stride, 1e-3);
    assert_float_equal(out[n + anchor], (ay + (d[3] - d[1]) / 2) * l->stride, 1e-3);
    assert_float_equal(out[2 * n + anchor], (d[0] + d[2]) * l->stride, 1e-3);
    assert_float_equal(out[3 * n + anchor], (d[1] + d[3]) * l->stride, 1e-3);
    for (int c = 0; c < nc; c++) {
        double score = 1 / (1 + exp(-(double)l->cls[at * l->cls_pitch + (size_t)c]));
        assert_float_equal(out[(4 + (size_t)c) * n + anchor], score, 3e-7);
    }
}

static void check_shape(int batch, int h, int w, int nc, int gap)
{
    base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
    test_levels t;
    levels_make(&t, batch, h, w, nc, gap, -12, 12, (uint64_t)(h + nc), &mem);
    float *out = base_alloc(&mem, (size_t)(4 + nc) * t.n_anchors * sizeof(float), NULL);
    for (int picture = 0; picture < batch; picture++) {
        detect_decode_all(out, t.level, TEST_LEVELS, nc, picture);
        size_t anchor = 0;
        for (int i = 0; i < TEST_LEVELS; i++)
            for (int p = 0; p < t.level[i].h * t.level[i].w; p++)
                check_anchor(out, &t, &t.level[i], nc, picture, p, anchor++);
        assert_int_equal(anchor, t.n_anchors);
    }
    base_free(out);
    levels_free(&t);
}

static void decoding_follows_the_formulas_for_any_shape_and_class_count(void **state)
{
    (void)state;
    check_shape(1, 64, 96, 80, 0);
    check_shape(2, 32, 32, 1, 0);
    check_shape(3, 96, 32, 131, 7);
    check_shape(1, 160, 224, 3, 1);
}

static void no_levels_have_no_anchors(void **state)
{
    (void)state;
    assert_int_equal(detect_n_anchors(NULL, 0), 0);
}

static void exp_is_exact_to_a_few_parts_in_ten_million(void **state)
{
    (void)state;
    for (double x = -87; x <= 87; x += 0.0137) {
        double got = detect_exp((float)x), want = exp((double)(float)x);
        assert_true(fabs(got - want) <= 3e-7 * want);
    }
    assert_true(detect_exp(0.0f) == 1.0f);
}

static void sigmoid_survives_the_ends_of_the_line(void **state)
{
    (void)state;
    assert_float_equal(detect_sigmoid(INFINITY), 1, 1e-9);
    assert_float_equal(detect_sigmoid(-INFINITY), 0, 1e-9);
    assert_float_equal(detect_sigmoid(1e30f), 1, 1e-9);
    assert_true(isnan(detect_sigmoid(NAN)));
    assert_true(isnan(detect_exp(NAN)));
    assert_true(detect_sigmoid(0.0f) == 0.5f);
}

static void softmax_of_huge_logits_does_not_overflow(void **state)
{
    (void)state;
    float logits[DETECT_BOX_CHANNELS] = {0}, d[4];
    logits[7] = 3e38f;
    for (int b = 0; b < DETECT_REG_MAX; b++)
        logits[DETECT_REG_MAX + b] = -3e38f;
    detect_dfl(d, logits);
    assert_float_equal(d[0], 7, 1e-6);
    assert_float_equal(d[1], 7.5, 1e-6);
    assert_float_equal(d[2], 7.5, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_follows_the_formulas_for_any_shape_and_class_count),
        cmocka_unit_test(no_levels_have_no_anchors),
        cmocka_unit_test(exp_is_exact_to_a_few_parts_in_ten_million),
        cmocka_unit_test(sigmoid_survives_the_ends_of_the_line),
        cmocka_unit_test(softmax_of_huge_logits_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

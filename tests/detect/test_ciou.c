/* test_ciou.c: CIoU and its gradient against the golden pairs and against finite differences. */
#include "support/test.h"

#include <math.h>

#include "detect/ciou.h"
#include "support/golden.h"
#include "support/random.h"

static void golden_values_and_gradients_are_met(void **state)
{
    (void)state;
    golden_file *g = golden_open("ciou.safetensors");
    const float *a = golden_f32(g, "box1", NULL), *b = golden_f32(g, "box2", NULL);
    const double *value = golden_f64(g, "f64.ciou", NULL),
                 *gradient = golden_f64(g, "f64.grad_box1", NULL);
    size_t n = golden_dim(g, "box1", 0);
    assert_int_equal(n, 100);
    for (size_t i = 0; i < n; i++) {
        double got[4];
        assert_true(fabs(detect_ciou(a + 4 * i, b + 4 * i) - value[i]) <= 1e-9);
        assert_true(fabs(detect_ciou_gradient(got, a + 4 * i, b + 4 * i) - value[i]) <= 1e-9);
        for (size_t k = 0; k < 4; k++)
            assert_true(fabs(got[k] - gradient[4 * i + k]) <=
                        1e-5 * fmax(1, fabs(gradient[4 * i + k])));
    }
    golden_close(g);
}

static double shape_v(const double p[4], const float t[4])
{
    double turn = atan(((double)t[2] - t[0]) / ((double)t[3] - t[1] + 1e-7)) -
                  atan((p[2] - p[0]) / (p[3] - p[1] + 1e-7));
    return 4 / (M_PI * M_PI) * turn * turn;
}

/* The formula of spec 3.4 with the shape term's weight given (negative: computed, and handed back
 * in *alpha). */
static double plain_ciou(const double p[4], const float t[4], double *alpha)
{
    double iw = fmax(fmin(p[2], t[2]) - fmax(p[0], t[0]), 0),
           ih = fmax(fmin(p[3], t[3]) - fmax(p[1], t[1]), 0);
    double cw = fmax(p[2], t[2]) - fmin(p[0], t[0]), ch = fmax(p[3], t[3]) - fmin(p[1], t[1]);
    double area = (p[2] - p[0]) * (p[3] - p[1] + 1e-7),
           other = ((double)t[2] - t[0]) * ((double)t[3] - t[1] + 1e-7);
    double iou = iw * ih / (area + other - iw * ih + 1e-7);
    double dx = (double)t[0] + t[2] - p[0] - p[2], dy = (double)t[1] + t[3] - p[1] - p[3],
           v = shape_v(p, t);
    if (*alpha < 0)
        *alpha = v / (v - iou + 1 + 1e-7);
    return iou - (dx * dx + dy * dy) / 4 / (cw * cw + ch * ch + 1e-7) - v * *alpha;
}

static void the_gradient_is_the_slope_with_the_shape_weight_held(void **state)
{
    (void)state;
    test_random r = {3};
    for (int i = 0; i < 500; i++) {
        float p[4], t[4];
        for (int k = 0; k < 2; k++) {
            p[k] = random_float(&r, 0, 10);
            t[k] = random_float(&r, 0, 10);
            p[k + 2] = p[k] + random_float(&r, 0.5f, 10);
            t[k + 2] = t[k] + random_float(&r, 0.5f, 10);
        }
        double got[4], at[4] = {p[0], p[1], p[2], p[3]}, alpha = -1, step = 1e-6;
        assert_true(fabs(plain_ciou(at, t, &alpha) - detect_ciou_gradient(got, p, t)) < 1e-12);
        for (int k = 0; k < 4; k++) {
            at[k] = p[k] + step;
            double up = plain_ciou(at, t, &alpha);
            at[k] = p[k] - step;
            double down = plain_ciou(at, t, &alpha);
            at[k] = p[k];
            assert_true(fabs((up - down) / (2 * step) - got[k]) < 1e-6);
        }
    }
}

static void degenerate_boxes_give_finite_numbers(void **state)
{
    (void)state;
    static const float boxes[][4] = {
        {0, 0, 0, 0}, {5, 5, 5, 9}, {5, 5, 9, 5}, {9, 9, 5, 5}, {0, 0, 1e6f, 1e-6f}};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            double g[4];
            assert_true(isfinite(detect_ciou_gradient(g, boxes[i], boxes[k])));
            assert_true(isfinite(g[0]) && isfinite(g[1]) && isfinite(g[2]) && isfinite(g[3]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_values_and_gradients_are_met),
        cmocka_unit_test(the_gradient_is_the_slope_with_the_shape_weight_held),
        cmocka_unit_test(degenerate_boxes_give_finite_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

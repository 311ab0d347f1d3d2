/* test_rotated.c: rotated boxes against the golden pairs, finite differences and plain geometry. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "detect/rotated.h"
#include "support/golden.h"
#include "support/random.h"

static const double half_pi = 1.57079632679489661923;

static void golden_values_and_gradients_are_met(void **state)
{
    (void)state;
    golden_file *g = golden_open("tasks/obb_probiou.safetensors");
    const float *a = golden_f32(g, "box1", NULL), *b = golden_f32(g, "box2", NULL);
    const double *value = golden_f64(g, "f64.probiou", NULL),
                 *gradient = golden_f64(g, "f64.grad_box1", NULL);
    const float *value_float = golden_f32(g, "f32.probiou", NULL);
    for (size_t i = 0; i < golden_dim(g, "box1", 0); i++) {
        double got[5];
        assert_true(fabs(detect_probiou_gradient(got, a + 5 * i, b + 5 * i) - value[i]) <= 1e-9);
        assert_true(fabs(detect_probiou(a + 5 * i, b + 5 * i) - value[i]) <= 1e-9);
        assert_true(fabsf(detect_probiou_float(a + 5 * i, b + 5 * i) - value_float[i]) <= 5e-5f);
        for (size_t k = 0; k < 5; k++)
            assert_true(fabs(got[k] - gradient[5 * i + k]) <= 1e-8);
    }
    golden_close(g);
}

static void box_draw(float xywhr[5], test_random *r)
{
    xywhr[0] = random_float(r, 0, 20);
    xywhr[1] = random_float(r, 0, 20);
    xywhr[2] = random_float(r, 1, 20);
    xywhr[3] = random_float(r, 1, 20);
    xywhr[4] = random_float(r, -3, 3);
}

static void the_gradient_is_the_slope(void **state)
{
    (void)state;
    test_random r = {5};
    for (int i = 0; i < 500; i++) {
        float p[5], t[5], at[5];
        double got[5];
        box_draw(p, &r);
        box_draw(t, &r);
        detect_probiou_gradient(got, p, t);
        for (int k = 0; k < 5; k++) {
            /* The step that a float really took. */
            memcpy(at, p, sizeof at);
            at[k] = p[k] + 1e-3f;
            const double up = detect_probiou(at, t), up_at = at[k];
            at[k] = p[k] - 1e-3f;
            const double slope = (up - detect_probiou(at, t)) / (up_at - at[k]);
            assert_true(fabs(slope - got[k]) < 1e-4);
        }
    }
}

static void where_the_distance_is_clamped_there_is_no_slope(void **state)
{
    (void)state;
    const float here[5] = {10, 10, 4, 2, 0.3f}, far[5] = {1e4f, 10, 4, 2, 0.3f},
                none[5] = {10, 10, 0, 0, 0};
    const float *pairs[][2] = {{here, here}, {here, far}, {none, none}, {here, none}, {none, here}};
    for (size_t i = 0; i < 5; i++) {
        double g[5];
        const double value = detect_probiou_gradient(g, pairs[i][0], pairs[i][1]);
        assert_true(value > -1e-6 && value < 1);
        assert_true(isfinite(detect_probiou_float(pairs[i][0], pairs[i][1])));
        for (int k = 0; k < 5; k++)
            assert_true(i < 2 ? g[k] == 0 : isfinite(g[k]));
    }
}

static void the_regular_form_is_the_same_rectangle(void **state)
{
    (void)state;
    test_random r = {6};
    for (int i = 0; i < 300; i++) {
        float box[5], regular[5];
        box_draw(box, &r);
        memcpy(regular, box, sizeof box);
        detect_rotated_regularise(regular);
        assert_true(regular[2] >= regular[3]);
        assert_true(regular[4] >= 0 && (double)regular[4] < 2 * half_pi);
        assert_true(detect_probiou(box, regular) > 0.9995);
    }
    float tiny[5] = {0, 0, 2, 1, -1e-9f};
    detect_rotated_regularise(tiny);
    assert_true(tiny[4] == 0);
}

/* Corners, points between them and points inside, in no order. */
static void the_smallest_rectangle_is_found_whatever_the_order_of_the_points(void **state)
{
    (void)state;
    enum { N = 40 };
    test_random r = {7};
    for (int i = 0; i < 300; i++) {
        float box[5], corners[8], points[2 * N], got[5], scratch[DETECT_AROUND_FLOATS(N)];
        box_draw(box, &r);
        detect_rotated_corners(corners, box);
        for (size_t k = 0; k < N; k++) {
            const size_t from = k % 4, to = (k + 1 + k % 3) % 4;
            const float part = k < 4 ? 0 : random_float(&r, 0, 1);
            for (size_t j = 0; j < 2; j++)
                points[2 * (N - 1 - k) + j] =
                    corners[2 * from + j] + part * (corners[2 * to + j] - corners[2 * from + j]);
        }
        detect_rotated_around(got, points, N, scratch);
        assert_true(got[4] > 0 && (double)got[4] <= half_pi + 1e-6);
        assert_true(fabsf(got[2] * got[3] - box[2] * box[3]) <= 1e-3f * box[2] * box[3] + 1e-3f);
        assert_true(detect_probiou(box, got) > 0.998);
    }
}

static void a_parallel_rectangle_stands_upright_and_few_points_are_borne(void **state)
{
    (void)state;
    const float points[8] = {0, 0, 6, 0, 6, 2, 0, 2};
    float got[5], scratch[DETECT_AROUND_FLOATS(4)];
    detect_rotated_around(got, points, 4, scratch);
    const float want[5] = {3, 1, 2, 6, (float)half_pi};
    for (int k = 0; k < 5; k++)
        assert_true(fabsf(got[k] - want[k]) < 1e-5f);
    for (size_t n = 0; n < 3; n++) {
        detect_rotated_around(got, points, n, scratch);
        for (int k = 0; k < 5; k++)
            assert_true(isfinite(got[k]));
        assert_true(got[2] * got[3] == 0);
        assert_true(got[4] > 0);
    }
    assert_true(fabsf(got[3] - 6) < 1e-6f); /* a line: upright, all its length across */
}

static void lengths_are_cut_as_if_they_were_coordinates(void **state)
{
    (void)state;
    /* 640 x 480 in 640 x 640: gain 1, 80 rows of padding above. */
    float box[5] = {-5, 100, 700, 500, 0.5f};
    detect_rotated_scale(box, 640, 640, 480, 640);
    const float want[5] = {0, 20, 640, 480, 0.5f};
    for (int k = 0; k < 5; k++)
        assert_true(box[k] == want[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_values_and_gradients_are_met),
        cmocka_unit_test(the_gradient_is_the_slope),
        cmocka_unit_test(where_the_distance_is_clamped_there_is_no_slope),
        cmocka_unit_test(the_regular_form_is_the_same_rectangle),
        cmocka_unit_test(the_smallest_rectangle_is_found_whatever_the_order_of_the_points),
        cmocka_unit_test(a_parallel_rectangle_stands_upright_and_few_points_are_borne),
        cmocka_unit_test(lengths_are_cut_as_if_they_were_coordinates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

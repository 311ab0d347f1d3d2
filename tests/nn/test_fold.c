/* test_fold.c: batch normalisation folded into convolutions, against the golden sample and by hand.
 */
#include "support/test.h"

#include <math.h>

#include "nn/models.h"
#include "support/golden.h"
#include "support/synthetic.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static bool near(float got, float want)
{
    return fabsf(got - want) <= 1e-7f + 1e-5f * fabsf(want);
}

static void golden_folded_tensors_are_met(void **state)
{
    (void)state;
    static const char *const keys[] = {"model.0",
                                       "model.10.cv1",
                                       "model.10.cv2",
                                       "model.10.m.0.attn.qkv",
                                       "model.10.m.0.attn.proj",
                                       "model.10.m.0.attn.pe"};
    nn_graph *g = graph_of("n", 0, &mem);
    golden_file *f = golden_open("fused_n_sample.safetensors");
    synthetic_weights s;
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, NULL), VG_OK);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char name[128];
        float *weight, *bias;
        size_t n_weight, n_bias, n_want, n_want_bias;
        snprintf(name, sizeof name, "%s.conv.weight", keys[i]);
        const float *want = golden_f32(f, name, &n_want);
        snprintf(name, sizeof name, "%s.conv.bias", keys[i]);
        const float *want_bias = golden_f32(f, name, &n_want_bias);
        assert_int_equal(
            nn_fold_conv(g, s.weights, keys[i], &weight, &bias, &n_weight, &n_bias, &mem, NULL),
            VG_OK);
        assert_int_equal(n_weight, n_want);
        assert_int_equal(n_bias, n_want_bias);
        for (size_t k = 0; k < n_weight; k++)
            assert_true(near(weight[k], want[k]));
        for (size_t k = 0; k < n_bias; k++)
            assert_true(near(bias[k], want_bias[k]));
        base_free(weight);
        base_free(bias);
    }
    synthetic_close(&s);
    golden_close(f);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The head's last convolutions have a bias and no batch normalisation. */
static void a_plain_convolution_is_as_in_the_file(void **state)
{
    (void)state;
    nn_graph *g = graph_of("n", 3, &mem);
    synthetic_weights s;
    float *weight, *bias;
    size_t n_weight, n_bias;
    assert_int_equal(synthetic_make(&s, g, 9, 8, &mem, NULL), VG_OK);
    assert_int_equal(nn_fold_conv(g, s.weights, "model.23.cv3.1.2", &weight, &bias, &n_weight,
                                  &n_bias, &mem, NULL),
                     VG_OK);
    assert_int_equal(n_weight, 3 * 64);
    assert_int_equal(n_bias, 3);
    assert_memory_equal(weight, weights_find(s.weights, "model.23.cv3.1.2.weight")->data,
                        n_weight * sizeof *weight);
    assert_memory_equal(bias, weights_find(s.weights, "model.23.cv3.1.2.bias")->data,
                        n_bias * sizeof *bias);
    base_free(weight);
    base_free(bias);
    synthetic_close(&s);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* One 1x1 convolution of 3 to 1 channels (a width that equals nc is not rounded up to 8) by hand:
 * s = 2 / sqrt(0.249 + 0.001) = 4. */
static void a_fold_by_hand(void **state)
{
    (void)state;
    static const char model[] = "nc: 1\nbackbone:\n  - [-1, 1, Conv, [1]]\n" MODEL_HEAD(0);
    nn_graph *g = NULL;
    float values[] = {
        1, -2, 0.5f, /* weight */ 2, /* bn.weight */ 7, /* bias */ 3, /* mean */ 0.249f /* var */};
    static const char header[] =
        "{\"model.0.conv.weight\":{\"dtype\":\"F32\",\"shape\":[1,3,1,1],\"data_offsets\":[0,12]},"
        "\"model.0.bn.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]},"
        "\"model.0.bn.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]},"
        "\"model.0.bn.running_mean\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[20,24]},"
        "\"model.0.bn.running_var\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[24,28]}}";
    static const char fused[] =
        "{\"model.0.conv.weight\":{\"dtype\":\"F32\",\"shape\":[1,3,1,1],\"data_offsets\":[0,12]},"
        "\"model.0.conv.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}";
    assert_int_equal(graph_from_text(&g, model, NULL, 0, &mem, NULL), VG_OK);
    for (int is_fused = 0; is_fused < 2; is_fused++) {
        uint8_t image[1024];
        const char *head = is_fused ? fused : header;
        uint64_t length = strlen(head);
        size_t n_data = is_fused ? 16 : sizeof values, n_weight, n_bias;
        weights_file *w = NULL;
        float *weight, *bias;
        memcpy(image, &length, 8);
        memcpy(image + 8, head, length);
        memcpy(image + 8 + length, values, n_data);
        assert_int_equal(weights_open_memory(&w, image, 8 + length + n_data, "test", &mem, NULL),
                         VG_OK);
        assert_int_equal(
            nn_fold_conv(g, w, "model.0", &weight, &bias, &n_weight, &n_bias, &mem, NULL), VG_OK);
        float scale = is_fused ? 1 : 4; /* a fused file is taken as it is */
        assert_true(near(weight[0], scale) && near(weight[1], -2 * scale) &&
                    near(weight[2], 0.5f * scale));
        assert_true(near(bias[0], is_fused ? 2 : 7 - 3 * 4));
        base_free(weight);
        base_free(bias);
        weights_close(&w);
    }
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void a_convolution_that_is_not_there_is_refused(void **state)
{
    (void)state;
    nn_graph *g = graph_of("n", 0, &mem);
    synthetic_weights s;
    float *weight, *bias;
    size_t n_weight, n_bias;
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, NULL), VG_OK);
    assert_int_equal(
        nn_fold_conv(g, s.weights, "model.99", &weight, &bias, &n_weight, &n_bias, &mem, NULL),
        VG_ERR_ARGUMENT);
    assert_null(weight);
    for (int64_t k = 1; k <= 2; k++) {
        mem.fail_in = k;
        assert_int_equal(
            nn_fold_conv(g, s.weights, "model.0", &weight, &bias, &n_weight, &n_bias, &mem, NULL),
            VG_ERR_MEMORY);
        mem.fail_in = 0;
    }
    synthetic_close(&s);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_folded_tensors_are_met),
        cmocka_unit_test(a_plain_convolution_is_as_in_the_file),
        cmocka_unit_test(a_fold_by_hand),
        cmocka_unit_test(a_convolution_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

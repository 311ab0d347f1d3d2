/* test_half.c: F16 and BF16 against their definitions, over all values and all ties. */
#include "support/test.h"

#include <math.h>

#include "weights/weights.h"

/* By the definition of IEEE 754 binary16. */
static double half_value(uint16_t h)
{
    const int exponent = h >> 10 & 31, fraction = h & 1023;
    const double size =
        exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return h & 0x8000 ? -size : size;
}

static bool is_half_nan(uint16_t h)
{
    return (h & 0x7c00) == 0x7c00 && (h & 0x3ff) != 0;
}

static void every_f16_widens_to_its_value(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = weights_f16_to_f32((uint16_t)h);
        if (is_half_nan((uint16_t)h))
            assert_true(isnan(f));
        else if ((h & 0x7fff) == 0x7c00)
            assert_true(isinf(f) && (signbit(f) != 0) == (h >> 15));
        else if ((double)f != half_value((uint16_t)h) || (signbit(f) != 0) != (h >> 15))
            fail_msg("0x%04x widens to %g", h, (double)f);
    }
}

static void every_f16_comes_back_from_float(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const uint16_t back = weights_f32_to_f16(weights_f16_to_f32((uint16_t)h));
        if (is_half_nan((uint16_t)h))
            assert_true(is_half_nan(back));
        else
            assert_int_equal(back, h);
    }
}

/* Between neighbours a < b: the middle goes to the even one, a hair beside it to the nearer. */
static void f16_rounds_to_the_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x7bff; h++) {
        const float middle = (float)((half_value((uint16_t)h) + half_value((uint16_t)(h + 1))) / 2);
        const uint32_t even = h & 1 ? h + 1 : h;
        assert_int_equal(weights_f32_to_f16(middle), even);
        assert_int_equal(weights_f32_to_f16(-middle), even | 0x8000);
        assert_int_equal(weights_f32_to_f16(nextafterf(middle, 0)), h);
        assert_int_equal(weights_f32_to_f16(nextafterf(middle, INFINITY)), h + 1);
    }
}

static void f16_overflows_to_infinity_from_65520(void **state)
{
    (void)state;
    assert_int_equal(weights_f32_to_f16(65504.0f), 0x7bff);
    assert_int_equal(weights_f32_to_f16(nextafterf(65520.0f, 0)), 0x7bff);
    assert_int_equal(weights_f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(weights_f32_to_f16(3e38f), 0x7c00);
    assert_int_equal(weights_f32_to_f16(-INFINITY), 0xfc00);
}

static void f16_underflows_to_a_signed_zero(void **state)
{
    (void)state;
    assert_int_equal(weights_f32_to_f16(ldexpf(1, -25)),
                     0); /* the tie between 0 and the smallest */
    assert_int_equal(weights_f32_to_f16(nextafterf(ldexpf(1, -25), 1)), 1);
    assert_int_equal(weights_f32_to_f16(-1e-30f), 0x8000);
    assert_int_equal(weights_f32_to_f16(-0.0f), 0x8000);
}

static void every_bf16_comes_back_from_float(void **state)
{
    (void)state;
    for (uint32_t b = 0; b < 65536; b++) {
        const float f = weights_bf16_to_f32((uint16_t)b);
        const uint16_t back = weights_f32_to_bf16(f);
        if (isnan(f))
            assert_true((back & 0x7f80) == 0x7f80 && (back & 0x7f) != 0);
        else
            assert_int_equal(back, b);
    }
}

static void bf16_rounds_to_the_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t b = 0; b < 0x7f7f; b++) {
        const uint32_t bits = b << 16 | 0x8000;
        float middle;
        memcpy(&middle, &bits, sizeof middle);
        assert_int_equal(weights_f32_to_bf16(middle), b & 1 ? b + 1 : b);
        assert_int_equal(weights_f32_to_bf16(nextafterf(middle, 0)), b);
        assert_int_equal(weights_f32_to_bf16(nextafterf(middle, INFINITY)), b + 1);
    }
    assert_int_equal(weights_f32_to_bf16(3.4e38f), 0x7f80);
}

/* A payload in the 16 bits that are cut off must not turn NaN into infinity. */
static void a_nan_stays_a_nan_in_both(void **state)
{
    (void)state;
    const uint32_t low_payloads[] = {0x7f800001, 0x7f801fff, 0xff800001, 0x7fc00000};
    for (size_t i = 0; i < sizeof low_payloads / sizeof low_payloads[0]; i++) {
        float f;
        memcpy(&f, &low_payloads[i], sizeof f);
        assert_true(isnan(weights_bf16_to_f32(weights_f32_to_bf16(f))));
        assert_true(isnan(weights_f16_to_f32(weights_f32_to_f16(f))));
    }
}

static void strides_are_followed_in_every_dtype(void **state)
{
    (void)state;
    const int64_t i64[] = {0, 1, 2, 3, 4, 5};
    const double f64[] = {0, 1, 2, 3, 4, 5};
    const int8_t i8[] = {0, 1, 2, 3, 4, 5};
    const int16_t i16[] = {0, 1, 2, 3, 4, 5};
    const uint8_t u8[] = {0, 1, 2, 3, 4, 5};
    const int32_t i32[] = {0, 1, 2, 3, 4, 5};
    const weights_tensor as[] = {
        {.dtype = WEIGHTS_I16, .data = i16}, {.dtype = WEIGHTS_U8, .data = u8},
        {.dtype = WEIGHTS_I32, .data = i32}, {.dtype = WEIGHTS_I64, .data = i64},
        {.dtype = WEIGHTS_F64, .data = f64}, {.dtype = WEIGHTS_I8, .data = i8}};
    const float expected[] = {0, 3, 1, 4, 2, 5}; /* the transpose of a 2 x 3 */
    for (size_t k = 0; k < sizeof as / sizeof as[0]; k++) {
        weights_tensor t = as[k];
        t.n_dims = 2;
        t.shape[0] = 3, t.shape[1] = 2;
        t.stride[0] = 1, t.stride[1] = 3;
        t.n_elements = 6;
        float got[6];
        weights_to_float(got, &t);
        assert_memory_equal(got, expected, sizeof expected);
    }
}

static void unaligned_data_are_read(void **state)
{
    (void)state;
    uint8_t bytes[1 + 3 * sizeof(float)];
    const float values[] = {1.5f, -2.0f, 3.25f};
    memcpy(bytes + 1, values, sizeof values);
    const weights_tensor t = {.dtype = WEIGHTS_F32,
                              .n_dims = 1,
                              .shape = {3},
                              .stride = {1},
                              .data = bytes + 1,
                              .n_elements = 3};
    float got[3];
    weights_to_float(got, &t);
    assert_memory_equal(got, values, sizeof values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_f16_widens_to_its_value),
        cmocka_unit_test(every_f16_comes_back_from_float),
        cmocka_unit_test(f16_rounds_to_the_nearest_and_ties_to_even),
        cmocka_unit_test(f16_overflows_to_infinity_from_65520),
        cmocka_unit_test(f16_underflows_to_a_signed_zero),
        cmocka_unit_test(every_bf16_comes_back_from_float),
        cmocka_unit_test(bf16_rounds_to_the_nearest_and_ties_to_even),
        cmocka_unit_test(a_nan_stays_a_nan_in_both),
        cmocka_unit_test(strides_are_followed_in_every_dtype),
        cmocka_unit_test(unaligned_data_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

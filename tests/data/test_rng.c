/* test_rng.c: streams are told apart by what they are for, and what is drawn has the promised
 * shape.
 */
#include "support/test.h"

#include <math.h>

#include "data/rng.h"

static void streams_differ_in_every_part(void **state)
{
    (void)state;
    base_rng streams[] = {
        data_rng_make(0, 0, DATA_RNG_SAMPLE, 0), data_rng_make(1, 0, DATA_RNG_SAMPLE, 0),
        data_rng_make(0, 1, DATA_RNG_SAMPLE, 0), data_rng_make(0, 0, DATA_RNG_SHUFFLE, 0),
        data_rng_make(0, 0, DATA_RNG_SAMPLE, 1)};
    uint64_t first[5];
    for (int i = 0; i < 5; i++) {
        first[i] = base_rng_next(&streams[i]);
        for (int k = 0; k < i; k++)
            assert_true(first[i] != first[k]);
    }
    base_rng again = data_rng_make(0, 1, DATA_RNG_SAMPLE, 0);
    assert_true(base_rng_next(&again) == first[2]);
}

static void a_shuffle_is_a_permutation(void **state)
{
    (void)state;
    uint32_t order[100], other[100];
    int seen[100] = {0}, moved = 0;
    base_rng r = data_rng_make(1, 1, DATA_RNG_SHUFFLE, 0),
             q = data_rng_make(1, 2, DATA_RNG_SHUFFLE, 0);
    data_rng_shuffle(&r, order, 100);
    data_rng_shuffle(&q, other, 100);
    for (int i = 0; i < 100; i++) {
        seen[order[i]]++;
        moved += order[i] != (uint32_t)i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
    assert_true(memcmp(order, other, sizeof order) != 0);
}

/* Mean 1/2, variance 1 / (4 (2a + 1)). */
static void beta_has_its_mean_and_variance(void **state)
{
    (void)state;
    enum { N = 20000 };
    base_rng r = data_rng_make(9, 9, DATA_RNG_SAMPLE, 9);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        double v = data_rng_beta(&r, 32);
        assert_true(v > 0 && v < 1);
        sum += v;
        squares += v * v;
    }
    double mean = sum / N, variance = squares / N - mean * mean;
    assert_true(fabs(mean - 0.5) < 0.002);
    assert_true(fabs(variance - 1.0 / 260) < 0.0002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_differ_in_every_part),
        cmocka_unit_test(a_shuffle_is_a_permutation),
        cmocka_unit_test(beta_has_its_mean_and_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

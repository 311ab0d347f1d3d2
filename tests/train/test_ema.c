/* The average follows the model with the golden decay. */
#include "support/test.h"

#include <math.h>

#include "model.h"
#include "support/golden.h"

static void decay_is_the_golden_one(void **state)
{
    (void)state;
    golden_file *g = golden_open("schedule.safetensors");
    size_t n;
    const double *row = golden_f64(g, "ema_decay", &n);
    assert_true(n >= 10);
    for (size_t i = 0; i < n; i += 2)
        assert_true(fabs(train_ema_decay((int64_t)row[i]) - row[i + 1]) <= 1e-12 * row[i + 1]);
    golden_close(g);
}

static void every_float_tensor_is_averaged_statistics_too(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    static model m, start;
    model_make(&m, 9000, 1);
    start = m;
    train_ema *e;
    assert_int_equal(train_ema_create(&e, m.params, MODEL_N, &mem, NULL), VG_OK);
    assert_int_equal(mem.in_use_bytes, train_ema_bytes(m.params, MODEL_N));
    assert_int_equal(mem.n_allocs, 1);
    model_shake(&m, 2);
    train_ema_update(e, NULL);
    train_ema_update(e, NULL);
    const double d1 = 0.9999 * (1 - exp(-1 / 2000.0)), d2 = 0.9999 * (1 - exp(-2 / 2000.0));
    for (int i = 0; i < MODEL_N; i++)
        for (size_t k = 0; k < m.infos[i].n_elements; k++) {
            const double first =
                d1 * (double)start.values[i][k] + (1 - d1) * (double)m.values[i][k];
            const double wanted = d2 * first + (1 - d2) * (double)m.values[i][k];
            assert_true(fabs((double)train_ema_value(e, (size_t)i)[k] - wanted) < 1e-6);
        }
    assert_int_equal(train_ema_updates(e), 2);
    train_ema_destroy(&e);
    assert_null(e);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    static model m;
    model_make(&m, 9000, 1);
    train_ema *alone, *shared;
    base_pool *pool;
    assert_int_equal(base_pool_create(&pool, 3, &mem, NULL), VG_OK);
    assert_int_equal(train_ema_create(&alone, m.params, MODEL_N, &mem, NULL), VG_OK);
    assert_int_equal(train_ema_create(&shared, m.params, MODEL_N, &mem, NULL), VG_OK);
    const uint64_t n_allocs = mem.n_allocs;
    for (int k = 0; k < 20; k++) {
        model_shake(&m, (uint64_t)k);
        train_ema_update(alone, NULL);
        train_ema_update(shared, pool);
    }
    assert_int_equal(mem.n_allocs, n_allocs);
    for (size_t i = 0; i < MODEL_N; i++)
        assert_memory_equal(train_ema_value(alone, i), train_ema_value(shared, i),
                            m.infos[i].n_elements * sizeof(float));
    train_ema_destroy(&alone);
    train_ema_destroy(&shared);
    base_pool_destroy(&pool);
}

static void it_can_be_read_as_a_weights_file_and_follows(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    static model m;
    vg_error err;
    model_make(&m, 11, 1);
    train_ema *e;
    weights_file *f;
    assert_int_equal(train_ema_create(&e, m.params, MODEL_N, &mem, NULL), VG_OK);
    if (train_ema_open_weights(e, &f, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    assert_int_equal(weights_count(f), MODEL_N);
    model_shake(&m, 2);
    train_ema_update(e, NULL);
    for (size_t i = 0; i < MODEL_N; i++) {
        const weights_tensor *t = weights_find(f, m.infos[i].key);
        assert_ptr_equal(t->data, train_ema_value(e, i));
        assert_int_equal(t->n_dims, m.infos[i].n_dims);
        assert_int_equal(t->n_elements, m.infos[i].n_elements);
    }
    weights_close(&f);
    train_ema_destroy(&e);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void no_memory_is_an_error_and_nothing_stays(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test", .fail_in = 1};
    static model m;
    model_make(&m, 10, 1);
    vg_error err;
    train_ema *e;
    assert_int_equal(train_ema_create(&e, m.params, MODEL_N, &mem, &err), VG_ERR_MEMORY);
    assert_null(e);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decay_is_the_golden_one),
        cmocka_unit_test(every_float_tensor_is_averaged_statistics_too),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(it_can_be_read_as_a_weights_file_and_follows),
        cmocka_unit_test(no_memory_is_an_error_and_nothing_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Groups, freezing, and what a file of another model gives. */
#include "support/test.h"

#include <unistd.h>

#include "base/folder.h"
#include "model.h"

static void groups_follow_names_and_kinds(void **state)
{
    (void)state;
    static model m;
    model_make(&m, 10, 1);
    const train_group wanted[MODEL_N] = {TRAIN_GROUP_WEIGHT, TRAIN_GROUP_NORM, TRAIN_GROUP_BIAS,
                                         TRAIN_GROUP_NONE,   TRAIN_GROUP_NONE, TRAIN_GROUP_WEIGHT,
                                         TRAIN_GROUP_BIAS,   TRAIN_GROUP_NONE};
    for (int i = 0; i < MODEL_N; i++)
        assert_int_equal(train_param_group(&m.params[i]), wanted[i]);
}

static void a_frozen_layer_has_no_group_and_others_thaw(void **state)
{
    (void)state;
    static model m;
    model_make(&m, 10, 1);
    assert_int_equal(train_params_freeze(m.params, MODEL_N, (int[]){0, 1}, 2, NULL), VG_OK);
    assert_int_equal(train_param_group(&m.params[0]), TRAIN_GROUP_NONE);
    assert_int_equal(train_param_group(&m.params[5]), TRAIN_GROUP_WEIGHT);
    assert_int_equal(train_params_freeze(m.params, MODEL_N, (int[]){2}, 1, NULL), VG_OK);
    assert_int_equal(train_param_group(&m.params[0]), TRAIN_GROUP_WEIGHT);
    assert_int_equal(train_param_group(&m.params[5]), TRAIN_GROUP_NONE);
    assert_true(m.params[7].frozen);
}

static void a_layer_beyond_the_model_is_refused(void **state)
{
    (void)state;
    static model m;
    model_make(&m, 10, 1);
    vg_error err;
    assert_int_equal(train_params_freeze(m.params, MODEL_N, (int[]){0, 3}, 2, &err),
                     VG_ERR_ARGUMENT);
    assert_string_equal(err.what, "layer 3 in a model whose last layer is 2");
    assert_false(m.params[0].frozen);
}

static void what_has_another_shape_or_name_keeps_its_values(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    static model from, to, before;
    char folder[256], path[300];
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    model_make(&from, 10, 1);
    assert_int_equal(train_model_save(from.params, MODEL_N, NULL, WEIGHTS_F32, -1, NULL,
                                      &(train_facts){0}, path, &mem, NULL),
                     VG_OK);
    model_make(&to, 10, 2);
    model_set(&to, 5, "model.2.cv3.0.2.weight", NN_PARAM_WEIGHT, 2, 4,
              (int[]){4, 5, 1, 1}); /* another class count */
    model_set(&to, 6, "model.2.cv3.0.2.bias", NN_PARAM_BIAS, 2, 1, (int[]){4});
    model_set(&to, 2, "model.0.bn.other_bias", NN_PARAM_BN_BIAS, 0, 1, (int[]){7});
    before = to;
    weights_file *f;
    assert_int_equal(weights_open(&f, path, &mem, NULL), VG_OK);
    assert_int_equal(train_params_transfer(to.params, MODEL_N, f), MODEL_N - 3);
    weights_close(&f);
    for (int i = 0; i < MODEL_N; i++)
        assert_memory_equal(to.values[i],
                            i == 2 || i == 5 || i == 6 ? before.values[i] : from.values[i],
                            to.infos[i].n_elements * sizeof(float));
    assert_int_equal(mem.in_use_bytes, 0);
    folder_remove(folder);
}

static void sizes_of_multi_scale_are_multiples_and_reach_both_ends(void **state)
{
    (void)state;
    base_rng r = base_rng_make(1), again = base_rng_make(1);
    int least = 1 << 30, most = 0;
    for (int i = 0; i < 5000; i++) {
        const int size = train_rng_size(&r, 640, 32, 0.5);
        assert_int_equal(size, train_rng_size(&again, 640, 32, 0.5));
        assert_int_equal(size % 32, 0);
        least = size < least ? size : least;
        most = size > most ? size : most;
    }
    assert_int_equal(least, 320);
    assert_int_equal(most, 960); /* 991 / 32 * 32 */
    assert_int_equal(train_rng_size_most(640, 32, 0.5), most);
    for (int i = 0; i < 2000; i++) {
        const int size = train_rng_size(&r, 640, 32, 0.25);
        assert_true(size >= 480 && size <= train_rng_size_most(640, 32, 0.25));
    }
    assert_int_equal(train_rng_size_most(640, 32, 0.25), 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_follow_names_and_kinds),
        cmocka_unit_test(a_frozen_layer_has_no_group_and_others_thaw),
        cmocka_unit_test(a_layer_beyond_the_model_is_refused),
        cmocka_unit_test(what_has_another_shape_or_name_keeps_its_values),
        cmocka_unit_test(sizes_of_multi_scale_are_multiples_and_reach_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

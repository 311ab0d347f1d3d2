/* The owners' accounts, their sum and its limit. */
#include "support/test.h"

#include "stream/stream.h"

static void every_owner_has_a_tag_of_its_own_below_the_root_of_its_memory(void **state)
{
    (void)state;
    stream_accounts a;
    stream_accounts_init(&a, 1000);
    assert_int_equal(a.root.limit_bytes, 1000);
    for (int i = 0; i < STREAM_N_OWNERS; i++) {
        assert_ptr_equal(a.owner[i].parent,
                         i < (int)STREAM_FIRST_OF_GPU ? (void *)&a.root : (void *)&a.gpu);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(a.owner[i].tag, a.owner[k].tag);
    }
    void *block = base_alloc(&a.owner[STREAM_FRAMES], 600, NULL);
    assert_non_null(block);
    assert_null(base_alloc(&a.owner[STREAM_OUTPUT], 600, NULL)); /* the limit is the root's */
    assert_int_equal(a.root.in_use_bytes, 600);
    base_free(block);
}

static void a_plan_over_the_limit_is_told_in_parts(void **state)
{
    (void)state;
    stream_accounts a;
    vg_error err;
    stream_accounts_init(&a, 3 << 20);
    a.planned_bytes[STREAM_WEIGHTS] = 1 << 20;
    a.planned_bytes[STREAM_FRAMES] = 2 << 20;
    assert_int_equal(stream_accounts_planned(&a), 3 << 20);
    assert_int_equal(stream_accounts_check(&a, &err), VG_OK);
    a.planned_bytes[STREAM_FRAMES]++;
    assert_int_equal(stream_accounts_check(&a, &err), VG_ERR_LIMIT);
    assert_non_null(strstr(err.what, "weights 1.0 MB + frames 2.0 MB"));
    stream_accounts_init(&a, 0);
    a.planned_bytes[STREAM_FRAMES] = SIZE_MAX / 2;
    assert_int_equal(stream_accounts_check(&a, &err), VG_OK);
}

/* A GPU's bytes are in no sum of this machine's, and have a limit of their own. */
static void memory_of_a_gpu_is_summed_and_limited_apart(void **state)
{
    (void)state;
    stream_accounts a;
    vg_memory m;
    stream_accounts_init(&a, 1000);
    stream_accounts_limit_gpu(&a, 5000);
    stream_accounts_plan(&m, &a);
    assert_int_equal(m.n_items, STREAM_N_FFMPEG);
    a.planned_bytes[STREAM_GPU_WEIGHTS] = 4000;
    a.planned_bytes[STREAM_STAGING] = 900;
    assert_int_equal(stream_accounts_planned(&a), 900);
    assert_int_equal(stream_accounts_check(&a, NULL), VG_OK);
    stream_accounts_plan(&m, &a);
    assert_int_equal(m.n_items, STREAM_N_OWNERS);
    assert_int_equal(m.planned_bytes, 900);
    assert_int_equal(m.gpu_planned_bytes, 4000);
    assert_int_equal(base_mem_count(&a.owner[STREAM_GPU_WEIGHTS], 4000, NULL), VG_OK);
    assert_int_equal(base_mem_count(&a.owner[STREAM_GPU_ACTIVATIONS], 1001, NULL), VG_ERR_MEMORY);
    assert_int_equal(a.root.in_use_bytes, 0);
    assert_int_equal(a.gpu.in_use_bytes, 4000);
    base_mem_uncount(&a.owner[STREAM_GPU_WEIGHTS], 4000);
    assert_int_equal(a.gpu.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_owner_has_a_tag_of_its_own_below_the_root_of_its_memory),
        cmocka_unit_test(memory_of_a_gpu_is_summed_and_limited_apart),
        cmocka_unit_test(a_plan_over_the_limit_is_told_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

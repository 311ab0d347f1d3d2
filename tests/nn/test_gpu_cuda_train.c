/* test_gpu_cuda_train.c: training through the CUDA host, against the stand-in for NVIDIA's driver
 * (support/fake_cuda.c): order, places and sizes of all calls, and each of them failing once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engines.h"
#include "support/fake_cuda.h"

static base_mem mem = {.tag = "test"};
static fake_cuda *fake;

/* Each kind of step, a depthwise convolution, attention, stride 2 and a residual among them. */
static const char model[] = "nc: 3\n"
                            "scales: {n: [1.0, 1.0, 1024]}\n"
                            "backbone:\n"
                            "  - [-1, 1, Conv, [8, 3, 2]]\n"
                            "  - [-1, 1, Conv, [40, 3, 2]]\n"
                            "  - [-1, 1, C3k2, [64, True, 0.5]]\n"
                            "  - [-1, 1, SPPF, [128, 5]]\n"
                            "  - [-1, 1, C2PSA, [128]]\n"
                            "  - [-1, 1, nn.Upsample, [None, 2, \"nearest\"]]\n"
                            "  - [[-1, 0], 1, Concat, [1]]\n" MODEL_HEAD(6);

static int setup(void **state)
{
    fake_cuda *(*ask)(void) = NULL;
    void *library = NULL;
    (void)state;
    vg_error err = {0};
    if (base_library_open(&library, "libcuda.so.1", "the test", "", &err) != VG_OK ||
        base_library_find(&ask, library, "fake_cuda_state", &err) != VG_OK)
        fail_msg("not the stand-in: %s", err.what);
    fake = ask();
    return 0;
}

static bool is_built(void)
{
    return nn_devices_lack()[0] == '\0';
}

static void assert_clean(void)
{
    if (fake->n_mistakes > 0)
        fail_msg("%d mistakes, first: %s", fake->n_mistakes, fake->mistake);
    assert_int_equal(fake->n_contexts, 0);
    assert_int_equal(fake->n_blocks, 0);
    assert_int_equal(fake->bytes, 0);
}

/* Two steps of two shapes, and a read of what they gave. */
static vg_status use(bool half, int *n_steps, vg_error *err)
{
    static _Alignas(64) float x[2 * 32 * 32 * 3], got[64];
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    nn_device *d = NULL;
    nn_train *t = NULL;
    nn_graph *g = NULL;
    *n_steps = 0;
    vg_status st = nn_device_open(&d, "cuda:0", &mem, err);
    if (st == VG_OK)
        st = graph_from_text(&g, model, NULL, 3, &mem, err);
    if (st == VG_OK)
        st = nn_train_create(&t, g, &(nn_train_options){.device = d, .max_plans = 2, .half = half},
                             1, &a, err);
    if (st == VG_OK)
        g = NULL;
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        st = nn_train_plan(t, 1 + i, 16, 16 + 16 * i, &a, err);
        if (st == VG_OK)
            st = nn_train_zero_grad(t, err);
        if (st == VG_OK)
            st = nn_train_forward(t, x, err);
        if (st == VG_OK)
            st = nn_train_backward(t, NULL, err);
        if (st == VG_OK)
            st = nn_train_pull(t, got, NN_TRAIN_GRADS, 64, sizeof got, err);
        if (st == VG_OK) {
            ++*n_steps;
            assert_false(fake->is_pending);
            assert_int_equal(fake->bytes, nn_train_bytes(t, NN_TRAIN_VALUES) +
                                              nn_train_bytes(t, NN_TRAIN_GRADS) +
                                              nn_train_bytes(t, NN_TRAIN_BLOCK) +
                                              nn_train_bytes(t, NN_TRAIN_SCRATCH));
        }
    }
    nn_train_destroy(&t);
    nn_graph_destroy(&g);
    nn_device_close(&d);
    return st;
}

static void every_call_is_in_order_and_within_its_blocks(void **state)
{
    (void)state;
    vg_error err = {0};
    int n_steps = 0;
    if (!is_built())
        skip();
    for (int half = 0; half < 2; half++) {
        fake->n_launches = 0;
        if (use(half, &n_steps, &err) != VG_OK)
            fail_msg("%s", err.what);
        assert_int_equal(n_steps, 2);
        assert_true(fake->n_launches > 500);
        assert_clean();
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

/* Each of the first calls, then one in 17: they are some thousands, mostly launches. */
static void every_call_may_fail_and_all_is_given_back(void **state)
{
    (void)state;
    int n_steps = 0, n_failed = 0;
    if (!is_built())
        skip();
    for (int64_t k = 1;; k += k < 200 ? 1 : 17) {
        vg_error err = {0};
        fake->fail_at = k;
        fake->fail_with = k % 2 ? 2 : 719; /* out of memory, or a kernel that failed */
        const vg_status st = use(k % 3 == 0, &n_steps, &err);
        const bool was_reached = fake->fail_at == 0;
        fake->fail_at = 0;
        assert_clean();
        assert_int_equal(mem.in_use_bytes, 0);
        if (!was_reached) {
            assert_int_equal(st, VG_OK);
            break;
        }
        if (st == VG_OK)
            continue; /* a fact that is only shown, or on the way out */
        n_failed++;
        assert_true(err.what[0] != '\0' && err.mend[0] != '\0');
        assert_true(st == VG_ERR_MEMORY || st == VG_ERR_DEVICE || st == VG_ERR_UNSUPPORTED);
    }
    assert_true(n_failed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_in_order_and_within_its_blocks),
        cmocka_unit_test(every_call_may_fail_and_all_is_given_back),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

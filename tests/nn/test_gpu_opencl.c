/* test_gpu_opencl.c: the OpenCL host against a stand-in for its loader (support/fake_opencl.c):
 * order, objects and sizes of all calls, each of them failing once, and devices that lack
 * something. What kernels compute is seen on PoCL (test_gpu_kernels.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engines.h"
#include "support/fake_opencl.h"

static base_mem mem = {.tag = "test"};
static fake_opencl *fake;
static bool was_reached; /* the call that was to fail */

/* A residual, a concat, a pool, attention, an upsampling and a head. */
static const char model[] = "nc: 3\n"
                            "scales: {n: [1.0, 1.0, 1024]}\n"
                            "backbone:\n"
                            "  - [-1, 1, Conv, [8, 3, 2]]\n"
                            "  - [-1, 1, Conv, [128, 3, 2]]\n"
                            "  - [-1, 1, C2PSA, [128]]\n"
                            "  - [-1, 1, SPPF, [16, 5]]\n"
                            "  - [-1, 1, nn.Upsample, [None, 2, \"nearest\"]]\n"
                            "  - [[-1, 0], 1, Concat, [1]]\n" MODEL_HEAD(5);

static int setup(void **state)
{
    fake_opencl *(*ask)(void) = NULL;
    void *library = NULL;
    vg_error err = {0};
    (void)state;
    if (base_library_open(&library, "libOpenCL.so.1", "the test", "", &err) != VG_OK ||
        base_library_find(&ask, library, "fake_opencl_state", &err) != VG_OK)
        fail_msg("not the stand-in: %s", err.what);
    fake = ask();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static void assert_clean(void)
{
    if (fake->n_mistakes > 0)
        fail_msg("%d mistakes, first: %s", fake->n_mistakes, fake->mistake);
    assert_int_equal(fake->n_objects, 0);
    assert_int_equal(fake->bytes, 0);
}

/* Opens, makes an engine, runs two shapes. */
static vg_status use(const weights_file *w, int64_t *n_steps, vg_error *err)
{
    static _Alignas(64) float x[2 * 32 * 32 * 3];
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    nn_device *d = NULL;
    nn_engine *e = NULL;
    nn_graph *g = NULL;
    nn_plan *p = NULL;
    *n_steps = 0;
    vg_status st = nn_device_open(&d, "opencl:0", &mem, err);
    if (st == VG_OK)
        st = graph_from_text(&g, model, NULL, 3, &mem, err);
    if (st == VG_OK)
        st = nn_engine_create(&e, g, w, &(nn_engine_options){.device = d}, &a, err);
    if (st == VG_OK)
        g = NULL;
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        st = nn_engine_plan(e, &p, 1 + i, 16, 16 + 16 * i, &a, err);
        if (st == VG_OK)
            st = nn_engine_run(e, p, x, err);
        if (st == VG_OK)
            *n_steps += (int64_t)nn_plan_n_steps(p);
    }
    was_reached = fake->fail_at == 0;
    fake->fail_at = 0; /* on the way out nobody could do better */
    nn_engine_destroy(&e);
    nn_graph_destroy(&g);
    nn_device_close(&d);
    return st;
}

static void make_weights(synthetic_weights *s)
{
    vg_error err = {0};
    nn_graph *g = NULL;
    *s = (synthetic_weights){0};
    assert_int_equal(graph_from_text(&g, model, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
}

static void every_call_is_in_order_and_within_its_memory(void **state)
{
    (void)state;
    vg_error err = {0};
    synthetic_weights s;
    int64_t n_steps = 0;
    make_weights(&s);
    fake->n_launches = 0;
    if (use(s.weights, &n_steps, &err) != VG_OK)
        fail_msg("%s", err.what);
    assert_true(n_steps > 20);
    assert_int_equal(fake->n_launches, n_steps);
    assert_clean();
    synthetic_close(&s);
}

/* Where a failure is no failure of ours: facts, and what is kept of a compiled program. */
static bool is_besides(const char *name)
{
    return strstr(name, "Info") || strcmp(name, "clCreateProgramWithBinary") == 0 ||
           strcmp(name, "clBuildProgram") == 0;
}

static void every_call_may_fail_and_all_is_released(void **state)
{
    (void)state;
    static const int codes[] = {-4, -5, -36, -2};
    vg_error err = {0};
    synthetic_weights s;
    int64_t n_steps = 0, n_failed = 0;
    make_weights(&s);
    for (int64_t k = 1;; k++) {
        const size_t before = mem.in_use_bytes;
        fake->fail_at = k;
        fake->fail_with = codes[k % 4];
        fake->failed[0] = '\0';
        const vg_status st = use(s.weights, &n_steps, &err);
        assert_clean();
        assert_int_equal(mem.in_use_bytes, before);
        if (!was_reached) {
            assert_int_equal(st, VG_OK);
            break;
        }
        if (st == VG_OK) {
            if (!is_besides(fake->failed))
                fail_msg("call %d, %s, failed, and nobody said so", (int)k, fake->failed);
            continue;
        }
        n_failed++;
        assert_true(err.what[0] != '\0' && err.mend[0] != '\0');
        assert_true(st == VG_ERR_MEMORY || st == VG_ERR_DEVICE || st == VG_ERR_UNSUPPORTED ||
                    st == VG_ERR_ARGUMENT);
    }
    assert_true(n_failed > 50);
    synthetic_close(&s);
}

static void a_device_that_lacks_something_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *lack, *says;
    } cases[] = {{"version", "older than OpenCL 1.2: OpenCL 1.1"},
                 {"compiler", "has no compiler"},
                 {"items", "groups of 64 work items at most"},
                 {"local", "16384 bytes of local memory"},
                 {"available", "not available"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        nn_device *d = NULL;
        fake->lack = cases[i].lack;
        assert_int_equal(nn_device_open(&d, "opencl:0", &mem, &err), VG_ERR_UNSUPPORTED);
        assert_null(d);
        if (!strstr(err.what, cases[i].says))
            fail_msg("%s: %s", cases[i].lack, err.what);
        assert_non_null(strstr(err.mend, "--device cpu"));
    }
    fake->lack = NULL;
    assert_clean();
}

/* The end of a kernel that the watchdog ended, of a device that another holds, and of one that is
 * gone: what it was and what to do. */
static void failures_say_what_they_mean(void **state)
{
    (void)state;
    static const struct {
        const char *call;
        int code;
        const char *what, *mend;
    } cases[] = {
        {"clFinish", -5, "watchdog", "smaller batch"},
        {"clFinish", -36, "lost or reset", "dmesg"},
        {"clCreateContext", -2, "another process has the GPU", "wait for that process"},
        {"clCreateBuffer", -4, "B of memory: CL_MEM", "end what else uses the GPU"},
    };
    synthetic_weights s;
    make_weights(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        int64_t n_steps = 0;
        vg_status st = VG_OK;
        for (int64_t k = 1; k < 1000; k++) {
            fake->fail_at = k;
            fake->fail_with = cases[i].code;
            fake->failed[0] = '\0';
            st = use(s.weights, &n_steps, &err);
            if (!was_reached || strcmp(fake->failed, cases[i].call) == 0)
                break;
        }
        fake->fail_at = 0;
        assert_true(st == VG_ERR_DEVICE || st == VG_ERR_MEMORY || st == VG_ERR_UNSUPPORTED);
        if (!strstr(err.what, cases[i].what) || !strstr(err.mend, cases[i].mend))
            fail_msg("%s: %s; %s", cases[i].call, err.what, err.mend);
    }
    assert_clean();
    synthetic_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_in_order_and_within_its_memory),
        cmocka_unit_test(every_call_may_fail_and_all_is_released),
        cmocka_unit_test(a_device_that_lacks_something_says_so),
        cmocka_unit_test(failures_say_what_they_mean),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

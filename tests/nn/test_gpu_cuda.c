/* test_gpu_cuda.c: the CUDA host against a stand-in for NVIDIA's driver (support/fake_cuda.c),
 * which the loader finds first: order and sizes of all calls, and each of them failing once. What
 * kernels compute is not seen here: they are those that run on OpenCL, and ptxas reads the PTX
 * where it is. */
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
static vg_device devices[VG_MOST_DEVICES];
static vg_driver drivers[VG_MOST_DRIVERS];

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

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static bool lists(size_t *n)
{
    size_t n_drivers = 0;
    nn_devices(devices, n, drivers, &n_drivers);
    assert_true(n_drivers >= 2);
    assert_string_equal(drivers[0].name, "cuda");
    return drivers[0].fault[0] == '\0';
}

/* A build without clang says so, and has nothing else to test. */
static bool is_built(void)
{
    size_t n = 0;
    if (lists(&n))
        return true;
    if (strstr(drivers[0].fault, "no CUDA") == NULL)
        fail_msg("%s", drivers[0].fault);
    return false;
}

static void assert_clean(void)
{
    if (fake->n_mistakes > 0)
        fail_msg("%d mistakes, first: %s", fake->n_mistakes, fake->mistake);
    assert_int_equal(fake->n_contexts, 0);
    assert_int_equal(fake->n_blocks, 0);
    assert_int_equal(fake->bytes, 0);
}

static void devices_are_listed_and_old_ones_say_what_they_lack(void **state)
{
    (void)state;
    size_t n = 0;
    if (!is_built())
        skip();
    assert_true(lists(&n) && n >= 2);
    assert_string_equal(devices[0].name, "cuda:0");
    assert_string_equal(devices[0].title, "Stand-in 0");
    assert_true(devices[0].is_gpu);
    assert_int_equal(devices[0].memory_bytes, FAKE_CUDA_MEMORY);
    assert_int_equal(devices[0].n_units, 7);
    assert_string_equal(devices[0].fault, "");
    assert_non_null(strstr(devices[1].fault, "6.1"));
    vg_error err = {0};
    nn_device *d = NULL;
    assert_int_equal(nn_device_open(&d, "cuda:1", &mem, &err), VG_ERR_UNSUPPORTED);
    assert_int_equal(nn_device_open(&d, "cuda:2", &mem, &err), VG_ERR_ARGUMENT);
    assert_null(d);
    assert_clean();
}

static void drivers_that_are_old_or_do_not_start_are_told(void **state)
{
    (void)state;
    size_t n = 0;
    if (!is_built())
        skip();
    fake->version = 8000;
    assert_false(lists(&n));
    assert_non_null(strstr(drivers[0].fault, "CUDA 8.0"));
    fake->version = 12000;
    fake->init_code = 100;
    assert_false(lists(&n));
    assert_non_null(strstr(drivers[0].fault, "does not start"));
    fake->init_code = 0;
    fake->n_devices = 0;
    assert_false(lists(&n));
    fake->n_devices = 2;
    assert_clean();
}

static void gpu_and_numbers_are_cuda_first(void **state)
{
    (void)state;
    static const char *const names[] = {"gpu", "0", "cuda:0"};
    if (!is_built())
        skip();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vg_error err = {0};
        nn_device *d = NULL;
        if (nn_device_open(&d, names[i], &mem, &err) != VG_OK)
            fail_msg("%s: %s", names[i], err.what);
        assert_string_equal(nn_device_facts(d)->name, "cuda:0");
        nn_device_close(&d);
    }
    assert_clean();
}

/* Whether the call that was to fail came after all work was done. */
static bool failed_on_the_way_out;

/* Opens, makes an engine, runs two shapes. The generator's weights, borrowed. */
static vg_status use_as(bool half, const weights_file *w, int64_t *n_steps, vg_error *err)
{
    static _Alignas(64) float x[2 * 32 * 32 * 3];
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    nn_device *d = NULL;
    nn_engine *e = NULL;
    nn_graph *g = NULL;
    nn_plan *p = NULL;
    *n_steps = 0;
    vg_status st = nn_device_open(&d, "cuda:0", &mem, err);
    if (st == VG_OK)
        st = graph_from_text(&g, model, NULL, 3, &mem, err);
    if (st == VG_OK)
        st = nn_engine_create(&e, g, w, &(nn_engine_options){.device = d, .half = half}, &a, err);
    if (st == VG_OK)
        g = NULL;
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        st = nn_engine_plan(e, &p, 1 + i, 16, 16 + 16 * i, &a, err);
        if (st == VG_OK)
            st = nn_engine_run(e, p, x, err);
        if (st == VG_OK) {
            *n_steps += (int64_t)nn_plan_n_steps(p);
            assert_false(fake->is_pending);
            const size_t told = nn_device_taken_bytes(d);
            if (fake->failed[0] == '\0') /* else the answer may be what failed */
                assert_int_equal(told, fake->bytes);
        }
    }
    const bool is_to_fail = fake->fail_at > 0;
    nn_engine_destroy(&e);
    nn_graph_destroy(&g);
    nn_device_close(&d);
    failed_on_the_way_out = is_to_fail && fake->fail_at == 0;
    return st;
}

static vg_status use(const weights_file *w, int64_t *n_steps, vg_error *err)
{
    return use_as(false, w, n_steps, err);
}

/* 16-bit numbers: the PTX is that of the GPU's matrix units, where it and its driver have them. */
static void half_takes_the_ptx_that_gpu_and_driver_read(void **state)
{
    (void)state;
    static const struct {
        int capability, version, target;
    } cases[] = {
        {90, 12000, 80}, {80, 11000, 80}, {75, 11000, 75}, {70, 12000, 70}, {90, 10020, 70}};
    vg_error err = {0};
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    int64_t n_steps = 0;
    if (!is_built())
        skip();
    assert_int_equal(graph_from_text(&g, model, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake->capability[0] = cases[i].capability;
        fake->version = cases[i].version;
        fake->n_launches = 0;
        const vg_status st = use_as(true, s.weights, &n_steps, &err);
        fake->capability[0] = 90;
        fake->version = 12000;
        if (st != VG_OK)
            fail_msg("%s", err.what);
        assert_int_equal(fake->target, cases[i].target);
        assert_int_equal(fake->n_launches, n_steps);
        assert_clean();
    }
    synthetic_close(&s);
}

static void every_call_is_in_order_and_within_its_blocks(void **state)
{
    (void)state;
    vg_error err = {0};
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    int64_t n_steps = 0;
    if (!is_built())
        skip();
    assert_int_equal(graph_from_text(&g, model, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
    fake->n_launches = 0;
    if (use(s.weights, &n_steps, &err) != VG_OK)
        fail_msg("%s", err.what);
    assert_true(n_steps > 20);
    assert_int_equal(fake->n_launches, n_steps);
    assert_clean();
    synthetic_close(&s);
}

/* A frame's planes, upright or turned; or floats, as of a frame that does not fit. */
static vg_status put_other(nn_engine *e, const nn_plan *p, int i, bool is_turned, vg_error *err)
{
    static const uint8_t samples[32 * 24];
    static const int32_t from[32];
    static const int16_t weight[64];
    static const float input[32 * 32 * 3];
    const nn_taps taps = {.from = from, .weight = weight};
    const nn_planes x = {.y = samples,
                         .u = samples,
                         .v = samples,
                         .y_row_bytes = 32,
                         .chroma_row_bytes = 32,
                         .chroma_pitch = is_turned ? 2 : 1,
                         .w = 32,
                         .h = 24,
                         .is_swapped = is_turned,
                         .fit = {.out_w = 32,
                                 .out_h = 32,
                                 .left = is_turned ? 4 : 0,
                                 .top = is_turned ? 0 : 4,
                                 .new_w = is_turned ? 24 : 32,
                                 .new_h = is_turned ? 32 : 24},
                         .luma_x = taps,
                         .luma_y = taps,
                         .chroma_x = taps,
                         .chroma_y = taps};
    return i == 0 ? nn_engine_put_planes(e, p, i, &x, err)
                  : nn_engine_put_floats(e, p, i, input, err);
}

/* A picture of one colour that needs no resize. */
static vg_status put_one(nn_engine *e, const nn_plan *p, int i, vg_error *err)
{
    static const uint8_t pixels[32 * 32 * 3];
    const nn_picture x = {
        .data = pixels,
        .row_bytes = (size_t)3 * 32,
        .w = 32,
        .h = 32,
        .fit = {.out_w = 32, .out_h = 32, .new_w = 32, .new_h = 32, .how = NN_COPIES}};
    return nn_engine_put(e, p, i, &x, err);
}

/* Opens, and has up to three batches under way. */
static vg_status use_pictures(const weights_file *w, int *n_collected, vg_error *err)
{
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    nn_device *d = NULL;
    nn_engine *e = NULL;
    nn_graph *g = NULL;
    nn_plan *p = NULL;
    nn_picks k;
    *n_collected = 0;
    vg_status st = nn_device_open(&d, "cuda:0", &mem, err);
    if (st == VG_OK)
        st = graph_from_text(&g, model, NULL, 3, &mem, err);
    const nn_engine_options o = {.device = d, .picture_bytes = 100, .max_pending = 3};
    if (st == VG_OK)
        st = nn_engine_create(&e, g, w, &o, &a, err);
    if (st == VG_OK) {
        g = NULL;
        st = nn_engine_reserve(e, 2, 32, 32, &a, err);
    }
    for (int i = 0; i < 8 && st == VG_OK; i++) {
        if (i >= 3)
            st = nn_engine_collect(e, &k, err);
        if (i >= 3 && st == VG_OK) {
            assert_true(fake->is_done(k.first, (size_t)(k.n + 1) * sizeof *k.first));
            assert_true(fake->is_done(k.rows, 64 * k.pitch * sizeof *k.rows));
            assert_int_equal(k.n, 1 + (i - 3) % 2);
            ++*n_collected;
        }
        if (st == VG_OK)
            st = nn_engine_plan(e, &p, 1 + i % 2, 32, 32, &a, err);
        for (int k_th = 0; k_th < 1 + i % 2 && st == VG_OK; k_th++)
            st = i % 3 == 0 ? put_one(e, p, k_th, err) : put_other(e, p, k_th, i % 3 == 2, err);
        if (st == VG_OK)
            st = nn_engine_submit(e, p, 0, err);
    }
    nn_engine_destroy(&e); /* with three under way */
    nn_graph_destroy(&g);
    nn_device_close(&d);
    return st;
}

static void batches_that_overlap_wait_for_each_other_where_they_must(void **state)
{
    (void)state;
    vg_error err = {0};
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    int n_collected = 0, n_failed = 0;
    if (!is_built())
        skip();
    assert_int_equal(graph_from_text(&g, model, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
    if (use_pictures(s.weights, &n_collected, &err) != VG_OK)
        fail_msg("%s", err.what);
    assert_int_equal(n_collected, 5);
    assert_clean();
    for (int64_t k = 1;; k++) {
        const size_t before = mem.in_use_bytes;
        fake->fail_at = k;
        fake->fail_with = k % 2 ? 2 : 719;
        n_failed += use_pictures(s.weights, &n_collected, &err) != VG_OK;
        const bool was_reached = fake->fail_at == 0;
        fake->fail_at = 0;
        assert_clean();
        assert_int_equal(mem.in_use_bytes, before);
        if (!was_reached)
            break;
    }
    assert_true(n_failed > 100);
    synthetic_close(&s);
}

static void every_call_may_fail_and_all_is_given_back(void **state)
{
    (void)state;
    vg_error err = {0};
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    int64_t n_steps = 0, n_failed = 0;
    if (!is_built())
        skip();
    assert_int_equal(graph_from_text(&g, model, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
    for (int64_t k = 1;; k++) {
        const size_t before = mem.in_use_bytes;
        fake->fail_at = k;
        fake->fail_with = k % 2 ? 2 : 719; /* out of memory, or a kernel that failed */
        fake->failed[0] = '\0';
        const vg_status st = use(s.weights, &n_steps, &err);
        const bool was_reached = fake->fail_at == 0;
        fake->fail_at = 0;
        assert_clean();
        assert_int_equal(mem.in_use_bytes, before);
        if (!was_reached) {
            assert_int_equal(st, VG_OK);
            break;
        }
        if (st == VG_OK) { /* a fact that is only shown, or asked of the driver besides */
            assert_true(failed_on_the_way_out || strstr(fake->failed, "Get") ||
                        strstr(fake->failed, "Current") || strstr(fake->failed, "TotalMem"));
            continue;
        }
        n_failed++;
        assert_true(err.what[0] != '\0' && err.mend[0] != '\0');
        assert_true(st == VG_ERR_MEMORY || st == VG_ERR_DEVICE || st == VG_ERR_UNSUPPORTED);
    }
    assert_true(n_failed > 50);
    synthetic_close(&s);
}

static void an_assembler_that_fails_is_quoted(void **state)
{
    (void)state;
    vg_error err = {0};
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    int64_t n_steps = 0;
    if (!is_built())
        skip();
    assert_int_equal(graph_from_text(&g, model, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
    for (int64_t k = 1; k < 60; k++) {
        fake->fail_at = k;
        fake->fail_with = 218;
        const vg_status st = use(s.weights, &n_steps, &err);
        fake->fail_at = 0;
        if (strcmp(fake->failed, "cuModuleLoadDataEx") != 0)
            continue;
        assert_int_equal(st, VG_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.what, "ptxas fatal"));
        assert_clean();
        synthetic_close(&s);
        return;
    }
    fail_msg("the program was never loaded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_listed_and_old_ones_say_what_they_lack),
        cmocka_unit_test(drivers_that_are_old_or_do_not_start_are_told),
        cmocka_unit_test(gpu_and_numbers_are_cuda_first),
        cmocka_unit_test(every_call_is_in_order_and_within_its_blocks),
        cmocka_unit_test(half_takes_the_ptx_that_gpu_and_driver_read),
        cmocka_unit_test(batches_that_overlap_wait_for_each_other_where_they_must),
        cmocka_unit_test(every_call_may_fail_and_all_is_given_back),
        cmocka_unit_test(an_assembler_that_fails_is_quoted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* test_gpu_engine.c: an engine on a GPU beside one on the CPU: the same maps, the same bits
 * whatever else is in the batch or ran before, memory that is planned, counted and flat. The device
 * is VIGIL_TEST_DEVICE's, else opencl:0. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/nn/gpu/devices.h"
#include "engines.h"
#include "support/gpu.h"

static base_mem mem = {.tag = "test"};
static nn_device *device;

static int setup(void **state)
{
    (void)state;
    test_gpu_open(&device, &mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

#define NEEDS_DEVICE()                                                                             \
    do {                                                                                           \
        if (!device)                                                                               \
            skip();                                                                                \
    } while (0)

/* A first layer, a residual, a concat, a pool, an upsampling and a head, in few channels: quick. */
static const char small[] = "nc: 3\n"
                            "scales: {n: [1.0, 1.0, 1024]}\n"
                            "backbone:\n"
                            "  - [-1, 1, Conv, [8, 3, 2]]\n"
                            "  - [-1, 1, Conv, [16, 3, 2]]\n"
                            "  - [-1, 1, C3k2, [16, True, 0.5]]\n"
                            "  - [-1, 1, SPPF, [16, 5]]\n"
                            "  - [-1, 1, nn.Upsample, [None, 2, \"nearest\"]]\n"
                            "  - [[-1, 0], 1, Concat, [1]]\n" MODEL_HEAD(5);

/* half: the device keeps 16 bits; how far its maps may be off is docs/gpu.md's. */
static void compare_as(bool half, const char *model, const char *scale, int n, int h, int w,
                       bool keep_layers)
{
    test_engine cpu, gpu;
    size_t n_cpu, n_gpu;
    engine_open(&cpu, model, scale, 5, NULL, &(nn_engine_options){.threads = 1, .isa = "plain"},
                &mem);
    engine_open(&gpu, model, scale, 5, NULL,
                &(nn_engine_options){.device = device, .half = half, .keep_layers = keep_layers},
                &mem);
    float *a = engine_heads(&cpu, n, h, w, 3, &n_cpu, &mem);
    float *b = engine_heads(&gpu, n, h, w, 3, &n_gpu, &mem);
    assert_int_equal(n_cpu, n_gpu);
    double worst = 0;
    for (size_t i = 0; i < n_cpu; i++)
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]) / (1 + fabs((double)a[i])));
    print_message("maps differ by %g\n", worst);
    if (!(worst < (half ? 0.01 : 1e-4)))
        fail_msg("maps differ by %g", worst);
    base_free(a);
    base_free(b);
    engine_close(&cpu);
    engine_close(&gpu);
}

static void compare(const char *model, const char *scale, int n, int h, int w, bool keep_layers)
{
    compare_as(false, model, scale, n, h, w, keep_layers);
}

static void maps_of_16_bits_are_near_those_of_the_cpu(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    compare_as(true, nn_builtin_yaml(), "n", 2, 64, 96, false);
    compare_as(true, nn_builtin_yaml_of("yolov8n.yaml"), "n", 1, 96, 64, false);
    compare_as(true, nn_builtin_yaml_of("yolov5n.yaml"), "n", 1, 64, 64, false);
    compare_as(true, small, NULL, 3, 20, 12, false);
}

/* Weights, activations and input: half of what floats take, but for biases and the heads. */
static void half_takes_half_the_memory(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    vg_error err = {0};
    nn_memory_need need[2];
    const nn_accounts all = {&mem, &mem, &mem, &mem};
    for (int half = 0; half < 2; half++) {
        nn_graph *g = NULL;
        assert_int_equal(graph_from_text(&g, nn_builtin_yaml(), "n", 5, &mem, &err), VG_OK);
        const nn_engine_options o = {.device = device, .half = half};
        assert_int_equal(nn_graph_need(g, &o, 2, 320, 320, &need[half], &all, &err), VG_OK);
        nn_graph_destroy(&g);
    }
    assert_true((double)need[1].weights_bytes < 0.51 * (double)need[0].weights_bytes);
    assert_true((double)need[1].activation_bytes < 0.55 * (double)need[0].activation_bytes);
    test_engine t;
    engine_open(&t, small, NULL, 3, NULL, &(nn_engine_options){.device = device, .half = true},
                &mem);
    nn_graph *g = NULL;
    assert_int_equal(graph_from_text(&g, small, NULL, 3, &mem, &err), VG_OK);
    const nn_engine_options o = {.device = device, .half = true};
    assert_int_equal(nn_graph_need(g, &o, 2, 32, 32, &need[0], &all, &err), VG_OK);
    nn_graph_destroy(&g);
    const nn_accounts mine = engine_accounts(&t);
    assert_int_equal(nn_engine_reserve(t.e, 2, 32, 32, &mine, &err), VG_OK);
    assert_int_equal(t.weights.in_use_bytes, need[0].weights_bytes);
    assert_int_equal(t.activations.in_use_bytes, need[0].activation_bytes);
    assert_int_equal(t.staging.in_use_bytes, need[0].staging_bytes);
    engine_close(&t);
}

static void what_16_bits_cannot_hold_is_refused(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    vg_error err = {0};
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    nn_engine *e = NULL;
    const nn_accounts all = {&mem, &mem, &mem, &mem};
    assert_int_equal(graph_from_text(&g, small, NULL, 3, &mem, &err), VG_OK);
    const nn_engine_options layers = {.device = device, .half = true, .keep_layers = true};
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    assert_int_equal(nn_engine_create(&e, g, s.weights, &layers, &all, &err), VG_ERR_UNSUPPORTED);
    const weights_tensor *w = weights_find(s.weights, "model.0.conv.weight");
    assert_non_null(w);
    ((float *)(uintptr_t)w->data)[5] = 1e9F;
    const nn_engine_options o = {.device = device, .half = true};
    assert_int_equal(nn_engine_create(&e, g, s.weights, &o, &all, &err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.where, "model.0"));
    nn_graph_destroy(&g);
    synthetic_close(&s);
}

static void maps_are_those_of_the_cpu(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    compare(nn_builtin_yaml(), "n", 2, 64, 96, false); /* attention, depthwise */
    compare(nn_builtin_yaml_of("yolov8n.yaml"), "n", 1, 96, 64, false);
    compare(nn_builtin_yaml_of("yolov5n.yaml"), "n", 1, 64, 64, false); /* a window of 6 */
    compare(small, NULL, 3, 20, 12, true);
}

/* Layers that live in slices of others come back as they are. */
static void kept_layers_are_those_of_the_cpu(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    test_engine cpu, gpu;
    engine_open(&cpu, small, NULL, 3, NULL, &(nn_engine_options){.threads = 1, .keep_layers = true},
                &mem);
    engine_open(&gpu, small, NULL, 3, NULL,
                &(nn_engine_options){.device = device, .keep_layers = true}, &mem);
    float *x = input_make(2, 16, 24, 9, &mem);
    nn_plan *a = engine_plan(&cpu, 2, 16, 24), *b = engine_plan(&gpu, 2, 16, 24);
    assert_int_equal(nn_engine_run(cpu.e, a, x, NULL), VG_OK);
    assert_int_equal(nn_engine_run(gpu.e, b, x, NULL), VG_OK);
    for (int layer = 0; layer < 6; layer++) {
        nn_map want, got;
        assert_true(nn_plan_layer(a, layer, &want) && nn_plan_layer(b, layer, &got));
        for (int i = 0; i < want.n; i++)
            for (int y = 0; y < want.h; y++)
                for (int px = 0; px < want.w; px++)
                    for (int c = 0; c < want.c; c++)
                        assert_float_equal(
                            nn_map_row(&got, i, y)[(size_t)px * got.pitch + (size_t)c],
                            nn_map_row(&want, i, y)[(size_t)px * want.pitch + (size_t)c], 1e-4);
    }
    base_free(x);
    engine_close(&cpu);
    engine_close(&gpu);
}

static void a_picture_has_the_same_bits_in_any_batch_and_after_any_other(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    test_engine t;
    size_t n_one, n_whole, n_other;
    engine_open(&t, small, NULL, 3, NULL, &(nn_engine_options){.device = device}, &mem);
    float *alone = engine_heads(&t, 1, 24, 16, 8, &n_one, &mem);
    float *other = engine_heads(&t, 2, 12, 40, 1, &n_other, &mem);
    float *x = input_make(3, 24, 16, 7, &mem);
    nn_plan *p = engine_plan(&t, 3, 24, 16);
    assert_int_equal(nn_engine_run(t.e, p, x, NULL), VG_OK);
    float *within = heads_copy(p, 1, 1, &n_whole, &mem);
    assert_int_equal(n_one, n_whole);
    assert_memory_equal(alone, within, n_one * sizeof *alone);
    base_free(alone);
    base_free(other);
    base_free(within);
    base_free(x);
    engine_close(&t);
}

/* What nn_graph_need said is what was taken, and runs of all shapes take nothing more. */
static void memory_is_as_planned_and_flat(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    test_engine t;
    nn_memory_need need;
    vg_error err = {0};
    const nn_engine_options o = {.device = device, .max_plans = 2};
    engine_open(&t, small, NULL, 3, NULL, &o, &mem);
    nn_graph *g = NULL;
    assert_int_equal(graph_from_text(&g, small, NULL, 3, &mem, &err), VG_OK);
    const nn_accounts all = {&mem, &mem, &mem, &mem}, mine = engine_accounts(&t);
    assert_int_equal(nn_graph_need(g, &o, 2, 32, 32, &need, &all, &err), VG_OK);
    nn_graph_destroy(&g);
    assert_int_equal(nn_engine_reserve(t.e, 2, 32, 32, &mine, &err), VG_OK);
    assert_int_equal(t.weights.in_use_bytes, need.weights_bytes);
    assert_int_equal(t.activations.in_use_bytes, need.activation_bytes);
    assert_int_equal(t.staging.in_use_bytes, need.staging_bytes);
    const uint64_t n_before = t.weights.n_allocs + t.activations.n_allocs + t.staging.n_allocs +
                              t.plans.n_allocs + mem.n_allocs;
    const char *runs = getenv("VIGIL_TEST_FORWARDS");
    int64_t n_runs = 300;
    if (runs)
        assert_true(base_parse_i64(&n_runs, runs, 1, 1000000));
    static _Alignas(64) float x[2 * 32 * 32 * 3];
    const size_t library = base_mem_library_bytes(), taken = nn_device_taken_bytes(device);
    for (int64_t i = 0; i < n_runs; i++) {
        const int side = 8 + 4 * (int)(i % 7); /* more shapes than plans are kept */
        nn_plan *p = NULL;
        assert_int_equal(nn_engine_plan(t.e, &p, 1 + (int)(i % 2), side, 32, &mine, &err), VG_OK);
        assert_int_equal(nn_engine_run(t.e, p, x, &err), VG_OK);
    }
    assert_int_equal(t.weights.n_allocs + t.activations.n_allocs + t.staging.n_allocs +
                         t.plans.n_allocs + mem.n_allocs,
                     n_before);
    assert_int_equal(t.activations.in_use_bytes, need.activation_bytes);
    assert_true(nn_device_taken_bytes(device) <= taken + (1 << 20));
    print_message("%d runs: libraries hold %+.0f bytes\n", (int)n_runs,
                  (double)base_mem_library_bytes() - (double)library);
    engine_close(&t);
}

/* Weights that come later, as validation's do. */
static void weights_that_come_later_are_the_same(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    test_engine t;
    vg_error err = {0};
    nn_graph *g = NULL, *mine = NULL;
    synthetic_weights s = {0};
    size_t n_now, n_later;
    engine_open(&t, small, NULL, 3, NULL, &(nn_engine_options){.device = device}, &mem);
    float *now = engine_heads(&t, 1, 16, 16, 2, &n_now, &mem);
    engine_close(&t);
    assert_int_equal(graph_from_text(&g, small, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
    assert_int_equal(graph_from_text(&mine, small, NULL, 3, &t.plans, &err), VG_OK);
    const nn_accounts a = engine_accounts(&t);
    t.e = NULL;
    assert_int_equal(
        nn_engine_create(&t.e, mine, NULL, &(nn_engine_options){.device = device}, &a, &err),
        VG_OK);
    assert_int_equal(nn_engine_load(t.e, s.weights, &err), VG_ERR_ARGUMENT); /* no block */
    assert_int_equal(nn_engine_reserve(t.e, 1, 16, 16, &a, &err), VG_OK);
    assert_int_equal(nn_engine_load(t.e, s.weights, &err), VG_OK);
    float *later = engine_heads(&t, 1, 16, 16, 2, &n_later, &mem);
    assert_int_equal(n_now, n_later);
    assert_memory_equal(now, later, n_now * sizeof *now);
    base_free(now);
    base_free(later);
    synthetic_close(&s);
    engine_close(&t);
}

/* As validation does in training's: in another's block on the device, weights loaded anew. */
static void an_engine_computes_in_a_block_that_is_lent(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    test_engine t;
    vg_error err = {0};
    nn_graph *g = NULL, *mine = NULL;
    synthetic_weights s = {0};
    size_t n_own, n_lent, bytes = 0;
    gpu_block block;
    nn_plan *p = NULL;
    engine_open(&t, small, NULL, 3, NULL, &(nn_engine_options){.device = device}, &mem);
    float *own = engine_heads(&t, 2, 16, 24, 2, &n_own, &mem);
    engine_close(&t);
    assert_int_equal(graph_from_text(&g, small, NULL, 3, &mem, &err), VG_OK);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
    nn_graph_destroy(&g);
    assert_int_equal(graph_from_text(&mine, small, NULL, 3, &t.plans, &err), VG_OK);
    const nn_accounts a = engine_accounts(&t);
    const nn_engine_options o = {.device = device};
    assert_int_equal(nn_engine_create(&t.e, mine, NULL, &o, &a, &err), VG_OK);
    assert_int_equal(nn_engine_need_lent(t.e, &bytes, 2, 16, 24, &a, &err), VG_OK);
    assert_int_equal(device->host->take(device->driver, &block, bytes, &err), VG_OK);
    for (int round = 0; round < 2; round++) { /* lent again, and loaded again */
        nn_engine_lend(t.e, &block, bytes);
        assert_int_equal(nn_engine_reserve(t.e, 2, 16, 24, &a, &err), VG_OK);
        assert_int_equal(nn_engine_load(t.e, s.weights, &err), VG_OK);
        float *lent = engine_heads(&t, 2, 16, 24, 2, &n_lent, &mem);
        assert_int_equal(n_own, n_lent);
        assert_memory_equal(own, lent, n_own * sizeof *own);
        base_free(lent);
        assert_int_equal(t.activations.in_use_bytes, 0);
    }
    assert_int_equal(nn_engine_plan(t.e, &p, 3, 16, 24, &a, &err), VG_ERR_LIMIT);
    base_free(own);
    synthetic_close(&s);
    engine_close(&t);
    device->host->give(device->driver, &block);
}

/* A limit that is too small, and each allocation failing: an error, and everything given back. */
static void what_does_not_fit_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    for (int64_t k = 1;; k++) {
        base_mem root = {.tag = "root"};
        vg_error err = {0};
        nn_graph *g = NULL;
        synthetic_weights s = {0};
        nn_engine *e = NULL;
        nn_plan *p = NULL;
        const nn_accounts a = {&root, &root, &root, &root};
        static _Alignas(64) float x[16 * 16 * 3];
        assert_int_equal(graph_from_text(&g, small, NULL, 3, &mem, &err), VG_OK);
        assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, &err), VG_OK);
        root.fail_in = k;
        vg_status st =
            nn_engine_create(&e, g, s.weights, &(nn_engine_options){.device = device}, &a, &err);
        if (st != VG_OK)
            nn_graph_destroy(&g);
        if (st == VG_OK)
            st = nn_engine_plan(e, &p, 1, 16, 16, &a, &err);
        if (st == VG_OK)
            st = nn_engine_run(e, p, x, &err);
        nn_engine_destroy(&e);
        synthetic_close(&s);
        assert_int_equal(root.in_use_bytes, 0);
        if (st == VG_OK) {
            assert_true(k > 5);
            break;
        }
        assert_int_equal(st, VG_ERR_MEMORY);
    }
}

static void names_of_devices_are_read(void **state)
{
    (void)state;
    static const char *const good[] = {"auto", "cpu",      "CPU",        "gpu",   "0",
                                       "12",   "opencl:0", "opencl:0.1", "cuda:0"};
    static const char *const bad[] = {
        "",         "tpu", "opencl", "opencl:", "opencl:0.", "opencl:0.1.2",
        "cuda:0.1", "-1",  "0,1",    "cuda:x",  "mps",       "1000"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(nn_device_check(good[i], NULL), VG_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(nn_device_check(bad[i], NULL), VG_ERR_ARGUMENT);
    assert_int_equal(nn_device_check(NULL, NULL), VG_OK);
}

static void a_device_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    vg_error err = {0};
    nn_device *d = NULL;
    assert_int_equal(nn_device_open(&d, "opencl:15", &mem, &err), VG_ERR_ARGUMENT);
    assert_null(d);
    assert_int_equal(nn_device_open(&d, "opencl:0.15", &mem, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "opencl:0.15"));
    assert_int_equal(nn_device_open(&d, "cpu", &mem, &err), VG_OK);
    assert_null(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_those_of_the_cpu),
        cmocka_unit_test(maps_of_16_bits_are_near_those_of_the_cpu),
        cmocka_unit_test(half_takes_half_the_memory),
        cmocka_unit_test(what_16_bits_cannot_hold_is_refused),
        cmocka_unit_test(kept_layers_are_those_of_the_cpu),
        cmocka_unit_test(a_picture_has_the_same_bits_in_any_batch_and_after_any_other),
        cmocka_unit_test(memory_is_as_planned_and_flat),
        cmocka_unit_test(weights_that_come_later_are_the_same),
        cmocka_unit_test(an_engine_computes_in_a_block_that_is_lent),
        cmocka_unit_test(what_does_not_fit_is_an_error_and_leaves_nothing),
        cmocka_unit_test(names_of_devices_are_read),
        cmocka_unit_test(a_device_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* test_gpu_kernels.c: every kernel of the GPU against the CPU's plain one, over odd sizes, on the
 * device that VIGIL_TEST_DEVICE names (opencl:0: PoCL's, where the tests' packages are installed).
 *
 * A case is laid out twice in one arena of marks: once on the host, where the plain kernel
 * computes, and once on the device. What a kernel must not touch still bears its mark. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/nn/backend.h"
#include "../../src/nn/cpu/isa.h"
#include "../../src/nn/cpu/kernels.h"
#include "support/gpu.h"
#include "support/random.h"

#define MARK 123456.75F
enum { ARENA_FLOATS = 1 << 20, MOST_WEIGHTS = 1 << 20 };

static _Alignas(64) float arena[ARENA_FLOATS], before[ARENA_FLOATS], seen[ARENA_FLOATS];
static _Alignas(64) float weight[MOST_WEIGHTS], bias[1024], packed[MOST_WEIGHTS],
    plain[MOST_WEIGHTS];
static size_t used;
static test_random rng = {7};
static base_mem mem = {.tag = "test"};
static nn_device *device;
static void *gpu;
static void *staging;

static const nn_backend *const backend = &nn_backend_gpu;

static int setup(void **state)
{
    vg_error err = {0};
    void *none = NULL;
    (void)state;
    if (!test_gpu_open(&device, &mem))
        return 0;
    vg_status st = backend->create(&gpu, &(nn_backend_options){.device = device}, &mem, &err);
    if (st == VG_OK)
        st = backend->remote->take(gpu, NN_REMOTE_BLOCK, &none, sizeof arena, &mem, &err);
    if (st == VG_OK)
        st = backend->remote->take(gpu, NN_REMOTE_WEIGHTS, &none, sizeof packed, &mem, &err);
    if (st == VG_OK)
        st = backend->remote->take(gpu, NN_REMOTE_STAGING, &staging, 4096, &mem, &err);
    if (st != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (gpu)
        backend->destroy(&gpu);
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

/* ---- a case ---- */

static void begin(void)
{
    if (!device)
        skip();
    used = 0;
    for (size_t i = 0; i < ARENA_FLOATS; i++)
        arena[i] = MARK;
}

/* pitch > c and a first channel that is not aligned: a slice. is_random: else marks. */
static nn_map map_take(int n, int h, int w, int c, int gap, bool is_random)
{
    nn_map m = {
        .data = arena + used + gap / 2, .pitch = (size_t)(c + gap), .n = n, .h = h, .w = w, .c = c};
    const size_t pixels = (size_t)n * (size_t)h * (size_t)w;
    used += (pixels * m.pitch + 64) / 16 * 16;
    assert_true(used <= ARENA_FLOATS);
    for (size_t p = 0; is_random && p < pixels; p++)
        for (int i = 0; i < c; i++)
            m.data[p * m.pitch + (size_t)i] = random_float(&rng, -2, 2);
    return m;
}

static size_t place(const nn_map *m)
{
    return (size_t)(m->data - arena) * sizeof(float);
}

/* The device computes the step; then the plain twin does in the arena, and the two are compared. */
static void device_runs(nn_step *s, vg_error *err)
{
    const nn_remote *r = backend->remote;
    s->dst_at = place(&s->dst_map);
    s->src_at = place(&s->src_map);
    if (s->spec.src2 != NN_NO_VALUE)
        s->src2_at = place(&s->src2_map);
    memcpy(before, arena, sizeof arena);
    vg_status st = backend->prepare(gpu, s, &mem, err);
    if (st == VG_OK)
        st = r->upload(gpu, NN_REMOTE_BLOCK, 0, before, sizeof before, err);
    if (st == VG_OK)
        st = backend->run(gpu, s, NULL, err);
    if (st == VG_OK)
        st = r->download(gpu, seen, 0, sizeof seen, err);
    if (st == VG_OK)
        st = r->finish(gpu, err);
    if (st != VG_OK)
        fail_msg("%s at %s", err->what, err->where);
}

/* arena: the plain twin's. */
static void assert_same(double tolerance)
{
    for (size_t i = 0; i < ARENA_FLOATS; i++) {
        const double a = (double)seen[i], b = (double)arena[i];
        if (a == b || (isnan(a) && isnan(b)))
            continue;
        if (!(fabs(a - b) <= tolerance * (1.0 + fabs(b))))
            fail_msg("float %zu of the block: %.9g on the device, %.9g on the CPU", i, a, b);
    }
}

/* ---- convolution ---- */

static void conv_case(int n, int h, int w, int ic, int oc, int k, int stride, int groups, bool silu,
                      bool has_add)
{
    vg_error err = {0};
    nn_conv_spec spec = {
        .ic = ic, .oc = oc, .k = k, .stride = stride, .groups = groups, .silu = silu};
    const cpu_conv twin = {
        .ic = ic, .oc = oc, .k = k, .stride = stride, .groups = groups, .silu = silu};
    const int oh = (h + stride - 1) / stride, ow = (w + stride - 1) / stride;
    const size_t n_weights = (size_t)oc * (size_t)(ic / groups) * (size_t)(k * k);
    begin();
    nn_step s = {.spec = {.kind = NN_STEP_CONV, .conv = &spec, .src2 = has_add ? 3 : NN_NO_VALUE},
                 .src_map = map_take(n, h, w, ic, n % 2 ? 0 : 5, true)};
    s.dst_map = map_take(n, oh, ow, oc, 3, false);
    if (has_add)
        s.src2_map = map_take(n, oh, ow, oc, 7, true);
    const float span = sqrtf(3.0F / (float)(k * k * (ic / groups)));
    for (size_t i = 0; i < n_weights; i++)
        weight[i] = random_float(&rng, -span, span);
    for (int o = 0; o < oc; o++)
        bias[o] = random_float(&rng, -1, 1);
    s.weights_at = 256; /* as behind another convolution's */
    const size_t bytes = backend->weights_bytes(gpu, &spec);
    assert_true(s.weights_at + bytes <= sizeof packed);
    for (size_t i = 0; i < MOST_WEIGHTS; i++)
        packed[i] = MARK;
    backend->weights_pack(gpu, &spec, packed + s.weights_at / sizeof(float), weight, bias);
    if (backend->remote->upload(gpu, NN_REMOTE_WEIGHTS, 0, packed, sizeof packed, &err) != VG_OK)
        fail_msg("%s", err.what);
    device_runs(&s, &err);
    cpu_kernels_plain.conv_pack(&twin, plain, weight, bias);
    cpu_kernels_plain.conv_run(&twin, plain, &s.dst_map, &s.src_map, has_add ? &s.src2_map : NULL,
                               NULL, 0, cpu_kernels_plain.conv_units(&twin, &s.dst_map));
    assert_same(1e-5);
}

static void a_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    conv_case(1, 13, 9, 3, 16, 3, 2, 1, true, false);   /* the first layer */
    conv_case(2, 7, 11, 3, 5, 6, 1, 1, false, false);   /* 15 channels and less, more pictures */
    conv_case(1, 8, 6, 3, 7, 6, 2, 1, true, false);     /* YOLOv5's, of an even side */
    conv_case(2, 9, 5, 17, 24, 3, 1, 1, true, true);    /* 32 wide, a residual */
    conv_case(1, 5, 13, 19, 33, 1, 1, 1, false, false); /* 64 wide, one channel past a half tile */
    conv_case(3, 5, 5, 40, 65, 3, 2, 1, true, true);    /* past a whole tile */
    conv_case(1, 1, 1, 70, 130, 1, 1, 1, true, false);  /* one pixel */
    conv_case(1, 17, 16, 8, 64, 3, 1, 1, false, true);
    conv_case(1, 3, 4, 2, 1, 7, 1, 1, false, false); /* a window larger than the picture */
}

static void a_depthwise_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    conv_case(2, 7, 5, 19, 19, 3, 1, 19, true, false);
    conv_case(1, 9, 8, 33, 33, 3, 2, 33, false, true);
    conv_case(1, 4, 4, 300, 300, 7, 1, 300, true, true);
}

/* ---- the others ---- */

static void a_maximum_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    for (int k = 3; k <= 13; k += 2) {
        vg_error err = {0};
        begin();
        nn_step s = {.spec = {.kind = NN_STEP_MAXPOOL, .k = k, .src2 = NN_NO_VALUE},
                     .src_map = map_take(2, 5, 7, 13, 3, true)};
        s.dst_map = map_take(2, 5, 7, 13, 4, false);
        device_runs(&s, &err);
        cpu_kernels_plain.maxpool_run(k, &s.dst_map, &s.src_map, 0,
                                      cpu_kernels_plain.maxpool_units(&s.dst_map));
        assert_same(0);
    }
}

static void upsampling_copies_and_sums_are_those_of_the_plain_kernel(void **state)
{
    (void)state;
    for (int c = 1; c <= 300; c = c * 5 + 2) {
        const nn_step_kind kinds[] = {NN_STEP_UPSAMPLE, NN_STEP_COPY, NN_STEP_ADD};
        for (int i = 0; i < 3; i++) {
            vg_error err = {0};
            const int up = kinds[i] == NN_STEP_UPSAMPLE ? 2 : 1;
            begin();
            nn_step s = {
                .spec = {.kind = kinds[i], .src2 = kinds[i] == NN_STEP_ADD ? 1 : NN_NO_VALUE},
                .src_map = map_take(3, 5, 3, c, 5, true)};
            s.dst_map = map_take(3, 5 * up, 3 * up, c, 1, false);
            if (kinds[i] == NN_STEP_ADD)
                s.src2_map = map_take(3, 5, 3, c, 0, true);
            device_runs(&s, &err);
            const size_t rows = (size_t)(3 * 5 * up);
            if (kinds[i] == NN_STEP_UPSAMPLE)
                cpu_kernels_plain.upsample_run(&s.dst_map, &s.src_map, 0, rows);
            else if (kinds[i] == NN_STEP_COPY)
                cpu_kernels_plain.copy_run(&s.dst_map, &s.src_map, 0, rows);
            else
                cpu_kernels_plain.add_run(&s.dst_map, &s.src_map, &s.src2_map, 0, rows);
            assert_same(0);
        }
    }
}

static void attention_case(int n, int h, int w, int heads, int key_dim, int head_dim, float by)
{
    vg_error err = {0};
    static _Alignas(64) float scratch[1 << 20];
    begin();
    nn_step s = {.spec = {.kind = NN_STEP_ATTENTION,
                          .src2 = NN_NO_VALUE,
                          .heads = heads,
                          .key_dim = key_dim,
                          .head_dim = head_dim},
                 .src_map = map_take(n, h, w, heads * (2 * key_dim + head_dim), 3, true)};
    for (size_t p = 0; p < (size_t)(n * h * w); p++)
        for (int i = 0; i < s.src_map.c; i++)
            s.src_map.data[p * s.src_map.pitch + (size_t)i] *= by;
    s.dst_map = map_take(n, h, w, heads * head_dim, 2, false);
    device_runs(&s, &err);
    assert_true(cpu_kernels_plain.attention_scratch_floats(h * w, key_dim, head_dim) <= 1 << 20);
    cpu_kernels_plain.attention_run(&s.dst_map, &s.src_map, heads, key_dim, head_dim,
                                    cpu_attention_scale(key_dim), scratch, 0,
                                    cpu_kernels_plain.attention_units(&s.dst_map, heads));
    assert_same(1e-5);
}

static void attention_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    attention_case(1, 3, 3, 1, 4, 8, 1);
    attention_case(2, 5, 7, 2, 32, 64, 1);
    attention_case(1, 9, 15, 3, 17, 33, 1); /* three groups of queries, a value past a group */
    attention_case(1, 4, 5, 1, 64, 128, 1);
    attention_case(1, 3, 7, 2, 8, 16, 3); /* one key takes nearly all the weight */
    attention_case(1, 1, 1, 1, 32, 64, 1);
}

static void what_a_kernel_cannot_hold_is_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    begin();
    nn_step s = {.spec = {.kind = NN_STEP_ATTENTION, .key_dim = 65, .head_dim = 64, .heads = 1}};
    assert_int_equal(backend->prepare(gpu, &s, &mem, &err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.what, "65"));
    nn_conv_spec grouped = {.ic = 8, .oc = 8, .k = 3, .stride = 1, .groups = 2};
    s = (nn_step){.spec = {.kind = NN_STEP_CONV, .conv = &grouped}};
    assert_int_equal(backend->prepare(gpu, &s, &mem, &err), VG_ERR_UNSUPPORTED);
    s = (nn_step){.spec = {.kind = NN_STEP_COPY},
                  .dst_map = {.n = 1024, .h = 8192, .w = 8192, .c = 16}};
    assert_int_equal(backend->prepare(gpu, &s, &mem, &err), VG_ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_depthwise_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_maximum_is_that_of_the_plain_kernel),
        cmocka_unit_test(upsampling_copies_and_sums_are_those_of_the_plain_kernel),
        cmocka_unit_test(attention_is_that_of_the_plain_kernel),
        cmocka_unit_test(what_a_kernel_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

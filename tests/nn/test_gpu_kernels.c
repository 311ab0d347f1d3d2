/* test_gpu_kernels.c: every kernel of the GPU against the CPU's plain one, over odd sizes, on the
 * device that VIGIL_TEST_DEVICE names (opencl:0: PoCL's, where the tests' packages are installed).
 *
 * A case is laid out twice in one arena of marks: once on the host, where the plain kernel
 * computes, and once on the device. What a kernel must not touch still bears its mark.
 *
 * VIGIL_TEST_SMALL=1: few and small cases, each in blocks that end where its last number does, for
 * whoever watches every access (oclgrind.sh). */
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
#include "weights/weights.h"

#define MARK 12344.0F /* which 16 bits hold, too */
enum { ARENA_FLOATS = 1 << 20, MOST_WEIGHTS = 1 << 20 };

static _Alignas(64) float arena[ARENA_FLOATS], before[ARENA_FLOATS], seen[ARENA_FLOATS];
static _Alignas(64) float weight[MOST_WEIGHTS], bias[1024], packed[MOST_WEIGHTS],
    plain[MOST_WEIGHTS];
static size_t used, end; /* of the arena; end: behind the last map's last number */
static test_random rng = {7};
static base_mem mem = {.tag = "test"};
static nn_device *device;
/* The same device as one of few units, of some, and of many, which changes the tiles. */
static const int units[] = {1, 4, 1 << 20};
enum { N_GPUS = sizeof units / sizeof *units };
static void *gpus[N_GPUS], *gpu;
static void *staging;
/* Elements are of 16 bits: the plain kernel computes with floats that are rounded to them, so what
 * differs is the rounding of what is written. */
static bool is_half;
/* With it: convolutions by the kernels for matrix units, but for the instruction itself. */
static bool is_matrix;

static const nn_backend *const backend = &nn_backend_gpu;

static int setup(void **state)
{
    vg_error err = {0};
    void *none = NULL;
    (void)state;
    if (!test_gpu_open(&device, &mem))
        return 0;
    for (int i = 0; i < N_GPUS; i++) {
        const nn_backend_options o = {
            .device = device, .gpu_units = units[i], .half = is_half, .gpu_matrix = is_matrix};
        vg_status st = backend->create(&gpus[i], &o, &mem, &err);
        if (st == VG_OK)
            st = backend->remote->take(gpus[i], NN_REMOTE_BLOCK, &none, sizeof arena, &mem, &err);
        if (st == VG_OK)
            st =
                backend->remote->take(gpus[i], NN_REMOTE_WEIGHTS, &none, sizeof packed, &mem, &err);
        if (st == VG_OK)
            st = backend->remote->take(gpus[i], NN_REMOTE_STAGING, &staging, 4096, &mem, &err);
        if (st != VG_OK)
            fail_msg("%s at %s", err.what, err.where);
    }
    gpu = gpus[0];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < N_GPUS; i++)
        if (gpus[i])
            backend->destroy(&gpus[i]);
    gpu = NULL;
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

/* ---- elements ---- */

static size_t element_bytes(void)
{
    return is_half ? sizeof(uint16_t) : sizeof(float);
}

static float random_element(float from, float to)
{
    const float v = random_float(&rng, from, to);
    return is_half ? weights_f16_to_f32(weights_f32_to_f16(v)) : v;
}

/* The arena as the device has it. */
static void to_elements(float *out, const float *from)
{
    for (size_t i = 0; is_half && i < ARENA_FLOATS; i++)
        ((uint16_t *)out)[i] = weights_f32_to_f16(from[i]);
    if (!is_half)
        memcpy(out, from, sizeof arena);
}

static void from_elements(float *inout)
{
    for (size_t i = ARENA_FLOATS; is_half && i-- > 0;)
        inout[i] = weights_f16_to_f32(((const uint16_t *)inout)[i]);
}

/* ---- a case ---- */

static void begin(void)
{
    if (!device)
        skip();
    used = end = 0;
    for (size_t i = 0; i < ARENA_FLOATS; i++)
        arena[i] = MARK;
}

/* pitch > c and a first channel that is not aligned: a slice. is_random: else marks. */
static nn_map map_take(int n, int h, int w, int c, int gap, bool is_random)
{
    nn_map m = {
        .data = arena + used + gap / 2, .pitch = (size_t)(c + gap), .n = n, .h = h, .w = w, .c = c};
    const size_t pixels = (size_t)n * (size_t)h * (size_t)w;
    end = used + (size_t)(gap / 2) + (pixels - 1) * m.pitch + (size_t)c;
    used += (pixels * m.pitch + 64) / 16 * 16;
    assert_true(used <= ARENA_FLOATS);
    for (size_t p = 0; is_random && p < pixels; p++)
        for (int i = 0; i < c; i++)
            m.data[p * m.pitch + (size_t)i] = random_element(-2, 2);
    return m;
}

static size_t place(const nn_map *m)
{
    return (size_t)(m->data - arena) * element_bytes();
}

/* A small case's block is that long and no longer. */
static vg_status exact(nn_remote_memory which, size_t bytes, vg_error *err)
{
    void *none = NULL;
    if (!test_gpu_is_small())
        return VG_OK;
    backend->remote->give(gpu, which);
    return backend->remote->take(gpu, which, &none, bytes, &mem, err);
}

/* The device computes the step; then the plain twin does in the arena, and the two are compared. */
static void device_runs(nn_step *s, vg_error *err)
{
    const nn_remote *r = backend->remote;
    s->dst_at = place(&s->dst_map);
    s->src_at = place(&s->src_map);
    if (s->spec.src2 != NN_NO_VALUE)
        s->src2_at = place(&s->src2_map);
    const size_t bytes = (test_gpu_is_small() ? end : ARENA_FLOATS) * element_bytes();
    to_elements(before, arena);
    to_elements(seen, arena);
    vg_status st = backend->prepare(gpu, s, &mem, err);
    if (st == VG_OK)
        st = exact(NN_REMOTE_BLOCK, bytes, err);
    if (st == VG_OK)
        st = r->upload(gpu, NN_REMOTE_BLOCK, 0, before, bytes, err);
    if (st == VG_OK)
        st = backend->run(gpu, s, NULL, err);
    if (st == VG_OK)
        st = r->download(gpu, seen, 0, bytes, err);
    if (st == VG_OK)
        st = r->finish(gpu, err);
    if (st != VG_OK)
        fail_msg("%s at %s", err->what, err->where);
    from_elements(seen);
}

/* arena: the plain twin's. tolerance: of floats; one of 16 bits is off by 2^-11 when it is written,
 * unless nothing was computed (0). */
static void assert_same(double tolerance)
{
    if (is_half && tolerance > 0)
        tolerance += 1.0 / 2048;
    for (size_t i = 0; i < ARENA_FLOATS; i++) {
        const double a = (double)seen[i], b = (double)arena[i];
        if (a == b || (isnan(a) && isnan(b)))
            continue;
        if (!(fabs(a - b) <= tolerance * (1.0 + fabs(b))))
            fail_msg("float %zu of the block: %.9g on the device, %.9g on the CPU", i, a, b);
    }
}

/* ---- convolution ---- */

/* The kernels that were taken. */
static char kernels_seen[512];

static void see_kernel(const char *name)
{
    const size_t n = strlen(kernels_seen);
    if (!strstr(kernels_seen, name))
        assert_true(base_format(kernels_seen + n, sizeof kernels_seen - n, "%s ", name));
}

/* gap: between the channels of a pixel and those of the next; of what is read, and of the rest. */
static void conv_on(int n, int h, int w, int ic, int oc, int k, int stride, int groups, bool silu,
                    bool has_add, int gap, int gap_dst)
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
                 .src_map = map_take(n, h, w, ic, gap, true)};
    s.dst_map = map_take(n, oh, ow, oc, gap_dst, false);
    if (has_add)
        s.src2_map = map_take(n, oh, ow, oc, gap_dst * 2, true);
    const float span = sqrtf(3.0F / (float)(k * k * (ic / groups)));
    for (size_t i = 0; i < n_weights; i++)
        weight[i] = random_element(-span, span);
    for (int o = 0; o < oc; o++)
        bias[o] = random_float(&rng, -1, 1);
    s.weights_at = 256; /* as behind another convolution's */
    const size_t bytes = backend->weights_bytes(gpu, &spec);
    assert_true(s.weights_at + bytes <= sizeof packed);
    for (size_t i = 0; i < MOST_WEIGHTS; i++)
        packed[i] = MARK;
    backend->weights_pack(gpu, &spec, packed + s.weights_at / sizeof(float), weight, bias);
    const size_t all = test_gpu_is_small() ? s.weights_at + bytes : sizeof packed;
    if (exact(NN_REMOTE_WEIGHTS, all, &err) != VG_OK ||
        backend->remote->upload(gpu, NN_REMOTE_WEIGHTS, 0, packed, all, &err) != VG_OK)
        fail_msg("%s", err.what);
    device_runs(&s, &err);
    see_kernel(backend->kernel(gpu, &s));
    cpu_kernels_plain.conv_pack(&twin, plain, weight, bias);
    cpu_kernels_plain.conv_run(&twin, plain, &s.dst_map, &s.src_map, has_add ? &s.src2_map : NULL,
                               NULL, 0, cpu_kernels_plain.conv_units(&twin, &s.dst_map));
    assert_same(1e-5);
}

/* In maps of odd pitches, and in maps of which four channels can be read at once. */
static void conv_case(int n, int h, int w, int ic, int oc, int k, int stride, int groups, bool silu,
                      bool has_add)
{
    static int turn; /* of small cases, each is one of the four */
    for (int i = 0; i < N_GPUS; i++) {
        const bool is_mine = i == (turn % 2 ? N_GPUS - 1 : 0);
        gpu = gpus[i];
        if (!test_gpu_is_small() || (is_mine && turn / 2 % 2 == 0))
            conv_on(n, h, w, ic, oc, k, stride, groups, silu, has_add, n % 2 ? 0 : 5, 3);
        if (!test_gpu_is_small() || (is_mine && turn / 2 % 2 == 1))
            conv_on(n, h, w, ic, oc, k, stride, groups, silu, has_add, 8 + (4 - ic % 4) % 4,
                    8 + (4 - oc % 4) % 4);
    }
    turn++;
    gpu = gpus[0];
}

static void a_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    kernels_seen[0] = '\0';
    if (test_gpu_is_small()) {
        conv_case(2, 5, 3, 3, 7, 3, 2, 1, true, false);  /* 16 wide, a depth of 27 */
        conv_case(1, 3, 3, 17, 24, 1, 1, 1, true, true); /* 32 wide, a residual */
        conv_case(1, 5, 13, 3, 65, 1, 1, 1, true, true); /* a pixel and a channel past a tile */
        return;
    }
    conv_case(1, 13, 9, 3, 16, 3, 2, 1, true, false);   /* the first layer */
    conv_case(2, 7, 11, 3, 5, 6, 1, 1, false, false);   /* 15 channels and less, more pictures */
    conv_case(1, 8, 6, 3, 7, 6, 2, 1, true, false);     /* YOLOv5's, of an even side */
    conv_case(2, 9, 5, 17, 24, 3, 1, 1, true, true);    /* 32 wide, a residual */
    conv_case(1, 5, 13, 19, 33, 1, 1, 1, false, false); /* 64 wide, one channel past a half tile */
    conv_case(3, 5, 5, 40, 65, 3, 2, 1, true, true);    /* past a whole tile */
    conv_case(1, 1, 1, 70, 130, 1, 1, 1, true, false);  /* one pixel */
    conv_case(1, 17, 16, 8, 64, 3, 1, 1, false, true);
    conv_case(1, 3, 4, 2, 1, 7, 1, 1, false, false);   /* a window larger than the picture */
    conv_case(1, 13, 11, 20, 64, 3, 1, 1, true, true); /* fours across two taps of a fetch */
    conv_case(2, 10, 9, 16, 28, 3, 2, 1, true, false);
    conv_case(3, 17, 11, 24, 12, 1, 1, 1, true, true);
    conv_case(1, 9, 7, 32, 48, 3, 1, 1, true, false); /* eights within a tap, two steps of depth */
    conv_case(1, 6, 7, 40, 80, 3, 2, 1, false, true);
    static const char *const all[] = {"conv_128x64", "conv_64x64", "conv_32x64",
                                      "conv_128x32", "conv_64x32", "conv_256x16"};
    static const char *const of_matrix[] = {"mma_128x64", "mma_64x64",  "mma_32x64",
                                            "mma_128x32", "mma_128x16", "mma_128x16"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strstr(kernels_seen, is_matrix ? of_matrix[i] : all[i]))
            fail_msg("%s was never taken; there were %s", is_matrix ? of_matrix[i] : all[i],
                     kernels_seen);
}

static void a_depthwise_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    if (test_gpu_is_small()) {
        conv_case(2, 3, 3, 19, 19, 3, 2, 19, true, true);
        return;
    }
    conv_case(2, 7, 5, 19, 19, 3, 1, 19, true, false);
    conv_case(1, 9, 8, 33, 33, 3, 2, 33, false, true);
    conv_case(1, 4, 4, 300, 300, 7, 1, 300, true, true);
    conv_case(2, 7, 9, 36, 36, 3, 2, 36, true, true);
}

/* ---- the others ---- */

static void a_maximum_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    for (int k = 3; k <= (test_gpu_is_small() ? 3 : 13); k += 2) {
        vg_error err = {0};
        begin();
        nn_step s = {.spec = {.kind = NN_STEP_MAXPOOL, .k = k, .src2 = NN_NO_VALUE},
                     .src_map = map_take(2, 5, 7, k % 4 == 1 ? 12 : 13, k % 4 == 1 ? 8 : 3, true)};
        s.dst_map = map_take(2, 5, 7, s.src_map.c, s.src_map.c == 12 ? 0 : 4, false);
        device_runs(&s, &err);
        cpu_kernels_plain.maxpool_run(k, &s.dst_map, &s.src_map, 0,
                                      cpu_kernels_plain.maxpool_units(&s.dst_map));
        assert_same(0);
    }
}

static void upsampling_copies_and_sums_are_those_of_the_plain_kernel(void **state)
{
    (void)state;
    for (int c = 1; c <= (test_gpu_is_small() ? 8 : 300);
         c = c % 2 ? c + 7 : c * 5 + 1) { /* 1, 8, 41, 48, 241, 248 */
        const nn_step_kind kinds[] = {NN_STEP_UPSAMPLE, NN_STEP_COPY, NN_STEP_ADD};
        for (int i = 0; i < 3; i++) {
            vg_error err = {0};
            const int up = kinds[i] == NN_STEP_UPSAMPLE ? 2 : 1;
            begin();
            nn_step s = {
                .spec = {.kind = kinds[i], .src2 = kinds[i] == NN_STEP_ADD ? 1 : NN_NO_VALUE},
                .src_map = map_take(3, 5, 3, c, c % 4 ? 5 : 8, true)};
            s.dst_map = map_take(3, 5 * up, 3 * up, c, c % 4 ? 1 : 16, false);
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
            assert_same(kinds[i] == NN_STEP_ADD && is_half ? 1e-9 : 0);
        }
    }
}

static void shuffles_and_means_are_those_of_the_plain_kernel(void **state)
{
    (void)state;
    for (int c = 1; c <= (test_gpu_is_small() ? 8 : 72); c = c % 2 ? c + 7 : c * 4 + 1) {
        const nn_step_kind kinds[] = {NN_STEP_SHUFFLE, NN_STEP_MEAN}; /* c: 1, 8, 33, 40 */
        for (int i = 0; i < 2; i++) {
            vg_error err = {0};
            begin();
            nn_step s = {.spec = {.kind = kinds[i], .src2 = NN_NO_VALUE},
                         .src_map = map_take(2, 3, 5, i == 0 ? 4 * c : c, c % 4 ? 5 : 8, true)};
            s.dst_map = i == 0 ? map_take(2, 6, 10, c, c % 4 ? 1 : 16, false)
                               : map_take(2, 1, 1, c, c % 4 ? 1 : 16, false);
            device_runs(&s, &err);
            if (i == 0)
                cpu_kernels_plain.shuffle_run(&s.dst_map, &s.src_map, 0, 2 * 6);
            else
                cpu_kernels_plain.mean_run(&s.dst_map, &s.src_map, 0,
                                           cpu_channel_units(&s.dst_map));
            assert_same(i == 0 ? 0 : 1e-6);
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
    if (test_gpu_is_small()) {
        attention_case(2, 3, 6, 1, 5, 33, 1); /* a key past a piece, a value past a group */
        attention_case(1, 5, 13, 1, 4, 8, 1); /* a query past a group */
        return;
    }
    attention_case(1, 3, 3, 1, 4, 8, 1);
    attention_case(2, 5, 7, 2, 32, 64, 1);
    attention_case(1, 9, 15, 3, 17, 33, 1); /* three groups of queries, a value past a group */
    attention_case(1, 4, 5, 1, 64, 128, 1);
    attention_case(1, 3, 7, 2, 8, 16, 4); /* one key takes nearly all the weight */
    attention_case(1, 1, 1, 1, 32, 64, 1);
}

/* A head's map: floats, however wide elements are. */
static void what_is_written_as_floats_is_not_rounded(void **state)
{
    (void)state;
    vg_error err = {0};
    enum { PIXELS = 35, OC = 21 };
    nn_conv_spec spec = {.ic = 12, .oc = OC, .k = 1, .stride = 1, .groups = 1};
    const cpu_conv twin = {.ic = 12, .oc = OC, .k = 1, .stride = 1, .groups = 1};
    const nn_remote *r = backend->remote;
    static float got[PIXELS * OC];
    begin();
    nn_step s = {.spec = {.kind = NN_STEP_CONV, .conv = &spec, .src2 = NN_NO_VALUE},
                 .src_map = map_take(1, 5, 7, 12, 0, true),
                 .is_float_dst = true};
    s.dst_map = map_take(1, 5, 7, OC, 0, false);
    for (int i = 0; i < 12 * OC; i++)
        weight[i] = random_element(-0.5F, 0.5F);
    for (int i = 0; i < OC; i++)
        bias[i] = random_float(&rng, -1, 1);
    backend->weights_pack(gpu, &spec, packed, weight, bias);
    s.src_at = place(&s.src_map);
    s.dst_at = (size_t)(s.dst_map.data - arena) * sizeof(float); /* behind all that is read */
    to_elements(before, arena);
    const size_t bytes = s.dst_at + sizeof got;
    vg_status st = backend->prepare(gpu, &s, &mem, &err);
    if (st == VG_OK)
        st = exact(NN_REMOTE_WEIGHTS, backend->weights_bytes(gpu, &spec), &err);
    if (st == VG_OK)
        st = exact(NN_REMOTE_BLOCK, bytes, &err);
    if (st == VG_OK)
        st = r->upload(gpu, NN_REMOTE_WEIGHTS, 0, packed, backend->weights_bytes(gpu, &spec), &err);
    if (st == VG_OK)
        st = r->upload(gpu, NN_REMOTE_BLOCK, 0, before, bytes, &err);
    if (st == VG_OK)
        st = backend->run(gpu, &s, NULL, &err);
    if (st == VG_OK)
        st = r->download(gpu, got, s.dst_at, sizeof got, &err);
    if (st == VG_OK)
        st = r->finish(gpu, &err);
    if (st != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    cpu_kernels_plain.conv_pack(&twin, plain, weight, bias);
    cpu_kernels_plain.conv_run(&twin, plain, &s.dst_map, &s.src_map, NULL, NULL, 0,
                               cpu_kernels_plain.conv_units(&twin, &s.dst_map));
    for (int i = 0; i < PIXELS * OC; i++)
        assert_float_equal(got[i], s.dst_map.data[i], 1e-5);
    nn_conv_spec each = {.ic = 8, .oc = 8, .k = 3, .stride = 1, .groups = 8};
    s.spec.conv = &each;
    assert_int_equal(backend->prepare(gpu, &s, &mem, &err), VG_ERR_UNSUPPORTED);
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

/* test_gpu_kernels [PATTERN]: those of that name alone. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_depthwise_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_maximum_is_that_of_the_plain_kernel),
        cmocka_unit_test(upsampling_copies_and_sums_are_those_of_the_plain_kernel),
        cmocka_unit_test(shuffles_and_means_are_those_of_the_plain_kernel),
        cmocka_unit_test(attention_is_that_of_the_plain_kernel),
        cmocka_unit_test(what_is_written_as_floats_is_not_rounded),
        cmocka_unit_test(what_a_kernel_cannot_hold_is_refused),
    };
    int n_failed = cmocka_run_group_tests_name("floats", tests, setup, teardown);
    is_half = true;
    n_failed += cmocka_run_group_tests_name("16 bits", tests, setup, teardown);
    is_matrix = true;
    const struct CMUnitTest of_matrix[] = {
        cmocka_unit_test(a_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_depthwise_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(what_is_written_as_floats_is_not_rounded),
    };
    n_failed += cmocka_run_group_tests_name("matrix units", of_matrix, setup, teardown);
    return n_failed;
}

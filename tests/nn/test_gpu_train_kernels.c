/* test_gpu_train_kernels.c: every step of training on a GPU, both ways, against the CPU's plain
 * kernels, over odd sizes, on the device that VIGIL_TEST_DEVICE names (opencl:0: PoCL's, where the
 * tests' packages are installed).
 *
 * A case is laid out once in arenas of marks, one for each memory; the CPU's backend computes in
 * them, the GPU's in copies on the device. What a kernel must not touch still bears its mark.
 * All of it goes twice: with maps of floats, and of 16 bits. Those begin at the same bytes and fill
 * half of their room; the CPU's are then rounded likewise before a step.
 *
 * VIGIL_TEST_SMALL=1: few and small cases, in a block and scratch that end where their last number
 * does, for whoever watches every access (oclgrind.sh). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/nn/train_backend.h"
#include "support/gpu.h"
#include "support/random.h"
#include "weights/weights.h"

#define MARK 123456.75F
enum { BLOCK = 1 << 19, PARAMS = 1 << 17, SCRATCH = 1 << 20 };

static _Alignas(64) float block[BLOCK], values[PARAMS], grads[PARAMS], scratch[SCRATCH];
static _Alignas(64) float seen[BLOCK], again[BLOCK];
static struct {
    float *at;
    size_t bytes;
} host[] = {[NN_TRAIN_BLOCK] = {block, sizeof block},
            [NN_TRAIN_VALUES] = {values, sizeof values},
            [NN_TRAIN_GRADS] = {grads, sizeof grads}};
static size_t used, used_params;
static size_t end, end_bytes; /* behind the last map's last number: floats of the arena, bytes */
static size_t n_seen = BLOCK; /* floats of the block that are compared */
static bool is_half;
/* Maps of 16 bits: floats of the arena. */
static struct {
    size_t at, n;
} halves[NN_N_ROLES];
static int n_halves;
static test_random rng = {11};
static base_mem mem = {.tag = "test"};
static nn_device *device;
static void *cpu, *gpu;
static float *staging;

static const nn_train_backend *const on_cpu = &nn_train_backend_cpu, *const on_gpu =
                                                                         &nn_train_backend_gpu;

static void ok(vg_status st, const vg_error *err)
{
    if (st != VG_OK)
        fail_msg("%s at %s", err->what, err->where);
}

static int setup(void **state)
{
    vg_error err = {0};
    void *at = NULL;
    (void)state;
    if (!test_gpu_open(&device, &mem))
        return 0;
    ok(on_cpu->create(&cpu, &(nn_backend_options){.isa = "plain", .threads = 1}, &mem, &err), &err);
    ok(on_gpu->create(&gpu, &(nn_backend_options){.device = device, .half = is_half}, &mem, &err),
       &err);
    const nn_train_remote *r = on_gpu->remote;
    ok(r->take(gpu, NN_TRAIN_BLOCK, sizeof block, &mem, &err), &err);
    ok(r->take(gpu, NN_TRAIN_VALUES, sizeof values, &mem, &err), &err);
    ok(r->take(gpu, NN_TRAIN_GRADS, sizeof grads, &mem, &err), &err);
    ok(r->take(gpu, NN_TRAIN_SCRATCH, sizeof scratch, &mem, &err), &err);
    ok(r->take_staging(gpu, &at, sizeof block, &mem, &err), &err);
    staging = at;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (gpu)
        on_gpu->destroy(&gpu);
    if (cpu)
        on_cpu->destroy(&cpu);
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

/* ---- a case ---- */

static void begin(void)
{
    if (!device)
        skip();
    used = used_params = end = end_bytes = 0;
    n_halves = 0;
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = MARK;
    for (size_t i = 0; i < PARAMS; i++)
        values[i] = grads[i] = MARK;
}

/* A role's map: pitch > c where there is a gap; whole numbers make ties. filled: with numbers, else
 * with marks. */
typedef enum filling { MARKS, NUMBERS, TIES } filling;
/* What is of floats in any case: a head, as the output of a convolution without normalisation and
 * without a residual, and its gradient; and the network's input, of which three channels are read.
 */
static bool is_float_role(const nn_train_step *s, nn_train_role role, int c)
{
    if (s->spec.kind != NN_STEP_CONV)
        return false;
    const bool is_head = !s->spec.conv->bn && s->spec.src2 == NN_NO_VALUE;
    return (is_head && (role == NN_DST || role == NN_D_DST)) || (role == NN_SRC && c == 3);
}
static void put(nn_train_step *s, nn_train_role role, int n, int h, int w, int c, int gap,
                filling with)
{
    nn_map m = {
        .data = block + used + gap / 2, .pitch = (size_t)(c + gap), .n = n, .h = h, .w = w, .c = c};
    const size_t pixels = (size_t)n * (size_t)h * (size_t)w;
    s->map[role] = m;
    s->at[role] = (used + (size_t)(gap / 2)) * sizeof(float);
    s->is_half[role] = is_half && role != NN_SAVED && !is_float_role(s, role, c);
    const size_t n_elements = (pixels - 1) * m.pitch + (size_t)c;
    end = used + (size_t)(gap / 2) + n_elements;
    end_bytes = s->at[role] + n_elements * (s->is_half[role] ? sizeof(uint16_t) : sizeof(float));
    const size_t room = (pixels * m.pitch + 64) / 16 * 16;
    if (s->is_half[role]) {
        halves[n_halves].at = used + (size_t)(gap / 2);
        halves[n_halves++].n = room - (size_t)(gap / 2);
    }
    used += room;
    assert_true(used <= BLOCK);
    for (size_t p = 0; with != MARKS && p < pixels; p++)
        for (int i = 0; i < c; i++) {
            const float x = random_float(&rng, -2, 2);
            m.data[p * m.pitch + (size_t)i] = with == TIES ? rintf(x) : x;
        }
}

/* A parameter of n elements and its gradient, which has something already. */
static size_t parameter(float **value, float **grad, size_t n, float low, float high)
{
    const size_t at = used_params;
    used_params += (n + 31) / 16 * 16;
    assert_true(used_params <= PARAMS);
    for (size_t i = 0; i < n; i++) {
        values[at + i] = random_float(&rng, low, high);
        grads[at + i] = random_float(&rng, -1, 1);
    }
    *value = values + at;
    *grad = grads + at;
    return at * sizeof(float);
}

static nn_train_step step_of(nn_step_kind kind, const nn_conv_spec *conv, bool has_add)
{
    nn_train_step s = {
        .spec = {
            .kind = kind, .conv = conv, .dst = 2, .src = 1, .src2 = has_add ? 3 : NN_NO_VALUE}};
    for (int r = 0; r < NN_N_ROLES; r++)
        s.at[r] = SIZE_MAX;
    return s;
}

/* A small case's block and scratch are that long and no longer. */
static void make_exact(const nn_train_step *s, vg_error *err)
{
    const nn_train_remote *r = on_gpu->remote;
    size_t bytes = s ? on_gpu->scratch_bytes(gpu, s) : 0;
    if (!test_gpu_is_small())
        return;
    const size_t block_bytes = (end_bytes + 3) / 4 * 4;
    host[NN_TRAIN_BLOCK].bytes = block_bytes;
    n_seen = end;
    r->give(gpu, NN_TRAIN_BLOCK);
    r->give(gpu, NN_TRAIN_SCRATCH);
    ok(r->take(gpu, NN_TRAIN_BLOCK, block_bytes, &mem, err), err);
    ok(r->take(gpu, NN_TRAIN_SCRATCH, bytes > 0 ? bytes : 64, &mem, err), err);
}

/* Maps of 16 bits as the device has them, from the arena's floats, and back. */
static void narrow(float *to)
{
    for (int k = 0; k < n_halves; k++)
        for (size_t i = 0; i < halves[k].n; i++) {
            float *own = block + halves[k].at + i;
            const uint16_t h = weights_f32_to_f16(*own);
            *own = *own == MARK ? MARK : weights_f16_to_f32(h);
            ((uint16_t *)(void *)(to + halves[k].at))[i] = h;
        }
}

static void widen(float *at)
{
    const float mark = weights_f16_to_f32(weights_f32_to_f16(MARK));
    for (int k = 0; k < n_halves; k++) {
        float *map = at + halves[k].at;
        for (size_t i = halves[k].n; i-- > 0;) {
            const float x = weights_f16_to_f32(((const uint16_t *)(const void *)map)[i]);
            map[i] = x == mark ? MARK : x;
        }
    }
}

static void upload(vg_error *err)
{
    const nn_train_remote *r = on_gpu->remote;
    for (int m = NN_TRAIN_VALUES; m <= NN_TRAIN_BLOCK; m++) {
        memcpy(staging, host[m].at, host[m].bytes);
        if (m == NN_TRAIN_BLOCK)
            narrow(staging);
        ok(r->upload(gpu, (nn_train_memory)m, 0, staging, host[m].bytes, err), err);
        ok(r->finish(gpu, err), err);
    }
}

/* NaNs in all of scratch: who reads what nobody has written is found out. */
static void spoil_scratch(const nn_train_step *s, vg_error *err)
{
    const nn_train_remote *r = on_gpu->remote;
    const size_t bytes = on_gpu->scratch_bytes(gpu, s);
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        staging[i] = NAN;
    for (size_t at = 0; at < bytes; at += sizeof block) {
        const size_t n = bytes - at < sizeof block ? bytes - at : sizeof block;
        ok(r->upload(gpu, NN_TRAIN_SCRATCH, at, staging, n, err), err);
    }
    ok(r->finish(gpu, err), err);
}

static void download(float *to, nn_train_memory from, vg_error *err)
{
    const nn_train_remote *r = on_gpu->remote;
    ok(r->download(gpu, staging, from, 0, host[from].bytes, err), err);
    ok(r->finish(gpu, err), err);
    memcpy(to, staging, host[from].bytes);
    if (from == NN_TRAIN_BLOCK)
        widen(to);
}

static double worst;

/* Of what was rounded to 16 bits, or is made of that. */
static double loosened(double tolerance, double by)
{
    return is_half && tolerance < by ? by : tolerance;
}

/* The device's memories against those of the plain kernels. */
static void assert_same(double tolerance, const char *what)
{
    static const char *const names[] = {"values", "gradients", "block"};
    vg_error err = {0};
    for (int m = NN_TRAIN_VALUES; m <= NN_TRAIN_BLOCK; m++) {
        download(seen, (nn_train_memory)m, &err);
        const size_t n = m == NN_TRAIN_BLOCK ? n_seen : host[m].bytes / sizeof(float);
        for (size_t i = 0; i < n; i++) {
            const double a = (double)seen[i], b = (double)host[m].at[i];
            if (a == b || (isnan(a) && isnan(b)))
                continue;
            /* A parameter's gradient is a sum over all pixels, whose terms cancel each other. */
            const double most = is_half && m == NN_TRAIN_GRADS ? 5 * tolerance : tolerance;
            worst = fmax(worst, fabs(a - b) / (1.0 + fabs(b)));
            if (!(fabs(a - b) <= most * (1.0 + fabs(b))))
                fail_msg("%s, float %zu of the %s: %.9g on the device, %.9g on the CPU", what, i,
                         names[m], a, b);
        }
    }
}

/* Both ways on both; after forward and after backward all memories are the same. */
static void check_step(nn_train_step *s, const nn_train_wants *wants, double tolerance)
{
    vg_error err = {0};
    ok(on_gpu->check(gpu, s, &err), &err);
    assert_true(on_gpu->scratch_bytes(gpu, s) <= sizeof scratch);
    assert_true(on_cpu->scratch_bytes(cpu, s) <= sizeof scratch);
    make_exact(s, &err);
    upload(&err);
    spoil_scratch(s, &err);
    ok(on_gpu->forward(gpu, s, NULL, &err), &err);
    ok(on_cpu->forward(cpu, s, scratch, &err), &err);
    assert_same(tolerance, "forward");
    upload(&err); /* both begin with the same */
    spoil_scratch(s, &err);
    ok(on_gpu->backward(gpu, s, wants, NULL, &err), &err);
    download(again, NN_TRAIN_BLOCK, &err);
    upload(&err);
    ok(on_gpu->backward(gpu, s, wants, NULL, &err), &err);
    ok(on_cpu->backward(cpu, s, wants, scratch, &err), &err);
    assert_same(tolerance, "backward"); /* the block is the last that it looks at */
    assert_memory_equal(seen, again, n_seen * sizeof *seen);
}

/* ---- convolution ---- */

typedef struct conv_shape {
    int n, h, w, ic, oc, k, stride, groups;
    bool bn, silu, has_add, src_adds, src2_adds;
} conv_shape;
static nn_conv_form form = NN_FORM_PLAIN; /* of the next ones */

static void conv_step(nn_train_step *s, nn_conv_spec *spec, const conv_shape *c)
{
    const int oh = (c->h + c->stride - 1) / c->stride, ow = (c->w + c->stride - 1) / c->stride;
    const size_t n_weights = (size_t)c->oc * (size_t)(c->ic / c->groups) * (size_t)(c->k * c->k);
    const float span = sqrtf(3.0F / (float)(c->k * c->k * (c->ic / c->groups)));
    begin();
    *spec = (nn_conv_spec){.ic = c->ic,
                           .oc = c->oc,
                           .k = c->k,
                           .stride = c->stride,
                           .groups = c->groups,
                           .bn = c->bn,
                           .silu = c->silu,
                           .form = form,
                           .eps = 1e-3,
                           .momentum = 0.03};
    *s = step_of(NN_STEP_CONV, spec, c->has_add);
    s->src_adds = c->src_adds;
    s->src2_adds = c->src2_adds;
    put(s, NN_SRC, c->n, c->h, c->w, c->ic, c->n % 2 ? 0 : 5, NUMBERS);
    put(s, NN_DST, c->n, oh, ow, c->oc, 3, MARKS);
    put(s, NN_D_DST, c->n, oh, ow, c->oc, 2, NUMBERS);
    put(s, NN_D_SRC, c->n, c->h, c->w, c->ic, 4, c->src_adds ? NUMBERS : MARKS);
    if (c->has_add) {
        put(s, NN_SRC2, c->n, oh, ow, c->oc, 7, NUMBERS);
        put(s, NN_D_SRC2, c->n, oh, ow, c->oc, 1, c->src2_adds ? NUMBERS : MARKS);
    }
    s->value_at.weight = s->grad_at.weight =
        parameter(&s->value.weight, &s->grad.weight, n_weights, -span, span);
    const size_t oc = (size_t)c->oc, n_bias = form == NN_FORM_TRANSPOSED ? oc / 4 : oc;
    if (!c->bn) {
        s->value_at.bias = s->grad_at.bias =
            parameter(&s->value.bias, &s->grad.bias, n_bias, -1, 1);
        return;
    }
    put(s, NN_Z, c->n, oh, ow, c->oc, 0, MARKS);
    put(s, NN_SAVED, 1, 1, 2, c->oc, 0, MARKS);
    s->value_at.bn_weight = s->grad_at.bn_weight =
        parameter(&s->value.bn_weight, &s->grad.bn_weight, oc, 0.5F, 1.5F);
    s->value_at.bn_bias = s->grad_at.bn_bias =
        parameter(&s->value.bn_bias, &s->grad.bn_bias, oc, -1, 1);
    s->value_at.mean = parameter(&s->value.mean, &s->grad.mean, oc, -1, 1);
    s->value_at.var = parameter(&s->value.var, &s->grad.var, oc, 0.5F, 1);
    s->grad.mean = s->grad.var = NULL;
}

static const nn_train_wants everything = {true, true, true, true, true, true, true};

static void conv_case(conv_shape c)
{
    nn_train_step s;
    nn_conv_spec spec;
    conv_step(&s, &spec, &c);
    nn_train_wants wants = everything;
    wants.src2 = c.has_add;
    check_step(&s, &wants, loosened(1e-4, 1e-2));
}

static void a_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    static const conv_shape cases[] = {
        {1, 13, 9, 3, 16, 3, 2, 1, true, true, false, false, false},
        {2, 7, 11, 3, 5, 5, 1, 1, true, false, false, true, false},
        {1, 8, 6, 3, 7, 6, 2, 1, true, true, false, true, false},
        {2, 9, 5, 17, 24, 3, 1, 1, true, true, true, true, true},
        {1, 5, 13, 19, 33, 1, 1, 1, true, true, true, false, false},
        {3, 5, 5, 40, 65, 3, 2, 1, true, true, false, false, false},
        {1, 1, 1, 70, 130, 1, 1, 1, false, false, false, false, false},
        {1, 17, 16, 8, 64, 3, 1, 1, true, false, true, false, true},
        {1, 3, 4, 2, 1, 7, 1, 1, true, true, false, false, false},
        {2, 6, 7, 20, 40, 1, 1, 1, false, false, true, true, false},
        {1, 9, 7, 12, 20, 1, 2, 1, true, true, false, false, false}, /* pixels that no tap reads */
        {1, 9, 7, 12, 20, 1, 2, 1, true, true, false, true, false},
        {2, 33, 31, 4, 8, 3, 1, 1, true, true, false, false, false}, /* more than one chunk */
        {1, 1, 1, 5, 6, 3, 2, 1, true, true, false, false, false}};
    static const conv_shape few[] = {{1, 5, 4, 3, 16, 3, 2, 1, true, true, false, false, false},
                                     {2, 3, 5, 5, 18, 3, 1, 1, true, true, true, true, true},
                                     {1, 5, 3, 7, 35, 1, 1, 1, false, false, true, false, false},
                                     {1, 4, 3, 6, 66, 1, 2, 1, true, true, false, false, false}};
    if (test_gpu_is_small())
        for (size_t i = 0; i < sizeof few / sizeof *few; i++)
            conv_case(few[i]);
    else
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            conv_case(cases[i]);
    print_message("    [worst so far %.1e]\n", worst);
}

/* Enough of it that every tile is taken, and a sum has many parts. */
static void a_large_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    if (test_gpu_is_small())
        skip();
    conv_case((conv_shape){1, 40, 40, 16, 64, 3, 1, 1, true, true, false, false, false});
    conv_case((conv_shape){1, 41, 39, 40, 24, 1, 1, 1, true, true, false, false, false});
    print_message("    [worst so far %.1e]\n", worst);
}

static void a_depthwise_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    if (test_gpu_is_small()) {
        conv_case((conv_shape){1, 5, 4, 18, 18, 3, 2, 18, true, true, true, true, true});
        return;
    }
    conv_case((conv_shape){2, 7, 5, 19, 19, 3, 1, 19, true, true, false, false, false});
    conv_case((conv_shape){1, 9, 8, 33, 33, 3, 2, 33, true, true, true, true, true});
    conv_case((conv_shape){1, 24, 24, 40, 40, 7, 1, 40, true, true, false, true, false});
    conv_case((conv_shape){1, 4, 4, 8, 8, 3, 1, 8, false, false, true, false, false});
}

/* Half of a transposed one: its tensors lie otherwise, and a bias is of four channels. */
static void a_transposed_convolution_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    form = NN_FORM_TRANSPOSED;
    conv_case((conv_shape){1, 5, 3, 6, 20, 1, 1, 1, false, false, false, false, false});
    if (!test_gpu_is_small())
        conv_case((conv_shape){2, 21, 17, 33, 68, 1, 1, 1, false, false, false, true, false});
    form = NN_FORM_PLAIN;
}

/* What nobody wants keeps its marks, or what it had. */
static void frozen_parameters_get_no_gradient(void **state)
{
    (void)state;
    const conv_shape c = {2, 9, 5, 17, 24, 3, 1, 1, true, true, true, false, false};
    if (test_gpu_is_small())
        skip();
    for (int i = 0; i < 6; i++) {
        nn_train_step s;
        nn_conv_spec spec;
        conv_step(&s, &spec, &c);
        check_step(&s,
                   &(nn_train_wants){.own = i > 0,
                                     .weight = i == 1,
                                     .bn_weight = i == 2,
                                     .bn_bias = i == 3,
                                     .src = i == 4,
                                     .src2 = i == 0 || i == 5},
                   loosened(1e-4, 1e-2));
    }
}

/* The second channel's mean is a thousand times its spread. */
static void statistics_keep_their_digits(void **state)
{
    (void)state;
    const conv_shape c = {2, 20, 20, 4, 4, 1, 1, 1, true, false, false, false, false};
    nn_train_step s;
    nn_conv_spec spec;
    vg_error err = {0};
    if (test_gpu_is_small() || is_half) /* which does not hold them */
        skip();
    conv_step(&s, &spec, &c);
    for (int i = 0; i < 16; i++)
        s.value.weight[i] = i % 5 == 0 ? 1 : 0; /* z is the input */
    for (size_t p = 0; p < 800; p++)
        s.map[NN_SRC].data[p * s.map[NN_SRC].pitch + 1] += 2000;
    upload(&err);
    ok(on_gpu->forward(gpu, &s, NULL, &err), &err);
    ok(on_cpu->forward(cpu, &s, scratch, &err), &err);
    download(seen, NN_TRAIN_BLOCK, &err);
    const size_t at = s.at[NN_SAVED] / sizeof(float);
    for (size_t i = 0; i < 8; i++) {
        const double got = (double)seen[at + i], want = (double)block[at + i];
        assert_true(fabs(got - want) <= 1e-5 * fabs(want));
    }
}

/* ---- the others ---- */

static void map_case(nn_step_kind kind, int n, int h, int w, int c, int k, bool adds, bool adds2)
{
    const int up = kind == NN_STEP_UPSAMPLE || kind == NN_STEP_SHUFFLE ? 2 : 1;
    const int dst_h = kind == NN_STEP_MEAN ? 1 : h * up, dst_w = kind == NN_STEP_MEAN ? 1 : w * up,
              dst_c = kind == NN_STEP_SHUFFLE ? c / 4 : c;
    begin();
    nn_train_step s = step_of(kind, NULL, kind == NN_STEP_ADD);
    s.spec.k = k;
    s.src_adds = adds;
    s.src2_adds = adds2;
    const filling with = kind == NN_STEP_MAXPOOL ? TIES : NUMBERS;
    put(&s, NN_SRC, n, h, w, c, 5, with);
    put(&s, NN_DST, n, dst_h, dst_w, dst_c, 1, MARKS);
    put(&s, NN_D_DST, n, dst_h, dst_w, dst_c, 2, with);
    put(&s, NN_D_SRC, n, h, w, c, 3, adds ? with : MARKS);
    if (kind == NN_STEP_ADD) {
        put(&s, NN_SRC2, n, h, w, c, 0, NUMBERS);
        put(&s, NN_D_SRC2, n, h, w, c, 4, adds2 ? NUMBERS : MARKS);
    }
    nn_train_wants wants = everything;
    wants.src2 = kind == NN_STEP_ADD;
    const double exact = kind == NN_STEP_UPSAMPLE || kind == NN_STEP_MEAN ? 1e-6 : 0;
    check_step(&s, &wants, kind == NN_STEP_MAXPOOL ? exact : loosened(exact, 1e-3));
}

static void a_maximums_gradient_goes_to_the_first(void **state)
{
    (void)state;
    if (test_gpu_is_small()) {
        map_case(NN_STEP_MAXPOOL, 1, 3, 4, 17, 5, true, false);
        return;
    }
    for (int k = 3; k <= 13; k += 2)
        for (int adds = 0; adds < 2; adds++)
            map_case(NN_STEP_MAXPOOL, 2, 5, 7, 13, k, adds, false);
    map_case(NN_STEP_MAXPOOL, 1, 20, 21, 33, 5, false, false);
    map_case(NN_STEP_MAXPOOL, 1, 1, 1, 1, 5, true, false);
}

static void maps_without_weights_are_those_of_the_plain_kernel(void **state)
{
    (void)state;
    for (int c = 1; c <= (test_gpu_is_small() ? 7 : 300); c = c * 5 + 2)
        for (int i = 0; i < 4; i++) {
            map_case(NN_STEP_UPSAMPLE, 3, 5, 3, c, 0, i % 2, false);
            map_case(NN_STEP_COPY, 2, 9, 5, c, 0, i % 2, false);
            map_case(NN_STEP_ADD, 2, 5, 9, c, 0, i % 2, i / 2);
            map_case(NN_STEP_SHUFFLE, 2, 3, 5, 4 * c, 0, i % 2, false);
            map_case(NN_STEP_MEAN, 3, 4, 3, c, 0, i % 2, false);
        }
}

static void attention_case(int n, int h, int w, int heads, int key_dim, int head_dim, float by,
                           bool adds)
{
    begin();
    nn_train_step s = step_of(NN_STEP_ATTENTION, NULL, false);
    s.spec.heads = heads;
    s.spec.key_dim = key_dim;
    s.spec.head_dim = head_dim;
    s.src_adds = adds;
    const int c = heads * (2 * key_dim + head_dim);
    put(&s, NN_SRC, n, h, w, c, 3, NUMBERS);
    for (size_t p = 0; p < (size_t)(n * h * w); p++)
        for (int i = 0; i < c; i++)
            s.map[NN_SRC].data[p * s.map[NN_SRC].pitch + (size_t)i] *= by;
    put(&s, NN_DST, n, h, w, heads * head_dim, 2, MARKS);
    put(&s, NN_D_DST, n, h, w, heads * head_dim, 1, NUMBERS);
    put(&s, NN_D_SRC, n, h, w, c, 4, adds ? NUMBERS : MARKS);
    nn_train_wants wants = everything;
    wants.src2 = false;
    check_step(&s, &wants, loosened(5e-5, 5e-3));
}

static void attention_is_that_of_the_plain_kernel(void **state)
{
    (void)state;
    attention_case(1, 3, 3, 1, 4, 8, 1, false);
    if (test_gpu_is_small()) {
        attention_case(1, 5, 4, 2, 3, 33, 1, true); /* keys past a tile, a value past a group */
        return;
    }
    attention_case(2, 5, 7, 2, 32, 64, 1, true);
    attention_case(1, 9, 15, 3, 17, 33, 1, false);
    attention_case(1, 4, 5, 1, 64, 128, 1, false);
    attention_case(1, 3, 7, 2, 8, 16, 3, true);
    attention_case(1, 1, 1, 1, 32, 64, 1, false);
    print_message("    [worst of all %.1e]\n", worst);
}

static void zeros_are_written_where_asked(void **state)
{
    (void)state;
    vg_error err = {0};
    begin();
    nn_train_step s = step_of(NN_STEP_COPY, NULL, false);
    put(&s, NN_DST, 2, 5, 7, 19, 3, NUMBERS);
    make_exact(NULL, &err);
    upload(&err);
    ok(on_gpu->zero(gpu, &s.map[NN_DST], s.at[NN_DST], &err), &err);
    ok(on_gpu->remote->clear(gpu, NN_TRAIN_GRADS, 64, 6400, &err), &err);
    ok(on_cpu->zero(cpu, &s.map[NN_DST], s.at[NN_DST], &err), &err);
    memset(grads + 16, 0, 6400);
    assert_same(0, "zeros");
}

static void what_a_kernel_cannot_hold_is_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    begin();
    nn_train_step s = step_of(NN_STEP_ATTENTION, NULL, false);
    s.spec.head_dim = 129;
    assert_int_equal(on_gpu->check(gpu, &s, &err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.what, "129"));
    const nn_conv_spec grouped = {.ic = 8, .oc = 8, .k = 3, .stride = 1, .groups = 2};
    s = step_of(NN_STEP_CONV, &grouped, false);
    assert_int_equal(on_gpu->check(gpu, &s, &err), VG_ERR_UNSUPPORTED);
    s = step_of(NN_STEP_COPY, NULL, false); /* a head that is a copy of a map of 16 bits */
    s.is_half[NN_SRC] = true;
    assert_int_equal(on_gpu->check(gpu, &s, &err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.what, "head"));
}

static int setup_half(void **state)
{
    is_half = true;
    n_seen = BLOCK;
    host[NN_TRAIN_BLOCK].bytes = sizeof block;
    worst = 0;
    return setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_large_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_depthwise_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(a_transposed_convolution_is_that_of_the_plain_kernel),
        cmocka_unit_test(frozen_parameters_get_no_gradient),
        cmocka_unit_test(statistics_keep_their_digits),
        cmocka_unit_test(a_maximums_gradient_goes_to_the_first),
        cmocka_unit_test(maps_without_weights_are_those_of_the_plain_kernel),
        cmocka_unit_test(attention_is_that_of_the_plain_kernel),
        cmocka_unit_test(zeros_are_written_where_asked),
        cmocka_unit_test(what_a_kernel_cannot_hold_is_refused),
    };
    const int n_failed = cmocka_run_group_tests_name("floats", tests, setup, teardown);
    return n_failed + cmocka_run_group_tests_name("16 bits", tests, setup_half, teardown);
}

/* test_kernels.c: every table of kernels that this CPU can run against the plain one, over odd
 * sizes. Maps live in a static arena, filled with a mark first: what a kernel must not touch still
 * bears it afterwards. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/nn/cpu/kernels.h"

#define MARK         123456.75F
#define ARENA_FLOATS (24U << 20)

static _Alignas(64) float arena[ARENA_FLOATS];
static size_t arena_used;
static uint32_t random_state = 1;

static float random_float(void) /* [-1, 1) */
{
    random_state = random_state * 1664525U + 1013904223U;
    return (float)(random_state >> 8) / (float)(1U << 23) - 1.0F;
}

static float *floats_take(size_t n)
{
    float *p = arena + arena_used;
    arena_used += (n + 15 + 32) / 16 * 16; /* two vectors of marks behind each */
    assert_true(arena_used <= ARENA_FLOATS);
    for (float *q = p; q < arena + arena_used; q++)
        *q = MARK;
    return p;
}

static float *floats_random(size_t n, float by)
{
    float *p = floats_take(n);
    for (size_t i = 0; i < n; i++)
        p[i] = random_float() * by;
    return p;
}

/* A map of marks; `before` floats lie between the start of a pixel and channel 0, so slices may be
 * misaligned. */
static nn_map map_take(int n, int h, int w, int c, size_t pitch, size_t before)
{
    const size_t pixels = (size_t)n * (size_t)h * (size_t)w;
    return (nn_map){.data = floats_take(pixels * pitch + before) + before,
                    .pitch = pitch,
                    .n = n,
                    .h = h,
                    .w = w,
                    .c = c};
}

static size_t map_pixels(const nn_map *m)
{
    return (size_t)m->n * (size_t)m->h * (size_t)m->w;
}

static nn_map map_random(int n, int h, int w, int c, size_t pitch, size_t before)
{
    const nn_map m = map_take(n, h, w, c, pitch, before);
    for (size_t p = 0; p < map_pixels(&m); p++)
        for (int i = 0; i < c; i++)
            m.data[p * pitch + (size_t)i] = random_float();
    return m;
}

static nn_map map_copy(const nn_map *m)
{
    const nn_map r = map_take(m->n, m->h, m->w, m->c, m->pitch, 0);
    for (size_t p = 0; p < map_pixels(m); p++)
        memcpy(r.data + p * m->pitch, m->data + p * m->pitch, (size_t)m->c * sizeof(float));
    return r;
}

/* Picture i alone. */
static nn_map map_picture(const nn_map *m, int i)
{
    nn_map r = *m;
    r.data = nn_map_row(m, i, 0);
    r.n = 1;
    return r;
}

static void assert_gaps_untouched(const nn_map *m)
{
    for (size_t p = 0; p < map_pixels(m); p++)
        for (size_t i = (size_t)m->c; i < m->pitch; i++)
            assert_true(m->data[p * m->pitch + i] == MARK);
    const size_t end = map_pixels(m) * m->pitch;
    for (size_t i = end; i < end + 16; i++)
        assert_true(m->data[i] == MARK);
}

static void assert_maps_near(const nn_map *a, const nn_map *b, double tolerance)
{
    assert_gaps_untouched(a);
    for (size_t p = 0; p < map_pixels(a); p++)
        for (int i = 0; i < a->c; i++) {
            const double x = (double)a->data[p * a->pitch + (size_t)i];
            const double y = (double)b->data[p * b->pitch + (size_t)i];
            if (!(fabs(x - y) <= tolerance * (1.0 + fabs(y))))
                fail_msg("pixel %zu channel %d: %.9g is not %.9g", p, i, x, y);
        }
}

static void assert_maps_same_bits(const nn_map *a, const nn_map *b)
{
    for (size_t p = 0; p < map_pixels(a); p++)
        assert_memory_equal(a->data + p * a->pitch, b->data + p * b->pitch,
                            (size_t)a->c * sizeof(float));
}

/* ---- which tables ---- */

static size_t tables_found(const cpu_kernels **tables)
{
    size_t n = 0;
    tables[n++] = &cpu_kernels_generic;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[n++] = &cpu_kernels_avx2;
    else
        print_message("skipped: avx2, which this CPU has not\n");
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        tables[n++] = &cpu_kernels_avx512;
    else
        print_message("skipped: avx512, which this CPU has not\n");
#endif
    return n;
}

#define FOR_EACH_TABLE(t)                                                                          \
    const cpu_kernels *all_tables[3];                                                              \
    const size_t n_tables = tables_found(all_tables);                                              \
    for (size_t table = 0; table < n_tables; table++)                                              \
        for (const cpu_kernels *t = all_tables[table]; t; t = NULL)

/* ---- convolution ---- */

typedef struct conv_case {
    cpu_conv c;
    float *weight, *bias;
} conv_case;

static conv_case conv_case_make(int ic, int oc, int k, int stride, bool depthwise, bool silu)
{
    conv_case r = {.c = {.ic = ic,
                         .oc = oc,
                         .k = k,
                         .stride = stride,
                         .groups = depthwise ? ic : 1,
                         .silu = silu}};
    const size_t fan = (size_t)(depthwise ? 1 : ic) * (size_t)(k * k);
    r.weight = floats_random((size_t)oc * fan, 2.0F / sqrtf((float)fan));
    r.bias = floats_random((size_t)oc, 1.0F);
    return r;
}

static float *conv_packed(const cpu_kernels *t, const conv_case *k)
{
    const size_t n = t->conv_packed_floats(&k->c);
    float *packed = floats_take(n);
    t->conv_pack(&k->c, packed, k->weight, k->bias);
    for (size_t i = n; i < n + 16; i++)
        assert_true(packed[i] == MARK);
    return packed;
}

static float *conv_scratch(const cpu_kernels *t, const cpu_conv *c)
{
    return floats_take(t->conv_scratch_floats(c));
}

static int side_out(int side, int stride)
{
    return (side + stride - 1) / stride;
}

/* One case on every table: pitches wider than the channels, a misaligned slice, batch `n`, with and
 * without addition. The plain sums, which take longest, are made once. */
static void conv_check(const conv_case *k, int n, int h, int w, bool wide, bool with_add)
{
    const size_t used = arena_used;
    const int oh = side_out(h, k->c.stride), ow = side_out(w, k->c.stride);
    const nn_map src = map_random(n, h, w, k->c.ic, (size_t)k->c.ic + (wide ? 5 : 0), wide ? 3 : 0);
    const nn_map add =
        map_random(n, oh, ow, k->c.oc, (size_t)k->c.oc + (wide ? 2 : 0), wide ? 1 : 0);
    const nn_map want = map_take(n, oh, ow, k->c.oc, (size_t)k->c.oc, 0);
    const nn_map *plus = with_add ? &add : NULL;
    cpu_kernels_plain.conv_run(&k->c, conv_packed(&cpu_kernels_plain, k), &want, &src, plus,
                               conv_scratch(&cpu_kernels_plain, &k->c), 0,
                               cpu_kernels_plain.conv_units(&k->c, &want));
    const size_t shared = arena_used;
    FOR_EACH_TABLE(t)
    {
        arena_used = shared;
        const nn_map got =
            map_take(n, oh, ow, k->c.oc, (size_t)k->c.oc + (wide ? 7 : 0), wide ? 5 : 0);
        t->conv_run(&k->c, conv_packed(t, k), &got, &src, plus, conv_scratch(t, &k->c), 0,
                    t->conv_units(&k->c, &got));
        assert_maps_near(&got, &want, 5e-6);
    }
    arena_used = used;
}

static void dense_convolutions_agree_with_plain(void **state)
{
    (void)state;
    static const int ics[] = {1, 3, 7, 8, 13, 16, 17, 64}, ocs[] = {1, 8, 13, 16, 24, 48, 64, 80};
    static const int sides[] = {1, 2, 5, 13, 20};
    for (int a = 0; a < 8; a++)
        for (int b = 0; b < 8; b++)
            for (int s = 0; s < 5; s++) {
                arena_used = 0;
                const int k = 1 + 2 * ((a + b + s) % 3), stride = 1 + (a + 3 * b + s) % 2;
                const conv_case one =
                    conv_case_make(ics[a], ocs[b], k, stride, false, (a + b) % 2 == 0);
                conv_check(&one, 1 + s % 3, sides[s], sides[(s + a + b) % 5], b % 2 == 1,
                           (a + s) % 2 == 1);
                const conv_case other =
                    conv_case_make(ics[a], ocs[b], k == 5 ? 1 : k + 2, 1, false, true);
                conv_check(&other, 1, sides[s], sides[(s + b) % 5], a % 2 == 1, false);
            }
}

static void every_kernel_side_and_stride_agrees_with_plain(void **state)
{
    (void)state;
    for (int k = 1; k <= 7; k++)
        for (int stride = k % 2 == 0 ? 2 : 1; stride <= 2; stride++)
            for (int h = 1; h <= 9; h++)
                for (int w = 1; w <= 9; w++) {
                    if (k % 2 == 0 && (h % 2 != 0 || w % 2 != 0))
                        continue;
                    arena_used = 0;
                    const conv_case one = conv_case_make(6, 40, k, stride, false, false);
                    conv_check(&one, 1, h, w, (h + w) % 2 == 0, false);
                    const conv_case each = conv_case_make(19, 19, k, stride, true, false);
                    conv_check(&each, 1, h, w, (h + w) % 2 == 0, h % 2 == 0);
                }
}

static void wide_rows_agree_with_plain(void **state)
{
    (void)state;
    for (int w = 21; w <= 64; w++) {
        arena_used = 0;
        const conv_case one = conv_case_make(4,
                                             w % 3 == 0   ? 16
                                             : w % 3 == 1 ? 40
                                                          : 8,
                                             3, 1 + w % 2, false, true);
        conv_check(&one, 1, 3, w, false, false);
        const conv_case point = conv_case_make(5, 33, 1, 1, false, true);
        conv_check(&point, 1, 3, w, false, false);
    }
}

static void depthwise_agrees_with_plain(void **state)
{
    (void)state;
    static const int cs[] = {1, 7, 8, 16, 17, 64, 80}, sides[] = {1, 2, 5, 13, 20};
    for (int a = 0; a < 7; a++)
        for (int s = 0; s < 5; s++)
            for (int r = 0; r < 5; r++) {
                arena_used = 0;
                const conv_case one =
                    conv_case_make(cs[a], cs[a], 3, 1 + (a + s) % 2, true, (s + r) % 2 == 0);
                conv_check(&one, 1 + a % 3, sides[s], sides[r], r % 2 == 0, s % 2 == 0);
            }
}

/* More than 512 KiB of them: another order of units. */
static void heavy_weights_agree_with_plain(void **state)
{
    (void)state;
    arena_used = 0;
    const conv_case one = conv_case_make(130, 130, 3, 2, false, true);
    conv_check(&one, 2, 19, 20, true, true);
    const conv_case five = conv_case_make(80, 80, 5, 1, false, true);
    conv_check(&five, 2, 19, 10, true, true);
    const conv_case point = conv_case_make(400, 400, 1, 1, false, true);
    conv_check(&point, 2, 7, 11, true, true);
}

static void winograd_of_both_strides_agrees_with_plain(void **state)
{
    (void)state;
    for (int h = 1; h <= 21; h += 2)
        for (int w = 1; w <= 22; w += 3)
            for (int stride = 1; stride <= 2; stride++) {
                arena_used = 0;
                const conv_case one = conv_case_make(66, 72, 3, stride, false, true);
                conv_check(&one, 2, h, w, (h + w) % 2 == 0, h % 4 == 1);
            }
}

static void add_may_be_the_destination_itself(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    for (int kind = 0; kind < 3; kind++) {
        arena_used = 0;
        const conv_case k = conv_case_make(24, 24, kind == 2 ? 1 : 3, 1, kind == 1, true);
        const nn_map src = map_random(2, 9, 11, 24, 24, 0), dst = map_random(2, 9, 11, 24, 30, 0);
        const nn_map before = map_copy(&dst), want = map_take(2, 9, 11, 24, 24, 0);
        const float *packed = conv_packed(t, &k);
        t->conv_run(&k.c, packed, &want, &src, &before, conv_scratch(t, &k.c), 0,
                    t->conv_units(&k.c, &want));
        t->conv_run(&k.c, packed, &dst, &src, &dst, conv_scratch(t, &k.c), 0,
                    t->conv_units(&k.c, &dst));
        assert_maps_same_bits(&dst, &want);
    }
}

/* Runs units one by one, last first; every unit must stand alone. */
static void conv_run_scattered(const cpu_kernels *t, const cpu_conv *c, const float *packed,
                               const nn_map *dst, const nn_map *src)
{
    for (size_t unit = t->conv_units(c, dst); unit-- > 0;)
        t->conv_run(c, packed, dst, src, NULL, conv_scratch(t, c), unit, unit + 1);
}

static void splitting_into_units_changes_no_bit(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    for (int kind = 0; kind < 5; kind++) {
        arena_used = 0;
        const conv_case k = kind == 0   ? conv_case_make(16, 40, 3, 1, false, true)
                            : kind == 1 ? conv_case_make(64, 24, 1, 1, false, true)
                            : kind == 2 ? conv_case_make(33, 33, 3, 1, true, true)
                            : kind == 3 ? conv_case_make(130, 130, 3, 2, false, true)
                                        : conv_case_make(32, 8, 3, 1, false, true);
        const nn_map src = map_random(2, 60, 50, k.c.ic, (size_t)k.c.ic, 0);
        const int h = side_out(60, k.c.stride), w = side_out(50, k.c.stride);
        const nn_map whole = map_take(2, h, w, k.c.oc, (size_t)k.c.oc, 0);
        const nn_map parts = map_take(2, h, w, k.c.oc, (size_t)k.c.oc, 0);
        const float *packed = conv_packed(t, &k);
        assert_true(t->conv_units(&k.c, &whole) > 1);
        t->conv_run(&k.c, packed, &whole, &src, NULL, conv_scratch(t, &k.c), 0,
                    t->conv_units(&k.c, &whole));
        conv_run_scattered(t, &k.c, packed, &parts, &src);
        assert_maps_same_bits(&whole, &parts);
    }
}

static void threads_get_as_many_units_each_and_change_no_bit(void **state)
{
    static const int threads[] = {2, 3, 8, 61};
    static const conv_case kinds[] = {
        {.c = {.ic = 16, .oc = 40, .k = 3, .stride = 1, .groups = 1}},
        {.c = {.ic = 64, .oc = 72, .k = 3, .stride = 2, .groups = 1}},
        {.c = {.ic = 8, .oc = 8, .k = 3, .stride = 1, .groups = 1}},
        {.c = {.ic = 64, .oc = 24, .k = 1, .stride = 1, .groups = 1}},
        {.c = {.ic = 400, .oc = 344, .k = 1, .stride = 1, .groups = 1}}, /* heavy */
        {.c = {.ic = 33, .oc = 33, .k = 3, .stride = 1, .groups = 33}},
    };
    const nn_map large = {.n = 1, .h = 24, .w = 40};
    (void)state;
    FOR_EACH_TABLE(t)
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        arena_used = 0;
        const cpu_conv *of = &kinds[kind].c;
        conv_case k = conv_case_make(of->ic, of->oc, of->k, of->stride, of->groups > 1, true);
        const nn_map src = map_random(2, 11, 13, k.c.ic, (size_t)k.c.ic, 0);
        const int h = side_out(11, of->stride), w = side_out(13, of->stride);
        const nn_map whole = map_take(2, h, w, k.c.oc, (size_t)k.c.oc, 0);
        const nn_map parts = map_take(2, h, w, k.c.oc, (size_t)k.c.oc, 0);
        const float *packed = conv_packed(t, &k);
        t->conv_run(&k.c, packed, &whole, &src, NULL, conv_scratch(t, &k.c), 0,
                    t->conv_units(&k.c, &whole));
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            k.c.threads = threads[i];
            if (threads[i] < 4)
                assert_int_equal(t->conv_units(&k.c, &large) % (size_t)threads[i], 0);
            memset(parts.data, 0, (size_t)(2 * h * w * k.c.oc) * sizeof(float));
            conv_run_scattered(t, &k.c, packed, &parts, &src);
            assert_maps_same_bits(&whole, &parts);
        }
    }
}

static void a_picture_does_not_see_its_batch(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    for (int kind = 0; kind < 4; kind++) {
        arena_used = 0;
        const conv_case k = kind == 0   ? conv_case_make(16, 24, 3, 1, false, true)
                            : kind == 1 ? conv_case_make(24, 40, 1, 1, false, true)
                            : kind == 2 ? conv_case_make(24, 24, 3, 1, true, true)
                                        : conv_case_make(32, 8, 3, 2, false, true);
        const nn_map src = map_random(3, 17, 19, k.c.ic, (size_t)k.c.ic + 8, 0);
        const int h = side_out(17, k.c.stride), w = side_out(19, k.c.stride);
        const nn_map all = map_take(3, h, w, k.c.oc, (size_t)k.c.oc, 0);
        const float *packed = conv_packed(t, &k);
        t->conv_run(&k.c, packed, &all, &src, NULL, conv_scratch(t, &k.c), 0,
                    t->conv_units(&k.c, &all));
        for (int i = 0; i < 3; i++) {
            const nn_map one_src = map_picture(&src, i), from_all = map_picture(&all, i);
            const nn_map alone = map_take(1, h, w, k.c.oc, (size_t)k.c.oc, 0);
            t->conv_run(&k.c, packed, &alone, &one_src, NULL, conv_scratch(t, &k.c), 0,
                        t->conv_units(&k.c, &alone));
            assert_maps_same_bits(&alone, &from_all);
        }
    }
}

/* ---- SiLU ---- */

/* silu(values[0..n)) through a 1x1 convolution of weight 1. */
static void silu_through_conv(const cpu_kernels *t, float *out, const float *values, int n)
{
    float one = 1.0F, zero = 0.0F;
    const conv_case k = {.c = {.ic = 1, .oc = 1, .k = 1, .stride = 1, .groups = 1, .silu = true},
                         .weight = &one,
                         .bias = &zero};
    const nn_map src = {
        .data = (float *)(uintptr_t)values, .pitch = 1, .n = 1, .h = 1, .w = n, .c = 1};
    const nn_map dst = {.data = out, .pitch = 1, .n = 1, .h = 1, .w = n, .c = 1};
    t->conv_run(&k.c, conv_packed(t, &k), &dst, &src, NULL, conv_scratch(t, &k.c), 0,
                t->conv_units(&k.c, &dst));
}

static void silu_is_accurate_over_the_range_of_floats(void **state)
{
    (void)state;
    enum { N = 1 << 17 };
    FOR_EACH_TABLE(t)
    {
        arena_used = 0;
        float *x = floats_take(N), *y = floats_take(N);
        for (uint32_t i = 0; i < N; i++) {
            uint32_t bits = i << 15; /* every sign and exponent, 256 mantissas each */
            bits |= i & 0x7fffU;
            memcpy(&x[i], &bits, sizeof bits);
            if (!isfinite(x[i]))
                x[i] = 0.0F;
        }
        silu_through_conv(t, y, x, N);
        for (size_t i = 0; i < N; i++) {
            const double z = (double)x[i], want = z / (1.0 + exp(-z)),
                         off = fabs((double)y[i] - want);
            const double relative = z >= -16.0 ? 1e-6 : 6e-6;
            if (!(off <= relative * fabs(want) || (z < -80.0 && off < 2e-33) || fabs(want) < 1e-37))
                fail_msg("%s: silu(%.9g) = %.9g, not %.9g", t->name, z, (double)y[i], want);
        }
    }
}

static void silu_is_right_at_the_ends(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    {
        arena_used = 0;
        const float x[] = {-INFINITY, -3e38F, -200.0F, -100.0F,  -0.0F,
                           0.0F,      200.0F, 3e38F,   INFINITY, NAN};
        float y[10];
        silu_through_conv(t, y, x, 10);
        for (int i = 0; i < 4; i++)
            assert_true(fabsf(y[i]) < 1e-35F);
        assert_true(y[4] == 0.0F && y[5] == 0.0F);
        assert_true(fabsf(y[6] - 200.0F) < 1e-4F && y[7] > 2.999e38F && y[7] < 3.001e38F &&
                    y[8] == INFINITY);
        assert_true(isnan(y[9]));
    }
}

/* ---- the rest ---- */

static void maxpool_equals_plain(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    for (int h = 1; h <= 13; h += 3)
        for (int w = 1; w <= 20; w += w < 6 ? 1 : 7)
            for (int c = 1; c <= 40; c += 13)
                for (int k = 3; k <= 13; k += 2) {
                    arena_used = 0;
                    const nn_map src = map_random(2, h, w, c, (size_t)c + 3, 1);
                    const nn_map want = map_take(2, h, w, c, (size_t)c, 0),
                                 got = map_take(2, h, w, c, (size_t)c + 2, 1);
                    cpu_kernels_plain.maxpool_run(k, &want, &src, 0,
                                                  cpu_kernels_plain.maxpool_units(&want));
                    for (size_t unit = t->maxpool_units(&got); unit-- > 0;)
                        t->maxpool_run(k, &got, &src, unit, unit + 1);
                    assert_maps_near(&got, &want, 0.0);
                }
}

static void moves_and_additions_equal_plain(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    for (int c = 1; c <= 70; c += 3) {
        arena_used = 0;
        const nn_map a = map_random(2, 3, 5, c, (size_t)c + 4, 1),
                     b = map_random(2, 3, 5, c, (size_t)c, 0);
        const nn_map want = map_take(2, 3, 5, c, (size_t)c, 0),
                     got = map_take(2, 3, 5, c, (size_t)c + 5, 2);
        cpu_kernels_plain.add_run(&want, &a, &b, 0, 6);
        t->add_run(&got, &a, &b, 0, 6);
        assert_maps_near(&got, &want, 0.0);
        cpu_kernels_plain.copy_run(&want, &a, 0, 6);
        t->copy_run(&got, &a, 0, 6);
        assert_maps_near(&got, &want, 0.0);
        const nn_map want2 = map_take(2, 6, 10, c, (size_t)c, 0),
                     got2 = map_take(2, 6, 10, c, (size_t)c + 1, 3);
        cpu_kernels_plain.upsample_run(&want2, &a, 0, 12);
        t->upsample_run(&got2, &a, 0, 12);
        assert_maps_near(&got2, &want2, 0.0);
    }
}

static void a_shuffle_and_a_mean_equal_plain(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    for (int c = 1; c <= 70; c += 3) {
        arena_used = 0;
        const nn_map a = map_random(2, 3, 5, 4 * c, (size_t)c * 4 + 3, 1);
        const nn_map want = map_take(2, 6, 10, c, (size_t)c, 0),
                     got = map_take(2, 6, 10, c, (size_t)c + 1, 3);
        cpu_kernels_plain.shuffle_run(&want, &a, 0, 12);
        for (size_t unit = 12; unit-- > 0;)
            t->shuffle_run(&got, &a, unit, unit + 1);
        assert_maps_near(&got, &want, 0.0);
        /* tap (1, 0) of the first pixel is the first pixel of the second row */
        assert_true(nn_map_row(&got, 1, 1)[c - 1] == nn_map_row(&a, 1, 0)[2 * c + c - 1]);
        const nn_map mean = map_take(2, 1, 1, 4 * c, (size_t)c * 4, 0),
                     fast = map_take(2, 1, 1, 4 * c, (size_t)c * 4 + 5, 1);
        cpu_kernels_plain.mean_run(&mean, &a, 0, cpu_channel_units(&mean));
        for (size_t unit = cpu_channel_units(&fast); unit-- > 0;)
            t->mean_run(&fast, &a, unit, unit + 1);
        assert_maps_near(&fast, &mean, 1e-6);
    }
}

static void attention_check(const cpu_kernels *t, int n, int h, int w, int heads, int key_dim,
                            int head_dim, float by)
{
    arena_used = 0;
    const int ic = heads * (2 * key_dim + head_dim), oc = heads * head_dim;
    const nn_map src = map_random(n, h, w, ic, (size_t)ic + 3, 1);
    for (size_t p = 0; p < map_pixels(&src); p++)
        for (int i = 0; i < ic; i++)
            src.data[p * src.pitch + (size_t)i] *= by;
    const nn_map want = map_take(n, h, w, oc, (size_t)oc, 0),
                 whole = map_take(n, h, w, oc, (size_t)oc + 4, 2);
    const nn_map parts = map_take(n, h, w, oc, (size_t)oc, 0);
    const float scale = 1.0F / sqrtf((float)key_dim);
    const size_t n_scratch = t->attention_scratch_floats(h * w, key_dim, head_dim);
    float *scratch = floats_take(n_scratch);
    float *slow = floats_take(cpu_kernels_plain.attention_scratch_floats(h * w, key_dim, head_dim));
    cpu_kernels_plain.attention_run(&want, &src, heads, key_dim, head_dim, scale, slow, 0,
                                    cpu_kernels_plain.attention_units(&want, heads));
    t->attention_run(&whole, &src, heads, key_dim, head_dim, scale, scratch, 0,
                     t->attention_units(&whole, heads));
    /* Sums are means of values up to `by`, so that is what an error is a part of. */
    assert_maps_near(&whole, &want, 1e-5 * (double)by);
    for (size_t unit = t->attention_units(&parts, heads); unit-- > 0;)
        t->attention_run(&parts, &src, heads, key_dim, head_dim, scale, scratch, unit, unit + 1);
    assert_maps_same_bits(&whole, &parts);
    for (size_t i = n_scratch; i < n_scratch + 16; i++)
        assert_true(scratch[i] == MARK);
}

static void attention_agrees_with_plain(void **state)
{
    (void)state;
    FOR_EACH_TABLE(t)
    {
        attention_check(t, 2, 20, 20, 2, 32, 64, 1.0F);
        attention_check(t, 1, 12, 20, 4, 32, 64, 4.0F);
        attention_check(t, 3, 1, 1, 1, 32, 64, 1.0F);
        attention_check(t, 1, 3, 7, 2, 8, 16, 6.0F); /* one key takes nearly all the weight */
        attention_check(t, 1, 5, 7, 3, 12, 24, 1.0F);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_convolutions_agree_with_plain),
        cmocka_unit_test(every_kernel_side_and_stride_agrees_with_plain),
        cmocka_unit_test(wide_rows_agree_with_plain),
        cmocka_unit_test(depthwise_agrees_with_plain),
        cmocka_unit_test(heavy_weights_agree_with_plain),
        cmocka_unit_test(winograd_of_both_strides_agrees_with_plain),
        cmocka_unit_test(add_may_be_the_destination_itself),
        cmocka_unit_test(splitting_into_units_changes_no_bit),
        cmocka_unit_test(a_picture_does_not_see_its_batch),
        cmocka_unit_test(silu_is_accurate_over_the_range_of_floats),
        cmocka_unit_test(silu_is_right_at_the_ends),
        cmocka_unit_test(maxpool_equals_plain),
        cmocka_unit_test(moves_and_additions_equal_plain),
        cmocka_unit_test(a_shuffle_and_a_mean_equal_plain),
        cmocka_unit_test(attention_agrees_with_plain),
        cmocka_unit_test(threads_get_as_many_units_each_and_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

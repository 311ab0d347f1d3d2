/* test_train_kernels.c: every table of training kernels against the plain one, over odd sizes,
 * pitches wider than the channels, and with every unit run on its own. */
#include "support/test.h"

#include <math.h>

#include "base/base.h"
#include "nn/cpu/train_kernels.h"
#include "support/random.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
static test_random dice = {1};

static const cpu_train_kernels *tables[4];
static int n_tables;

static void find_tables(void)
{
    tables[n_tables++] = &cpu_train_kernels_generic;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[n_tables++] = &cpu_train_kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        tables[n_tables++] = &cpu_train_kernels_avx512;
#endif
}

static float *floats(size_t n)
{
    float *p = base_alloc_zero(&mem, n + 16, sizeof *p, NULL);
    assert_non_null(p);
    return p;
}

/* Values -1..1; whole numbers make ties. `gap` floats lie between pixels: NaN, so that who reads or
 * adds to them is found out. */
static nn_map random_map(int n, int h, int w, int c, int gap, bool whole)
{
    nn_map m = {.pitch = (size_t)(c + gap), .n = n, .h = h, .w = w, .c = c};
    size_t pixels = cpu_map_pixels(&m);
    m.data = floats(pixels * m.pitch);
    for (size_t p = 0; p < pixels; p++)
        for (int i = 0; i < c + gap; i++) {
            float x = random_float(&dice, -1, 1);
            m.data[p * m.pitch + (size_t)i] = i >= c ? NAN : whole ? rintf(2 * x) : x;
        }
    return m;
}

static nn_map copy_of(const nn_map *m)
{
    nn_map copy = *m;
    size_t n = cpu_map_pixels(m) * m->pitch;
    copy.data = floats(n);
    memcpy(copy.data, m->data, n * sizeof *copy.data);
    return copy;
}

static void assert_same(const float *got, const float *want, size_t n, double tolerance,
                        const char *what)
{
    double size = 0;
    for (size_t i = 0; i < n; i++)
        size = isnan(want[i]) ? size : fmax(size, fabs((double)want[i]));
    for (size_t i = 0; i < n; i++)
        if (isnan(want[i]) ? !isnan(got[i])
                           : !(fabs((double)got[i] - (double)want[i]) <= tolerance * (size + 1e-3)))
            fail_msg("%s, element %zu of %zu: %.9g, wanted %.9g", what, i, n, (double)got[i],
                     (double)want[i]);
}

static void assert_same_map(const nn_map *got, const nn_map *want, double tolerance,
                            const char *what)
{
    assert_same(got->data, want->data, cpu_map_pixels(want) * want->pitch, tolerance, what);
}

/* ---- pixel by pixel ---- */

static void check_norm(const cpu_train_kernels *k, int n, int h, int w, int c, bool silu)
{
    const cpu_train_kernels *plain = &cpu_train_kernels_plain;
    nn_map z = random_map(n, h, w, c, 0, false), dy = random_map(n, h, w, c, 5, false);
    nn_map add = random_map(n, h, w, c, 3, false), a = random_map(n, h, w, c, 2, false),
           b = copy_of(&a), dz = copy_of(&z);
    float *constants = floats(5 * (size_t)c);
    for (int i = 0; i < 5 * c; i++)
        constants[i] = random_float(&dice, -2, 2);
    const cpu_norm_back p = {
        {constants, constants + c, constants + 2 * c, silu}, constants + 3 * c, constants + 4 * c};
    size_t chunks = cpu_chunks(&z), of = chunks * 2 * (size_t)c;
    float *got = floats(of), *want = floats(of);
    for (size_t i = 0; i < chunks; i++)
        k->moments_run(got, &z, i, i + 1);
    plain->moments_run(want, &z, 0, chunks);
    assert_same(got, want, of, 1e-5, "moments");
    for (size_t i = 0; i < chunks; i++)
        k->norm_sums_run(&p.norm, got, &z, &dy, i, i + 1);
    plain->norm_sums_run(&p.norm, want, &z, &dy, 0, chunks);
    assert_same(got, want, of, 1e-5, "sums");
    for (size_t i = 0; i < chunks; i++)
        k->sums_run(got, &dy, i, i + 1);
    plain->sums_run(want, &dy, 0, chunks);
    assert_same(got, want, of / 2, 1e-5, "plain sums");
    k->norm_run(&p.norm, &a, &z, &add, 0, chunks);
    plain->norm_run(&p.norm, &b, &z, &add, 0, chunks);
    assert_same_map(&a, &b, 2e-6, "norm");
    k->norm_back_run(&p, &dz, &dy, 0, chunks);
    plain->norm_back_run(&p, &z, &dy, 0, chunks);
    assert_same_map(&dz, &z, 2e-6, "norm back");
    for (int adds = 0; adds < 2; adds++) {
        k->give_run(&a, &dy, adds, 0, cpu_chunks(&a));
        plain->give_run(&b, &dy, adds, 0, cpu_chunks(&b));
        assert_same_map(&a, &b, 1e-6, "give");
    }
    k->give_run(&a, NULL, false, 0, cpu_chunks(&a));
    for (size_t i = 0; i < (size_t)c; i++)
        assert_true(a.data[i] == 0);
    float *all[] = {z.data, dy.data, add.data, a.data, b.data, dz.data, constants, got, want};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        base_free(all[i]);
}

static void pixelwise_kernels_are_the_plain_ones(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 1, 1},    {2, 3, 5, 7},   {1, 33, 17, 16},
                                   {3, 20, 31, 40}, {1, 40, 40, 5}, {2, 9, 11, 100},
                                   {1, 7, 9, 131}};
    for (int t = 0; t < n_tables; t++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int silu = 0; silu < 2; silu++)
                check_norm(tables[t], sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], silu);
}

/* ---- pooling and upsampling ---- */

static void pooling_gives_ties_to_the_first(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 1, 3}, {2, 4, 7, 16}, {1, 9, 6, 37}, {2, 3, 3, 48}};
    for (int t = 0; t < n_tables; t++)
        for (size_t i = 0; i < 4; i++)
            for (int k = 3; k <= 5; k += 2)
                for (int adds = 0; adds < 2; adds++) {
                    const int *s = sizes[i];
                    nn_map x = random_map(s[0], s[1], s[2], s[3], 1, true);
                    nn_map dy = random_map(s[0], s[1], s[2], s[3], 2, true);
                    nn_map got = random_map(s[0], s[1], s[2], s[3], 3, true), want = copy_of(&got);
                    for (size_t u = 0; u < cpu_channel_units(&x); u++)
                        tables[t]->maxpool_back_run(k, &got, &x, &dy, adds, u, u + 1);
                    cpu_train_kernels_plain.maxpool_back_run(k, &want, &x, &dy, adds, 0,
                                                             cpu_channel_units(&x));
                    assert_same_map(&got, &want, 0, "max pool"); /* whole numbers: exact */
                    base_free(x.data);
                    base_free(dy.data);
                    base_free(got.data);
                    base_free(want.data);
                }
}

static void upsampling_back_is_the_plain_one(void **state)
{
    (void)state;
    for (int t = 0; t < n_tables; t++)
        for (int c = 1; c < 40; c += 6)
            for (int adds = 0; adds < 2; adds++) {
                nn_map dy = random_map(2, 6, 10, c, 2, false),
                       got = random_map(2, 3, 5, c, 3, false), want = copy_of(&got);
                tables[t]->upsample_back_run(&got, &dy, adds, 0, 2);
                tables[t]->upsample_back_run(&got, &dy, adds, 2, 6);
                cpu_train_kernels_plain.upsample_back_run(&want, &dy, adds, 0, 6);
                assert_same_map(&got, &want, 1e-6, "upsample");
                base_free(dy.data);
                base_free(got.data);
                base_free(want.data);
            }
}

static void shuffle_and_mean_back_are_the_plain_ones(void **state)
{
    (void)state;
    for (int t = 0; t < n_tables; t++)
        for (int c = 1; c < 40; c += 6)
            for (int adds = 0; adds < 2; adds++) {
                nn_map dy = random_map(2, 6, 10, c, 2, false),
                       one = random_map(2, 1, 1, 4 * c, 2, false),
                       got = random_map(2, 3, 5, 4 * c, 3, false), want = copy_of(&got);
                tables[t]->shuffle_back_run(&got, &dy, adds, 0, 2);
                tables[t]->shuffle_back_run(&got, &dy, adds, 2, 6);
                cpu_train_kernels_plain.shuffle_back_run(&want, &dy, adds, 0, 6);
                assert_same_map(&got, &want, 1e-6, "shuffle");
                tables[t]->mean_back_run(&got, &one, adds, 0, 5);
                tables[t]->mean_back_run(&got, &one, adds, 5, 6);
                cpu_train_kernels_plain.mean_back_run(&want, &one, adds, 0, 6);
                assert_same_map(&got, &want, 1e-6, "mean");
                base_free(dy.data);
                base_free(one.data);
                base_free(got.data);
                base_free(want.data);
            }
}

static void attention_back_is_the_plain_one(void **state)
{
    (void)state;
    static const int sizes[][6] = {/* n, h, w, heads, key, head */
                                   {1, 1, 1, 1, 32, 64},
                                   {2, 3, 5, 2, 32, 64},
                                   {1, 7, 9, 3, 5, 11}};
    for (int t = 0; t < n_tables; t++)
        for (size_t i = 0; i < 3; i++)
            for (int adds = 0; adds < 2; adds++) {
                const int *s = sizes[i], c = s[3] * (2 * s[4] + s[5]), pixels = s[1] * s[2];
                nn_map x = random_map(s[0], s[1], s[2], c, 4, false);
                nn_map dy = random_map(s[0], s[1], s[2], s[3] * s[5], 2, false);
                nn_map got = random_map(s[0], s[1], s[2], c, 3, false), want = copy_of(&got);
                const cpu_train_kernels *both[2] = {tables[t], &cpu_train_kernels_plain};
                for (int k = 0; k < 2; k++) {
                    float *scratch =
                        floats(both[k]->attention_back_scratch_floats(pixels, s[4], s[5]));
                    for (size_t u = 0; u < (size_t)(s[0] * s[3]); u++)
                        both[k]->attention_back_run(k ? &want : &got, &x, &dy, s[3], s[4], s[5],
                                                    0.3f, adds, scratch, u, u + 1);
                    base_free(scratch);
                }
                assert_same_map(&got, &want, 1e-5, "attention");
                base_free(x.data);
                base_free(dy.data);
                base_free(got.data);
                base_free(want.data);
            }
}

/* ---- convolutions ---- */

/* Adds to dw, which holds 0.5 each. */
static void weights_gradient(const cpu_train_kernels *t, const cpu_conv *c, float *dw, size_t n_dw,
                             const nn_map *dz, const nn_map *x)
{
    for (size_t i = 0; i < n_dw; i++)
        dw[i] = 0.5f;
    if (c->groups > 1) {
        float *parts = floats((size_t)x->n * n_dw);
        for (size_t u = 0; u < cpu_channel_units(dz); u++)
            t->depthwise_sums_run(c, parts, dz, x, u, u + 1);
        for (size_t i = 0; i < (size_t)x->n * n_dw; i++)
            dw[i % n_dw] += parts[i];
        base_free(parts);
        return;
    }
    cpu_weight_sums s = t->weight_sums(c, dz);
    float *sums = floats(s.slots * s.slot_floats), *scratch = floats(s.scratch_floats);
    for (size_t i = 0; i < s.slots * s.slot_floats; i++)
        sums[i] = NAN; /* nobody may count on zeros */
    for (size_t u = 0; u < s.slots * s.groups; u++)
        t->weight_sums_run(c, sums, dz, x, scratch, u, u + 1);
    for (size_t u = 0; u < t->weight_add_units(c); u++)
        t->weight_add_run(c, &s, dw, sums, u, u + 1);
    base_free(sums);
    base_free(scratch);
}

/* Of every table; the plain one, which takes longest, is made once. */
static void check_weights(const cpu_conv *c, int n, int h, int w)
{
    const int oh = (h + c->stride - 1) / c->stride, ow = (w + c->stride - 1) / c->stride;
    const size_t taps = (size_t)(c->k * c->k),
                 n_dw = (size_t)c->oc * (size_t)(c->ic / c->groups) * taps;
    nn_map x = random_map(n, h, w, c->ic, 3, false), dz = random_map(n, oh, ow, c->oc, 1, false);
    float *want = floats(n_dw), *got = floats(n_dw);
    weights_gradient(&cpu_train_kernels_plain, c, want, n_dw, &dz, &x);
    for (int t = 0; t < n_tables; t++) {
        weights_gradient(tables[t], c, got, n_dw, &dz, &x);
        assert_same(got, want, n_dw, 1e-5, "weights' gradient");
    }
    base_free(want);
    base_free(got);
    base_free(x.data);
    base_free(dz.data);
}

static void weights_gradients_are_the_plain_ones(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {2, 5, 7}, {3, 17, 30}, {1, 40, 23}, {9, 8, 8}};
    static const int channels[][2] = {{3, 16}, {8, 8}, {16, 33}, {20, 80}, {40, 100}};
    for (int i = 0; i < 5; i++)
        for (int k = 1; k <= 7; k++)
            for (int stride = k % 2 == 0 ? 2 : 1; stride <= 2; stride++) {
                const int *ch = channels[(i + k) % 5], even = k % 2 == 0;
                const int s[3] = {sizes[i][0], sizes[i][1] + even * (sizes[i][1] % 2),
                                  sizes[i][2] + even * (sizes[i][2] % 2)};
                /* Many threads want several groups of output channels. */
                const int threads = i % 2 == 1 ? 64 : 0;
                check_weights(&(cpu_conv){ch[0], ch[1], k, stride, 1, false, threads}, s[0], s[1],
                              s[2]);
                check_weights(&(cpu_conv){ch[1], ch[1], k, stride, ch[1], false, 0}, s[0], s[1],
                              s[2]);
            }
    /* 3x3 on maps large enough for Winograd's way, their edges inside of a tile and not. */
    static const int wide[][3] = {{2, 20, 24}, {3, 23, 29}, {1, 61, 42}};
    static const int many[][2] = {{16, 16}, {20, 33}, {64, 64}, {40, 100}};
    for (int i = 0; i < 12; i++)
        check_weights(&(cpu_conv){many[i % 4][0], many[i % 4][1], 3, 1, 1, false, 0},
                      wide[i / 4][0], wide[i / 4][1], wide[i / 4][2]);
}

/* The same floats as inference's own packing, bit for bit but for Winograd's sums. */
static void packing_is_inferences(void **state)
{
    (void)state;
    static const int channels[][2] = {{3, 16}, {7, 5}, {16, 8}, {64, 40}, {64, 64}, {96, 100}};
    for (int t = 0; t < n_tables; t++)
        for (int i = 0; i < 6; i++)
            for (int k = 1; k <= 5; k += 2)
                for (int stride = 1; stride <= 2; stride++) {
                    const cpu_conv c = {channels[i][0], channels[i][1], k, stride, 1, false, 0};
                    size_t n_w = (size_t)(c.ic * c.oc * k * k),
                           n = tables[t]->infer->conv_packed_floats(&c);
                    float *w = floats(n_w), *turned = floats(n_w), *bias = floats((size_t)c.oc);
                    float *got = floats(n), *want = floats(n);
                    for (size_t j = 0; j < n_w; j++)
                        w[j] = random_float(&dice, -1, 1);
                    for (int o = 0; o < c.oc; o++) {
                        bias[o] = random_float(&dice, -1, 1);
                        for (int j = 0; j < c.ic * k * k; j++) /* (I, O, k, k), turned */
                            turned[((j / (k * k)) * c.oc + o) * k * k + k * k - 1 - j % (k * k)] =
                                w[o * c.ic * k * k + j];
                    }
                    tables[t]->infer->conv_pack(&c, want, w, bias);
                    for (size_t u = 0; u < tables[t]->pack_units(&c); u++)
                        tables[t]->pack_run(&c, got, w, bias, false, u, u + 1);
                    assert_same(got, want, n, 1e-6, "packed");
                    memset(got, 0xff, n * sizeof *got);
                    tables[t]->pack_run(&c, got, turned, bias, true, 0, tables[t]->pack_units(&c));
                    assert_same(got, want, n, 1e-6, "packed turned");
                    base_free(w);
                    base_free(turned);
                    base_free(bias);
                    base_free(got);
                    base_free(want);
                }
}

/* dx[i] of the definition: every output pixel and tap gives its share. */
static void strided_truth(const cpu_conv *c, const float *w, const nn_map *dx, const nn_map *dz)
{
    for (int i = 0; i < dz->n; i++)
        for (int y = 0; y < dz->h * dz->w; y++)
            for (int tap = 0; tap < c->k * c->k; tap++) {
                const int sy = y / dz->w * 2 + tap / c->k - cpu_pad(c->k),
                          sx = y % dz->w * 2 + tap % c->k - cpu_pad(c->k);
                if (sy < 0 || sx < 0 || sy >= dx->h || sx >= dx->w)
                    continue;
                const float *g = nn_map_row(dz, i, 0) + (size_t)y * dz->pitch;
                float *to = nn_map_row(dx, i, sy) + (size_t)sx * dx->pitch;
                for (int o = 0; o < c->oc; o++)
                    for (int ic = 0; ic < c->ic; ic++)
                        to[ic] += g[o] * w[(o * c->ic + ic) * c->k * c->k + tap];
            }
}

static void strided_gradients_are_the_definitions(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {2, 4, 6}, {1, 9, 13}, {2, 33, 18}, {1, 2, 140}};
    static const int channels[][2] = {{3, 16}, {8, 6}, {40, 34}, {37, 64}};
    for (int t = 0; t < n_tables; t++)
        for (int i = 0; i < 20; i++)
            for (int k = 1; k <= 7; k++) {
                const int *ch = channels[i % 4], even = k % 2 == 0;
                const int s[3] = {sizes[i % 5][0], sizes[i % 5][1] + even * (sizes[i % 5][1] % 2),
                                  sizes[i % 5][2] + even * (sizes[i % 5][2] % 2)};
                const bool adds = i % 2 == 1;
                const cpu_conv c = {ch[0], ch[1], k, 2, 1, false, 0};
                assert_true(tables[t]->strided_fits(&c));
                size_t n_w = (size_t)(c.ic * c.oc * k * k);
                float *w = floats(n_w), *packed = floats(tables[t]->strided_packed_floats(&c));
                for (size_t j = 0; j < n_w; j++)
                    w[j] = random_float(&dice, -1, 1);
                nn_map dz = random_map(s[0], (s[1] + 1) / 2, (s[2] + 1) / 2, c.oc, 2, false);
                nn_map got = random_map(s[0], s[1], s[2], c.ic, 3, false), want = copy_of(&got);
                if (!adds)
                    cpu_train_kernels_plain.give_run(&want, NULL, false, 0, cpu_chunks(&want));
                strided_truth(&c, w, &want, &dz);
                for (size_t u = 0; u < 4; u++)
                    tables[t]->strided_pack_run(&c, packed, w, u, u + 1);
                for (size_t u = 0; u < tables[t]->strided_units(&dz); u++)
                    tables[t]->strided_run(&c, packed, &got, &dz, adds, u, u + 1);
                assert_same_map(&got, &want, 1e-5, "strided");
                base_free(w);
                base_free(packed);
                base_free(dz.data);
                base_free(got.data);
                base_free(want.data);
            }
}

static int nothing_is_held(void **state)
{
    (void)state;
    size_t held = mem.in_use_bytes;
    mem.in_use_bytes = 0;
    return held == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(pixelwise_kernels_are_the_plain_ones, nothing_is_held),
        cmocka_unit_test_teardown(pooling_gives_ties_to_the_first, nothing_is_held),
        cmocka_unit_test_teardown(upsampling_back_is_the_plain_one, nothing_is_held),
        cmocka_unit_test_teardown(attention_back_is_the_plain_one, nothing_is_held),
        cmocka_unit_test_teardown(shuffle_and_mean_back_are_the_plain_ones, nothing_is_held),
        cmocka_unit_test_teardown(weights_gradients_are_the_plain_ones, nothing_is_held),
        cmocka_unit_test_teardown(packing_is_inferences, nothing_is_held),
        cmocka_unit_test_teardown(strided_gradients_are_the_definitions, nothing_is_held),
    };
    find_tables();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

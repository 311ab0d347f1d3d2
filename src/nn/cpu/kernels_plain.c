/* kernels_plain.c: the truth. Every op as its definition reads, sums in double, no tricks: the
 * tests hold the other tables against it, and who ports vigil to a new machine begins here. Slow.
 */
#include <math.h>

#include "kernels.h"

/* Packed: the weights as they are, then the bias. */
static size_t weight_floats(const cpu_conv *c)
{
    return (size_t)c->oc * (size_t)(c->ic / c->groups) * (size_t)(c->k * c->k);
}

static size_t conv_packed_floats(const cpu_conv *c)
{
    return weight_floats(c) + (size_t)c->oc;
}

static void conv_pack(const cpu_conv *c, float *packed, const float *weight, const float *bias)
{
    const size_t n = weight_floats(c);
    for (size_t i = 0; i < n; i++)
        packed[i] = weight[i];
    for (size_t o = 0; o < (size_t)c->oc; o++)
        packed[n + o] = bias[o];
}

static size_t rows_of(const nn_map *dst)
{
    return (size_t)dst->n * (size_t)dst->h;
}

static size_t conv_units(const cpu_conv *c, const nn_map *dst)
{
    (void)c;
    return rows_of(dst);
}

static const float *pixel_at(const nn_map *m, int i, int y, int x)
{
    return nn_map_row(m, i, y) + (size_t)x * m->pitch;
}

/* Output channel o of pixel (y, x) of picture i, before the activation. */
static double conv_sum(const cpu_conv *c, const float *packed, const nn_map *src, int i, int y,
                       int x, int o)
{
    const int group_ic = c->ic / c->groups, first = o / (c->oc / c->groups) * group_ic,
              pad = c->k / 2;
    const float *weight = packed + (size_t)o * (size_t)(group_ic * c->k * c->k);
    double sum = packed[weight_floats(c) + (size_t)o];
    for (int ky = 0; ky < c->k; ky++)
        for (int kx = 0; kx < c->k; kx++) {
            const int sy = y * c->stride + ky - pad, sx = x * c->stride + kx - pad;
            if (sy < 0 || sy >= src->h || sx < 0 || sx >= src->w)
                continue;
            const float *in = pixel_at(src, i, sy, sx) + first;
            for (int ic = 0; ic < group_ic; ic++)
                sum += (double)in[ic] * (double)weight[(ic * c->k + ky) * c->k + kx];
        }
    return sum;
}

static size_t conv_scratch_floats(const cpu_conv *c)
{
    (void)c;
    return 0;
}

static void conv_run(const cpu_conv *c, const float *packed, const nn_map *dst, const nn_map *src,
                     const nn_map *add, float *scratch, size_t begin, size_t end)
{
    (void)scratch;
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int o = 0; o < dst->c; o++) {
                double z = conv_sum(c, packed, src, i, y, x, o);
                if (c->silu)
                    z = z == -(double)INFINITY ? 0.0 : z / (1.0 + exp(-z));
                if (add)
                    z += (double)pixel_at(add, i, y, x)[o];
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[o] = (float)z;
            }
    }
}

static void maxpool_run(int k, const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++) {
                float best = -INFINITY;
                for (int sy = y - k / 2; sy <= y + k / 2; sy++)
                    for (int sx = x - k / 2; sx <= x + k / 2; sx++)
                        if (sy >= 0 && sy < src->h && sx >= 0 && sx < src->w)
                            best = fmaxf(best, pixel_at(src, i, sy, sx)[ch]);
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] = best;
            }
    }
}

static void upsample_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++)
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] =
                    pixel_at(src, i, y / 2, x / 2)[ch];
    }
}

static void copy_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++)
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] = pixel_at(src, i, y, x)[ch];
    }
}

static void add_run(const nn_map *dst, const nn_map *a, const nn_map *b, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++)
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] =
                    pixel_at(a, i, y, x)[ch] + pixel_at(b, i, y, x)[ch];
    }
}

/* A unit is one query of one head. */
static size_t attention_units(const nn_map *dst, int heads)
{
    return rows_of(dst) * (size_t)dst->w * (size_t)heads;
}

static size_t attention_scratch_floats(int pixels, int key_dim, int head_dim)
{
    (void)key_dim, (void)head_dim;
    return (size_t)pixels;
}

static void attention_run(const nn_map *dst, const nn_map *src, int heads, int key_dim,
                          int head_dim, float scale, float *scratch, size_t begin, size_t end)
{
    const size_t pixels = (size_t)dst->h * (size_t)dst->w;
    for (size_t unit = begin; unit < end; unit++) {
        const size_t query = unit % pixels, head_of_all = unit / pixels;
        const int i = (int)(head_of_all / (size_t)heads), head = (int)(head_of_all % (size_t)heads);
        const float *base = nn_map_row(src, i, 0) + head * (2 * key_dim + head_dim);
        const float *q = base + query * src->pitch;
        double max = -(double)INFINITY, sum = 0.0;
        for (size_t j = 0; j < pixels; j++) {
            const float *k = base + key_dim + j * src->pitch;
            double dot = 0.0;
            for (int c = 0; c < key_dim; c++)
                dot += (double)q[c] * (double)k[c];
            scratch[j] = (float)(dot * (double)scale);
            max = fmax(max, (double)scratch[j]);
        }
        for (size_t j = 0; j < pixels; j++)
            sum += exp((double)scratch[j] - max);
        float *out = nn_map_row(dst, i, 0) + query * dst->pitch + head * head_dim;
        for (int d = 0; d < head_dim; d++) {
            double mean = 0.0;
            for (size_t j = 0; j < pixels; j++)
                mean += exp((double)scratch[j] - max) *
                        (double)(base + 2 * key_dim + j * src->pitch)[d];
            out[d] = (float)(mean / sum);
        }
    }
}

const cpu_kernels cpu_kernels_plain = {
    .name = "plain",
    .conv_packed_floats = conv_packed_floats,
    .conv_pack = conv_pack,
    .conv_units = conv_units,
    .conv_scratch_floats = conv_scratch_floats,
    .conv_run = conv_run,
    .maxpool_units = rows_of,
    .maxpool_run = maxpool_run,
    .upsample_run = upsample_run,
    .copy_run = copy_run,
    .add_run = add_run,
    .attention_units = attention_units,
    .attention_scratch_floats = attention_scratch_floats,
    .attention_run = attention_run,
};

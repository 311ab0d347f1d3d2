/* resize_row.c: the inner loops in plain C: the truth that the others are tested against, and the
 * choice. */
#include <string.h>

#include "resize.h"

static void across_c(int16_t *r, const uint8_t *src, int src_w, const int32_t *from,
                     const int16_t *weight, int w)
{
    for (int x = 0; x < w; x++, r += 3) {
        const uint8_t *left = src + 3 * (size_t)from[x];
        const uint8_t *right = from[x] + 1 < src_w ? left + 3 : left; /* weight 0 there */
        int a0 = weight[2 * x], a1 = weight[2 * x + 1];
        for (int c = 0; c < 3; c++)
            r[c] = (int16_t)((left[c] * a0 + right[c] * a1) >> 4);
    }
}

static void down_c(uint8_t *restrict dst, const int16_t *restrict r0, const int16_t *restrict r1,
                   int b0, int b1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = (uint8_t)(((b0 * r0[i] >> 16) + (b1 * r1[i] >> 16) + 2) >> 2);
}

static void halve_c(uint8_t *restrict dst, const uint8_t *restrict s0, const uint8_t *restrict s1,
                    int w)
{
    for (int x = 0; x < w; x++, dst += 3, s0 += 6, s1 += 6)
        for (int c = 0; c < 3; c++)
            dst[c] = (uint8_t)((s0[c] + s0[c + 3] + s1[c] + s1[c + 3] + 2) >> 2);
}

/* A division, not a product with 1/255, which is off in the last bit for 126 of the 256. */
static void to_float_c(float *restrict dst, const uint8_t *restrict src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)src[i] / 255.0f;
}

static uint8_t rounded(int32_t sum)
{
    const int32_t v = (sum + (1 << (IMAGE_WEIGHT_BITS - 1))) >> IMAGE_WEIGHT_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void smooth_across_c(uint8_t *dst, const uint8_t *src, int src_w, const image_spans *taps)
{
    (void)src_w;
    for (int x = 0; x < taps->w; x++, dst += 3) {
        const image_span t = taps->of[x];
        const size_t at = (size_t)x * (size_t)taps->most;
        const uint8_t *p = src + 3 * (size_t)t.first;
        int32_t sum[3] = {0};
        for (int i = 0; i < t.n; i++, p += 3) {
            const int32_t weight =
                taps->high[at + (size_t)i] * (1 << IMAGE_HALF_BITS) + taps->low[at + (size_t)i];
            sum[0] += weight * p[0];
            sum[1] += weight * p[1];
            sum[2] += weight * p[2];
        }
        for (int c = 0; c < 3; c++)
            dst[c] = rounded(sum[c]);
    }
}

static void smooth_add_c(int32_t *restrict sums, const uint8_t *restrict row, int32_t weight,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] += weight * row[i];
}

static void smooth_round_c(uint8_t *dst, const int32_t *sums, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = rounded(sums[i]);
}

const image_row_kernels IMAGE_ROW_KERNELS_C = {.name = "c",
                                               .across = across_c,
                                               .down = down_c,
                                               .halve = halve_c,
                                               .to_float = to_float_c,
                                               .smooth_across = smooth_across_c,
                                               .smooth_add = smooth_add_c,
                                               .smooth_round = smooth_round_c};

const image_row_kernels *image_row_kernels_get(void)
{
    const image_row_kernels *k = image_row_kernels_x86("avx2");
    if (k == NULL)
        k = image_row_kernels_x86("sse4.1");
    return k != NULL ? k : &IMAGE_ROW_KERNELS_C;
}

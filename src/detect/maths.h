/* maths.h: the few functions that every loop of this folder shares: exp, sigmoid, the box of one
 * anchor.
 *
 * They are branch-free and inline so that both compilers turn a loop over them into vector code,
 * and they hold no fused multiply-add (the build says -ffp-contract=off), so that one element alone
 * and the same element inside a vector of four or eight give the same bits. detect_run leans on
 * that: it decodes few anchors one by one and must agree with detect_decode_all, which decodes all
 * of them in rows. */
#ifndef DETECT_MATHS_H
#define DETECT_MATHS_H

#include <stdint.h>
#include <string.h>

#include "boxes.h"

/* DETECT_WIDE before a function: compiled for AVX2 as well and chosen when the program starts. Not
 * under sanitizers, whose run-time is not up yet when the loader chooses. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define DETECT_NARROW
#endif
#endif
#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__) && !defined(DETECT_NARROW)
#define DETECT_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define DETECT_WIDE
#endif
#define DETECT_INLINE static inline __attribute__((always_inline))

DETECT_INLINE float detect_max(float a, float b)
{
    return a > b ? a : b;
}

DETECT_INLINE float detect_min(float a, float b)
{
    return a < b ? a : b;
}

DETECT_INLINE uint32_t detect_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

DETECT_INLINE float detect_from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* e^x to 2 units in the last place on [-87, 87]; outside, the value at the border; NaN stays NaN.
 * Method: x = n ln2 + r with |r| <= ln2/2, the polynomial of Cephes' expf (S. Moshier) for e^r, n
 * into the exponent. */
DETECT_INLINE float detect_exp(float x)
{
    const float to_int =
        12582912.0f; /* 1.5 * 2^23: adding it leaves the rounded integer in the low bits */
    x = x < -87.0f ? -87.0f : x;
    x = x > 87.0f ? 87.0f : x;
    float t = x * 1.44269504088896341f + to_int;
    float n = t - to_int;
    float r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * detect_from_bits((detect_bits(t) << 23) + (127u << 23));
}

DETECT_INLINE float detect_sigmoid(float x)
{
    return 1.0f / (1.0f + detect_exp(-x));
}

/* The distances of the four sides in cells: the mean of 0..15 under softmax(logits) (DFL,
 * spec 1.4). The exponentials are one loop over all 64: loops of 16 get unrolled before any
 * compiler thinks of vectors. */
DETECT_INLINE void detect_dfl(float distance[4], const float *logits)
{
    float e[DETECT_BOX_CHANNELS];
    for (int side = 0; side < 4; side++) {
        const float *z = logits + side * DETECT_REG_MAX;
        float top = z[0];
        for (int b = 1; b < DETECT_REG_MAX; b++)
            top = detect_max(top, z[b]);
        for (int b = 0; b < DETECT_REG_MAX; b++)
            e[side * DETECT_REG_MAX + b] = z[b] - top;
    }
    for (int i = 0; i < DETECT_BOX_CHANNELS; i++)
        e[i] = detect_exp(e[i]);
    for (int side = 0; side < 4; side++) {
        /* Four partial sums: a chain of sixteen additions would be the slowest part of a decode. */
        const float *v = e + side * DETECT_REG_MAX;
        float sum[4] = {0}, mean[4] = {0};
        for (int b = 0; b < DETECT_REG_MAX; b += 4)
            for (int k = 0; k < 4; k++) {
                sum[k] += v[b + k];
                mean[k] += v[b + k] * (float)(b + k);
            }
        distance[side] =
            ((mean[0] + mean[1]) + (mean[2] + mean[3])) / ((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
}

/* x y w h in pixels of the cell (x, y) from its 64 box logits. */
DETECT_INLINE void detect_decode_anchor(float xywh[4], const float *logits, int x, int y,
                                        float stride)
{
    float ax = (float)x + 0.5f, ay = (float)y + 0.5f, d[4];
    detect_dfl(d, logits);
    float x1 = ax - d[0], y1 = ay - d[1], x2 = ax + d[2], y2 = ay + d[3];
    xywh[0] = (x1 + x2) / 2.0f * stride;
    xywh[1] = (y1 + y2) / 2.0f * stride;
    xywh[2] = (x2 - x1) * stride;
    xywh[3] = (y2 - y1) * stride;
}

/* The same as a call, in the widest vectors there are. pixel: index in the level's maps, of the
 * cell (x, y). */
void detect_decode_pixel(float xywh[4], const detect_level *l, size_t pixel, int x, int y);

/* The rotated box x y w h theta of the cell, whose angle is the first of its extras (T 1.3). */
void detect_decode_rotated(float xywhr[5], const detect_level *l, size_t pixel, int x, int y);

/* detect_decode_all of some levels, from a column on of a tensor of n_anchors columns. */
void detect_decode_into(float *out, size_t n_anchors, size_t column, const detect_level *levels,
                        int n_levels, int nc, int picture);

/* Pixels of one picture in a level's maps. */
DETECT_INLINE size_t detect_level_pixels(const detect_level *l)
{
    return (size_t)l->h * (size_t)l->w;
}

#endif

/* avx512.h: the vector type of the kernels' template, 16 lanes wide.
 *
 * Each of these three headers offers the same names, so that the templates are written once:
 * vf and VF_LANES, the arithmetic vf_*, and TILE_LIST_V, the register tiles that the instruction
 * set has room for: (V vectors of output channels) x (P pixels), see conv/direct.inc.h. */
#ifndef NN_CPU_SIMD_AVX512_H
#define NN_CPU_SIMD_AVX512_H

#include <immintrin.h>

typedef __m512 vf;
#define VF_LANES 16

/* 32 registers: V * P sums, V weights and one pixel value. One vector alone needs no register for
 * the pixel value, which rides on the multiply as a broadcast operand. */
/* clang-format off */
#define TILE_LIST_0(X)                                                                                             \
    X(0, 1) X(0, 2) X(0, 3) X(0, 4) X(0, 5) X(0, 6) X(0, 7) X(0, 8) X(0, 9) X(0, 10) X(0, 11) X(0, 12) X(0, 13)    \
    X(0, 14) X(0, 15) X(0, 16) X(0, 17) X(0, 18) X(0, 19) X(0, 20) X(0, 21) X(0, 22) X(0, 23) X(0, 24) X(0, 25)    \
    X(0, 26) X(0, 27) X(0, 28)
#define TILE_LIST_1(X)                                                                                             \
    X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(1, 7) X(1, 8) X(1, 9) X(1, 10) X(1, 11) X(1, 12) X(1, 13)    \
    X(1, 14) X(1, 15) X(1, 16) X(1, 17) X(1, 18) X(1, 19) X(1, 20) X(1, 21) X(1, 22) X(1, 23) X(1, 24) X(1, 25)    \
    X(1, 26) X(1, 27) X(1, 28)
#define TILE_LIST_2(X)                                                                                             \
    X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6) X(2, 7) X(2, 8) X(2, 9) X(2, 10) X(2, 11) X(2, 12) X(2, 13)    \
    X(2, 14)
#define TILE_LIST_3(X) X(3, 1) X(3, 2) X(3, 3) X(3, 4) X(3, 5) X(3, 6) X(3, 7) X(3, 8) X(3, 9)
/* clang-format on */

/* Half a vector of output channels is worth a tile of its own, see tile_pair. */
#define TILE_HALVES 1

static inline __mmask16 vf_mask(int n)
{
    return (__mmask16)((1U << n) - 1U);
}

static inline vf vf_zero(void)
{
    return _mm512_setzero_ps();
}
static inline vf vf_set1(float x)
{
    return _mm512_set1_ps(x);
}
/* Two floats in the shape of a double, eight times. */
static inline vf vf_set1_pair(double two)
{
    return _mm512_castpd_ps(_mm512_set1_pd(two));
}
static inline vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
static inline void vf_store(float *p, vf a)
{
    _mm512_storeu_ps(p, a);
}
/* The first n lanes only, 0..16; the others load as zero and are not stored. */
static inline vf vf_load_n(const float *p, int n)
{
    return _mm512_maskz_loadu_ps(vf_mask(n), p);
}
static inline void vf_store_n(float *p, vf a, int n)
{
    _mm512_mask_storeu_ps(p, vf_mask(n), a);
}
static inline vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}
static inline vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}
static inline vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}
static inline vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
} /* a * b + c */
static inline float vf_hmax(vf a)
{
    return _mm512_reduce_max_ps(a);
}

/* Halves are added to halves, whatever the compiler: the order is part of the result. */
static inline float vf_hsum(vf a)
{
    const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(d, _mm_shuffle_ps(d, d, 1)));
}

/* 2^t for t <= 127, t = -inf gives 0. The fraction t - floor(t) goes through the minimax polynomial
 * of degree 5 on [0, 1] (relative error 7.5e-8); vscalef puts floor(t) in the exponent by itself.
 */
static inline vf vf_exp2(vf t)
{
    const vf f = _mm512_reduce_ps(t, 0x01); /* 0x01: subtract floor(t) */
    vf p = vf_set1(0.00187757669F);
    p = vf_fma(p, f, vf_set1(0.00898933969F));
    p = vf_fma(p, f, vf_set1(0.0558263175F));
    p = vf_fma(p, f, vf_set1(0.240153611F));
    p = vf_fma(p, f, vf_set1(0.693153083F));
    p = vf_fma(p, f, vf_set1(0.99999994F));
    return _mm512_scalef_ps(p, t);
}

/* 1 / d for 1 <= d < 2^126: 14 bits from the table, one Newton step to 2^-23. */
static inline vf vf_inverse(vf d)
{
    const vf r = _mm512_rcp14_ps(d);
    return _mm512_mul_ps(r, _mm512_fnmadd_ps(d, r, vf_set1(2.0F)));
}

/* Lane o becomes lane 2o + lane 2o+1; the upper half is of no use. */
static inline vf vf_pairs_summed(vf a)
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15);
    return _mm512_add_ps(_mm512_permutexvar_ps(even, a), _mm512_permutexvar_ps(odd, a));
}

#include "tile.h"

#endif

/* avx2.h: the vector type of the kernels' template, 8 lanes wide; see avx512.h for what it
 * offers. AVX2 and FMA. */
#ifndef NN_CPU_SIMD_AVX2_H
#define NN_CPU_SIMD_AVX2_H

#include <immintrin.h>

typedef __m256 vf;
#define VF_LANES 8

/* 16 registers: V * P sums, V weights and one pixel value. */
#define TILE_LIST_1(X)                                                                             \
    X(1, 1)                                                                                        \
    X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(1, 7) X(1, 8) X(1, 9) X(1, 10) X(1, 11) X(1, 12)
#define TILE_LIST_2(X) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6)
#define TILE_LIST_3(X) X(3, 1) X(3, 2) X(3, 3) X(3, 4)
#define TILE_HALVES    0

/* The first n lanes, all bits set. */
static inline __m256i vf_mask(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf vf_zero(void)
{
    return _mm256_setzero_ps();
}
static inline vf vf_set1(float x)
{
    return _mm256_set1_ps(x);
}
static inline vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
static inline void vf_store(float *p, vf a)
{
    _mm256_storeu_ps(p, a);
}
static inline vf vf_load_n(const float *p, int n)
{
    return _mm256_maskload_ps(p, vf_mask(n));
}
static inline void vf_store_n(float *p, vf a, int n)
{
    _mm256_maskstore_ps(p, vf_mask(n), a);
}
static inline vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}
static inline vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}
static inline vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}
static inline vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline float vf_hmax(vf a)
{
    const __m128 c = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(d, _mm_shuffle_ps(d, d, 1)));
}

static inline float vf_hsum(vf a)
{
    const __m128 c = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(d, _mm_shuffle_ps(d, d, 1)));
}

/* 2^n for whole n in [-126, 127]. */
static inline vf vf_exp2_whole(vf n)
{
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}

static inline vf vf_floor(vf a)
{
    return _mm256_floor_ps(a);
}

/* A table of 11 bits and one Newton step would leave 2^-22; the divider is not slower. */
static inline vf vf_inverse(vf d)
{
    return _mm256_div_ps(_mm256_set1_ps(1.0F), d);
}

#include "exp2.h"
#include "tile.h"

#endif

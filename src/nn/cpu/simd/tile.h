/* tile.h: the innermost step of the convolution's register tile in C. On x86-64
 * simd/tile_x86.h takes its place, but in builds without optimisation or with sanitizers, where its
 * immediates and registers run out. */
#ifndef NN_CPU_SIMD_TILE_H
#define NN_CPU_SIMD_TILE_H

#include <stddef.h>
#include <string.h>

#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 32")
#endif
#define ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define TILE_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TILE_SANITIZED 1
#endif

#if (defined(__AVX2__) || defined(__AVX512F__)) && defined(__OPTIMIZE__) && !defined(TILE_SANITIZED)

#include "tile_x86.h"

#else

/* Where pixel p of a group of four begins: step1 is one pixel's distance in bytes, step3 three
 * times that. */
static inline const char *tile_pixel_begin(const char *base, size_t step1, size_t step3, int p)
{
    return base + (p % 4 == 0 ? 0 : p % 4 == 1 ? step1 : p % 4 == 2 ? 2 * step1 : step3);
}

/* acc[v] += w[v] * (float number `at` of pixel p), v < V. base is the first pixel of p's group of
 * four. */
ALWAYS_INLINE void tile_pixel(vf *acc, const vf *w, const char *base, size_t step1, size_t step3,
                              const int V, const int p, const int at)
{
    float value;
    memcpy(&value, tile_pixel_begin(base, step1, step3, p) + (size_t)at * sizeof value,
           sizeof value);
    const vf x = vf_set1(value);
    UNROLLED
    for (int v = 0; v < V; v++)
        acc[v] = vf_fma(x, w[v], acc[v]);
}

#if TILE_HALVES
/* acc[2o + i] += w[2o + i] * (float 2 `at` + i of pixel p), i = 0, 1. */
ALWAYS_INLINE void tile_pair(vf *acc, const vf *w, const char *base, size_t step1, size_t step3,
                             const int p, const int at)
{
    double two_floats;
    memcpy(&two_floats, tile_pixel_begin(base, step1, step3, p) + (size_t)at * sizeof two_floats,
           sizeof two_floats);
    acc[0] = vf_fma(vf_set1_pair(two_floats), w[0], acc[0]);
}
#endif

#endif

#endif

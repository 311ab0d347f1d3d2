/* generic.h: the vector type of the kernels' template in the compilers' own vector extension,
 * 4 lanes wide: SSE on x86-64, NEON on ARM. see avx512.h for what such a header offers. Where
 * the machine has a fused multiply-add (ARM), compile with -ffp-contract=fast; x86-64 multiplies
 * and adds. */
#ifndef NN_CPU_SIMD_GENERIC_H
#define NN_CPU_SIMD_GENERIC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vf_int __attribute__((vector_size(16)));
#define VF_LANES 4

#define TILE_LIST_1(X)                                                                             \
    X(1, 1)                                                                                        \
    X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(1, 7) X(1, 8) X(1, 9) X(1, 10) X(1, 11) X(1, 12)
#define TILE_LIST_2(X) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6)
#define TILE_LIST_3(X) X(3, 1) X(3, 2) X(3, 3) X(3, 4)
#define TILE_HALVES    0

static inline vf vf_set1(float x)
{
    return (vf){x, x, x, x};
}
static inline vf vf_zero(void)
{
    return vf_set1(0.0F);
}

static inline vf vf_load(const float *p)
{
    vf a;
    memcpy(&a, p, sizeof a);
    return a;
}

static inline void vf_store(float *p, vf a)
{
    memcpy(p, &a, sizeof a);
}

static inline vf vf_load_n(const float *p, int n)
{
    vf a = vf_zero();
    memcpy(&a, p, (size_t)n * sizeof(float));
    return a;
}

static inline void vf_store_n(float *p, vf a, int n)
{
    memcpy(p, &a, (size_t)n * sizeof(float));
}
static inline vf vf_add(vf a, vf b)
{
    return a + b;
}
static inline vf vf_sub(vf a, vf b)
{
    return a - b;
}
static inline vf vf_mul(vf a, vf b)
{
    return a * b;
}
static inline vf vf_fma(vf a, vf b, vf c)
{
    return a * b + c;
}

static inline vf vf_max(vf a, vf b)
{
    const vf_int greater = a > b; /* false for NaN: b then */
    return (vf)((greater & (vf_int)a) | (~greater & (vf_int)b));
}

static inline float vf_hmax(vf a)
{
    const float b = a[0] > a[1] ? a[0] : a[1], c = a[2] > a[3] ? a[2] : a[3];
    return b > c ? b : c;
}

static inline float vf_hsum(vf a)
{
    return (a[0] + a[2]) + (a[1] + a[3]);
}

/* For |a| < 2^22: adding and taking away 1.5 * 2^23 rounds to the nearest whole number. */
static inline vf vf_floor(vf a)
{
    const vf big = vf_set1(12582912.0F), n = (a + big) - big;
    const vf_int above = n > a; /* -1 where true */
    return n + __builtin_convertvector(above, vf);
}

static inline vf vf_exp2_whole(vf n)
{
    const vf biased =
        n + vf_set1(12582912.0F + 127.0F); /* the whole number stands in the lowest bits */
    return (vf)((vf_int)biased << 23);
}

static inline vf vf_inverse(vf d)
{
    return vf_set1(1.0F) / d;
}

#include "exp2.h"

#include "tile.h"

#endif

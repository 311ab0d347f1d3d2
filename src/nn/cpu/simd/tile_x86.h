/* tile_x86.h: the innermost step of the convolution's register tile, for AVX2 and AVX-512.
 *
 * It is written in assembly, because both compilers spoil it otherwise: clang turns the four
 * addresses of a group into four pointers and spills them, GCC hoists pixel values until sums
 * spill. The text is the same for both instruction sets; the compiler puts ymm or zmm names in. */
#ifndef NN_CPU_SIMD_TILE_X86_H
#define NN_CPU_SIMD_TILE_X86_H

#include <stddef.h>

/* Where pixel p of a group of four begins: step1 is one pixel's distance in bytes, step3 three
 * times that. */
#define TILE_AT_0 "%c[at](%[base])"
#define TILE_AT_1 "%c[at](%[base],%[step1])"
#define TILE_AT_2 "%c[at](%[base],%[step1],2)"
#define TILE_AT_3 "%c[at](%[base],%[step3])"
#define TILE_INPUTS(bytes)                                                                         \
    [base] "r"(base), [step1] "r"(step1), [step3] "r"(step3), [at] "i"(bytes),                     \
        "m"(*(const float(*)[1 << 20]) base)

#if VF_LANES == 16
#define TILE_ASM_1(where, bytes)                                                                   \
    __asm__("vfmadd231ps " where "%{1to16%}, %[w0], %[a0]"                                         \
            : [a0] "+v"(acc[0])                                                                    \
            : [w0] "v"(w[0]), TILE_INPUTS(bytes))
#else
#define TILE_ASM_1(where, bytes)                                                                   \
    __asm__("vbroadcastss " where ", %[x]\n\tvfmadd231ps %[w0], %[x], %[a0]"                       \
            : [x] "=&v"(x), [a0] "+v"(acc[0])                                                      \
            : [w0] "v"(w[0]), TILE_INPUTS(bytes))
#endif
#define TILE_ASM_2(where, bytes)                                                                   \
    __asm__("vbroadcastss " where ", %[x]\n\tvfmadd231ps %[w0], %[x], %[a0]\n\t"                   \
            "vfmadd231ps %[w1], %[x], %[a1]"                                                       \
            : [x] "=&v"(x), [a0] "+v"(acc[0]), [a1] "+v"(acc[1])                                   \
            : [w0] "v"(w[0]), [w1] "v"(w[1]), TILE_INPUTS(bytes))
#define TILE_ASM_3(where, bytes)                                                                   \
    __asm__("vbroadcastss " where ", %[x]\n\tvfmadd231ps %[w0], %[x], %[a0]\n\t"                   \
            "vfmadd231ps %[w1], %[x], %[a1]\n\tvfmadd231ps %[w2], %[x], %[a2]"                     \
            : [x] "=&v"(x), [a0] "+v"(acc[0]), [a1] "+v"(acc[1]), [a2] "+v"(acc[2])                \
            : [w0] "v"(w[0]), [w1] "v"(w[1]), [w2] "v"(w[2]), TILE_INPUTS(bytes))
#define TILE_ASM_PAIR(where, bytes)                                                                \
    __asm__("vbroadcastsd " where ", %[x]\n\tvfmadd231ps %[w0], %[x], %[a0]"                       \
            : [x] "=&v"(x), [a0] "+v"(acc[0])                                                      \
            : [w0] "v"(w[0]), TILE_INPUTS(bytes))
#define TILE_SWITCH(ASM, bytes)                                                                    \
    switch (p % 4) {                                                                               \
    case 0:                                                                                        \
        ASM(TILE_AT_0, bytes);                                                                     \
        break;                                                                                     \
    case 1:                                                                                        \
        ASM(TILE_AT_1, bytes);                                                                     \
        break;                                                                                     \
    case 2:                                                                                        \
        ASM(TILE_AT_2, bytes);                                                                     \
        break;                                                                                     \
    default:                                                                                       \
        ASM(TILE_AT_3, bytes);                                                                     \
        break;                                                                                     \
    }

/* acc[v] += w[v] * (float number `at` of pixel p), v < V. base is the first pixel of p's group of
 * four. */
ALWAYS_INLINE void tile_pixel(vf *acc, const vf *w, const char *base, size_t step1, size_t step3,
                              const int V, const int p, const int at)
{
    vf x;
    (void)x;
    if (V == 1) {
        TILE_SWITCH(TILE_ASM_1, 4 * at)
    } else if (V == 2) {
        TILE_SWITCH(TILE_ASM_2, 4 * at)
    } else {
        TILE_SWITCH(TILE_ASM_3, 4 * at)
    }
}

/* acc[2o + i] += w[2o + i] * (float 2 `at` + i of pixel p), i = 0, 1: two input channels for half
 * as many output channels, so that eight output channels fill sixteen lanes. The sums of even and
 * odd inputs meet at the end. */
ALWAYS_INLINE void tile_pair(vf *acc, const vf *w, const char *base, size_t step1, size_t step3,
                             const int p, const int at)
{
    vf x;
    TILE_SWITCH(TILE_ASM_PAIR, 8 * at)
}

#endif

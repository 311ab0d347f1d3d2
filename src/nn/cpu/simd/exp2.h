/* exp2.h: 2^t where the instruction set has no scale by a power of two: the exponent is put in
 * by hand. */
#ifndef NN_CPU_SIMD_EXP2_H
#define NN_CPU_SIMD_EXP2_H

/* 2^t for t <= 127; below -126 it stays at 2^-126, NaN stays NaN. The fraction t - floor(t) goes
 * through the minimax polynomial of degree 5 on [0, 1] (relative error 7.5e-8). */
static inline vf vf_exp2(vf t)
{
    t = vf_max(vf_set1(-126.0F), t);
    const vf n = vf_floor(t), f = vf_sub(t, n);
    vf p = vf_set1(0.00187757669F);
    p = vf_fma(p, f, vf_set1(0.00898933969F));
    p = vf_fma(p, f, vf_set1(0.0558263175F));
    p = vf_fma(p, f, vf_set1(0.240153611F));
    p = vf_fma(p, f, vf_set1(0.693153083F));
    p = vf_fma(p, f, vf_set1(0.99999994F));
    return vf_mul(p, vf_exp2_whole(n));
}

#endif

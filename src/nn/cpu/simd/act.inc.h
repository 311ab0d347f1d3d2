/* act.inc.h: SiLU and the exponential on vectors, for every instruction set. */

/* exp(x) for x <= 0, also -infinity. */
static inline vf vf_exp(vf x)
{
    return vf_exp2(vf_mul(x, vf_set1(1.44269504F)));
}

/* x * sigmoid(x) = x / (1 + exp(-x)). Relative error 1e-6 for x >= -16 and, growing with |x| as the
 * product with log2(e) rounds, 6e-6 at -87. Below that the result stays at -1.4e-36, since the
 * denominator must not overflow; +infinity gives itself, NaN gives NaN (vf_max answers with its
 * second argument then). */
static inline vf vf_silu(vf x)
{
    const vf z = vf_max(vf_set1(-87.0F), x);
    const vf e = vf_exp2(vf_mul(z, vf_set1(-1.44269504F)));
    return vf_mul(z, vf_inverse(vf_add(e, vf_set1(1.0F))));
}

/* peak.inc.h: what the processor could do: multiply-adds in registers alone. */

static double peak_run(size_t rounds, float *out)
{
    vf sum[CPU_PEAK_CHAINS];
    /* Near 1 and near 0, unknown to the compiler: sums stay in the range of normal numbers. */
    const vf a = vf_set1(1.0F - *out * 1e-9F), b = vf_set1(*out * 1e-9F);
    for (int k = 0; k < CPU_PEAK_CHAINS; k++)
        sum[k] = vf_set1((float)(k + 1));
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int k = 0; k < CPU_PEAK_CHAINS; k++)
            sum[k] = vf_fma(sum[k], a, b);
    for (int k = 1; k < CPU_PEAK_CHAINS; k++)
        sum[0] = vf_add(sum[0], sum[k]);
    *out = vf_hsum(sum[0]) > 0.0F ? 1.0F : 0.0F;
    return 2.0 * VF_LANES * CPU_PEAK_CHAINS * (double)rounds;
}

/* dialect.cl: the little that differs between a driver's OpenCL C and clang's way to PTX, which has
 * the language but no library behind it. Kernels use these names and no built-in function. */
#ifdef __NVPTX__
#define GROUP_X   ((int)__nvvm_read_ptx_sreg_ctaid_x())
#define GROUP_Y   ((int)__nvvm_read_ptx_sreg_ctaid_y())
#define GROUP_Z   ((int)__nvvm_read_ptx_sreg_ctaid_z())
#define ITEM      ((int)__nvvm_read_ptx_sreg_tid_x())
#define BARRIER() __syncthreads()
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define FLOOR(a)     __builtin_floorf(a)
#define LARGER(a, b) __builtin_fmaxf(a, b)
#else
#define GROUP_X   ((int)get_group_id(0))
#define GROUP_Y   ((int)get_group_id(1))
#define GROUP_Z   ((int)get_group_id(2))
#define ITEM      ((int)get_local_id(0))
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#ifdef FP_FAST_FMAF
#define FMA(a, b, c) fma(a, b, c)
#else
#define FMA(a, b, c) mad(a, b, c)
#endif
#define FLOOR(a)     floor(a)
#define LARGER(a, b) fmax(a, b)
#endif
/* A processor's compiler takes ten times as long over loops that are written out, for nothing. */
#ifdef GPU_KEEP_LOOPS
#define UNROLL
#else
#define UNROLL _Pragma("unroll")
#endif
#define INLINE  static inline __attribute__((always_inline))
#define GROUP_OF(n) __attribute__((reqd_work_group_size(n, 1, 1)))

/* 2^t for t <= 127, as nn/cpu/simd/exp2.h has it: below -126 it stays at 2^-126. */
INLINE float exp2_of(float t)
{
    t = LARGER(t, -126.0f);
    const float whole = FLOOR(t), f = t - whole;
    float p = 0.00187757669f;
    p = FMA(p, f, 0.00898933969f);
    p = FMA(p, f, 0.0558263175f);
    p = FMA(p, f, 0.240153611f);
    p = FMA(p, f, 0.693153083f);
    p = FMA(p, f, 0.99999994f);
    return p * as_float(((int)whole + 127) << 23);
}

/* exp(x) for x <= 0. */
INLINE float exp_of(float x)
{
    return exp2_of(x * 1.44269504f);
}

/* z * sigmoid(z); below -87 it stays where it is there, since the divisor must not overflow. NaN
 * stays NaN. */
INLINE float silu_of(float x)
{
    const float z = x < -87.0f ? -87.0f : x;
    return z / (1.0f + exp2_of(z * -1.44269504f));
}

/* dialect.cl: the little that differs between a driver's OpenCL C and clang's way to PTX, which has
 * the language but no library behind it. Kernels use these names and no built-in function. */
#ifdef __NVPTX__
#define GROUP_X   ((int)__nvvm_read_ptx_sreg_ctaid_x())
#define GROUP_Y   ((int)__nvvm_read_ptx_sreg_ctaid_y())
#define GROUP_Z   ((int)__nvvm_read_ptx_sreg_ctaid_z())
#define ITEM      ((int)__nvvm_read_ptx_sreg_tid_x())
#define BARRIER() __syncthreads()
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define FMA_EXACT(a, b, c) __builtin_fmaf(a, b, c)
#define FLOOR(a)     __builtin_floorf(a)
#define LARGER(a, b) __builtin_fmaxf(a, b)
#define SQRT(a)      __nvvm_sqrt_rn_f(a)
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
#define FMA_EXACT(a, b, c) fma(a, b, c) /* rounded once, however slow */
#define FLOOR(a)     floor(a)
#define LARGER(a, b) fmax(a, b)
#define SQRT(a)      sqrt(a)
#endif
/* A processor's compiler takes ten times as long over loops that are written out, for nothing; and
 * twice as long where the longer functions are put into each kernel. ROLLED is where a GPU's would
 * write out so much that its registers do not hold what it reads ahead. */
#define INLINE static inline __attribute__((always_inline))
#define ROLLED _Pragma("unroll 1")
#ifdef GPU_KEEP_LOOPS
#define UNROLL
#define PIECE static __attribute__((noinline))
#else
#define UNROLL _Pragma("unroll")
#define PIECE  INLINE
#endif
#define GROUP_OF(n) __attribute__((reqd_work_group_size(n, 1, 1)))

/* ---- numbers of 16 bits ----
 *
 * They are widened where they are read and rounded to the nearest where they are written; no
 * arithmetic is done in them, so every device of OpenCL 1.2 can. at: in numbers; of four, a
 * multiple of four, of two, of two. */
#ifdef __NVPTX__
INLINE float widen(ushort h)
{
    float f;
    __asm__("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
    return f;
}
INLINE ushort narrow(float f)
{
    ushort h;
    __asm__("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
    return h;
}
INLINE float half_get(global const ushort *p, gpu_u64 at)
{
    return widen(p[at]);
}
INLINE float4 half_get4(global const ushort *p, gpu_u64 at)
{
    const ushort4 h = *(global const ushort4 *)(p + at);
    return (float4)(widen(h.x), widen(h.y), widen(h.z), widen(h.w));
}
INLINE void half_put(global ushort *p, gpu_u64 at, float v)
{
    p[at] = narrow(v);
}
INLINE void half_put2(global ushort *p, gpu_u64 at, float v0, float v1)
{
    *(global ushort2 *)(p + at) = (ushort2)(narrow(v0), narrow(v1));
}
INLINE float half_local(local const ushort *p)
{
    return widen(*p);
}
INLINE void half_put4(global ushort *p, gpu_u64 at, float4 v)
{
    *(global ushort4 *)(p + at) = (ushort4)(narrow(v.x), narrow(v.y), narrow(v.z), narrow(v.w));
}
#else
INLINE float half_get(global const ushort *p, gpu_u64 at)
{
    return vload_half(0, (global const half *)(p + at));
}
INLINE float4 half_get4(global const ushort *p, gpu_u64 at)
{
    return vloada_half4(0, (global const half *)(p + at));
}
INLINE void half_put(global ushort *p, gpu_u64 at, float v)
{
    vstore_half_rte(v, 0, (global half *)(p + at));
}
INLINE void half_put2(global ushort *p, gpu_u64 at, float v0, float v1)
{
    vstorea_half2_rte((float2)(v0, v1), 0, (global half *)(p + at));
}
INLINE float half_local(local const ushort *p)
{
    return vload_half(0, (local const half *)p);
}
INLINE void half_put4(global ushort *p, gpu_u64 at, float4 v)
{
    vstorea_half4_rte(v, 0, (global half *)(p + at));
}
#endif

/* ---- elements of maps and of packed weights ----
 *
 * Floats, or with GPU_HALF numbers of 16 bits; a kernel's name says which. Four go at once where
 * places and pitches are multiples of four. */
#ifndef GPU_HALF
#define NAMED(name) name
typedef float element;
INLINE float get(global const element *p, gpu_u64 at)
{
    return p[at];
}
INLINE float4 get4(global const element *p, gpu_u64 at)
{
    return *(global const float4 *)(p + at);
}
INLINE void put(global element *p, gpu_u64 at, float v)
{
    p[at] = v;
}
INLINE void put4(global element *p, gpu_u64 at, float4 v)
{
    *(global float4 *)(p + at) = v;
}
#else
#define NAMED_HALF(name) half_##name
#define NAMED(name)      NAMED_HALF(name)
typedef ushort element;
#define get(p, at)     half_get(p, at)
#define get4(p, at)    half_get4(p, at)
#define put(p, at, v)  half_put(p, at, v)
#define put4(p, at, v) half_put4(p, at, v)
#endif

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

/* train.cl: what training's kernels share.
 *
 * All of them but train_fill take the same four buffers. Sums over pixels are taken in parts that
 * the shape alone determines, and the parts are added in order: a kernel gives the same bits
 * whenever it runs, and nothing is added by two at once. */
/* Loops that are written out, so that an item's sums stay in registers. clang's "unroll" would also
 * unroll loops whose count an inlined function does not know yet, by some factor, and then the sums
 * are in memory for good. */
#ifdef GPU_KEEP_LOOPS
#define WRITE_OUT
#elif defined(__clang__)
#define WRITE_OUT _Pragma("clang loop unroll(full)")
#else
#define WRITE_OUT _Pragma("unroll")
#endif

#define TRAIN_BUFFERS                                                                              \
    global element *block, global float *values, global float *grads, global float *scratch

/* In the block are elements, which with GPU_HALF are of 16 bits; but heads, their gradients, the
 * network's input and a batch's statistics are floats in any case. Places are in what lies there. */
#ifdef GPU_HALF
INLINE float get_of(global const element *p, gpu_u64 at, int is_float)
{
    return is_float ? ((global const float *)p)[at] : get(p, at);
}
INLINE void put_of(global element *p, gpu_u64 at, float v, int is_float)
{
    if (is_float)
        ((global float *)p)[at] = v;
    else
        put(p, at, v);
}
#else
#define get_of(p, at, is_float)    get(p, at)
#define put_of(p, at, v, is_float) put(p, at, v)
#endif
#define FLOATS(p) ((global float *)(p))

/* A group's channels lie side by side, so that a fetch is of neighbours: item GPU_LANES * lane + i
 * has channel i. */
#define CHANNEL (GROUP_Y * GPU_LANES + ITEM % GPU_LANES)
#define LANE    (ITEM / GPU_LANES)

/* Pixels of this item where a kernel goes element by element. */
#define EACH_PIXEL(p, n_pixels)                                                                    \
    for (int p = GROUP_X * GPU_GROUP_PIXELS + LANE;                                                \
         p < (n_pixels) && p < (GROUP_X + 1) * GPU_GROUP_PIXELS; p += GPU_LANES)

/* Pixels of this item in a chunk. */
#define CHUNK_PIXEL(p, chunk_pixels, n_pixels)                                                     \
    for (int p = GROUP_X * (chunk_pixels) + LANE;                                                  \
         p < (n_pixels) && p < (GROUP_X + 1) * (chunk_pixels); p += GPU_LANES)

INLINE gpu_u64 at_pixel(gpu_u64 at, int p, int pitch, int c)
{
    return at + (gpu_u64)p * (gpu_u64)pitch + (gpu_u64)c;
}

/* 1 / (1 + exp(-y)), with silu_of's limit. */
INLINE float sigmoid_of(float y)
{
    return 1.0f / (1.0f + exp2_of((y < -87.0f ? -87.0f : y) * -1.44269504f));
}

/* The sum of a channel's lanes, in order; every item of the group calls it, lane 0 has the sum. */
INLINE float sum_of_lanes(local float *sums, float own)
{
    sums[ITEM] = own;
    BARRIER();
    float sum = 0.0f;
    for (int i = ITEM; LANE == 0 && i < GPU_LANES * GPU_LANES; i += GPU_LANES)
        sum += sums[i];
    BARRIER();
    return sum;
}

/* kernels.h: the arithmetic of a network on a CPU, one table of functions per instruction set.
 *
 * Every function works on a range of units [begin, end) of a whole op, so that the caller's threads
 * can share the op: a unit is a piece of output (a few rows of a picture, a block of queries) that
 * no other unit writes. The value of an output element never depends on how units are spread over
 * threads, on the batch size or on a picture's place in the batch: the order of additions is fixed
 * by the op's description alone. No function allocates, fails or keeps state. All maps are nhwc
 * with a pitch (map.h). `dst` never overlaps inputs, but for the exact same map where a function's
 * comment allows it. kernels_plain.c is the truth that the tests compare the others with. */
#ifndef NN_CPU_KERNELS_H
#define NN_CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "../map.h"

/* Square convolution, output side ceil(side/stride). Zero padding: cpu_pad on the left and above,
 * and as much on the right and below for an odd k (k/2 all around). An even k has stride 2 and
 * sides that are even, so that its padding is k/2 - 1 all around (the 6 of YOLOv5's first layer:
 * 2). groups is 1 (dense) or ic == oc == groups (depthwise). k is 1 to 7; stride 1 or 2. Bias
 * always.
 */
typedef struct cpu_conv {
    int ic, oc, k, stride, groups;
    bool silu;   /* y = z * sigmoid(z) after the bias */
    int threads; /* that will share the op (0: one): units are cut so that each has as many */
} cpu_conv;

/* Zeros before the first pixel of a row or column. */
static inline int cpu_pad(int k)
{
    return (k - 1) / 2;
}

/* Units of those who take 16 channels of a picture. */
static inline size_t cpu_channel_units(const nn_map *m)
{
    return (size_t)m->n * (((size_t)m->c + 15) / 16);
}

enum { CPU_PEAK_CHAINS = 12 }; /* more than latency times width of any, and in 16 registers */

typedef struct cpu_kernels {
    const char *name; /* "plain", "sse41", "avx2", "avx512" */

    /* Floats of the packed form of the weights and bias, in the order this table's conv wants.
     * Independent of the picture's size, so one packed copy serves every shape. */
    size_t (*conv_packed_floats)(const cpu_conv *c);
    /* packed (64-byte aligned) from weight (O, I/groups, k, k) and bias (O). */
    void (*conv_pack)(const cpu_conv *c, float *packed, const float *weight, const float *bias);
    size_t (*conv_units)(const cpu_conv *c, const nn_map *dst);
    /* Floats of scratch that conv_run wants, 64-byte aligned, for itself during the call (one per
     * thread). May be 0. */
    size_t (*conv_scratch_floats)(const cpu_conv *c);
    /* dst = act(conv(src) + bias) [+ add]. add: NULL or a map of dst's n,h,w,c; it may be dst
     * itself (in place). */
    void (*conv_run)(const cpu_conv *c, const float *packed, const nn_map *dst, const nn_map *src,
                     const nn_map *add, float *scratch, size_t begin, size_t end);
    /* By which of the table's ways it is computed: "winograd", "direct", "depthwise"; "plain". */
    const char *(*conv_name)(const cpu_conv *c);

    /* Multiplies and adds, CPU_PEAK_CHAINS independent chains of vectors for `rounds` rounds, with
     * nothing read or written between: as fast as this instruction set computes. out: a float that
     * says the work was done. Returns the floating-point operations. */
    double (*peak_run)(size_t rounds, float *out);

    /* Max pool k x k, stride 1, padding k/2 with -infinity. Units: rows of pictures or coarser. */
    size_t (*maxpool_units)(const nn_map *dst);
    void (*maxpool_run)(int k, const nn_map *dst, const nn_map *src, size_t begin, size_t end);

    /* Nearest x2: dst[y,x] = src[y/2,x/2]. Unit: an output row. */
    void (*upsample_run)(const nn_map *dst, const nn_map *src, size_t begin, size_t end);

    /* dst[2y + dy, 2x + dx, c] = src[y, x, (2 dy + dx) dst.c + c]. Unit: an output row. */
    void (*shuffle_run)(const nn_map *dst, const nn_map *src, size_t begin, size_t end);
    /* The mean over all pixels of a picture: dst is a map of one. Unit: cpu_channel_units(dst). */
    void (*mean_run)(const nn_map *dst, const nn_map *src, size_t begin, size_t end);

    /* Copy and add of maps of equal shape. Unit: a row. */
    void (*copy_run)(const nn_map *dst, const nn_map *src, size_t begin, size_t end);
    void (*add_run)(const nn_map *dst, const nn_map *a, const nn_map *b, size_t begin, size_t end);

    /* Scaled dot-product attention, spec 1.4: src has heads * (2K + D) channels, per head K of q, K
     * of k, D of v (K = key_dim, D = head_dim); dst has heads * D channels. softmax(scale * q.k) v
     * over the H*W pixels. scratch belongs to the calling thread: attention_scratch_floats(...)
     * floats, 64-byte aligned. */
    size_t (*attention_units)(const nn_map *dst, int heads);
    size_t (*attention_scratch_floats)(int pixels, int key_dim, int head_dim);
    void (*attention_run)(const nn_map *dst, const nn_map *src, int heads, int key_dim,
                          int head_dim, float scale, float *scratch, size_t begin, size_t end);
} cpu_kernels;

extern const cpu_kernels cpu_kernels_plain;
#if defined(__x86_64__)
extern const cpu_kernels cpu_kernels_avx2;   /* AVX2 and FMA */
extern const cpu_kernels cpu_kernels_avx512; /* AVX-512 F, BW, DQ, VL */
#endif
extern const cpu_kernels
    cpu_kernels_generic; /* 4-lane vectors as the compiler has them: SSE4.1, NEON */

#endif

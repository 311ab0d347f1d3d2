/* args.h: what every kernel is told of its step, in the words of C and of OpenCL C, so that both
 * sides lay it out alike. The kernels' text begins with it. */
#ifndef NN_GPU_ARGS_H
#define NN_GPU_ARGS_H

#ifdef __OPENCL_C_VERSION__
typedef ulong gpu_u64;
#else
#include <stdint.h>
typedef uint64_t gpu_u64;
#endif

/* Work items of a group of a convolution and of what goes element by element. */
#define GPU_ITEMS 256
/* Of attention: a group has so many queries. */
#define GPU_QUERIES 64
/* Channels of a head's values that one group sums; keys that it holds at a time; the widest key. */
#define GPU_VALUES  32
#define GPU_KEYS    16
#define GPU_KEY_DIM 64
/* Of a convolution's sum, taken into local memory at a time. Packed weights are a multiple. */
#define GPU_DEPTH 16

/* Letters as in map.h. Places and pitches are in floats. */
typedef struct gpu_args {
    gpu_u64 dst_at, src_at, add_at; /* in the block */
    gpu_u64 weights_at, bias_at;    /* in the weights */
    int dst_pitch, src_pitch, add_pitch;
    int n, h, w, c;    /* what is written */
    int sh, sw, sc;    /* what is read */
    int k, stride;     /* of a window; a convolution's or a pool's */
    int oc_packed;     /* channels of packed weights, more than c where that is no whole tile */
    int silu, has_add; /* after the bias: z * sigmoid(z); then the residual */
    int heads, key_dim, head_dim;
    float scale; /* attention: of a query times a key */
} gpu_args;

#endif

/* train_kernels.h: the arithmetic that training needs beyond kernels.h, one table per instruction
 * set.
 *
 * Same rules: a function works on units [begin, end) of a whole op, so that threads can share it;
 * results never depend on how units are spread. Sums over many pixels are taken in parts that the
 * op's shape alone determines, each part by one unit, and the parts are added in order.
 * Maps are nhwc with a pitch; where a function speaks of pixels, those of all pictures in a row.
 * kernels_plain.c is the truth that the tests compare the others with. */
#ifndef NN_CPU_TRAIN_KERNELS_H
#define NN_CPU_TRAIN_KERNELS_H

#include "kernels.h"

/* Pixels of a chunk: the unit of everything that goes through maps pixel by pixel. About 64 KB of a
 * map: a chunk's second pass finds it in L2. A chunk is of one picture, so what is summed within it
 * does not depend on the batch that the picture is in, nor on the process. */
static inline size_t cpu_chunk_pixels(int c)
{
    size_t pixels = 16384 / (size_t)c;
    return pixels < 16 ? 16 : pixels;
}

static inline size_t cpu_map_pixels(const nn_map *m)
{
    return (size_t)m->n * (size_t)m->h * (size_t)m->w;
}

/* Of a picture. */
static inline size_t cpu_picture_chunks(const nn_map *m)
{
    const size_t of = cpu_chunk_pixels(m->c);
    return ((size_t)m->h * (size_t)m->w + of - 1) / of;
}

static inline size_t cpu_chunks(const nn_map *m)
{
    return (size_t)m->n * cpu_picture_chunks(m);
}

/* Pixels of a chunk; *first: of the map. */
static inline size_t cpu_chunk_count(const nn_map *m, size_t chunk, size_t *first)
{
    const size_t of = cpu_chunk_pixels(m->c), pixels = (size_t)m->h * (size_t)m->w,
                 n = cpu_picture_chunks(m), at = chunk % n * of;
    *first = chunk / n * pixels + at;
    return pixels - at < of ? pixels - at : of;
}

/* Batch normalisation with y = z * scale + shift, all (c):
 * scale = weight / std, shift = bias - mean * scale. */
typedef struct cpu_norm {
    const float *mean, *scale, *shift;
    bool silu;
} cpu_norm;

/* dz = scale * g + slope * (z - mean) + offset, with g = dy * act'(y). */
typedef struct cpu_norm_back {
    cpu_norm norm;
    const float *slope, *offset;
} cpu_norm_back;

/* The gradient of a dense convolution's weights, taken in parts: `slots` ranges of pixels, each for
 * `groups` blocks of output channels; unit = slot * groups + group. A slot's sums are
 * (k, k * ic, oc rounded up to lanes). */
typedef struct cpu_weight_sums {
    size_t slots, groups;
    size_t slot_floats;    /* of a slot's sums */
    size_t scratch_floats; /* of a thread */
    bool is_filtered;      /* Winograd's: a slot's sums are (36, ic, oc rounded up to lanes) */
} cpu_weight_sums;

typedef struct cpu_train_kernels {
    const cpu_kernels *infer; /* forward kernels of the same instruction set */

    /* infer->conv_pack for dense convolutions, shared by units (blocks of output channels) and fast
     * enough for every step. bias NULL: zeros. turned: weight is the forward convolution's, c the
     * one that takes its output's gradient to its input's (ic and oc exchanged, stride 1). */
    size_t (*pack_units)(const cpu_conv *c);
    void (*pack_run)(const cpu_conv *c, float *packed, const float *weight, const float *bias,
                     bool turned, size_t begin, size_t end);
    /* The gradient of a strided convolution's input, where strided_fits; units of the pack: 4. */
    bool (*strided_fits)(const cpu_conv *forward);
    size_t (*strided_packed_floats)(const cpu_conv *forward);
    void (*strided_pack_run)(const cpu_conv *forward, float *packed, const float *weight,
                             size_t begin, size_t end);
    size_t (*strided_units)(const nn_map *dz);
    void (*strided_run)(const cpu_conv *forward, const float *packed, const nn_map *dx,
                        const nn_map *dz, bool adds, size_t begin, size_t end);

    /* parts: (chunks, 2, c): a chunk's mean and its sum of squared distances from it. Unit: chunk.
     */
    void (*moments_run)(float *parts, const nn_map *z, size_t begin, size_t end);
    /* dst = act(z * scale + shift) [+ add]. Unit: chunk. */
    void (*norm_run)(const cpu_norm *p, const nn_map *dst, const nn_map *z, const nn_map *add,
                     size_t begin, size_t end);
    /* parts: (chunks, 2, c): a chunk's sums of g and of g * (z - mean). Unit: chunk. */
    void (*norm_sums_run)(const cpu_norm *p, float *parts, const nn_map *z, const nn_map *dy,
                          size_t begin, size_t end);
    /* z becomes dz in place. Unit: chunk. */
    void (*norm_back_run)(const cpu_norm_back *p, const nn_map *z, const nn_map *dy, size_t begin,
                          size_t end);
    /* parts: (chunks, c): sums of dy. Unit: chunk. */
    void (*sums_run)(float *parts, const nn_map *dy, size_t begin, size_t end);
    /* dst = src, or dst += src; src NULL: zeros. Unit: chunk. */
    void (*give_run)(const nn_map *dst, const nn_map *src, bool adds, size_t begin, size_t end);

    /* dx = or += the four dy of each pixel. Unit: a row of dx. */
    void (*upsample_back_run)(const nn_map *dx, const nn_map *dy, bool adds, size_t begin,
                              size_t end);
    /* dx = or += dy, with pixels to channels. Unit: a row of dx. */
    void (*shuffle_back_run)(const nn_map *dx, const nn_map *dy, bool adds, size_t begin,
                             size_t end);
    /* dx = or += dy's one pixel, divided by the pixels of dx. Unit: a row of dx. */
    void (*mean_back_run)(const nn_map *dx, const nn_map *dy, bool adds, size_t begin, size_t end);
    /* dy goes to the window's maximum, the first in row-major order; x: the pool's input.
     * Unit: 16 channels of a picture. */
    void (*maxpool_back_run)(int k, const nn_map *dx, const nn_map *x, const nn_map *dy, bool adds,
                             size_t begin, size_t end);
    /* Gradient of attention_run's src. Unit: a head of a picture; scratch per thread. */
    size_t (*attention_back_scratch_floats)(int pixels, int key_dim, int head_dim);
    void (*attention_back_run)(const nn_map *dx, const nn_map *x, const nn_map *dy, int heads,
                               int key_dim, int head_dim, float scale, bool adds, float *scratch,
                               size_t begin, size_t end);

    /* Weights' gradients. Dense: sums, then dw (O, I, k, k) += all slots; unit of the latter: 16
     * output channels. */
    cpu_weight_sums (*weight_sums)(const cpu_conv *c, const nn_map *dz);
    void (*weight_sums_run)(const cpu_conv *c, float *sums, const nn_map *dz, const nn_map *x,
                            float *scratch, size_t begin, size_t end);
    size_t (*weight_add_units)(const cpu_conv *c);
    void (*weight_add_run)(const cpu_conv *c, const cpu_weight_sums *s, float *dw,
                           const float *sums, size_t begin, size_t end);
    /* Depthwise. parts: (pictures, c, k * k). Unit: 16 channels of a picture. */
    void (*depthwise_sums_run)(const cpu_conv *c, float *parts, const nn_map *dz, const nn_map *x,
                               size_t begin, size_t end);
} cpu_train_kernels;

extern const cpu_train_kernels cpu_train_kernels_plain;
#if defined(__x86_64__)
extern const cpu_train_kernels cpu_train_kernels_avx2;
extern const cpu_train_kernels cpu_train_kernels_avx512;
#endif
extern const cpu_train_kernels cpu_train_kernels_generic;

#endif

/* train_cpu.h: what the files of the CPU's training backend share. Internal to nn/cpu. */
#ifndef NN_CPU_TRAIN_CPU_H
#define NN_CPU_TRAIN_CPU_H

#include "../train_backend.h"
#include "train_kernels.h"

typedef struct cpu_trainer {
    const cpu_train_kernels *k;
    base_pool *pool;
    const nn_train_together *together; /* NULL: alone */
} cpu_trainer;

/* ---- scratch: pieces one after another, each on its own cache line ---- */

typedef struct cpu_carve {
    float *base; /* NULL: only the sizes count */
    size_t used; /* floats */
} cpu_carve;
float *cpu_carve_take(cpu_carve *c, size_t floats);

/* Floats that the steps of a convolution carve, forward or backward, whichever is more. */
size_t cpu_conv_scratch_floats(const cpu_trainer *t, const nn_train_step *s);
void cpu_conv_forward(const cpu_trainer *t, const nn_train_step *s, float *scratch);
void cpu_conv_backward(const cpu_trainer *t, const nn_train_step *s, const nn_train_wants *wants,
                       float *scratch);
/* Batch normalisation of s's z into dst; the residual is added. */
void cpu_norm_forward(const cpu_trainer *t, const nn_train_step *s, float *scratch);
/* z becomes its gradient; the gradients of weight and bias are added where wanted. */
void cpu_norm_backward(const cpu_trainer *t, const nn_train_step *s, const nn_train_wants *wants,
                       float *scratch);
size_t cpu_norm_scratch_floats(const nn_train_step *s);
/* d_bias += sum of dy over pixels. */
void cpu_bias_backward(const cpu_trainer *t, float *d_bias, const nn_map *dy, float *scratch);
/* dst = src or dst += src; src NULL: zeros. */
void cpu_give(const cpu_trainer *t, const nn_map *dst, const nn_map *src, bool adds);

#endif

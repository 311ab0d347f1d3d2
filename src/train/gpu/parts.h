/* parts.h: what the loss and the optimizers on a device share: zeros, parts of a block, numbers
 * that come down. For this folder. */
#ifndef TRAIN_GPU_PARTS_H
#define TRAIN_GPU_PARTS_H

#include "nn/gpu/memory.h"

/* Zeros: queued. at and bytes are multiples of four. */
vg_status gpu_clear(const gpu_memory *m, const nn_device *d, size_t at, size_t bytes,
                    vg_error *err);

/* A part of n * size bytes of a block whose end so far is *end; it begins at *at, aligned. False:
 * no size_t holds it. */
bool gpu_part(size_t *at, size_t *end, size_t n, size_t size);

/* A number of gpu results (loss_args.h), of two floats. */
double gpu_result(const float *results, int which);

#endif

/* memory.h: memory on a device, counted on an account, and what is done with it. For this folder.
 */
#ifndef TRAIN_GPU_MEMORY_H
#define TRAIN_GPU_MEMORY_H

#include "nn/gpu/devices.h"

typedef struct gpu_memory {
    gpu_block block;
    void *host; /* of staging: this side's address */
    base_mem *account;
} gpu_memory;

/* bytes > 0. Errors: VG_ERR_LIMIT (the account's, or more than the device gives in one piece),
 * VG_ERR_MEMORY. */
vg_status gpu_memory_take(gpu_memory *m, const nn_device *d, size_t bytes, base_mem *account,
                          vg_error *err);
/* Pinned memory of this machine. */
vg_status gpu_memory_take_staging(gpu_memory *m, const nn_device *d, size_t bytes,
                                  base_mem *account, vg_error *err);
void gpu_memory_give(gpu_memory *m, const nn_device *d);
/* Zeros: queued. at and bytes are multiples of four. */
vg_status gpu_memory_clear(const gpu_memory *m, const nn_device *d, size_t at, size_t bytes,
                           vg_error *err);

/* A part of n * size bytes of a block whose end so far is *end; it begins at *at, aligned. False:
 * no size_t holds it. */
bool gpu_part(size_t *at, size_t *end, size_t n, size_t size);

/* A number of gpu results (loss_args.h), of two floats. */
double gpu_result(const float *results, int which);

#endif

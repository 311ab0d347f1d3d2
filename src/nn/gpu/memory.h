/* memory.h: memory on a device, counted on an account. For nn/gpu and for training on a device. */
#ifndef NN_GPU_MEMORY_H
#define NN_GPU_MEMORY_H

#include "devices.h"

/* Zero: nothing is held. */
typedef struct gpu_memory {
    gpu_block block;
    void *host; /* of staging: this side's address, 64-byte aligned */
    base_mem *account;
} gpu_memory;

/* bytes > 0. Errors: VG_ERR_LIMIT (the account's, or more than the device gives in one piece),
 * VG_ERR_MEMORY, VG_ERR_DEVICE; *m holds nothing then. */
vg_status gpu_memory_take(gpu_memory *m, const nn_device *d, size_t bytes, base_mem *account,
                          vg_error *err);
/* Pinned memory of this machine. */
vg_status gpu_memory_take_staging(gpu_memory *m, const nn_device *d, size_t bytes,
                                  base_mem *account, vg_error *err);
/* Nothing may be under way with it (gpu_host.finish): not after a failure either. */
void gpu_memory_give(gpu_memory *m, const nn_device *d);

#endif

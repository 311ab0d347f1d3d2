/* optimizer.h: train/optimizer.h's step and train/ema.h's average on a device, where values and
 * gradients lie: clip by total norm, decay by group, move, average, each in one launch over all
 * parameters.
 *
 * A step whose norm is not finite changes nothing, which the device decides by itself; the caller
 * learns it with the norm. Memory: two blocks of the device (moments and tables; the average) and a
 * little pinned memory at create; a step takes none. The numbers are the CPU's, but for the last
 * digit of the norm. One thread. */
#ifndef TRAIN_GPU_OPTIMIZER_H
#define TRAIN_GPU_OPTIMIZER_H

#include "nn/gpu/kernels/optimizer_args.h"
#include "parts.h"
#include "train/optimizer.h"

/* A parameter; places in floats. */
typedef struct gpu_tensor {
    size_t value_at, grad_at; /* grad_at: where group is not TRAIN_GROUP_NONE */
    size_t n;
    train_group group;
} gpu_tensor;

typedef struct gpu_optimizer gpu_optimizer;

/* What create takes of the device, for moments with their tables and for the average. False: more
 * than the kernels count. */
bool gpu_optimizer_bytes(size_t *state_bytes, size_t *average_bytes, const gpu_tensor *tensors,
                         size_t n_tensors, train_optimizer_kind kind);
/* Likewise on mem, and of staging. */
size_t gpu_optimizer_host_bytes(size_t n_tensors);
size_t gpu_optimizer_staging_bytes(void);
/* tensors: (n_tensors) in nn_graph_param's order; looked at in the call alone. Moments begin at 0;
 * the average is nobody's until gpu_optimizer_start. The device is borrowed until destroy. Errors:
 * VG_ERR_ARGUMENT (AUTO), VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_UNSUPPORTED (the kernels). */
vg_status gpu_optimizer_create(gpu_optimizer **out, const nn_device *d, const gpu_tensor *tensors,
                               size_t n_tensors, train_optimizer_kind kind, base_mem *on_device,
                               base_mem *staging, base_mem *mem, vg_error *err);
void gpu_optimizer_destroy(gpu_optimizer **o);

/* Makes the average a copy of the values: queued. */
vg_status gpu_optimizer_start(gpu_optimizer *o, const gpu_block *values, vg_error *err);

typedef struct gpu_step {
    gpu_rule rules[TRAIN_N_GROUPS]; /* train/optimizer.c's, without the clip */
    float unscale;                  /* of gradients that are of a scaled loss; else 1 */
    double decay;                   /* of the average: train_ema_decay */
} gpu_step;
/* Queues all of it, and the norm's way down. Gradients stay as they are. Errors: VG_ERR_DEVICE. */
vg_status gpu_optimizer_step(gpu_optimizer *o, const gpu_block *values, const gpu_block *grads,
                             const gpu_step *step, vg_error *err);
/* Of the last step, once the device has finished: the norm of unscaled gradients before clipping.
 * False: it is not finite, and nothing has changed. */
bool gpu_optimizer_result(const gpu_optimizer *o, double *norm);

typedef enum gpu_optimizer_part { GPU_MOMENT0, GPU_MOMENT1, GPU_AVERAGE } gpu_optimizer_part;
/* Where a part of tensor `index` lies: in this block, from this byte on. */
const gpu_block *gpu_optimizer_place(const gpu_optimizer *o, gpu_optimizer_part part, size_t index,
                                     size_t *at);

#endif

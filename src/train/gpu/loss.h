/* loss.h: detect/loss.h's loss on a device: the head's maps lie there, labels go up, and a few
 * numbers come down.
 *
 * Memory: two blocks of the device and one of pinned memory at create, for stated bounds; nothing
 * in run. The numbers are the same bits from run to run; they are the CPU's to about six digits,
 * and the anchors that objects choose are the CPU's where the device knows double. One thread. */
#ifndef TRAIN_GPU_LOSS_H
#define TRAIN_GPU_LOSS_H

#include "detect/detect.h"
#include "nn/gpu/kernels/loss_args.h"
#include "parts.h"

typedef struct gpu_loss gpu_loss;

/* Of the device and of pinned memory; false: the bounds are refused. n_threads is not looked at. */
bool gpu_loss_bytes(size_t *device_bytes, size_t *staging_bytes, const detect_loss_bounds *bounds,
                    int nc);
/* What create takes on mem. */
size_t gpu_loss_host_bytes(void);
/* The device is borrowed until destroy, and its kernels of the set learn are made ready. Errors:
 * VG_ERR_ARGUMENT (bounds), VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_UNSUPPORTED (the kernels). */
vg_status gpu_loss_create(gpu_loss **out, const nn_device *d, const detect_loss_bounds *bounds,
                          int nc, base_mem *on_device, base_mem *staging, base_mem *mem,
                          vg_error *err);
void gpu_loss_destroy(gpu_loss **l);

/* Where the head's maps and their gradients lie: in these blocks, places and pitches in floats. */
typedef struct gpu_loss_maps {
    const gpu_block *maps, *d_maps;
    gpu_loss_level
        level[GPU_LOSS_LEVELS]; /* but first, h, w, stride: the batch's levels say them */
} gpu_loss_maps;

/* Queues all of it: the loss, and the gradient times scale into every channel of d_maps; then the
 * numbers' way down. The addresses in batch->levels are not looked at. Errors: those of
 * detect_loss_run, VG_ERR_DEVICE. */
vg_status gpu_loss_run(gpu_loss *l, const gpu_loss_maps *maps, const detect_batch *batch,
                       const detect_loss_gains *gains, float scale, vg_error *err);
/* Of the last run, once the device has finished. */
detect_loss_value gpu_loss_value(const gpu_loss *l);

/* Of the last run, for who wants to look: (batch, n_anchors) the anchor's object among the
 * picture's own, -1: background; and its target score. Waits for the device. */
vg_status gpu_loss_targets(gpu_loss *l, int32_t *truth_index, float *weight, vg_error *err);

#endif

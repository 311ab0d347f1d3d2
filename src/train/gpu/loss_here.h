/* loss_here.h: the loss of a network in training on a device, computed on the CPU: of the kinds
 * that the device has no kernels for. Heads' maps come down, their gradients go up; between them
 * the device waits. */
#ifndef TRAIN_GPU_LOSS_HERE_H
#define TRAIN_GPU_LOSS_HERE_H

#include "train/engine.h"

typedef struct loss_here loss_here;

/* Of l: its loss, pool and map_floats; the pool is borrowed until destroy. Errors: those of
 * detect_loss_create. */
vg_status loss_here_create(loss_here **out, const train_engine_learning *l, base_mem *mem,
                           vg_error *err);
void loss_here_destroy(loss_here **l);
/* What create takes; 0 where the bounds are refused. */
size_t loss_here_bytes(const train_engine_learning *l);

/* After nn_train_forward of the batch: its loss, and the gradient times scale in every channel of
 * the heads' gradients. Errors: those of detect_loss_run, and the device's. */
vg_status loss_here_run(loss_here *l, nn_train *net, const train_engine_batch *b, int nc,
                        const detect_loss_gains *gains, float scale, detect_loss_value *out,
                        vg_error *err);

#endif

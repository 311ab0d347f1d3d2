/* checkpoint_format.h: one file, written and read; which file is checkpoint.c's matter. For this
 * folder. */
#ifndef TRAIN_CHECKPOINT_FORMAT_H
#define TRAIN_CHECKPOINT_FORMAT_H

#include "checkpoint.h"

/* The tensors of a parameter are its key behind a prefix. */
enum { CHECKPOINT_NAME_BYTES = NN_KEY_BYTES + 16 };
typedef struct checkpoint_moment {
    const char *prefix;
    train_set set;
} checkpoint_moment;
extern const checkpoint_moment checkpoint_moments[2];
/* Whether weights, moments and gradients lie on a device. */
bool checkpoint_is_far(const train_state *s);
bool checkpoint_has_moment(const train_state *s, int moment, size_t index);

/* Writes path, by a temporary file, fsync and rename. */
vg_status checkpoint_write(const train_state *s, const train_args *args, const train_facts *facts,
                           const char *path, base_mem *mem, vg_error *err);

/* What the metadata say. */
typedef struct checkpoint_values {
    train_position position;
    train_best best;
    base_rng rng;
    train_optimizer_kind optimizer;
    int64_t optimizer_steps, ema_updates;
    train_scaler scaler; /* of the gradients, where there are any */
} checkpoint_values;

/* Checks every byte that means something, then reads values and args. VG_ERR_ARGUMENT: weights that
 * are no checkpoint; VG_ERR_FORMAT, VG_ERR_UNSUPPORTED; VG_ERR_MEMORY. */
vg_status checkpoint_verify(checkpoint_values *values, train_args *args, const weights_file *f,
                            const char *path, base_mem *mem, vg_error *err);

/* Tensors and values into the state: all or nothing, but for a device that fails. */
vg_status checkpoint_apply(train_state *s, const checkpoint_values *values, const weights_file *f,
                           const char *path, vg_error *err);

#endif

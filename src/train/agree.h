/* agree.h: that ranks are at the same thing before the first step, and begin from the same numbers.
 * For this folder. */
#ifndef TRAIN_AGREE_H
#define TRAIN_AGREE_H

#include "run_parts.h"

/* Compares arguments, network, dataset and kernels with rank 0's. Errors, on all ranks:
 * VG_ERR_ARGUMENT, which names the first rank that differs, and in what. */
vg_status agree_check(train_run *r, vg_error *err);
/* A resumed run's arguments are those of rank 0's checkpoint. */
vg_status agree_args(train_run *r, vg_error *err);
/* Parameters, the optimizer's state and where the run stands: rank 0's. */
vg_status agree_state(train_run *r, vg_error *err);
/* The average of all ranks becomes rank 0's, which is that of the checkpoint. */
vg_status agree_average(train_run *r, vg_error *err);
/* The average of the others becomes these weights, which rank 0 has opened (NULL on the others). */
vg_status agree_weights(train_run *r, const weights_file *weights, vg_error *err);
/* That all ranks still have the same parameters. Errors, on all ranks: VG_ERR_SYSTEM. */
vg_status agree_values(train_run *r, vg_error *err);

#endif

/* train_table.inc.h: the training table of one instruction set. Its file sets TRAIN_TABLE and
 * TRAIN_INFER, includes its simd_*.h, and then this. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "train_kernels.h"

#include "train_attention.inc.h"
#include "train_norm.inc.h"
#include "train_pool.inc.h"
#include "train_weights.inc.h"

const cpu_train_kernels TRAIN_TABLE = {
    .infer = &TRAIN_INFER,
    .moments_run = moments_run,
    .norm_run = norm_run,
    .norm_sums_run = norm_sums_run,
    .norm_back_run = norm_back_run,
    .sums_run = sums_run,
    .give_run = give_run,
    .upsample_back_run = upsample_back_run,
    .maxpool_back_run = maxpool_back_run,
    .attention_back_scratch_floats = attention_back_scratch_floats,
    .attention_back_run = attention_back_run,
    .weight_sums = weight_sums,
    .weight_sums_run = weight_sums_run,
    .weight_add_units = weight_add_units,
    .weight_add_run = weight_add_run,
    .depthwise_sums_run = depthwise_sums_run,
};

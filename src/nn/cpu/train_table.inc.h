/* train_table.inc.h: the training table of one instruction set. Its file sets TRAIN_TABLE and
 * includes this behind kernels_table.inc.h, whose vectors and register tiles it shares. */
#include <stdint.h>
#include <string.h>

#include "train_kernels.h"

#include "attention/backward.inc.h"
#include "conv/pack.inc.h"
#include "conv/weights.inc.h"
#include "norm/norm.inc.h"
#include "pool/backward.inc.h"

#include "conv/winograd_weights.inc.h"

const cpu_train_kernels TRAIN_TABLE = {
    .infer = &KERNELS_TABLE,
    .pack_units = pack_units,
    .pack_run = pack_run,
    .strided_fits = phases_fit,
    .strided_packed_floats = phases_packed_floats,
    .strided_pack_run = phases_pack,
    .strided_units = phases_units,
    .strided_run = phases_run,
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

/* table.inc.h: the tables of one instruction set, for forward and for training. Its file sets
 * KERNELS_TABLE, KERNELS_NAME and TRAIN_TABLE, includes its header of simd/, and then this. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "train_kernels.h"

/* Each builds on those above it. */
/* clang-format off */
#include "simd/act.inc.h"
#include "simd/peak.inc.h"
#include "conv/direct.inc.h"
#include "conv/winograd.inc.h"
#include "conv/depthwise.inc.h"
#include "pool/forward.inc.h"
#include "attention/forward.inc.h"

#include "attention/backward.inc.h"
#include "norm/norm.inc.h"
#include "conv/pack.inc.h"
#include "pool/backward.inc.h"
#include "conv/weights.inc.h"
#include "conv/winograd_weights.inc.h"
/* clang-format on */

static size_t conv_packed_floats(const cpu_conv *c)
{
    return c->groups == 1 ? conv_packed_floats_dense(c) : conv_packed_floats_depthwise(c);
}

static void conv_pack(const cpu_conv *c, float *packed, const float *weight, const float *bias)
{
    if (wino_fits(c))
        wino_pack(c, packed, weight, bias);
    else if (c->groups == 1)
        conv_pack_dense(c, packed, weight, bias);
    else
        conv_pack_depthwise(c, packed, weight, bias);
}

static size_t conv_units(const cpu_conv *c, const nn_map *dst)
{
    return wino_fits(c)     ? wino_units(c, dst)
           : c->groups == 1 ? conv_units_dense(c, dst)
                            : conv_units_depthwise(c, dst);
}

static size_t conv_scratch_floats(const cpu_conv *c)
{
    return wino_fits(c) ? wino_scratch_floats(c) : 0;
}

static void conv_run(const cpu_conv *c, const float *packed, const nn_map *dst, const nn_map *src,
                     const nn_map *add, float *scratch, size_t begin, size_t end)
{
    if (wino_fits(c))
        wino_run(c, packed, dst, src, add, scratch, begin, end);
    else if (c->groups == 1)
        conv_run_dense(c, packed, dst, src, add, begin, end);
    else
        conv_run_depthwise(c, packed, dst, src, add, begin, end);
}

static const char *conv_name(const cpu_conv *c)
{
    return wino_fits(c) ? "winograd" : c->groups == 1 ? "direct" : "depthwise";
}

const cpu_kernels KERNELS_TABLE = {
    .name = KERNELS_NAME,
    .conv_packed_floats = conv_packed_floats,
    .conv_pack = conv_pack,
    .conv_units = conv_units,
    .conv_scratch_floats = conv_scratch_floats,
    .conv_run = conv_run,
    .conv_name = conv_name,
    .peak_run = peak_run,
    .maxpool_units = maxpool_units,
    .maxpool_run = maxpool_run,
    .upsample_run = upsample_run,
    .shuffle_run = shuffle_run,
    .mean_run = mean_run,
    .copy_run = copy_run,
    .add_run = add_run,
    .attention_units = attention_units,
    .attention_scratch_floats = attention_scratch_floats,
    .attention_run = attention_run,
};

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
    .shuffle_back_run = shuffle_back_run,
    .mean_back_run = mean_back_run,
    .maxpool_back_run = maxpool_back_run,
    .attention_back_scratch_floats = attention_back_scratch_floats,
    .attention_back_run = attention_back_run,
    .weight_sums = weight_sums,
    .weight_sums_run = weight_sums_run,
    .weight_add_units = weight_add_units,
    .weight_add_run = weight_add_run,
    .depthwise_sums_run = depthwise_sums_run,
};

/* kernels_plain.c: the truth. Every op as its definition reads, sums in double, no tricks: the
 * tests hold the other tables against it, and who ports vigil to a new machine begins here. Slow.
 */
#include <math.h>
#include <string.h>

#include "train_kernels.h"

static size_t rows_of(const nn_map *dst)
{
    return (size_t)dst->n * (size_t)dst->h;
}

static float *pixel(const nn_map *m, size_t p)
{
    return m->data + p * m->pitch;
}

static float *pixel_at(const nn_map *m, int i, int y, int x)
{
    return nn_map_row(m, i, y) + (size_t)x * m->pitch;
}

/* Pixels [*first, return) of a chunk. */
static size_t chunk_end(const nn_map *m, size_t chunk, size_t *first)
{
    const size_t n = cpu_chunk_count(m, chunk, first);
    return *first + n;
}

#include "attention/plain.inc.h"
#include "conv/plain.inc.h"
#include "norm/plain.inc.h"
#include "pool/plain.inc.h"

static const char *conv_name(const cpu_conv *c)
{
    (void)c;
    return "plain";
}

/* One number at a time, in double, as the sums here are. */
static double peak_run(size_t rounds, float *out)
{
    double sum[CPU_PEAK_CHAINS];
    const double a = 1.0 - (double)*out * 1e-9, b = (double)*out * 1e-9;
    for (int k = 0; k < CPU_PEAK_CHAINS; k++)
        sum[k] = k + 1;
    for (size_t r = 0; r < rounds; r++)
        for (int k = 0; k < CPU_PEAK_CHAINS; k++)
            sum[k] = sum[k] * a + b;
    for (int k = 1; k < CPU_PEAK_CHAINS; k++)
        sum[0] += sum[k];
    *out = sum[0] > 0.0 ? 1.0F : 0.0F;
    return 2.0 * CPU_PEAK_CHAINS * (double)rounds;
}

const cpu_kernels cpu_kernels_plain = {
    .name = "plain",
    .conv_packed_floats = conv_packed_floats,
    .conv_pack = conv_pack,
    .conv_units = conv_units,
    .conv_scratch_floats = conv_scratch_floats,
    .conv_run = conv_run,
    .conv_name = conv_name,
    .peak_run = peak_run,
    .maxpool_units = rows_of,
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

const cpu_train_kernels cpu_train_kernels_plain = {
    .infer = &cpu_kernels_plain,
    .pack_units = pack_units,
    .pack_run = pack_run,
    .strided_fits = strided_fits,
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

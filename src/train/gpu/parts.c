/* parts.c: what the loss and the optimizers on a device share. */
#include "parts.h"

#include "nn/gpu/kernels/optimizer_args.h"

vg_status gpu_clear(const gpu_memory *m, const nn_device *d, size_t at, size_t bytes, vg_error *err)
{
    const size_t group = (size_t)GPU_ITEMS * GPU_CLEAR_EACH;
    const gpu_clear_args args = {.at = at / sizeof(float), .n = bytes / sizeof(float)};
    const gpu_launch l = {.kernel = GPU_learn_clear,
                          .groups = {(unsigned)((args.n + group - 1) / group), 1, 1},
                          .items = GPU_ITEMS,
                          .n_buffers = 1,
                          .buffers = {&m->block},
                          .args = &args,
                          .args_bytes = sizeof args};
    return args.n > 0 ? d->host->launch(d->driver, &l, err) : VG_OK;
}

bool gpu_part(size_t *at, size_t *end, size_t n, size_t size)
{
    size_t bytes;
    *at = *end;
    return base_mul_size(&bytes, n, size) && bytes <= SIZE_MAX / 4 &&
           base_add_size(end, *end, base_round_up(bytes, BASE_MEM_ALIGN)) && *end <= SIZE_MAX / 4;
}

double gpu_result(const float *results, int which)
{
    return (double)results[2 * which] + (double)results[2 * which + 1];
}

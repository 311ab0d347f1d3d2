/* memory.c: blocks of a device with their accounts. */
#include "memory.h"

#include "nn/gpu/faults.h"
#include "nn/gpu/kernels/optimizer_args.h"

static vg_status take(gpu_memory *m, const nn_device *d, size_t bytes, bool is_staging,
                      base_mem *account, vg_error *err)
{
    *m = (gpu_memory){0};
    vg_status st = base_mem_count(account, bytes, err);
    if (st != VG_OK)
        return st;
    st = is_staging ? d->host->take_staging(d->driver, &m->block, &m->host, bytes, err)
                    : d->host->take(d->driver, &m->block, bytes, err);
    if (st != VG_OK) {
        base_mem_uncount(account, bytes);
        *m = (gpu_memory){0};
        return st;
    }
    m->account = account;
    return VG_OK;
}

vg_status gpu_memory_take(gpu_memory *m, const nn_device *d, size_t bytes, base_mem *account,
                          vg_error *err)
{
    *m = (gpu_memory){0};
    const vg_status st = gpu_block_check(nn_device_facts(d), bytes, err);
    return st == VG_OK ? take(m, d, bytes, false, account, err) : st;
}

vg_status gpu_memory_take_staging(gpu_memory *m, const nn_device *d, size_t bytes,
                                  base_mem *account, vg_error *err)
{
    return take(m, d, bytes, true, account, err);
}

void gpu_memory_give(gpu_memory *m, const nn_device *d)
{
    const size_t bytes = m->block.bytes;
    if (m->account == NULL)
        return;
    d->host->finish(d->driver, NULL); /* after a failure, work may be under way */
    if (m->host != NULL)
        d->host->give_staging(d->driver, &m->block, &m->host);
    else
        d->host->give(d->driver, &m->block);
    base_mem_uncount(m->account, bytes);
    *m = (gpu_memory){0};
}

vg_status gpu_memory_clear(const gpu_memory *m, const nn_device *d, size_t at, size_t bytes,
                           vg_error *err)
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

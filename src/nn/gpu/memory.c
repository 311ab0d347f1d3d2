/* memory.c: blocks of a device with their accounts. */
#include "memory.h"

#include "faults.h"

static vg_status take(gpu_memory *m, const nn_device *d, size_t bytes, bool is_staging,
                      base_mem *account, vg_error *err)
{
    *m = (gpu_memory){0};
    vg_status st = gpu_block_check(nn_device_facts(d), bytes, err);
    if (st == VG_OK)
        st = base_mem_count(account, bytes, err);
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
    return take(m, d, bytes, false, account, err);
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
    if (m->host != NULL)
        d->host->give_staging(d->driver, &m->block, &m->host);
    else
        d->host->give(d->driver, &m->block);
    base_mem_uncount(m->account, bytes);
    *m = (gpu_memory){0};
}

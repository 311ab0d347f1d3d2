/* train_gpu.c: the GPU's training backend: four blocks on the device, and steps as launches
 * (train_steps.c). */
#include "../train_backend.h"
#include "devices.h"
#include "faults.h"
#include "train_steps.h"

typedef struct context {
    const gpu_host *host;
    void *driver;
    const vg_device *facts;
    bool is_half;
    gpu_block blocks[NN_N_TRAIN_MEMORIES], staging;
    base_mem *accounts[NN_N_TRAIN_MEMORIES], *staging_account;
    void *staging_host;
} context;

/* ---- memory ---- */

static vg_status gpu_take(void *self, nn_train_memory which, size_t bytes, base_mem *mem,
                          vg_error *err)
{
    context *c = self;
    vg_status st = gpu_block_check(c->facts, bytes, err);
    if (st == VG_OK)
        st = base_mem_count(mem, bytes, err);
    if (st != VG_OK)
        return st;
    st = c->host->take(c->driver, &c->blocks[which], bytes, err);
    if (st != VG_OK) {
        base_mem_uncount(mem, bytes);
        c->blocks[which] = (gpu_block){0};
        return st;
    }
    c->accounts[which] = mem;
    return VG_OK;
}

static void gpu_give(void *self, nn_train_memory which)
{
    context *c = self;
    const size_t bytes = c->blocks[which].bytes;
    if (!c->blocks[which].handle)
        return;
    c->host->give(c->driver, &c->blocks[which]);
    base_mem_uncount(c->accounts[which], bytes);
}

static vg_status gpu_take_staging(void *self, void **host, size_t bytes, base_mem *mem,
                                  vg_error *err)
{
    context *c = self;
    *host = NULL;
    vg_status st = base_mem_count(mem, bytes, err);
    if (st != VG_OK)
        return st;
    st = c->host->take_staging(c->driver, &c->staging, &c->staging_host, bytes, err);
    if (st != VG_OK) {
        base_mem_uncount(mem, bytes);
        c->staging = (gpu_block){0};
        return st;
    }
    c->staging_account = mem;
    *host = c->staging_host;
    return VG_OK;
}

static void gpu_give_staging(void *self)
{
    context *c = self;
    const size_t bytes = c->staging.bytes;
    if (!c->staging.handle)
        return;
    c->host->give_staging(c->driver, &c->staging, &c->staging_host);
    base_mem_uncount(c->staging_account, bytes);
}

static vg_status gpu_upload(void *self, nn_train_memory to, size_t at, const void *host,
                            size_t bytes, vg_error *err)
{
    context *c = self;
    return c->host->upload(c->driver, &c->blocks[to], at, host, bytes, err);
}

static vg_status gpu_download(void *self, void *host, nn_train_memory from, size_t at, size_t bytes,
                              vg_error *err)
{
    context *c = self;
    return c->host->download(c->driver, host, &c->blocks[from], at, bytes, err);
}

static vg_status gpu_finish(void *self, vg_error *err)
{
    context *c = self;
    return c->host->finish(c->driver, err);
}

static const gpu_block *gpu_buffer(const void *self, nn_train_memory which)
{
    return &((const context *)self)->blocks[which];
}

/* ---- life ---- */

static void gpu_destroy(void **self)
{
    context *c = *self;
    if (c && c->staging.handle)
        c->host->finish(c->driver, NULL); /* after a failure, work may be under way */
    for (int i = 0; c && i < NN_N_TRAIN_MEMORIES; i++)
        gpu_give(c, (nn_train_memory)i);
    if (c)
        gpu_give_staging(c);
    base_free(c);
    *self = NULL;
}

static vg_status gpu_create(void **out, const nn_backend_options *o, base_mem *mem, vg_error *err)
{
    context *c = base_alloc_zero(mem, 1, sizeof *c, err);
    *out = c;
    if (!c)
        return VG_ERR_MEMORY;
    *c = (context){.host = o->device->host,
                   .driver = o->device->driver,
                   .facts = nn_device_facts(o->device),
                   .is_half = o->half};
    vg_status st = c->host->program(c->driver, c->is_half ? GPU_INFER_HALF : GPU_INFER, mem, err);
    if (st == VG_OK)
        st = c->host->program(c->driver, c->is_half ? GPU_TRAIN_HALF : GPU_TRAIN, mem, err);
    if (st != VG_OK)
        gpu_destroy(out);
    return st;
}

static const char *gpu_isa(const void *self)
{
    return ((const context *)self)->facts->name;
}

/* ---- steps ---- */

static gpu_train_on on_of(const context *c)
{
    return (gpu_train_on){
        .host = c->host, .driver = c->driver, .blocks = c->blocks, .is_half = c->is_half};
}

static size_t gpu_scratch_bytes(const void *self, const nn_train_step *s)
{
    (void)self;
    return gpu_train_scratch_floats(s) * sizeof(float);
}

static vg_status gpu_check(const void *self, const nn_train_step *s, vg_error *err)
{
    (void)self;
    return gpu_train_check(s, err);
}

static vg_status gpu_forward(void *self, const nn_train_step *s, void *scratch, vg_error *err)
{
    const gpu_train_on on = on_of(self);
    (void)scratch;
    return gpu_train_forward(&on, s, err);
}

static vg_status gpu_backward(void *self, const nn_train_step *s, const nn_train_wants *wants,
                              void *scratch, vg_error *err)
{
    const gpu_train_on on = on_of(self);
    (void)scratch;
    return gpu_train_backward(&on, s, wants, err);
}

static vg_status gpu_zero(void *self, const nn_map *map, size_t at, vg_error *err)
{
    const gpu_train_on on = on_of(self);
    return gpu_train_zero(&on, NN_TRAIN_BLOCK, map, at, err);
}

static vg_status gpu_clear(void *self, nn_train_memory which, size_t at, size_t bytes,
                           vg_error *err)
{
    const gpu_train_on on = on_of(self);
    /* As a map of so many channels: a zero has the same bits, whatever it is of. */
    const int line = (int)(BASE_MEM_ALIGN / gpu_train_element_bytes(&on));
    const nn_map map = {
        .pitch = (size_t)line, .n = 1, .h = 1, .w = (int)(bytes / BASE_MEM_ALIGN), .c = line};
    return gpu_train_zero(&on, which, &map, at, err);
}

static const nn_train_remote remote = {.take = gpu_take,
                                       .give = gpu_give,
                                       .take_staging = gpu_take_staging,
                                       .give_staging = gpu_give_staging,
                                       .upload = gpu_upload,
                                       .download = gpu_download,
                                       .clear = gpu_clear,
                                       .finish = gpu_finish,
                                       .buffer = gpu_buffer};

const nn_train_backend nn_train_backend_gpu = {.name = "gpu",
                                               .create = gpu_create,
                                               .destroy = gpu_destroy,
                                               .isa = gpu_isa,
                                               .scratch_bytes = gpu_scratch_bytes,
                                               .check = gpu_check,
                                               .forward = gpu_forward,
                                               .backward = gpu_backward,
                                               .zero = gpu_zero,
                                               .remote = &remote};

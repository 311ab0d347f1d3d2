/* train_gpu.c: the GPU's training backend: four blocks on the device, and steps as launches
 * (train_steps.c). */
#include "../train_backend.h"
#include "memory.h"
#include "train_steps.h"

typedef struct context {
    const nn_device *device;
    const gpu_host *host; /* the device's, with its driver */
    void *driver;
    bool is_half;
    gpu_memory memories[NN_N_TRAIN_MEMORIES], staging;
} context;

/* ---- memory ---- */

static vg_status gpu_take(void *self, nn_train_memory which, size_t bytes, base_mem *mem,
                          vg_error *err)
{
    context *c = self;
    return gpu_memory_take(&c->memories[which], c->device, bytes, mem, err);
}

static void gpu_give(void *self, nn_train_memory which)
{
    context *c = self;
    gpu_memory_give(&c->memories[which], c->device);
}

static vg_status gpu_take_staging(void *self, void **host, size_t bytes, base_mem *mem,
                                  vg_error *err)
{
    context *c = self;
    const vg_status st = gpu_memory_take_staging(&c->staging, c->device, bytes, mem, err);
    *host = c->staging.host;
    return st;
}

static void gpu_give_staging(void *self)
{
    context *c = self;
    gpu_memory_give(&c->staging, c->device);
}

static vg_status gpu_upload(void *self, nn_train_memory to, size_t at, const void *host,
                            size_t bytes, vg_error *err)
{
    context *c = self;
    return c->host->upload(c->driver, &c->memories[to].block, at, host, bytes, err);
}

static vg_status gpu_download(void *self, void *host, nn_train_memory from, size_t at, size_t bytes,
                              vg_error *err)
{
    context *c = self;
    return c->host->download(c->driver, host, &c->memories[from].block, at, bytes, err);
}

static vg_status gpu_finish(void *self, vg_error *err)
{
    context *c = self;
    return c->host->finish(c->driver, err);
}

static const gpu_block *gpu_buffer(const void *self, nn_train_memory which)
{
    return &((const context *)self)->memories[which].block;
}

/* ---- life ---- */

static void gpu_destroy(void **self)
{
    context *c = *self;
    if (c && c->staging.host)
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
    *c = (context){.device = o->device,
                   .host = o->device->host,
                   .driver = o->device->driver,
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
    return nn_device_facts(((const context *)self)->device)->name;
}

/* ---- steps ---- */

static gpu_train_on on_of(const context *c)
{
    return (gpu_train_on){
        .host = c->host, .driver = c->driver, .memories = c->memories, .is_half = c->is_half};
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

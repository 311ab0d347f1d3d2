/* backend_gpu.c: the GPU backend: a step is a launch of one kernel.
 *
 * Weights are one block on the device and everything else another: activations by lifetime and the
 * input. There is no scratch: attention keeps its sums in registers. The order of a sum is the
 * kernel's alone, as on the CPU, so a picture's result does not depend on the batch it is in. */
#include <string.h>

#include "../backend.h"
#include "devices.h"
#include "steps.h"

typedef struct context {
    const gpu_host *host;
    void *driver;
    const vg_device *facts;
    gpu_block blocks[NN_N_REMOTE_MEMORIES];
    base_mem *accounts[NN_N_REMOTE_MEMORIES];
    void *staging;
} context;

static vg_status gpu_create(void **out, const nn_backend_options *o, base_mem *mem, vg_error *err)
{
    context *c = base_alloc_zero(mem, 1, sizeof *c, err);
    *out = c;
    if (!c)
        return VG_ERR_MEMORY;
    *c = (context){
        .host = o->device->host, .driver = o->device->driver, .facts = nn_device_facts(o->device)};
    return VG_OK;
}

static void gpu_give(void *self, nn_remote_memory which)
{
    context *c = self;
    gpu_block *b = &c->blocks[which];
    const size_t bytes = b->bytes;
    if (!b->handle)
        return;
    if (which == NN_REMOTE_STAGING)
        c->host->give_staging(c->driver, b, &c->staging);
    else
        c->host->give(c->driver, b);
    base_mem_uncount(c->accounts[which], bytes);
}

static void gpu_destroy(void **self)
{
    context *c = *self;
    for (int i = 0; c && i < NN_N_REMOTE_MEMORIES; i++)
        gpu_give(c, (nn_remote_memory)i);
    base_free(c);
    *self = NULL;
}

static const char *gpu_isa(const void *self)
{
    return ((const context *)self)->facts->name;
}

/* None of the program's compute. */
static int gpu_threads(const void *self)
{
    (void)self;
    return 0;
}

/* ---- memory ---- */

static vg_status check_block(const context *c, size_t bytes, vg_error *err)
{
    char asked[32], most[32];
    if (c->facts->most_block_bytes == 0 || bytes <= c->facts->most_block_bytes)
        return VG_OK;
    return base_fail(err, VG_ERR_LIMIT, base_where("device %s", c->facts->name),
                     "take a smaller batch, imgsz or model, or --device cpu",
                     "a block of %s, and the device gives %s at most in one piece",
                     base_format_bytes(asked, sizeof asked, (double)bytes),
                     base_format_bytes(most, sizeof most, (double)c->facts->most_block_bytes));
}

static vg_status gpu_take(void *self, nn_remote_memory which, void **host, size_t bytes,
                          base_mem *mem, vg_error *err)
{
    context *c = self;
    gpu_block *b = &c->blocks[which];
    *host = NULL;
    vg_status st = check_block(c, bytes, err);
    if (st == VG_OK)
        st = base_mem_count(mem, bytes, err);
    if (st != VG_OK)
        return st;
    st = which == NN_REMOTE_STAGING ? c->host->take_staging(c->driver, b, &c->staging, bytes, err)
                                    : c->host->take(c->driver, b, bytes, err);
    if (st != VG_OK) {
        base_mem_uncount(mem, bytes);
        *b = (gpu_block){0};
        return st;
    }
    c->accounts[which] = mem;
    if (which == NN_REMOTE_STAGING)
        *host = c->staging;
    return VG_OK;
}

static vg_status gpu_upload(void *self, nn_remote_memory to, size_t at, const void *host,
                            size_t bytes, vg_error *err)
{
    context *c = self;
    return c->host->upload(c->driver, &c->blocks[to], at, host, bytes, err);
}

static vg_status gpu_download(void *self, void *host, size_t at, size_t bytes, vg_error *err)
{
    context *c = self;
    return c->host->download(c->driver, host, &c->blocks[NN_REMOTE_BLOCK], at, bytes, err);
}

static vg_status gpu_finish(void *self, vg_error *err)
{
    context *c = self;
    return c->host->finish(c->driver, err);
}

/* ---- weights ---- */

static size_t gpu_weights_bytes(const void *self, const nn_conv_spec *spec)
{
    (void)self;
    return gpu_weights_floats(spec) * sizeof(float);
}

static void gpu_weights_pack(const void *self, const nn_conv_spec *spec, void *packed,
                             const float *weight, const float *bias)
{
    (void)self;
    gpu_weights_lay(spec, packed, weight, bias);
}

/* ---- steps ---- */

static vg_status gpu_prepare(void *self, nn_step *step, base_mem *mem, vg_error *err)
{
    (void)self, (void)mem; /* a launch is made of a step when it starts: nothing is kept */
    return gpu_step_check(step, err);
}

static void gpu_release(void *self, nn_step *step)
{
    (void)self, (void)step;
}

static size_t gpu_scratch_bytes(const void *self, const nn_step *step)
{
    (void)self, (void)step;
    return 0;
}

static vg_status gpu_run(void *self, const nn_step *step, void *scratch, vg_error *err)
{
    context *c = self;
    gpu_launch l;
    (void)scratch;
    gpu_step_launch(&l, step);
    return c->host->launch(c->driver, &l, &c->blocks[NN_REMOTE_BLOCK],
                           &c->blocks[NN_REMOTE_WEIGHTS], err);
}

static const char *gpu_kernel_of(const void *self, const nn_step *step)
{
    gpu_launch l;
    (void)self;
    gpu_step_launch(&l, step);
    return gpu_kernel_names[l.kernel];
}

static const nn_remote remote = {.take = gpu_take,
                                 .give = gpu_give,
                                 .upload = gpu_upload,
                                 .download = gpu_download,
                                 .finish = gpu_finish};

const nn_backend nn_backend_gpu = {.name = "gpu",
                                   .create = gpu_create,
                                   .destroy = gpu_destroy,
                                   .isa = gpu_isa,
                                   .threads = gpu_threads,
                                   .weights_bytes = gpu_weights_bytes,
                                   .weights_pack = gpu_weights_pack,
                                   .prepare = gpu_prepare,
                                   .release = gpu_release,
                                   .scratch_bytes = gpu_scratch_bytes,
                                   .run = gpu_run,
                                   .kernel = gpu_kernel_of,
                                   .remote = &remote};

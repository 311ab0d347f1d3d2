/* backend_gpu.c: the GPU backend: a step is a launch of one kernel.
 *
 * Weights are one block on the device and everything else another: activations by lifetime and the
 * input. There is no scratch: attention keeps its sums in registers. The order of a sum is the
 * kernel's alone, as on the CPU, so a picture's result does not depend on the batch it is in. */
#include <string.h>

#include "../backend.h"
#include "ends.h"
#include "memory.h"
#include "steps.h"

typedef struct context {
    const nn_device *device;
    const gpu_host *host; /* the device's, with its driver */
    void *driver;
    gpu_memory memories[NN_N_REMOTE_MEMORIES];
    gpu_form form;
} context;

/* A block that was lent has no account: it is another's, and only forgotten. */
static void gpu_give(void *self, nn_remote_memory which)
{
    context *c = self;
    gpu_memory_give(&c->memories[which], c->device);
    c->memories[which] = (gpu_memory){0};
}

static void gpu_destroy(void **self)
{
    context *c = *self;
    for (int i = 0; c && i < NN_N_REMOTE_MEMORIES; i++)
        gpu_give(c, (nn_remote_memory)i);
    base_free(c);
    *self = NULL;
}

static vg_status gpu_create(void **out, const nn_backend_options *o, base_mem *mem, vg_error *err)
{
    context *c = base_alloc_zero(mem, 1, sizeof *c, err);
    *out = c;
    if (!c)
        return VG_ERR_MEMORY;
    *c = (context){.device = o->device, .host = o->device->host, .driver = o->device->driver};
    c->form = (gpu_form){.is_half = o->half,
                         .has_matrix = o->half && (o->gpu_matrix || c->host->has_matrix(c->driver)),
                         .n_units =
                             o->gpu_units > 0 ? o->gpu_units : nn_device_facts(o->device)->n_units};
    const vg_status st =
        c->host->program(c->driver, o->half ? GPU_INFER_HALF : GPU_INFER, mem, err);
    if (st != VG_OK)
        gpu_destroy(out);
    return st;
}

static const char *gpu_isa(const void *self)
{
    return nn_device_facts(((const context *)self)->device)->name;
}

/* None of the program's compute. */
static int gpu_threads(const void *self)
{
    (void)self;
    return 0;
}

/* ---- memory ---- */

static vg_status gpu_take(void *self, nn_remote_memory which, void **host, size_t bytes,
                          base_mem *mem, vg_error *err)
{
    context *c = self;
    gpu_memory *m = &c->memories[which];
    const vg_status st = (which == NN_REMOTE_STAGING ? gpu_memory_take_staging : gpu_memory_take)(
        m, c->device, bytes, mem, err);
    *host = m->host;
    return st;
}

static vg_status gpu_upload(void *self, nn_remote_memory to, size_t at, const void *host,
                            size_t bytes, vg_error *err)
{
    context *c = self;
    return c->host->upload(c->driver, &c->memories[to].block, at, host, bytes, err);
}

static vg_status gpu_download(void *self, void *host, size_t at, size_t bytes, vg_error *err)
{
    context *c = self;
    return c->host->download(c->driver, host, &c->memories[NN_REMOTE_BLOCK].block, at, bytes, err);
}

static vg_status gpu_finish(void *self, vg_error *err)
{
    context *c = self;
    return c->host->finish(c->driver, err);
}

static void gpu_lend(void *self, const void *block)
{
    context *c = self;
    gpu_give(c, NN_REMOTE_BLOCK);
    c->memories[NN_REMOTE_BLOCK].block = *(const gpu_block *)block;
}

/* ---- batches that overlap ---- */

/* Three of each slot. */
enum { SENT, DONE, FETCHED, N_MARKS };
_Static_assert(N_MARKS *NN_MOST_PENDING <= GPU_N_MARKS, "every slot has its marks");

static int mark_of(int slot, int which)
{
    return slot * N_MARKS + which;
}

static vg_status gpu_send(void *self, int slot, size_t at, const void *host, size_t bytes,
                          vg_error *err)
{
    context *c = self;
    vg_status st = c->host->upload_beside(c->driver, &c->memories[NN_REMOTE_BLOCK].block, at, host,
                                          bytes, err);
    if (st == VG_OK)
        st = c->host->mark(c->driver, GPU_UP, mark_of(slot, SENT), err);
    return st == VG_OK ? c->host->follow(c->driver, GPU_WORK, mark_of(slot, SENT), err) : st;
}

static vg_status gpu_fetch_rest(void *self, int slot, void *host, size_t at, size_t bytes,
                                vg_error *err)
{
    context *c = self;
    const vg_status st = c->host->download_beside(
        c->driver, host, &c->memories[NN_REMOTE_BLOCK].block, at, bytes, err);
    return st == VG_OK ? c->host->mark(c->driver, GPU_DOWN, mark_of(slot, FETCHED), err) : st;
}

static vg_status gpu_fetch(void *self, int slot, void *host, size_t at, size_t bytes, vg_error *err)
{
    context *c = self;
    vg_status st = c->host->mark(c->driver, GPU_WORK, mark_of(slot, DONE), err);
    if (st == VG_OK)
        st = c->host->follow(c->driver, GPU_DOWN, mark_of(slot, DONE), err);
    return st == VG_OK ? gpu_fetch_rest(self, slot, host, at, bytes, err) : st;
}

static vg_status gpu_await(void *self, int slot, vg_error *err)
{
    context *c = self;
    return c->host->await(c->driver, mark_of(slot, FETCHED), err);
}

static vg_status launch(context *c, gpu_launch *l, vg_error *err)
{
    l->n_buffers = 1;
    l->buffers[0] = &c->memories[NN_REMOTE_BLOCK].block;
    return c->host->launch(c->driver, l, err);
}

static vg_status gpu_letterbox_run(void *self, const nn_letterbox *l, vg_error *err)
{
    gpu_letterbox_args args;
    gpu_launch of;
    gpu_letterbox_launch(&of, &args, &((context *)self)->form, l);
    return launch(self, &of, err);
}

static vg_status gpu_sample_run(void *self, const nn_sample *s, vg_error *err)
{
    gpu_planes_args args;
    gpu_launch of;
    gpu_planes_launch(&of, &args, &((context *)self)->form, s);
    return launch(self, &of, err);
}

static vg_status gpu_pick_run(void *self, const nn_pick *p, vg_error *err)
{
    gpu_pick_args args;
    gpu_launch of[GPU_N_PICK_LAUNCHES];
    vg_status st = VG_OK;
    gpu_pick_launches(of, &args, &((context *)self)->form, p);
    for (int i = 0; i < GPU_N_PICK_LAUNCHES && st == VG_OK; i++)
        st = launch(self, &of[i], err);
    return st;
}

/* ---- weights ---- */

static size_t weights_bytes(const void *self, const nn_conv_spec *spec)
{
    return gpu_weights_bytes(&((const context *)self)->form, spec);
}

static void gpu_weights_pack(const void *self, const nn_conv_spec *spec, void *packed,
                             const float *weight, const float *bias)
{
    gpu_weights_lay(&((const context *)self)->form, spec, packed, weight, bias);
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
    gpu_args args;
    gpu_launch l;
    (void)scratch;
    gpu_step_launch(&l, &args, &c->form, step);
    l.n_buffers = 2;
    l.buffers[0] = &c->memories[NN_REMOTE_BLOCK].block;
    l.buffers[1] = &c->memories[NN_REMOTE_WEIGHTS].block;
    return c->host->launch(c->driver, &l, err);
}

static const char *kernel_name(const void *self, const nn_step *step)
{
    gpu_args args;
    const context *c = self;
    gpu_launch l;
    gpu_step_launch(&l, &args, &c->form, step);
    return gpu_kernel_names[l.kernel];
}

static const nn_remote remote = {.take = gpu_take,
                                 .give = gpu_give,
                                 .upload = gpu_upload,
                                 .download = gpu_download,
                                 .finish = gpu_finish,
                                 .lend = gpu_lend,
                                 .send = gpu_send,
                                 .fetch = gpu_fetch,
                                 .fetch_rest = gpu_fetch_rest,
                                 .await = gpu_await,
                                 .letterbox = gpu_letterbox_run,
                                 .sample = gpu_sample_run,
                                 .pick = gpu_pick_run};

const nn_backend nn_backend_gpu = {.name = "gpu",
                                   .create = gpu_create,
                                   .destroy = gpu_destroy,
                                   .isa = gpu_isa,
                                   .threads = gpu_threads,
                                   .weights_bytes = weights_bytes,
                                   .weights_pack = gpu_weights_pack,
                                   .prepare = gpu_prepare,
                                   .release = gpu_release,
                                   .scratch_bytes = gpu_scratch_bytes,
                                   .run = gpu_run,
                                   .kernel = kernel_name,
                                   .remote = &remote};

/* engine_remote.c: an engine whose backend has memory of its own.
 *
 * Weights and the block are the device's; the staging is this machine's memory that copies come
 * from and go to: the input first, the results behind it. An engine of pictures has slots instead
 * (engine_pictures.c), in the block behind the largest plan's memory, and in staging. */
#include <assert.h>
#include <string.h>

#include "engine.h"

vg_status nn_remote_pack(nn_engine *e, size_t op, float *packed, const float *weight,
                         const float *bias, vg_error *err)
{
    const nn_conv_spec *c = &e->graph->ops[op].conv;
    const nn_remote *r = e->backend->remote;
    e->backend->weights_pack(e->context, c, packed, weight, bias);
    const vg_status st = r->upload(e->context, NN_REMOTE_WEIGHTS, e->weights_offset[op], packed,
                                   e->backend->weights_bytes(e->context, c), err);
    return st == VG_OK ? r->finish(e->context, err) : st;
}

size_t nn_remote_staging_bytes(const nn_engine *e, const nn_plan *p)
{
    const size_t floats = p->remote_bytes - p->input_at + nn_plan_readings_bytes(p),
                 bytes = e->picture_bytes > 0
                             ? (size_t)e->max_pending * nn_slot_plan(e, p).staging_bytes
                             : floats;
    return bytes < nn_engine_fold_bytes(e) ? nn_engine_fold_bytes(e) : bytes;
}

size_t nn_remote_block_bytes(const nn_engine *e, const nn_plan *p)
{
    return p->remote_bytes + (size_t)e->max_pending * nn_slot_plan(e, p).bytes;
}

static void give(nn_engine *e)
{
    e->n_pending = 0;
    e->backend->remote->give(e->context, NN_REMOTE_BLOCK);
    e->backend->remote->give(e->context, NN_REMOTE_STAGING);
    e->staging = NULL;
    e->staging_bytes = e->block_bytes = e->work_bytes = 0;
    e->slot_bytes = e->slot_staging_bytes = 0;
    e->is_lent = false;
}

void nn_remote_drop(nn_engine *e)
{
    if (e->staging) /* copies, also of a batch that failed, may be at what is given back now */
        e->backend->remote->finish(e->context, NULL);
    give(e);
}

void nn_remote_lend(nn_engine *e, const void *block, size_t bytes)
{
    assert(e->picture_bytes == 0);
    e->backend->remote->lend(e->context, block);
    e->block_bytes = e->work_bytes = bytes;
    e->is_lent = true;
}

/* What memory must be, that it holds a plan as well as all it was made for. */
typedef struct sizes {
    size_t work, slot, slot_staging, block, staging;
} sizes;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static sizes sizes_with(const nn_engine *e, const nn_plan *p)
{
    const nn_slot_layout l = nn_slot_plan(e, p);
    const size_t n = (size_t)e->max_pending;
    sizes s = {.work = larger(e->work_bytes, p->remote_bytes),
               .slot = larger(e->slot_bytes, l.bytes),
               .slot_staging = larger(e->slot_staging_bytes, l.staging_bytes)};
    s.block = larger(e->block_bytes, s.work + n * s.slot);
    s.staging = larger(e->staging_bytes, larger(nn_remote_staging_bytes(e, p), n * s.slot_staging));
    return s;
}

/* Slots lie behind the work of the largest plan, so the parts may not grow either. */
static bool is_held(const nn_engine *e, const sizes *s)
{
    return s->block == e->block_bytes && s->staging == e->staging_bytes &&
           s->work == e->work_bytes && s->slot == e->slot_bytes &&
           s->slot_staging == e->slot_staging_bytes;
}

bool nn_remote_holds(const nn_engine *e, const nn_plan *p)
{
    const sizes s = sizes_with(e, p);
    return is_held(e, &s);
}

/* Staging alone: the block is another's. */
static vg_status hold_lent(nn_engine *e, const nn_plan *p, const sizes *s, const nn_accounts *mem,
                           vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    void *host = NULL;
    if (p->remote_bytes > e->block_bytes)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL,
                         "a plan of %zu bytes in a block of %zu that was lent", p->remote_bytes,
                         e->block_bytes);
    if (s->staging <= e->staging_bytes)
        return VG_OK;
    r->give(e->context, NN_REMOTE_STAGING);
    e->staging_bytes = 0;
    const vg_status st =
        r->take(e->context, NN_REMOTE_STAGING, &host, s->staging, mem->staging, err);
    e->staging = host;
    e->staging_bytes = st == VG_OK ? s->staging : 0;
    return st;
}

vg_status nn_remote_hold(nn_engine *e, const nn_plan *p, const nn_accounts *mem, vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    const sizes s = sizes_with(e, p);
    void *host = NULL;
    if (e->is_lent)
        return hold_lent(e, p, &s, mem, err);
    if (is_held(e, &s))
        return VG_OK;
    assert(e->n_pending == 0);                                      /* nn_engine_is_free said so */
    vg_status st = e->staging ? r->finish(e->context, err) : VG_OK; /* here it can still be told */
    give(e);
    if (st == VG_OK)
        st = r->take(e->context, NN_REMOTE_BLOCK, &host, s.block, mem->activations, err);
    if (st == VG_OK)
        st = r->take(e->context, NN_REMOTE_STAGING, &host, s.staging, mem->staging, err);
    if (st != VG_OK) {
        nn_remote_drop(e);
        return st;
    }
    e->staging = host;
    e->block_bytes = s.block;
    e->staging_bytes = s.staging;
    e->work_bytes = s.work;
    e->slot_bytes = s.slot;
    e->slot_staging_bytes = s.slot_staging;
    return VG_OK;
}

vg_status nn_remote_run(nn_engine *e, nn_plan *p, const float *input, int64_t *step_ns,
                        vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    const size_t n_input = (size_t)p->n * (size_t)p->h * (size_t)p->w * 3,
                 input_bytes = n_input * p->element_bytes;
    char *results = e->staging + (p->remote_bytes - p->input_at);
    size_t index = 0, end = 0;
    assert(e->picture_bytes == 0 && p->remote_bytes <= e->block_bytes &&
           nn_remote_staging_bytes(e, p) <= e->staging_bytes);
    nn_plan_bind_remote(p, results);
    if (p->element_bytes == sizeof *input)
        memcpy(e->staging, input, input_bytes);
    else
        for (size_t i = 0; i < n_input; i++)
            ((uint16_t *)(void *)e->staging)[i] = weights_f32_to_f16(input[i]);
    vg_status st =
        r->upload(e->context, NN_REMOTE_BLOCK, p->input_at, e->staging, input_bytes, err);
    if (st == VG_OK)
        st = nn_engine_run_steps(e, p, step_ns, err);
    for (nn_plan_reading x; st == VG_OK && nn_plan_next_reading(p, &index, &end, &x);)
        st = r->download(e->context, results + x.to, x.at, x.bytes, err);
    if (st == VG_OK)
        return r->finish(e->context, err);
    r->finish(e->context, NULL); /* the next run writes where what was queued may still read */
    return st;
}

/* train_remote.c: a network in training whose memory is a device's: its four blocks, and the
 * staging by which everything goes there and comes back. */
#include <assert.h>
#include <string.h>

#include "train_init.h"
#include "train_inner.h"

/* The least staging: a checkpoint is read through it in pieces. */
enum { LEAST_STAGING = 1 << 20 };

size_t nn_train_remote_staging_bytes(const nn_train *t, size_t input_bytes)
{
    size_t most = t->most_param_bytes > LEAST_STAGING ? t->most_param_bytes : LEAST_STAGING;
    return base_round_up(input_bytes > most ? input_bytes : most, BASE_MEM_ALIGN);
}

/* Until the device has read what lies there. */
static vg_status wait_for_staging(nn_train *t, vg_error *err)
{
    vg_status st = t->is_staging_busy ? t->backend->remote->finish(t->context, err) : VG_OK;
    t->is_staging_busy = false;
    return st;
}

static vg_status take_staging(nn_train *t, size_t bytes, const nn_accounts *mem, vg_error *err)
{
    const nn_train_remote *r = t->backend->remote;
    void *host = NULL;
    if (bytes <= t->staging_bytes)
        return VG_OK;
    vg_status st = wait_for_staging(t, err);
    if (st != VG_OK)
        return st;
    r->give_staging(t->context);
    t->staging = NULL;
    t->staging_bytes = 0;
    st = r->take_staging(t->context, &host, bytes, mem->staging, err);
    if (st != VG_OK)
        return st;
    t->staging = host;
    t->staging_bytes = bytes;
    return VG_OK;
}

static vg_status upload(nn_train *t, nn_train_memory to, size_t at, size_t bytes, vg_error *err)
{
    t->is_staging_busy = true;
    return t->backend->remote->upload(t->context, to, at, t->staging, bytes, err);
}

vg_status nn_train_remote_params(nn_train *t, uint64_t seed, const nn_accounts *mem, vg_error *err)
{
    const nn_train_remote *r = t->backend->remote;
    vg_status st = take_staging(t, nn_train_remote_staging_bytes(t, 0), mem, err);
    if (st == VG_OK)
        st = r->take(t->context, NN_TRAIN_VALUES, t->values_bytes, mem->weights, err);
    if (st == VG_OK)
        st = r->take(t->context, NN_TRAIN_GRADS, t->grads_bytes, mem->weights, err);
    if (st == VG_OK)
        st = r->clear(t->context, NN_TRAIN_VALUES, 0, t->values_bytes, err);
    if (st == VG_OK)
        st = r->clear(t->context, NN_TRAIN_GRADS, 0, t->grads_bytes, err);
    for (size_t i = 0; i < t->graph->n_params && st == VG_OK; i++) {
        st = wait_for_staging(t, err);
        if (st != VG_OK)
            break;
        nn_train_init_one((float *)(void *)t->staging, t->graph, i, seed);
        st = upload(t, NN_TRAIN_VALUES, t->value_at[i],
                    t->graph->params[i].n_elements * sizeof(float), err);
    }
    return st == VG_OK ? wait_for_staging(t, err) : st;
}

vg_status nn_train_remote_hold(nn_train *t, size_t block_bytes, size_t scratch_bytes,
                               size_t staging_bytes, const nn_accounts *mem, vg_error *err)
{
    const nn_train_remote *r = t->backend->remote;
    vg_status st = take_staging(t, staging_bytes, mem, err);
    if (st != VG_OK || (block_bytes <= t->block_bytes && scratch_bytes <= t->scratch_bytes))
        return st;
    block_bytes = block_bytes > t->block_bytes ? block_bytes : t->block_bytes;
    scratch_bytes = scratch_bytes > t->scratch_bytes ? scratch_bytes : t->scratch_bytes;
    st = r->finish(t->context, err);
    r->give(t->context, NN_TRAIN_BLOCK);
    r->give(t->context, NN_TRAIN_SCRATCH);
    t->block_bytes = t->scratch_bytes = 0;
    if (st == VG_OK)
        st = r->take(t->context, NN_TRAIN_BLOCK, block_bytes, mem->activations, err);
    if (st == VG_OK)
        st = r->take(t->context, NN_TRAIN_SCRATCH, scratch_bytes, mem->activations, err);
    if (st != VG_OK) {
        r->give(t->context, NN_TRAIN_BLOCK);
        return st;
    }
    t->block_bytes = block_bytes;
    t->scratch_bytes = scratch_bytes;
    return VG_OK;
}

vg_status nn_train_remote_input(nn_train *t, const float *input, vg_error *err)
{
    const nn_shape_plan *p = t->current;
    const size_t bytes = (size_t)p->n * (size_t)p->h * (size_t)p->w * 3 * sizeof(float);
    vg_status st = wait_for_staging(t, err);
    if (st != VG_OK)
        return st;
    memcpy(t->staging, input, bytes);
    return upload(t, NN_TRAIN_BLOCK, p->input_at, bytes, err);
}

vg_status nn_train_remote_pull(nn_train *t, void *to, nn_train_memory from, size_t at, size_t bytes,
                               vg_error *err)
{
    const nn_train_remote *r = t->backend->remote;
    vg_status st = VG_OK;
    for (size_t done = 0; done < bytes && st == VG_OK;) {
        const size_t n = bytes - done < t->staging_bytes ? bytes - done : t->staging_bytes;
        st = r->download(t->context, t->staging, from, at + done, n, err);
        if (st == VG_OK)
            st = r->finish(t->context, err);
        t->is_staging_busy = st != VG_OK;
        if (st == VG_OK)
            memcpy((char *)to + done, t->staging, n);
        done += n;
    }
    return st;
}

vg_status nn_train_remote_push(nn_train *t, nn_train_memory to, size_t at, const void *from,
                               size_t bytes, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t done = 0; done < bytes && st == VG_OK;) {
        const size_t n = bytes - done < t->staging_bytes ? bytes - done : t->staging_bytes;
        st = wait_for_staging(t, err);
        if (st == VG_OK) {
            memcpy(t->staging, (const char *)from + done, n);
            st = upload(t, to, at + done, n, err);
        }
        done += n;
    }
    return st == VG_OK ? wait_for_staging(t, err) : st;
}

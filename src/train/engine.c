/* engine.c: what is the same on every processor: the network, the host's part of optimizer and
 * average, and numbers in pieces. */
#include "engine.h"

#include <assert.h>

const train_engine_table *train_engine_table_of(const nn_device *device)
{
    return device == NULL ? &train_engine_cpu : &train_engine_gpu;
}

vg_status train_engine_open(train_engine *e, nn_graph *graph, train_param *params, size_t n_params,
                            const train_engine_options *o, const train_accounts *mem, vg_error *err)
{
    const bool is_half = o->amp && o->device != NULL;
    const nn_train_options options = {.threads = o->threads, .device = o->device, .half = is_half};
    const nn_accounts accounts = train_accounts_of_net(mem, o->device);
    *e = (train_engine){.table = train_engine_table_of(o->device),
                        .params = params,
                        .n_params = n_params,
                        .mem = *mem,
                        .device = o->device,
                        .scaler = {.scale = is_half ? TRAIN_SCALE_FIRST : 0}};
    const vg_status st = nn_train_create(&e->net, graph, &options, o->seed, &accounts, err);
    for (size_t i = 0; i < n_params && st == VG_OK && o->device == NULL; i++) {
        params[i].value = nn_train_param(e->net, i);
        params[i].grad = nn_train_grad(e->net, i);
    }
    return st;
}

vg_status train_engine_prepare(train_engine *e, const train_engine_learning *l, vg_error *err)
{
    e->needs_grad = l->needs_grad;
    e->gains = l->gains;
    e->nc = l->nc;
    train_optimizer_options optimizer = *l->optimizer;
    optimizer.is_far = e->device != NULL;
    vg_status st = train_optimizer_create(&e->optimizer, e->params, e->n_params, &optimizer,
                                          e->mem.model, err);
    if (st == VG_OK)
        st = train_ema_create(&e->average, e->params, e->n_params, e->mem.model, err);
    const nn_accounts accounts = train_accounts_of_net(&e->mem, e->device);
    if (st == VG_OK)
        st = nn_train_plan(e->net, l->most_n, l->most_h, l->most_w, &accounts, err);
    return st == VG_OK ? e->table->prepare(e, l, err) : st;
}

void train_engine_close(train_engine *e)
{
    if (e->table == NULL)
        return;
    e->table->release(e);
    train_optimizer_destroy(&e->optimizer);
    train_ema_destroy(&e->average);
    nn_train_destroy(&e->net);
    *e = (train_engine){0};
}

vg_status train_engine_gradients(train_engine *e, detect_loss_value *loss,
                                 const train_engine_batch *b, vg_error *err)
{
    const nn_accounts accounts = train_accounts_of_net(&e->mem, e->device);
    const vg_status st = nn_train_plan(e->net, b->n > 0 ? b->n : 1, b->h, b->w, &accounts, err);
    return st == VG_OK ? e->table->gradients(e, loss, b, err) : st;
}

vg_status train_engine_step(train_engine *e, const train_rates *rates, double *norm, bool *finite,
                            vg_error *err)
{
    const vg_status st = e->table->step(e, rates, norm, finite, err);
    if (st == VG_OK)
        train_scaler_step(&e->scaler, *finite);
    return st;
}

/* ---- the numbers ---- */

bool train_engine_has(const train_engine *e, train_set set, size_t index)
{
    const bool moves = train_param_group(&e->params[index]) != TRAIN_GROUP_NONE;
    switch (set) {
    case TRAIN_SET_GRAD:
        return e->params[index].grad != NULL;
    case TRAIN_SET_MOMENT0:
        return moves;
    case TRAIN_SET_MOMENT1:
        return moves && train_optimizer_n_moments(train_optimizer_get_kind(e->optimizer)) > 1;
    default:
        return true;
    }
}

vg_status train_engine_read(train_engine *e, float *dst, train_set set, size_t index, size_t first,
                            size_t n, vg_error *err)
{
    assert(train_engine_has(e, set, index));
    return e->table->read(e, dst, set, index, first, n, err);
}

vg_status train_engine_write(train_engine *e, train_set set, size_t index, size_t first,
                             const float *src, size_t n, vg_error *err)
{
    assert(train_engine_has(e, set, index));
    return e->table->write(e, set, index, first, src, n, err);
}

vg_status train_engine_rescale(train_engine *e, double from, vg_error *err)
{
    float part[TRAIN_ENGINE_PIECE];
    const double by = train_scale(&e->scaler) / from;
    vg_status st = VG_OK;
    for (size_t i = 0; i < e->n_params && by != 1 && st == VG_OK; i++) {
        const size_t all = e->params[i].info->n_elements;
        for (size_t at = 0; train_engine_has(e, TRAIN_SET_GRAD, i) && at < all && st == VG_OK;) {
            const size_t n = all - at < TRAIN_ENGINE_PIECE ? all - at : TRAIN_ENGINE_PIECE;
            st = e->table->read(e, part, TRAIN_SET_GRAD, i, at, n, err);
            for (size_t k = 0; k < n; k++)
                part[k] = (float)(by * (double)part[k]);
            if (st == VG_OK)
                st = e->table->write(e, TRAIN_SET_GRAD, i, at, part, n, err);
            at += n;
        }
    }
    return st;
}

vg_status train_engine_settle_average(train_engine *e, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 0; i < e->n_params && e->device != NULL && st == VG_OK; i++)
        st = e->table->read(e, train_ema_value(e->average, i), TRAIN_SET_AVERAGE, i, 0,
                            e->params[i].info->n_elements, err);
    return st;
}

vg_status train_engine_write_tensor(train_engine *e, train_set set, size_t index,
                                    const weights_tensor *t, vg_error *err)
{
    float part[TRAIN_ENGINE_PIECE];
    vg_status st = VG_OK;
    for (size_t at = 0; at < t->n_elements && st == VG_OK; at += TRAIN_ENGINE_PIECE) {
        const size_t n =
            t->n_elements - at < TRAIN_ENGINE_PIECE ? t->n_elements - at : TRAIN_ENGINE_PIECE;
        weights_part_to_float(part, t, at, n);
        st = e->table->write(e, set, index, at, part, n, err);
    }
    return st;
}

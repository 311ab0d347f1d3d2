/* engine.c: train/engine.h's table on a device: a batch goes up, three losses and a norm come down,
 * and everything between them is queued in order.
 *
 * The host waits twice in a batch with a step: for the losses, and for the norm. Numbers are read
 * and written through the driver's copies, each of which is done when it returns. */
#include <string.h>

#include "loss.h"
#include "loss_here.h"
#include "nn/gpu/devices.h"
#include "optimizer.h"
#include "train/engine.h"

typedef struct gpu_engine {
    gpu_loss *loss;  /* on the device: of boxes; else NULL, and */
    loss_here *here; /* on the CPU */
    gpu_optimizer *optimizer;
} gpu_engine;

/* Of boxes. What other tasks add has no kernels. */
static bool is_loss_there(const train_engine_learning *l)
{
    return l->loss.kind == NULL || l->loss.kind == &DETECT_LOSS_BOXES;
}

/* (n_params), in their order; on mem, the caller's. net NULL: places are not known yet. */
static gpu_tensor *list_tensors(const nn_train *net, const train_param *params, size_t n_params,
                                base_mem *mem, vg_error *err)
{
    gpu_tensor *tensors = base_alloc_zero(mem, n_params, sizeof *tensors, err);
    for (size_t i = 0; i < n_params && tensors != NULL; i++) {
        gpu_tensor *t = &tensors[i];
        t->n = params[i].info->n_elements;
        t->group = train_param_group(&params[i]);
        t->value_at = net != NULL ? nn_train_param_at(net, i) / sizeof(float) : 0;
        if (net != NULL && t->group != TRAIN_GROUP_NONE)
            t->grad_at = nn_train_grad_at(net, i) / sizeof(float);
    }
    return tensors;
}

static vg_status finish(const train_engine *e, vg_error *err)
{
    return e->device->host->finish(e->device->driver, err);
}

static vg_status gpu_prepare(train_engine *e, const train_engine_learning *l, vg_error *err)
{
    const train_accounts *mem = &e->mem;
    gpu_tensor *tensors = NULL;
    gpu_engine *g = e->self = base_alloc_zero(mem->work, 1, sizeof *g, err);
    if (g == NULL)
        return VG_ERR_MEMORY;
    tensors = list_tensors(e->net, e->params, e->n_params, mem->work, err);
    vg_status st = tensors != NULL ? VG_OK : VG_ERR_MEMORY;
    if (st == VG_OK)
        st = gpu_optimizer_create(&g->optimizer, e->device, tensors, e->n_params,
                                  l->optimizer->kind, mem->gpu_model, mem->staging, mem->work, err);
    base_free(tensors);
    if (st == VG_OK)
        st = gpu_optimizer_start(g->optimizer, nn_train_gpu_block(e->net, NN_TRAIN_VALUES), err);
    if (st == VG_OK)
        st = is_loss_there(l) ? gpu_loss_create(&g->loss, e->device, &l->loss, l->nc,
                                                mem->gpu_activations, mem->staging, mem->work, err)
                              : loss_here_create(&g->here, l, mem->work, err);
    return st == VG_OK ? finish(e, err) : st;
}

static void gpu_release(train_engine *e)
{
    gpu_engine *g = e->self;
    if (g == NULL)
        return;
    gpu_loss_destroy(&g->loss);
    loss_here_destroy(&g->here);
    gpu_optimizer_destroy(&g->optimizer);
    base_free(g);
    e->self = NULL;
}

/* Where the heads of the current plan lie, and their gradients. */
static gpu_loss_maps find_maps(const train_engine *e)
{
    const gpu_block *block = nn_train_gpu_block(e->net, NN_TRAIN_BLOCK);
    gpu_loss_maps maps = {.maps = block, .d_maps = block};
    for (int i = 0; i < nn_train_n_heads(e->net); i++) {
        const nn_train_head_places at = nn_train_head_at(e->net, i);
        const nn_head head = nn_train_head(e->net, i), d_head = nn_train_head_grad(e->net, i);
        maps.level[i] = (gpu_loss_level){.box_at = at.box / sizeof(float),
                                         .cls_at = at.cls / sizeof(float),
                                         .d_box_at = at.d_box / sizeof(float),
                                         .d_cls_at = at.d_cls / sizeof(float),
                                         .box_pitch = (int)head.box.pitch,
                                         .cls_pitch = (int)head.cls.pitch,
                                         .d_box_pitch = (int)d_head.box.pitch,
                                         .d_cls_pitch = (int)d_head.cls.pitch};
    }
    return maps;
}

static vg_status run_loss(train_engine *e, const train_engine_batch *b, vg_error *err)
{
    const gpu_engine *g = e->self;
    detect_level levels[NN_MAX_LEVELS];
    detect_gradient gradients[NN_MAX_LEVELS];
    const detect_batch batch = {.levels = levels,
                                .n_levels = nn_train_levels(e->net, levels, gradients),
                                .nc = e->nc,
                                .batch = b->n,
                                .labels = b->labels,
                                .n_labels = b->n_labels};
    const gpu_loss_maps maps = find_maps(e);
    return gpu_loss_run(g->loss, &maps, &batch, &e->gains, (float)train_scale(&e->scaler), err);
}

static vg_status gpu_gradients(train_engine *e, detect_loss_value *loss,
                               const train_engine_batch *b, vg_error *err)
{
    const gpu_engine *g = e->self;
    vg_status st = nn_train_forward(e->net, b->input, err);
    if (st == VG_OK)
        st = g->here != NULL ? loss_here_run(g->here, e->net, b, e->nc, &e->gains,
                                             (float)train_scale(&e->scaler), loss, err)
                             : run_loss(e, b, err);
    if (st == VG_OK)
        st = nn_train_backward(e->net, e->needs_grad, err);
    if (st == VG_OK)
        st = finish(e, err);
    if (st == VG_OK && g->loss != NULL)
        *loss = gpu_loss_value(g->loss);
    return st;
}

static vg_status gpu_step_all(train_engine *e, const train_rates *rates, double *norm, bool *finite,
                              vg_error *err)
{
    const gpu_engine *g = e->self;
    train_optimizer_rule rules[TRAIN_N_GROUPS];
    gpu_step step = {.unscale = (float)(1 / train_scale(&e->scaler)),
                     .decay = train_ema_decay(train_ema_updates(e->average) + 1)};
    train_optimizer_rules(e->optimizer, rates, rules);
    for (int i = 0; i < TRAIN_N_GROUPS; i++)
        step.rules[i] = (gpu_rule){.lr = rules[i].lr,
                                   .decay = rules[i].decay,
                                   .momentum = rules[i].momentum,
                                   .take1 = rules[i].take1,
                                   .root2 = rules[i].root2,
                                   .now = rules[i].now};
    vg_status st = gpu_optimizer_step(g->optimizer, nn_train_gpu_block(e->net, NN_TRAIN_VALUES),
                                      nn_train_gpu_block(e->net, NN_TRAIN_GRADS), &step, err);
    if (st == VG_OK)
        st = nn_train_zero_grad(e->net, err);
    if (st == VG_OK)
        st = finish(e, err);
    if (st != VG_OK)
        return st;
    *finite = gpu_optimizer_result(g->optimizer, norm);
    if (*finite) {
        train_optimizer_count(e->optimizer);
        train_ema_count(e->average);
    }
    return VG_OK;
}

/* ---- the numbers ---- */

/* The optimizer's and the average's: the network's are nn_train's. */
static const gpu_block *place_of(const train_engine *e, train_set set, size_t index, size_t *at)
{
    const gpu_engine *g = e->self;
    const gpu_optimizer_part part = set == TRAIN_SET_MOMENT0   ? GPU_MOMENT0
                                    : set == TRAIN_SET_MOMENT1 ? GPU_MOMENT1
                                                               : GPU_AVERAGE;
    return gpu_optimizer_place(g->optimizer, part, index, at);
}

static vg_status gpu_read(train_engine *e, float *dst, train_set set, size_t index, size_t first,
                          size_t n, vg_error *err)
{
    const size_t from = first * sizeof *dst, bytes = n * sizeof *dst;
    size_t at;
    if (set == TRAIN_SET_VALUE)
        return nn_train_pull(e->net, dst, NN_TRAIN_VALUES, nn_train_param_at(e->net, index) + from,
                             bytes, err);
    if (set == TRAIN_SET_GRAD)
        return nn_train_pull(e->net, dst, NN_TRAIN_GRADS, nn_train_grad_at(e->net, index) + from,
                             bytes, err);
    const gpu_block *block = place_of(e, set, index, &at);
    const vg_status st =
        e->device->host->download(e->device->driver, dst, block, at + from, bytes, err);
    return st == VG_OK ? finish(e, err) : st;
}

static vg_status gpu_write(train_engine *e, train_set set, size_t index, size_t first,
                           const float *src, size_t n, vg_error *err)
{
    const size_t to = first * sizeof *src, bytes = n * sizeof *src;
    size_t at;
    if (set == TRAIN_SET_VALUE)
        return nn_train_push(e->net, NN_TRAIN_VALUES, nn_train_param_at(e->net, index) + to, src,
                             bytes, err);
    if (set == TRAIN_SET_GRAD)
        return nn_train_push(e->net, NN_TRAIN_GRADS, nn_train_grad_at(e->net, index) + to, src,
                             bytes, err);
    const gpu_block *block = place_of(e, set, index, &at);
    const vg_status st =
        e->device->host->upload(e->device->driver, block, at + to, src, bytes, err);
    return st == VG_OK ? finish(e, err) : st;
}

static vg_status gpu_need(train_engine_need *out, const train_param *params, size_t n_params,
                          const train_engine_learning *l, base_mem *mem, vg_error *err)
{
    size_t staging = 0;
    *out = (train_engine_need){0};
    gpu_tensor *tensors = list_tensors(NULL, params, n_params, mem, err);
    if (tensors == NULL)
        return VG_ERR_MEMORY;
    gpu_optimizer_bytes(&out->optimizer_bytes, &out->average_bytes, tensors, n_params,
                        l->optimizer->kind);
    base_free(tensors);
    if (is_loss_there(l))
        gpu_loss_bytes(&out->loss_bytes, &staging, &l->loss, l->nc);
    out->staging_bytes = staging + gpu_optimizer_staging_bytes();
    out->host_bytes = sizeof(gpu_engine) + gpu_optimizer_host_bytes(n_params) +
                      (is_loss_there(l) ? gpu_loss_host_bytes() : loss_here_bytes(l));
    return VG_OK;
}

const train_engine_table train_engine_gpu = {.name = "gpu",
                                             .prepare = gpu_prepare,
                                             .release = gpu_release,
                                             .gradients = gpu_gradients,
                                             .step = gpu_step_all,
                                             .read = gpu_read,
                                             .write = gpu_write,
                                             .need = gpu_need};

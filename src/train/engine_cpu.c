/* engine_cpu.c: training in this machine's memory: network, loss, optimizer and average work on the
 * same numbers, by one team of threads. */
#include <string.h>

#include "engine.h"

static vg_status cpu_prepare(train_engine *e, const train_engine_learning *l, vg_error *err)
{
    detect_loss *loss = NULL;
    const vg_status st = detect_loss_create(&loss, &l->loss, e->mem.work, err);
    e->self = loss;
    return st;
}

static void cpu_release(train_engine *e)
{
    detect_loss *loss = e->self;
    detect_loss_destroy(&loss);
    e->self = NULL;
}

/* A share without pictures: it only takes part in what the others exchange. */
static vg_status cpu_idle(train_engine *e, detect_loss_value *loss, const train_engine_batch *b,
                          vg_error *err)
{
    double none = 0;
    *loss = (detect_loss_value){.n_items = 3}; /* shares are of kinds that have three */
    nn_train_idle_forward(e->net);
    const vg_status st = b->share->scores(b->share->ctx, &none, err);
    if (st == VG_OK)
        nn_train_idle_backward(e->net, e->needs_grad);
    return st;
}

/* Prototypes or logits, and where their gradient goes; nothing of a network that has neither. */
static detect_result result_of(const nn_train *net)
{
    nn_map map, slope;
    for (int i = 0; i < NN_N_RESULTS; i++)
        if (nn_train_result(net, (nn_result)i, &map) &&
            nn_train_result_grad(net, (nn_result)i, &slope))
            return (detect_result){.data = map.data,
                                   .pitch = map.pitch,
                                   .h = map.h,
                                   .w = map.w,
                                   .channels = map.c,
                                   .gradient = slope.data,
                                   .gradient_pitch = slope.pitch};
    return (detect_result){0};
}

static vg_status cpu_gradients(train_engine *e, detect_loss_value *loss,
                               const train_engine_batch *b, vg_error *err)
{
    detect_level levels[NN_MAX_LEVELS];
    detect_gradient gradients[NN_MAX_LEVELS];
    if (b->n == 0)
        return cpu_idle(e, loss, b, err);
    vg_status st = nn_train_forward(e->net, b->input, err);
    if (st != VG_OK)
        return st;
    detect_batch batch = {.levels = levels,
                          .n_levels = nn_train_levels(e->net, levels, gradients),
                          .nc = e->nc,
                          .batch = b->n,
                          .labels = b->labels,
                          .n_labels = b->n_labels,
                          .result = result_of(e->net),
                          .extras = b->extras};
    st = detect_loss_assign(e->self, &batch, nn_train_pool(e->net), err);
    if (st == VG_OK && b->share != NULL) {
        batch.n_all = b->share->n_all;
        batch.all_scores = detect_loss_scores(e->self, b->n);
        st = b->share->scores(b->share->ctx, &batch.all_scores, err);
    }
    if (st != VG_OK)
        return st;
    detect_loss_terms(e->self, loss, gradients, &batch, &e->gains, nn_train_pool(e->net));
    return nn_train_backward(e->net, e->needs_grad, err);
}

static vg_status cpu_step(train_engine *e, const train_rates *rates, double *norm, bool *finite,
                          vg_error *err)
{
    *finite = train_optimizer_step(e->optimizer, rates, nn_train_pool(e->net), norm);
    if (*finite)
        train_ema_update(e->average, nn_train_pool(e->net));
    return nn_train_zero_grad(e->net, err);
}

static float *cpu_at(const train_engine *e, train_set set, size_t index)
{
    switch (set) {
    case TRAIN_SET_VALUE:
        return e->params[index].value;
    case TRAIN_SET_GRAD:
        return e->params[index].grad;
    case TRAIN_SET_MOMENT0:
        return train_optimizer_moment(e->optimizer, 0, index);
    case TRAIN_SET_MOMENT1:
        return train_optimizer_moment(e->optimizer, 1, index);
    default:
        return train_ema_value(e->average, index);
    }
}

static vg_status cpu_read(train_engine *e, float *dst, train_set set, size_t index, size_t first,
                          size_t n, vg_error *err)
{
    (void)err;
    memcpy(dst, cpu_at(e, set, index) + first, n * sizeof *dst);
    return VG_OK;
}

static vg_status cpu_write(train_engine *e, train_set set, size_t index, size_t first,
                           const float *src, size_t n, vg_error *err)
{
    (void)err;
    memcpy(cpu_at(e, set, index) + first, src, n * sizeof *src);
    return VG_OK;
}

static vg_status cpu_need(train_engine_need *out, const train_param *params, size_t n_params,
                          const train_engine_learning *l, base_mem *mem, vg_error *err)
{
    (void)params, (void)n_params, (void)mem, (void)err;
    *out = (train_engine_need){.host_bytes = detect_loss_bytes(&l->loss)};
    return VG_OK;
}

const train_engine_table train_engine_cpu = {.name = "cpu",
                                             .prepare = cpu_prepare,
                                             .release = cpu_release,
                                             .gradients = cpu_gradients,
                                             .step = cpu_step,
                                             .read = cpu_read,
                                             .write = cpu_write,
                                             .need = cpu_need};

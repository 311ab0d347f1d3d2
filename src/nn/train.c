/* train.c: parameters and gradients, one activation block, and a small cache of plans.
 *
 * As in engine.c every plan computes in the same block, and the descriptions are taken with the
 * network, so a stream of shapes (multi-scale, an epoch's last batch) takes nothing. Not
 * thread-safe: one caller at a time. */
#include <assert.h>
#include <string.h>

#include "train_init.h"
#include "train_plan.h"

enum { DEFAULT_PLANS = 8, MOST_PLANS = 256 };

struct nn_train {
    nn_graph *graph;
    const nn_train_backend *backend;
    void *context;
    float *values, *grads; /* one block each */
    size_t values_bytes, grads_bytes;
    float **value, **grad; /* (params) into the blocks; NULL: no gradient */
    char *block, *scratch;
    size_t block_bytes, scratch_bytes;
    nn_shape_plan **plans; /* (max_plans) */
    void *plan_work;       /* scratch of making one */
    int max_plans;
    size_t engine_bytes; /* all but parameters, gradients and activations */
    uint64_t clock;
    nn_shape_plan *current;
};

static bool has_grad(nn_param_kind kind)
{
    return kind == NN_PARAM_WEIGHT || kind == NN_PARAM_BIAS || kind == NN_PARAM_BN_WEIGHT ||
           kind == NN_PARAM_BN_BIAS;
}

static size_t padded_bytes(const nn_param *p)
{
    return base_round_up(p->n_elements * sizeof(float), BASE_MEM_ALIGN);
}

/* Room for every plan of the cache. */
static vg_status take_plans(nn_train *t, const nn_accounts *mem, vg_error *err)
{
    t->plans = base_alloc_zero(mem->plans, (size_t)t->max_plans, sizeof(nn_shape_plan *), err);
    t->plan_work = base_alloc(mem->plans, nn_shape_plan_work_bytes(t->graph), err);
    vg_status st = t->plans && t->plan_work ? VG_OK : VG_ERR_MEMORY;
    for (int i = 0; i < t->max_plans && st == VG_OK; i++)
        st = nn_shape_plan_alloc(&t->plans[i], t->graph, t->plan_work, mem->plans, err);
    return st;
}

/* Everything but the blocks of parameters: enough to make plans. */
static vg_status create_bare(nn_train **out, nn_graph *graph, const nn_train_options *o,
                             const nn_accounts *mem, vg_error *err)
{
    *out = NULL;
    int max_plans = o && o->max_plans > 0 ? o->max_plans : DEFAULT_PLANS;
    if (max_plans > MOST_PLANS)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "a cache of %d plans, more than %d",
                         max_plans, MOST_PLANS);
    nn_train *t = base_alloc_zero(mem->plans, 1, sizeof *t, err);
    if (!t)
        return VG_ERR_MEMORY;
    *t = (nn_train){.graph = graph, .backend = &nn_train_backend_cpu, .max_plans = max_plans};
    *out = t;
    const size_t before = mem->plans->in_use_bytes - sizeof *t;
    for (size_t i = 0; i < graph->n_params; i++) {
        t->values_bytes += padded_bytes(&graph->params[i]);
        if (has_grad(graph->params[i].kind))
            t->grads_bytes += padded_bytes(&graph->params[i]);
    }
    nn_backend_options bo = {.threads = o ? o->threads : 0, .isa = o ? o->isa : NULL};
    vg_status st = t->backend->create(&t->context, &bo, mem->plans, err);
    if (st != VG_OK)
        return st;
    t->value = base_alloc_zero(mem->plans, graph->n_params + 1, sizeof *t->value, err);
    t->grad = base_alloc_zero(mem->plans, graph->n_params + 1, sizeof *t->grad, err);
    st = t->value && t->grad ? take_plans(t, mem, err) : VG_ERR_MEMORY;
    t->engine_bytes = mem->plans->in_use_bytes - before;
    return st;
}

static vg_status take_params(nn_train *t, const nn_accounts *mem, vg_error *err)
{
    t->values = base_alloc_zero(mem->weights, 1, t->values_bytes, err);
    t->grads = t->values ? base_alloc_zero(mem->weights, 1, t->grads_bytes, err) : NULL;
    if (!t->grads)
        return VG_ERR_MEMORY;
    char *value = (char *)t->values, *grad = (char *)t->grads;
    for (size_t i = 0; i < t->graph->n_params; i++) {
        const nn_param *p = &t->graph->params[i];
        t->value[i] = (float *)(void *)value;
        value += padded_bytes(p);
        if (!has_grad(p->kind))
            continue;
        t->grad[i] = (float *)(void *)grad;
        grad += padded_bytes(p);
    }
    nn_train_zero_grad(t); /* touches every page */
    return VG_OK;
}

vg_status nn_train_create(nn_train **out, nn_graph *graph, const nn_train_options *o, uint64_t seed,
                          const nn_accounts *mem, vg_error *err)
{
    vg_status st = create_bare(out, graph, o, mem, err);
    if (st == VG_OK)
        st = take_params(*out, mem, err);
    if (st == VG_OK)
        nn_train_init((*out)->value, graph, seed);
    if (st != VG_OK && *out) {
        (*out)->graph = NULL; /* untouched on failure */
        nn_train_destroy(out);
    }
    return st;
}

static void drop_block(nn_train *t)
{
    if (t->block)
        t->backend->block_give(t->context, t->block);
    if (t->scratch)
        t->backend->block_give(t->context, t->scratch);
    t->block = t->scratch = NULL;
    t->block_bytes = t->scratch_bytes = 0;
}

void nn_train_destroy(nn_train **train)
{
    nn_train *t = *train;
    if (t) {
        for (int i = 0; t->plans && i < t->max_plans; i++)
            nn_shape_plan_destroy(&t->plans[i]);
        drop_block(t);
        base_free(t->plans);
        base_free(t->plan_work);
        base_free(t->value);
        base_free(t->grad);
        base_free(t->values);
        base_free(t->grads);
        if (t->context)
            t->backend->destroy(&t->context);
        nn_graph_destroy(&t->graph);
        base_free(t);
    }
    *train = NULL;
}

const nn_graph *nn_train_graph(const nn_train *t)
{
    return t->graph;
}

const char *nn_train_isa(const nn_train *t)
{
    return t->backend->isa(t->context);
}

base_pool *nn_train_pool(nn_train *t)
{
    return t->backend->pool(t->context);
}

float *nn_train_param(nn_train *t, size_t index)
{
    return t->value[index];
}

float *nn_train_grad(nn_train *t, size_t index)
{
    return t->grad[index];
}

void nn_train_zero_grad(nn_train *t)
{
    memset(t->grads, 0, t->grads_bytes);
}

/* ---- plans ---- */

/* The parameters of a convolution, or their gradients. */
static nn_train_params params_of(float *const *of, const nn_conv_spec *c)
{
    float *const *p = of + c->first_param;
    if (!c->bn)
        return (nn_train_params){.weight = p[0], .bias = p[1]};
    return (nn_train_params){
        .weight = p[0], .bn_weight = p[1], .bn_bias = p[2], .mean = p[3], .var = p[4]};
}

/* On failure the plan is of no shape. */
static vg_status make_plan(nn_train *t, nn_shape_plan *p, int n, int h, int w, vg_error *err)
{
    vg_status st = nn_shape_plan_lay_out(p, n, h, w, t->plan_work, err);
    for (size_t i = 0; st == VG_OK && i < p->n_steps; i++) {
        nn_train_step *s = &p->steps[i];
        if (s->spec.conv) {
            s->value = params_of(t->value, s->spec.conv);
            s->grad = params_of(t->grad, s->spec.conv);
        }
        size_t scratch = t->backend->scratch_bytes(t->context, s);
        p->scratch_bytes = scratch > p->scratch_bytes ? scratch : p->scratch_bytes;
    }
    return st;
}

vg_status nn_train_need(nn_train *t, int n, int h, int w, nn_memory_need *out,
                        const nn_accounts *mem, vg_error *err)
{
    nn_shape_plan *p = NULL;
    vg_status st = nn_shape_plan_alloc(&p, t->graph, t->plan_work, mem->plans, err);
    if (st == VG_OK)
        st = make_plan(t, p, n, h, w, err);
    if (st == VG_OK)
        *out =
            (nn_memory_need){.weights_bytes = t->values_bytes + t->grads_bytes,
                             .activation_bytes = p->block_bytes,
                             .naive_bytes = p->naive_bytes,
                             .scratch_bytes = p->scratch_bytes,
                             .input_bytes = (size_t)n * (size_t)h * (size_t)w * 3 * sizeof(float),
                             .engine_bytes = t->engine_bytes};
    nn_shape_plan_destroy(&p);
    return st;
}

vg_status nn_graph_train_need(nn_graph *g, const nn_train_options *o, int n, int h, int w,
                              nn_memory_need *out, const nn_accounts *mem, vg_error *err)
{
    nn_train *t = NULL;
    vg_status st = create_bare(&t, g, o, mem, err);
    if (st == VG_OK)
        st = nn_train_need(t, n, h, w, out, mem, err);
    if (t)
        t->graph = NULL; /* the caller's */
    nn_train_destroy(&t);
    return st;
}

/* Makes room for a plan; the old block goes first, so that the two are never held together. */
static vg_status hold(nn_train *t, size_t block_bytes, size_t scratch_bytes, const nn_accounts *mem,
                      vg_error *err)
{
    if (block_bytes <= t->block_bytes && scratch_bytes <= t->scratch_bytes)
        return VG_OK;
    if (block_bytes < t->block_bytes)
        block_bytes = t->block_bytes;
    if (scratch_bytes < t->scratch_bytes)
        scratch_bytes = t->scratch_bytes;
    drop_block(t);
    vg_status st =
        t->backend->block_take(t->context, (void **)&t->block, block_bytes, mem->activations, err);
    if (st == VG_OK)
        st = t->backend->block_take(t->context, (void **)&t->scratch, scratch_bytes,
                                    mem->activations, err);
    if (st != VG_OK) {
        drop_block(t);
        return st;
    }
    t->block_bytes = block_bytes;
    t->scratch_bytes = scratch_bytes;
    return VG_OK;
}

/* The plan of a shape: one of the cache, or made in the place of the longest unused. */
static vg_status find_plan(nn_train *t, nn_shape_plan **out, int n, int h, int w, vg_error *err)
{
    nn_shape_plan *oldest = t->plans[0];
    for (int i = 0; i < t->max_plans; i++) {
        nn_shape_plan *p = t->plans[i];
        if (p->n == n && p->h == h && p->w == w) {
            *out = p;
            return VG_OK;
        }
        if (oldest->n != 0 && (p->n == 0 || p->used < oldest->used))
            oldest = p;
    }
    *out = oldest;
    return make_plan(t, oldest, n, h, w, err);
}

vg_status nn_train_plan(nn_train *t, int n, int h, int w, const nn_accounts *mem, vg_error *err)
{
    nn_shape_plan *p = NULL;
    t->current = NULL;
    vg_status st = find_plan(t, &p, n, h, w, err);
    if (st == VG_OK)
        st = hold(t, p->block_bytes, p->scratch_bytes, mem, err);
    if (st != VG_OK)
        return st;
    p->used = ++t->clock;
    t->current = p;
    return VG_OK;
}

vg_status nn_train_borrow(nn_train *t, void **block, size_t bytes, const nn_accounts *mem,
                          vg_error *err)
{
    vg_status st = hold(t, bytes, 0, mem, err);
    *block = st == VG_OK ? t->block : NULL;
    return st;
}

/* ---- a step ---- */

void nn_train_forward(nn_train *t, const float *input)
{
    nn_shape_plan *p = t->current;
    assert(p && p->block_bytes <= t->block_bytes && p->scratch_bytes <= t->scratch_bytes);
    nn_shape_plan_bind(p, t->graph, t->block, input);
    for (size_t i = 0; i < p->n_steps; i++)
        t->backend->forward(t->context, &p->steps[i], t->scratch);
}

int nn_train_n_heads(const nn_train *t)
{
    return t->graph->n_levels;
}

nn_head nn_train_head(const nn_train *t, int level)
{
    const nn_train_level *l = &t->current->levels[level];
    return (nn_head){.box = l->box, .cls = l->cls, .stride = (float)t->graph->levels[level].stride};
}

nn_head nn_train_head_grad(const nn_train *t, int level)
{
    const nn_train_level *l = &t->current->levels[level];
    return (nn_head){
        .box = l->d_box, .cls = l->d_cls, .stride = (float)t->graph->levels[level].stride};
}

int nn_train_levels(const nn_train *t, base_level levels[NN_MAX_LEVELS],
                    base_level_gradient gradients[NN_MAX_LEVELS])
{
    const int n = nn_train_n_heads(t);
    for (int l = 0; l < n; l++) {
        const nn_head head = nn_train_head(t, l), d = nn_train_head_grad(t, l);
        levels[l] = nn_head_level(&head);
        gradients[l] = (base_level_gradient){.box = d.box.data,
                                             .cls = d.cls.data,
                                             .box_pitch = d.box.pitch,
                                             .cls_pitch = d.cls.pitch};
    }
    return n;
}

static bool wanted(const bool *needs_grad, size_t index)
{
    return !needs_grad || needs_grad[index];
}

/* A value is live when something trained lies at or below it: others need no gradient. */
static void find_live(const nn_graph *g, bool *live, const bool *needs_grad)
{
    memset(live, false, g->n_values * sizeof *live);
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        bool is_live = false;
        for (int j = 0; j < op->n_in; j++) {
            int v = op->in[j], root = v;
            while (g->values[root].parent != NN_NO_VALUE)
                root = g->values[root].parent;
            live[v] = live[root];
            is_live = is_live || live[v];
        }
        for (size_t j = 0; op->kind == NN_CONV && j < (op->conv.bn ? 3u : 2u); j++)
            is_live = is_live || wanted(needs_grad, op->conv.first_param + j);
        live[op->out] = is_live;
    }
}

static nn_train_wants wants_of(const nn_train *t, const nn_train_step *s, const bool *live,
                               const bool *needs_grad)
{
    nn_train_wants w = {.own = live[s->spec.dst],
                        .src = live[s->spec.src] && s->map[NN_D_SRC].data,
                        .src2 = s->spec.src2 != NN_NO_VALUE && live[s->spec.src2] &&
                                s->map[NN_D_SRC2].data};
    if (s->spec.kind == NN_STEP_CONV) {
        size_t first = s->spec.conv->first_param;
        w.own = live[t->graph->ops[s->spec.op].out];
        w.weight = wanted(needs_grad, first);
        w.bias = !s->spec.conv->bn && wanted(needs_grad, first + 1);
        w.bn_weight = s->spec.conv->bn && wanted(needs_grad, first + 1);
        w.bn_bias = s->spec.conv->bn && wanted(needs_grad, first + 2);
    }
    return w;
}

void nn_train_backward(nn_train *t, const bool *needs_grad)
{
    nn_shape_plan *p = t->current;
    assert(p && p->bound == t->block);
    find_live(t->graph, p->live, needs_grad);
    for (size_t i = 0; i < p->n_tasks; i++) {
        const nn_train_task *task = &p->tasks[i];
        if (task->step < 0) {
            t->backend->zero(t->context, &task->zero);
            continue;
        }
        const nn_train_step *s = &p->steps[task->step];
        nn_train_wants wants = wants_of(t, s, p->live, needs_grad);
        if (wants.own || wants.src || wants.src2)
            t->backend->backward(t->context, s, &wants, t->scratch);
    }
}

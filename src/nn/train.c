/* train.c: parameters and gradients, one activation block, and a small cache of plans.
 *
 * As in engine.c every plan computes in the same block, and the descriptions are taken with the
 * network, so a stream of shapes (multi-scale, an epoch's last batch) takes nothing. Not
 * thread-safe: one caller at a time. */
#include <assert.h>
#include <string.h>

#include "train_init.h"
#include "train_inner.h"

enum { DEFAULT_PLANS = 8, MOST_PLANS = 256 };

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
        st = nn_shape_plan_alloc(&t->plans[i], t->graph, t->element_bytes, t->plan_work, mem->plans,
                                 err);
    return st;
}

static void place_params(nn_train *t)
{
    for (size_t i = 0; i < t->graph->n_params; i++) {
        const nn_param *p = &t->graph->params[i];
        t->value_at[i] = t->values_bytes;
        t->grad_at[i] = has_grad(p->kind) ? t->grads_bytes : SIZE_MAX;
        t->values_bytes += padded_bytes(p);
        t->grads_bytes += has_grad(p->kind) ? padded_bytes(p) : 0;
        if (padded_bytes(p) > t->most_param_bytes)
            t->most_param_bytes = padded_bytes(p);
    }
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
    const bool is_half = o && o->device && o->half;
    nn_train *t = base_alloc_zero(mem->plans, 1, sizeof *t, err);
    if (!t)
        return VG_ERR_MEMORY;
    *t = (nn_train){.graph = graph,
                    .device = o ? o->device : NULL,
                    .backend = o && o->device ? &nn_train_backend_gpu : &nn_train_backend_cpu,
                    .element_bytes = is_half ? sizeof(uint16_t) : sizeof(float),
                    .max_plans = max_plans};
    *out = t;
    const size_t before = mem->plans->in_use_bytes - sizeof *t;
    nn_backend_options bo = {.threads = o ? o->threads : 0,
                             .isa = o ? o->isa : NULL,
                             .device = t->device,
                             .half = is_half};
    vg_status st = t->backend->create(&t->context, &bo, mem->plans, err);
    if (st != VG_OK)
        return st;
    t->value_at = base_alloc_zero(mem->plans, graph->n_params + 1, sizeof *t->value_at, err);
    t->grad_at = base_alloc_zero(mem->plans, graph->n_params + 1, sizeof *t->grad_at, err);
    if (t->value_at && t->grad_at)
        place_params(t);
    st = t->value_at && t->grad_at ? take_plans(t, mem, err) : VG_ERR_MEMORY;
    t->engine_bytes = mem->plans->in_use_bytes - before;
    return st;
}

static vg_status take_params(nn_train *t, uint64_t seed, const nn_accounts *mem, vg_error *err)
{
    if (t->backend->remote)
        return nn_train_remote_params(t, seed, mem, err);
    t->values = base_alloc_zero(mem->weights, 1, t->values_bytes, err);
    t->grads = t->values ? base_alloc_zero(mem->weights, 1, t->grads_bytes, err) : NULL;
    if (!t->grads)
        return VG_ERR_MEMORY;
    memset(t->grads, 0, t->grads_bytes); /* touches every page */
    for (size_t i = 0; i < t->graph->n_params; i++)
        nn_train_init_one(nn_train_param(t, i), t->graph, i, seed);
    return VG_OK;
}

vg_status nn_train_create(nn_train **out, nn_graph *graph, const nn_train_options *o, uint64_t seed,
                          const nn_accounts *mem, vg_error *err)
{
    vg_status st = create_bare(out, graph, o, mem, err);
    if (st == VG_OK)
        st = take_params(*out, seed, mem, err);
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
        if (!t->backend->remote)
            drop_block(t);
        base_free(t->plans);
        base_free(t->plan_work);
        base_free(t->value_at);
        base_free(t->grad_at);
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
    return t->backend->remote ? NULL : t->backend->pool(t->context);
}

static float *at(char *block, size_t bytes)
{
    return block && bytes != SIZE_MAX ? (float *)(void *)(block + bytes) : NULL;
}

float *nn_train_param(nn_train *t, size_t index)
{
    return at(t->values, t->value_at[index]);
}

float *nn_train_grad(nn_train *t, size_t index)
{
    return at(t->grads, t->grad_at[index]);
}

vg_status nn_train_zero_grad(nn_train *t, vg_error *err)
{
    if (t->backend->remote)
        return t->backend->remote->clear(t->context, NN_TRAIN_GRADS, 0, t->grads_bytes, err);
    memset(t->grads, 0, t->grads_bytes);
    return VG_OK;
}

/* ---- where things lie ---- */

size_t nn_train_bytes(const nn_train *t, nn_train_memory which)
{
    const size_t bytes[] = {[NN_TRAIN_VALUES] = t->values_bytes,
                            [NN_TRAIN_GRADS] = t->grads_bytes,
                            [NN_TRAIN_BLOCK] = t->block_bytes,
                            [NN_TRAIN_SCRATCH] = t->scratch_bytes};
    return bytes[which];
}

size_t nn_train_param_at(const nn_train *t, size_t index)
{
    return t->value_at[index];
}

size_t nn_train_grad_at(const nn_train *t, size_t index)
{
    return t->grad_at[index];
}

nn_train_head_places nn_train_head_at(const nn_train *t, int level)
{
    const nn_train_level *l = &t->current->levels[level];
    return (nn_train_head_places){.box = l->box_at,
                                  .cls = l->cls_at,
                                  .d_box = l->d_box_at,
                                  .d_cls = l->d_cls_at,
                                  .extra = l->extra_at,
                                  .d_extra = l->d_extra_at};
}

nn_train_result_places nn_train_result_at(const nn_train *t, nn_result which)
{
    const nn_train_output *o = &t->current->results[which];
    return (nn_train_result_places){.at = o->at, .d_at = o->d_at, .is_half = o->is_half};
}

static char *memory_of(const nn_train *t, nn_train_memory which)
{
    char *const of[] = {[NN_TRAIN_VALUES] = t->values,
                        [NN_TRAIN_GRADS] = t->grads,
                        [NN_TRAIN_BLOCK] = t->block,
                        [NN_TRAIN_SCRATCH] = t->scratch};
    return of[which];
}

vg_status nn_train_pull(nn_train *t, void *to, nn_train_memory from, size_t where, size_t bytes,
                        vg_error *err)
{
    assert(where <= nn_train_bytes(t, from) && bytes <= nn_train_bytes(t, from) - where);
    if (t->backend->remote)
        return nn_train_remote_pull(t, to, from, where, bytes, err);
    memcpy(to, memory_of(t, from) + where, bytes);
    return VG_OK;
}

vg_status nn_train_push(nn_train *t, nn_train_memory to, size_t where, const void *from,
                        size_t bytes, vg_error *err)
{
    assert(where <= nn_train_bytes(t, to) && bytes <= nn_train_bytes(t, to) - where);
    if (t->backend->remote)
        return nn_train_remote_push(t, to, where, from, bytes, err);
    memcpy(memory_of(t, to) + where, from, bytes);
    return VG_OK;
}

nn_device *nn_train_device(const nn_train *t)
{
    return t->device;
}

const struct gpu_block *nn_train_gpu_block(const nn_train *t, nn_train_memory which)
{
    return t->backend->remote ? t->backend->remote->buffer(t->context, which) : NULL;
}

/* ---- plans ---- */

/* Where the parameters of a convolution lie, or their gradients. */
static nn_train_places places_of(const size_t *of, const nn_conv_spec *c)
{
    const size_t *p = of + c->first_param, none = SIZE_MAX;
    if (!c->bn)
        return (nn_train_places){p[0], p[1], none, none, none, none};
    return (nn_train_places){p[0], none, p[1], p[2], p[3], p[4]};
}

static nn_train_params params_at(char *block, const nn_train_places *p)
{
    return (nn_train_params){.weight = at(block, p->weight),
                             .bias = at(block, p->bias),
                             .bn_weight = at(block, p->bn_weight),
                             .bn_bias = at(block, p->bn_bias),
                             .mean = at(block, p->mean),
                             .var = at(block, p->var)};
}

static size_t input_bytes(int n, int h, int w)
{
    return (size_t)n * (size_t)h * (size_t)w * 3 * sizeof(float);
}

/* With a remote the input has a place like any other map. */
static void place_input(const nn_train *t, nn_shape_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].spec.src == t->graph->input)
            p->steps[i].at[NN_SRC] = p->input_at;
}

/* On failure the plan is of no shape. */
static vg_status make_plan(nn_train *t, nn_shape_plan *p, int n, int h, int w, vg_error *err)
{
    vg_status st = nn_shape_plan_lay_out(p, n, h, w, t->plan_work, err);
    for (size_t i = 0; st == VG_OK && i < p->n_steps; i++) {
        nn_train_step *s = &p->steps[i];
        if (s->spec.conv) {
            s->value_at = places_of(t->value_at, s->spec.conv);
            s->grad_at = places_of(t->grad_at, s->spec.conv);
            s->value = params_at(t->values, &s->value_at);
            s->grad = params_at(t->grads, &s->grad_at);
        }
        st = t->backend->check(t->context, s, err);
        size_t scratch = st == VG_OK ? t->backend->scratch_bytes(t->context, s) : 0;
        p->scratch_bytes = scratch > p->scratch_bytes ? scratch : p->scratch_bytes;
    }
    if (st == VG_OK && t->backend->remote) {
        p->input_at = base_round_up(p->block_bytes, BASE_MEM_ALIGN);
        p->remote_bytes = p->input_at + base_round_up(input_bytes(n, h, w), BASE_MEM_ALIGN);
        place_input(t, p);
    }
    if (st != VG_OK)
        p->n = 0;
    return st;
}

vg_status nn_train_need(nn_train *t, int n, int h, int w, nn_memory_need *out,
                        const nn_accounts *mem, vg_error *err)
{
    nn_shape_plan *p = NULL;
    vg_status st =
        nn_shape_plan_alloc(&p, t->graph, t->element_bytes, t->plan_work, mem->plans, err);
    if (st == VG_OK)
        st = make_plan(t, p, n, h, w, err);
    if (st == VG_OK)
        *out = (nn_memory_need){
            .weights_bytes = t->values_bytes + t->grads_bytes,
            .activation_bytes = t->backend->remote ? p->remote_bytes : p->block_bytes,
            .naive_bytes = p->naive_bytes,
            .scratch_bytes = p->scratch_bytes,
            .input_bytes = input_bytes(n, h, w),
            .engine_bytes = t->engine_bytes,
            .staging_bytes =
                t->backend->remote ? nn_train_remote_staging_bytes(t, input_bytes(n, h, w)) : 0};
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
    if (st == VG_OK && t->backend->remote)
        st = nn_train_remote_hold(t, p->remote_bytes, p->scratch_bytes,
                                  nn_train_remote_staging_bytes(t, input_bytes(n, h, w)), mem, err);
    else if (st == VG_OK)
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
    vg_status st = t->backend->remote ? nn_train_remote_hold(t, bytes, 0, 0, mem, err)
                                      : hold(t, bytes, 0, mem, err);
    *block = st == VG_OK ? t->block : NULL;
    return st;
}

/* ---- a step ---- */

vg_status nn_train_forward(nn_train *t, const float *input, vg_error *err)
{
    nn_shape_plan *p = t->current;
    vg_status st = VG_OK;
    assert(p && p->block_bytes <= t->block_bytes && p->scratch_bytes <= t->scratch_bytes);
    if (t->backend->remote)
        st = nn_train_remote_input(t, input, err);
    else
        nn_shape_plan_bind(p, t->graph, t->block, input);
    for (size_t i = 0; i < p->n_steps && st == VG_OK; i++)
        st = t->backend->forward(t->context, &p->steps[i], t->scratch, err);
    return st;
}

int nn_train_n_heads(const nn_train *t)
{
    return t->graph->n_levels;
}

nn_head nn_train_head(const nn_train *t, int level)
{
    const nn_train_level *l = &t->current->levels[level];
    return (nn_head){.box = l->box,
                     .cls = l->cls,
                     .extra = l->extra,
                     .stride = (float)t->graph->levels[level].stride};
}

nn_head nn_train_head_grad(const nn_train *t, int level)
{
    const nn_train_level *l = &t->current->levels[level];
    return (nn_head){.box = l->d_box,
                     .cls = l->d_cls,
                     .extra = l->d_extra,
                     .stride = (float)t->graph->levels[level].stride};
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
                                             .cls_pitch = d.cls.pitch,
                                             .extra = d.extra.data,
                                             .extra_pitch = d.extra.pitch};
    }
    return n;
}

bool nn_train_result(const nn_train *t, nn_result which, nn_map *out)
{
    *out = t->current->results[which].map;
    return out->c > 0;
}

bool nn_train_result_grad(const nn_train *t, nn_result which, nn_map *out)
{
    *out = t->current->results[which].d_map;
    return out->c > 0;
}

static bool wanted(const bool *needs_grad, size_t index)
{
    return !needs_grad || needs_grad[index];
}

/* A value is live when something trained lies at or below it: others need no gradient. */
void nn_train_find_live(const nn_graph *g, bool *live, const bool *needs_grad)
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

nn_train_wants nn_train_wants_of(const nn_train *t, const nn_train_step *s, const bool *live,
                                 const bool *needs_grad)
{
    nn_train_wants w = {.own = live[s->spec.dst],
                        .src = live[s->spec.src] && s->at[NN_D_SRC] != SIZE_MAX,
                        .src2 = s->spec.src2 != NN_NO_VALUE && live[s->spec.src2] &&
                                s->at[NN_D_SRC2] != SIZE_MAX};
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

vg_status nn_train_backward(nn_train *t, const bool *needs_grad, vg_error *err)
{
    nn_shape_plan *p = t->current;
    vg_status st = VG_OK;
    assert(p && p->bound == t->block);
    nn_train_find_live(t->graph, p->live, needs_grad);
    for (size_t i = 0; i < p->n_tasks && st == VG_OK; i++) {
        const nn_train_task *task = &p->tasks[i];
        if (task->step < 0) {
            st = t->backend->zero(t->context, &task->zero, task->at, err);
            continue;
        }
        const nn_train_step *s = &p->steps[task->step];
        nn_train_wants wants = nn_train_wants_of(t, s, p->live, needs_grad);
        if (wants.own || wants.src || wants.src2)
            st = t->backend->backward(t->context, s, &wants, t->scratch, err);
        nn_train_tell_ready(t, s);
    }
    return st;
}

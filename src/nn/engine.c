/* engine.c: packed weights, one activation block, and a small cache of plans.
 *
 * Every plan computes in the same block (one runs at a time), so the cache costs only descriptions.
 * Those are taken with the engine, and a plan that leaves the cache leaves its memory to the next:
 * a stream of never-repeating shapes has flat memory. Not thread-safe: one caller at a time. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine.h"

/* Sizes of all packed convolutions, each on its own 64 bytes. */
static vg_status lay_out_weights(nn_engine *e, const nn_accounts *mem, vg_error *err)
{
    const nn_graph *g = e->graph;
    e->weights_offset = base_alloc_zero(mem->plans, g->n_ops, sizeof *e->weights_offset, err);
    if (!e->weights_offset)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_conv_spec *c = &g->ops[i].conv;
        if (g->ops[i].kind != NN_CONV)
            continue;
        e->weights_offset[i] = e->weights_bytes;
        const size_t bytes = e->backend->weights_bytes(e->context, c);
        e->weights_bytes += base_round_up(bytes, BASE_MEM_ALIGN);
        e->most_packed_bytes = bytes > e->most_packed_bytes ? bytes : e->most_packed_bytes;
        size_t n = nn_conv_weight_elements(c), oc = (size_t)c->oc;
        e->most_weight = n > e->most_weight ? n : e->most_weight;
        e->most_oc = oc > e->most_oc ? oc : e->most_oc;
    }
    return VG_OK;
}

/* Of folding: the weight, the bias, and four vectors of BN; with a remote, the packed form as well.
 */
size_t nn_engine_fold_bytes(const nn_engine *e)
{
    const size_t bytes = (e->most_weight + 5 * e->most_oc) * sizeof(float);
    return e->backend->remote ? bytes + e->most_packed_bytes : bytes;
}

/* To where it belongs, by way of packed where that is another's memory. */
static vg_status pack_one(nn_engine *e, size_t op, float *packed, const float *weight,
                          const float *bias, vg_error *err)
{
    const nn_conv_spec *c = &e->graph->ops[op].conv;
    if (e->backend->remote)
        return nn_remote_pack(e, op, packed, weight, bias, err);
    e->backend->weights_pack(e->context, c, e->weights + e->weights_offset[op], weight, bias);
    return VG_OK;
}

/* Weights of some broken training may not: what they would become is not computed with. */
static vg_status check_half(const nn_op *op, const float *folded, vg_error *err)
{
    const size_t n = nn_conv_weight_elements(&op->conv);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(folded[i]) < 65520.0F)) /* from there on it rounds to infinity */
            return base_fail(err, VG_ERR_UNSUPPORTED, base_where("convolution %s", op->key),
                             "take it without --half", "a weight of %g, which 16 bits do not hold",
                             (double)folded[i]);
    return VG_OK;
}

static vg_status pack_weights(nn_engine *e, const weights_file *w, float *folded, vg_error *err)
{
    const nn_graph *g = e->graph;
    float *bias = folded + e->most_weight, *scratch = bias + e->most_oc,
          *packed = scratch + 4 * e->most_oc;
    vg_status st = VG_OK;
    e->is_loaded = false;
    for (size_t i = 0; i < g->n_ops && st == VG_OK; i++) {
        const nn_op *op = &g->ops[i];
        if (op->kind != NN_CONV)
            continue;
        st = nn_fold(folded, bias, g, op, w, scratch, err);
        if (st == VG_OK && e->is_half)
            st = check_half(op, folded, err);
        if (st == VG_OK)
            st = pack_one(e, i, packed, folded, bias, err);
    }
    e->is_loaded = st == VG_OK;
    return st;
}

/* The packed block, filled from w now (NULL: by nn_engine_load later). */
static vg_status take_weights(nn_engine *e, const weights_file *w, const nn_accounts *mem,
                              vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    void *none = NULL;
    if (r) {
        const vg_status taken =
            r->take(e->context, NN_REMOTE_WEIGHTS, &none, e->weights_bytes, mem->weights, err);
        if (taken != VG_OK || !w)
            return taken;
    } else {
        e->weights = base_alloc(mem->weights, e->weights_bytes, err);
        if (!e->weights)
            return VG_ERR_MEMORY;
        if (!w) {
            memset(e->weights, 0, e->weights_bytes); /* every page is there from the start */
            return VG_OK;
        }
    }
    /* On the activations' account: their block, which comes later, is larger, so this is in the
     * plan already. With a remote, so is the staging. */
    float *folded = base_alloc(r ? mem->staging : mem->activations, nn_engine_fold_bytes(e), err);
    vg_status st = folded ? pack_weights(e, w, folded, err) : VG_ERR_MEMORY;
    base_free(folded);
    return st;
}

/* Room for every plan of the cache. */
static vg_status take_plans(nn_engine *e, const nn_accounts *mem, vg_error *err)
{
    e->plans = base_alloc_zero(mem->plans, (size_t)e->max_plans, sizeof(nn_plan *), err);
    e->plan_work = base_alloc(mem->plans, nn_plan_work_bytes(e->graph), err);
    vg_status st = e->plans && e->plan_work ? VG_OK : VG_ERR_MEMORY;
    for (int i = 0; i < e->max_plans && st == VG_OK; i++)
        st = nn_plan_alloc(&e->plans[i], e->graph, e->keep_layers,
                           e->is_half ? sizeof(uint16_t) : sizeof(float), mem->plans, err);
    return st;
}

/* An engine without weights: enough to make plans. */
static vg_status create_bare(nn_engine **out, nn_graph *graph, const nn_engine_options *o,
                             const nn_accounts *mem, vg_error *err)
{
    *out = NULL;
    int max_plans = o && o->max_plans > 0 ? o->max_plans : NN_DEFAULT_PLANS;
    if (max_plans > NN_MOST_PLANS)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "a cache of %d plans, more than %d",
                         max_plans, NN_MOST_PLANS);
    assert(!o || o->max_pending <= NN_MOST_PENDING);
    const bool is_half = o && o->device && o->half;
    if (is_half && o->keep_layers)
        return base_fail(err, VG_ERR_UNSUPPORTED, NULL, NULL,
                         "layers are kept as floats, and these are of 16 bits");
    nn_engine *e = base_alloc_zero(mem->plans, 1, sizeof *e, err);
    if (!e)
        return VG_ERR_MEMORY;
    *e = (nn_engine){.graph = graph,
                     .backend = o && o->device ? &nn_backend_gpu : &nn_backend_cpu,
                     .max_plans = max_plans,
                     .picture_bytes = o && o->device ? o->picture_bytes : 0,
                     .max_pending = o && o->max_pending > 0 ? o->max_pending : 1,
                     .is_half = is_half,
                     .keep_layers = o && o->keep_layers};
    *out = e;
    nn_backend_options bo = {.threads = o ? o->threads : 0,
                             .isa = o ? o->isa : NULL,
                             .pool = o ? o->pool : NULL,
                             .device = o ? o->device : NULL,
                             .half = is_half};
    vg_status st = e->backend->create(&e->context, &bo, mem->plans, err);
    if (st == VG_OK)
        st = lay_out_weights(e, mem, err);
    if (st == VG_OK)
        st = take_plans(e, mem, err);
    return st;
}

vg_status nn_engine_create(nn_engine **out, nn_graph *graph, const weights_file *w,
                           const nn_engine_options *o, const nn_accounts *mem, vg_error *err)
{
    vg_status st = create_bare(out, graph, o, mem, err);
    if (st == VG_OK)
        st = take_weights(*out, w, mem, err);
    if (st != VG_OK && *out) {
        (*out)->graph = NULL; /* untouched on failure */
        nn_engine_destroy(out);
    }
    return st;
}

/* The plan is of no shape then; its memory stays. */
static void clear_plan(nn_engine *e, nn_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++)
        e->backend->release(e->context, &p->steps[i]);
    p->n = 0;
    p->n_steps = 0;
}

static void drop_block(nn_engine *e)
{
    if (e->backend->remote) {
        nn_remote_drop(e);
        return;
    }
    if (e->block && !e->is_lent)
        e->backend->block_give(e->context, e->block);
    if (e->scratch && !e->is_lent)
        e->backend->block_give(e->context, e->scratch);
    e->block = e->scratch = NULL;
    e->block_bytes = e->scratch_bytes = 0;
    e->is_lent = false;
}

void nn_engine_destroy(nn_engine **engine)
{
    nn_engine *e = *engine;
    if (e) {
        for (int i = 0; e->plans && i < e->max_plans; i++) {
            if (e->plans[i])
                clear_plan(e, e->plans[i]);
            nn_plan_destroy(&e->plans[i]);
        }
        if (e->context)
            drop_block(e);
        base_free(e->plans);
        base_free(e->plan_work);
        base_free(e->weights);
        base_free(e->weights_offset);
        if (e->context)
            e->backend->destroy(&e->context);
        nn_graph_destroy(&e->graph);
        base_free(e);
    }
    *engine = NULL;
}

const nn_graph *nn_engine_graph(const nn_engine *e)
{
    return e->graph;
}

const char *nn_engine_isa(const nn_engine *e)
{
    return e->backend->isa(e->context);
}

int nn_engine_threads(const nn_engine *e)
{
    return e->backend->threads(e->context);
}

/* A plan with the backend's side of its steps; on failure it is of no shape. */
static vg_status make_plan(nn_engine *e, nn_plan *p, int n, int h, int w, const nn_accounts *mem,
                           vg_error *err)
{
    clear_plan(e, p);
    vg_status st = nn_plan_lay_out(p, n, h, w, e->plan_work, err);
    if (st != VG_OK)
        return st;
    nn_plan_bind(p, NULL, NULL); /* shapes and pitches without addresses */
    for (size_t i = 0; i < p->n_steps && st == VG_OK; i++) {
        nn_step *s = &p->steps[i];
        if (s->spec.conv && e->weights)
            s->weights = e->weights + e->weights_offset[s->spec.op];
        s->weights_at = e->weights_offset[s->spec.op];
        st = e->backend->prepare(e->context, s, mem->plans, err);
        size_t scratch = st == VG_OK ? e->backend->scratch_bytes(e->context, s) : 0;
        p->scratch_bytes = scratch > p->scratch_bytes ? scratch : p->scratch_bytes;
    }
    if (st != VG_OK)
        clear_plan(e, p);
    return st;
}

/* The plan of a shape: one of the cache, or made in the place of the longest unused. */
vg_status nn_engine_find_plan(nn_engine *e, nn_plan **out, int n, int h, int w,
                              const nn_accounts *mem, vg_error *err)
{
    nn_plan *oldest = e->plans[0];
    for (int i = 0; i < e->max_plans; i++) {
        nn_plan *p = e->plans[i];
        if (p->n == n && p->h == h && p->w == w) {
            *out = p;
            return VG_OK;
        }
        if (oldest->n != 0 && (p->n == 0 || p->used < oldest->used))
            oldest = p;
    }
    *out = oldest;
    return make_plan(e, oldest, n, h, w, mem, err);
}

vg_status nn_graph_need(nn_graph *g, const nn_engine_options *o, int n, int h, int w,
                        nn_memory_need *out, const nn_accounts *mem, vg_error *err)
{
    nn_engine *e = NULL;
    nn_plan *p = NULL;
    size_t before = mem->plans->in_use_bytes;
    vg_status st = create_bare(&e, g, o, mem, err);
    if (st == VG_OK)
        st = nn_engine_find_plan(e, &p, n, h, w, mem, err);
    if (st == VG_OK)
        *out = (nn_memory_need){
            .weights_bytes = e->weights_bytes,
            .activation_bytes = e->backend->remote ? nn_remote_block_bytes(e, p) : p->block_bytes,
            .naive_bytes = p->naive_bytes,
            .scratch_bytes = p->scratch_bytes,
            .input_bytes = (size_t)n * (size_t)h * (size_t)w * 3 * sizeof(float),
            .engine_bytes = mem->plans->in_use_bytes - before,
            .fold_bytes = nn_engine_fold_bytes(e),
            .staging_bytes = e->backend->remote ? nn_remote_staging_bytes(e, p) : 0};
    if (e)
        e->graph = NULL; /* the caller's */
    nn_engine_destroy(&e);
    return st;
}

/* ---- the block ---- */

static size_t lent_bytes(size_t block_bytes, size_t scratch_bytes)
{
    return base_round_up(block_bytes, BASE_MEM_ALIGN) +
           base_round_up(scratch_bytes, BASE_MEM_ALIGN);
}

vg_status nn_engine_need_lent(nn_engine *e, size_t *out, int n, int h, int w,
                              const nn_accounts *mem, vg_error *err)
{
    nn_plan *p = NULL;
    *out = 0;
    vg_status st = nn_engine_find_plan(e, &p, n, h, w, mem, err);
    if (st == VG_OK)
        *out = e->backend->remote ? p->remote_bytes : lent_bytes(p->block_bytes, p->scratch_bytes);
    if (st == VG_OK && !e->backend->remote && *out < nn_engine_fold_bytes(e))
        *out = nn_engine_fold_bytes(e);
    return st;
}

void nn_engine_lend(nn_engine *e, void *block, size_t bytes)
{
    if (e->backend->remote) {
        nn_remote_lend(e, block, bytes);
        return;
    }
    drop_block(e);
    e->block = block;
    e->block_bytes = bytes;
    e->is_lent = true;
}

/* Scratch is the end of a block that was lent. */
static vg_status share_block(nn_engine *e, size_t block_bytes, size_t scratch_bytes, vg_error *err)
{
    if (lent_bytes(block_bytes, scratch_bytes) > e->block_bytes)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL,
                         "a plan of %zu bytes in a block of %zu that was lent",
                         lent_bytes(block_bytes, scratch_bytes), e->block_bytes);
    e->scratch_bytes = base_round_up(scratch_bytes, BASE_MEM_ALIGN);
    e->scratch = e->block + (e->block_bytes & ~(size_t)(BASE_MEM_ALIGN - 1)) - e->scratch_bytes;
    return VG_OK;
}

/* Makes room for a plan; the old block goes first, so that the two are never held together. */
static vg_status hold(nn_engine *e, const nn_plan *p, size_t block_bytes, const nn_accounts *mem,
                      vg_error *err)
{
    size_t scratch_bytes = p->scratch_bytes;
    if (e->backend->remote)
        return nn_remote_hold(e, p, mem, err);
    if (e->is_lent)
        return share_block(e, block_bytes, scratch_bytes, err);
    if (block_bytes <= e->block_bytes && scratch_bytes <= e->scratch_bytes)
        return VG_OK;
    if (block_bytes < e->block_bytes)
        block_bytes = e->block_bytes;
    if (scratch_bytes < e->scratch_bytes)
        scratch_bytes = e->scratch_bytes;
    drop_block(e);
    vg_status st =
        e->backend->block_take(e->context, (void **)&e->block, block_bytes, mem->activations, err);
    if (st == VG_OK && scratch_bytes > 0)
        st = e->backend->block_take(e->context, (void **)&e->scratch, scratch_bytes,
                                    mem->activations, err);
    if (st != VG_OK) {
        drop_block(e);
        return st;
    }
    e->block_bytes = block_bytes;
    e->scratch_bytes = scratch_bytes;
    return VG_OK;
}

vg_status nn_engine_reserve(nn_engine *e, int n, int h, int w, const nn_accounts *mem,
                            vg_error *err)
{
    nn_plan *p = NULL;
    vg_status st = nn_engine_find_plan(e, &p, n, h, w, mem, err);
    if (st != VG_OK)
        return st;
    size_t block_bytes = p->block_bytes;
    if (!e->is_loaded && block_bytes < nn_engine_fold_bytes(e))
        block_bytes = nn_engine_fold_bytes(e); /* nn_engine_load folds in it */
    return hold(e, p, block_bytes, mem, err);
}

vg_status nn_engine_load(nn_engine *e, const weights_file *w, vg_error *err)
{
    char *const at = e->backend->remote ? e->staging : e->block;
    if ((e->backend->remote ? e->staging_bytes : e->block_bytes) < nn_engine_fold_bytes(e))
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "call nn_engine_reserve first",
                         "no memory to fold weights in");
    return pack_weights(e, w, (float *)(void *)at, err);
}

vg_status nn_engine_plan(nn_engine *e, nn_plan **out, int n, int h, int w, const nn_accounts *mem,
                         vg_error *err)
{
    nn_plan *p = NULL;
    *out = NULL;
    vg_status st = nn_engine_find_plan(e, &p, n, h, w, mem, err);
    if (st == VG_OK)
        st = hold(e, p, p->block_bytes, mem, err);
    if (st != VG_OK)
        return st;
    p->used = ++e->clock;
    *out = p;
    return VG_OK;
}

/* The steps one after another; step_ns NULL: nobody looks at the clock. */
vg_status nn_engine_run_steps(nn_engine *e, const nn_plan *p, int64_t *step_ns, vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    vg_status st = VG_OK;
    int64_t before = step_ns ? base_now_ns() : 0;
    for (size_t i = 0; i < p->n_steps && st == VG_OK; i++) {
        st = e->backend->run(e->context, &p->steps[i], e->scratch, err);
        if (!step_ns)
            continue;
        if (st == VG_OK && r)
            st = r->finish(e->context, err);
        const int64_t now = base_now_ns();
        step_ns[i] = now - before;
        before = now;
    }
    return st;
}

static vg_status run(nn_engine *e, nn_plan *p, const float *input, int64_t *step_ns, vg_error *err)
{
    assert(e->is_loaded);
    if (e->backend->remote)
        return nn_remote_run(e, p, input, step_ns, err);
    assert(p->block_bytes <= e->block_bytes && p->scratch_bytes <= e->scratch_bytes);
    nn_plan_bind(p, e->block, input);
    return nn_engine_run_steps(e, p, step_ns, err);
}

vg_status nn_engine_run(nn_engine *e, nn_plan *p, const float *input, vg_error *err)
{
    return run(e, p, input, NULL, err);
}

/* ---- what it costs, step by step ---- */

vg_status nn_engine_run_timed(nn_engine *e, nn_plan *p, const float *input, int64_t *step_ns,
                              vg_error *err)
{
    return run(e, p, input, step_ns, err);
}

size_t nn_plan_n_steps(const nn_plan *p)
{
    return p->n_steps;
}

nn_step_facts nn_engine_step(const nn_engine *e, const nn_plan *p, size_t index)
{
    static const char *const kinds[] = {
        [NN_STEP_CONV] = "conv",         [NN_STEP_MAXPOOL] = "maxpool",
        [NN_STEP_UPSAMPLE] = "upsample", [NN_STEP_COPY] = "copy",
        [NN_STEP_ADD] = "add",           [NN_STEP_ATTENTION] = "attention",
        [NN_STEP_SHUFFLE] = "shuffle",   [NN_STEP_MEAN] = "mean"};
    const nn_step *s = &p->steps[index];
    const nn_op *op = &p->graph->ops[s->spec.op];
    return (nn_step_facts){.op = op,
                           .kind = kinds[s->spec.kind],
                           .kernel = e->backend->kernel(e->context, s),
                           .h = s->dst_map.h,
                           .w = s->dst_map.w,
                           .c = s->dst_map.c,
                           .flops = nn_op_flops(p->graph, op, s->dst_map.h, s->dst_map.w)};
}

vg_status nn_measure_machine(nn_machine *out, const nn_engine_options *o, const nn_accounts *mem,
                             vg_error *err)
{
    const nn_backend *backend = &nn_backend_cpu;
    const nn_backend_options bo = {.threads = o->threads, .isa = o->isa, .pool = o->pool};
    void *context = NULL, *block = NULL;
    vg_status st = backend->create(&context, &bo, mem->plans, err);
    if (st == VG_OK)
        st = backend->block_take(context, &block, NN_COPY_BYTES, mem->activations, err);
    if (st == VG_OK)
        *out = (nn_machine){.isa = backend->isa(context),
                            .threads = backend->threads(context),
                            .flops_per_s = backend->peak_flops(context),
                            .bytes_per_s = backend->copy_bytes(context, block, NN_COPY_BYTES)};
    if (block)
        backend->block_give(context, block);
    if (context)
        backend->destroy(&context);
    return st;
}

/* ---- results ---- */

int nn_plan_n_heads(const nn_plan *p)
{
    return p->graph->n_levels;
}

nn_head nn_plan_head(const nn_plan *p, int level)
{
    const nn_level *l = &p->graph->levels[level];
    return (nn_head){.box = p->maps[l->box],
                     .cls = p->maps[l->cls],
                     .extra = l->extra == NN_NO_VALUE ? (nn_map){0} : p->maps[l->extra],
                     .stride = (float)l->stride};
}

base_level nn_head_level(const nn_head *head)
{
    return (base_level){.box = head->box.data,
                        .cls = head->cls.data,
                        .box_pitch = head->box.pitch,
                        .cls_pitch = head->cls.pitch,
                        .h = head->box.h,
                        .w = head->box.w,
                        .stride = head->stride,
                        .extra = head->extra.data,
                        .extra_pitch = head->extra.pitch,
                        .n_extra = head->extra.c};
}

int nn_plan_levels(const nn_plan *p, base_level out[NN_MAX_LEVELS])
{
    const int n = nn_plan_n_heads(p);
    for (int l = 0; l < n; l++) {
        const nn_head head = nn_plan_head(p, l);
        out[l] = nn_head_level(&head);
    }
    return n;
}

bool nn_plan_result(const nn_plan *p, nn_result which, nn_map *out)
{
    const int v = p->graph->results[which];
    if (v == NN_NO_VALUE)
        return false;
    *out = p->maps[v];
    return true;
}

bool nn_plan_layer(const nn_plan *p, int layer, nn_map *out)
{
    if (!p->keeps_layers || layer < 0 || (size_t)layer >= p->graph->n_layers ||
        p->graph->layers[layer].out == NN_NO_VALUE)
        return false;
    *out = p->maps[p->graph->layers[layer].out];
    return true;
}

/* plan.c: from ops to steps with memory.
 *
 * 1. shapes: rows and columns of every value.
 * 2. fuse: a sum whose one side is a convolution used only there becomes that convolution's
 * residual.
 * 3. alias: an input of a concat is produced straight into its slice of the concat's buffer, unless
 * it lives in another buffer already; then it is copied.
 * 4. place: each buffer lives from the first step that writes it to the last that reads it; the
 * largest are placed first, each at the lowest offset where no buffer alive at the same time lies.
 * Memory: the plan itself; the working arrays are freed before it returns. */
#include "plan.h"

#include <assert.h>
#include <string.h>

enum { MAX_BATCH = 1024, MAX_SIDE = 65536 };

/* A buffer in the making. */
typedef struct buffer {
    int value; /* its root */
    size_t bytes, offset;
    int born, dies; /* steps, inclusive; dies < born: never used */
} buffer;

typedef struct work {
    const nn_graph *g;
    nn_plan *p;
    int *parent;      /* (values) alias: the value this one lives in, or NN_NO_VALUE */
    int *c0;          /* (values) */
    int *uses;        /* (values) readers */
    int *produced_as; /* (values) a fused conv writes this value instead of its own; else itself */
    int *fused_add;   /* (ops) for a conv: the residual's value; NN_NO_VALUE: none */
    bool *gone;       /* (ops) fused away */
    buffer *buffers;  /* (values) */
    size_t *order;    /* (values) buffers by falling size */
} work;

static bool is_pinned(const work *k, int v)
{
    for (int i = 0; i < k->g->n_levels; i++)
        if (k->g->levels[i].box == v || k->g->levels[i].cls == v)
            return true;
    for (size_t i = 0; k->p->keeps_layers && i < k->g->n_layers; i++)
        if (k->g->layers[i].out == v)
            return true;
    return false;
}

/* ---- 1. shapes ---- */

static void set_shape(nn_plan *p, int v, int h, int w)
{
    p->maps[v] = (nn_map){.n = p->n, .h = h, .w = w, .c = p->graph->values[v].c};
}

static void shapes(work *k)
{
    const nn_graph *g = k->g;
    set_shape(k->p, g->input, k->p->h, k->p->w);
    for (size_t v = 0; v < g->n_values;
         v++) /* slices come after their parents' producers: filled below */
        if ((int)v != g->input)
            k->p->maps[v].h = 0;
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        for (int j = 0; j < op->n_in; j++) {
            int v = op->in[j], up = g->values[v].parent;
            if (up != NN_NO_VALUE && k->p->maps[v].h == 0)
                set_shape(k->p, v, k->p->maps[up].h, k->p->maps[up].w);
        }
        const nn_map *x = &k->p->maps[op->in[0]];
        int s = op->kind == NN_CONV ? op->conv.stride : 1, up = op->kind == NN_UPSAMPLE ? 2 : 1;
        set_shape(k->p, op->out, (x->h + s - 1) / s * up, (x->w + s - 1) / s * up);
    }
}

/* ---- 2. fuse ---- */

static int producer(const nn_graph *g, int v)
{
    for (size_t i = 0; i < g->n_ops; i++)
        if (g->ops[i].out == v)
            return (int)i;
    return -1;
}

static void count_uses(work *k)
{
    const nn_graph *g = k->g;
    for (size_t i = 0; i < g->n_ops; i++)
        for (int j = 0; j < g->ops[i].n_in; j++)
            k->uses[g->ops[i].in[j]]++;
    for (size_t v = 0; v < g->n_values; v++) {
        if (g->values[v].parent != NN_NO_VALUE)
            k->uses[g->values[v].parent]++;
        if (is_pinned(k, (int)v))
            k->uses[v]++;
    }
}

static void fuse(work *k)
{
    const nn_graph *g = k->g;
    count_uses(k);
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *add = &g->ops[i];
        for (int side = 1; add->kind == NN_ADD && side >= 0 && !k->gone[i]; side--) {
            int z = add->in[side], other = add->in[1 - side], conv = producer(g, z);
            int root = other;
            while (g->values[root].parent != NN_NO_VALUE)
                root = g->values[root].parent;
            bool fits = conv >= 0 && g->ops[conv].kind == NN_CONV && k->uses[z] == 1 &&
                        z != other && k->fused_add[conv] == NN_NO_VALUE && producer(g, root) < conv;
            if (!fits)
                continue;
            k->fused_add[conv] = other;
            k->produced_as[z] = add->out;
            k->gone[i] = true;
        }
    }
}

/* ---- 3. alias, and the steps ---- */

static int root_of(const work *k, int v)
{
    while (k->parent[v] != NN_NO_VALUE)
        v = k->parent[v];
    return v;
}

static nn_step *add_step(work *k, nn_step_kind kind, int op, int dst, int src, int src2)
{
    nn_step *s = &k->p->steps[k->p->n_steps++];
    *s = (nn_step){.kind = kind, .op = op, .dst = dst, .src = src, .src2 = src2};
    return s;
}

/* Slices of the graph first: they have no choice. Then what each concat can take in. */
static void alias(work *k)
{
    const nn_graph *g = k->g;
    for (size_t v = 0; v < g->n_values; v++) {
        k->parent[v] = g->values[v].parent;
        k->c0[v] = g->values[v].c0;
    }
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        int at = 0;
        for (int j = 0; op->kind == NN_CONCAT && j < op->n_in; j++) {
            int v = op->in[j];
            if (k->parent[v] == NN_NO_VALUE && v != g->input) {
                k->parent[v] = op->out;
                k->c0[v] = at;
            }
            at += g->values[v].c;
        }
    }
}

/* A concat's inputs that live elsewhere are copied; a slice value stands for each copy's target. */
static vg_status concat_steps(work *k, int op_index)
{
    const nn_op *op = &k->g->ops[op_index];
    int at = 0;
    for (int j = 0; j < op->n_in; j++) {
        int v = op->in[j];
        bool lives_there = k->parent[v] == op->out && k->c0[v] == at;
        if (!lives_there) {
            nn_step *s = add_step(k, NN_STEP_COPY, op_index, op->out, v, NN_NO_VALUE);
            s->k = at; /* channel offset within dst */
        }
        at += k->g->values[v].c;
    }
    return VG_OK;
}

static void steps(work *k)
{
    const nn_graph *g = k->g;
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        nn_step *s = NULL;
        if (k->gone[i])
            continue;
        switch (op->kind) {
        case NN_CONV:
            s = add_step(k, NN_STEP_CONV, (int)i, k->produced_as[op->out], op->in[0],
                         k->fused_add[i]);
            s->conv = &op->conv;
            break;
        case NN_MAXPOOL:
            s = add_step(k, NN_STEP_MAXPOOL, (int)i, op->out, op->in[0], NN_NO_VALUE);
            s->k = op->k;
            break;
        case NN_UPSAMPLE:
            add_step(k, NN_STEP_UPSAMPLE, (int)i, op->out, op->in[0], NN_NO_VALUE);
            break;
        case NN_ADD:
            add_step(k, NN_STEP_ADD, (int)i, op->out, op->in[0], op->in[1]);
            break;
        case NN_CONCAT:
            concat_steps(k, (int)i);
            break;
        case NN_ATTENTION:
            s = add_step(k, NN_STEP_ATTENTION, (int)i, op->out, op->in[0], NN_NO_VALUE);
            s->heads = op->heads;
            s->key_dim = op->key_dim;
            s->head_dim = op->head_dim;
            break;
        }
    }
}

/* ---- 4. place ---- */

static void touch(work *k, int v, int step)
{
    if (v == NN_NO_VALUE || root_of(k, v) == k->g->input)
        return;
    buffer *b = &k->buffers[root_of(k, v)];
    b->born = step < b->born ? step : b->born;
    b->dies = step > b->dies ? step : b->dies;
}

static void lifetimes(work *k)
{
    int n_steps = (int)k->p->n_steps;
    for (size_t v = 0; v < k->g->n_values; v++)
        k->buffers[v] = (buffer){.value = (int)v, .born = n_steps, .dies = -1};
    for (int i = 0; i < n_steps; i++) {
        const nn_step *s = &k->p->steps[i];
        touch(k, s->dst, i);
        touch(k, s->src, i);
        touch(k, s->src2, i);
    }
    for (size_t v = 0; v < k->g->n_values; v++)
        if (is_pinned(k, (int)v))
            touch(k, (int)v, n_steps - 1);
}

static int larger_first(const void *a, const void *b, void *ctx)
{
    const work *k = ctx;
    const buffer *x = &k->buffers[*(const size_t *)a], *y = &k->buffers[*(const size_t *)b];
    return x->bytes != y->bytes ? x->bytes > y->bytes : x->value < y->value;
}

/* The lowest offset at which b meets none of the buffers placed before it that live at the same
 * time. */
static size_t lowest_offset(const work *k, const buffer *b, size_t n_placed)
{
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n_placed; i++) {
            const buffer *o = &k->buffers[k->order[i]];
            bool together = o->born <= b->dies && b->born <= o->dies;
            if (together && offset < o->offset + o->bytes && o->offset < offset + b->bytes) {
                offset = o->offset + o->bytes;
                moved = true;
            }
        }
    }
    return offset;
}

static vg_status place(work *k, vg_error *err)
{
    nn_plan *p = k->p;
    size_t n = 0;
    lifetimes(k);
    for (size_t v = 0; v < k->g->n_values; v++) {
        buffer *b = &k->buffers[v];
        const nn_map *m = &p->maps[v];
        if (b->dies < b->born)
            continue;
        size_t bytes = sizeof(float);
        bool fits = base_mul_size(&bytes, bytes, (size_t)m->n) &&
                    base_mul_size(&bytes, bytes, (size_t)m->h) &&
                    base_mul_size(&bytes, bytes, (size_t)m->w) &&
                    base_mul_size(&bytes, bytes, (size_t)m->c) && bytes < SIZE_MAX / 4096;
        if (!fits)
            return base_fail(err, VG_ERR_LIMIT, NULL, NULL,
                             "a feature map larger than this machine can address");
        b->bytes = base_round_up(bytes, BASE_MEM_ALIGN);
        k->order[n++] = v;
        p->naive_bytes += b->bytes;
    }
    base_sort(k->order, n, sizeof *k->order, larger_first, k);
    for (size_t i = 0; i < n; i++) {
        buffer *b = &k->buffers[k->order[i]];
        b->offset = lowest_offset(k, b, i);
        if (b->offset + b->bytes > p->block_bytes)
            p->block_bytes = b->offset + b->bytes;
    }
    return VG_OK;
}

/* Every value's map as an offset (in data) and a pitch. */
static void resolve(work *k)
{
    nn_plan *p = k->p;
    for (size_t v = 0; v < k->g->n_values; v++) {
        size_t c0 = 0;
        int root = (int)v;
        while (k->parent[root] != NN_NO_VALUE) {
            c0 += (size_t)k->c0[root];
            root = k->parent[root];
        }
        p->offsets[v] =
            root == k->g->input ? SIZE_MAX : k->buffers[root].offset + c0 * sizeof(float);
        p->maps[v].pitch = (size_t)k->g->values[root].c;
    }
}

static vg_status compile(work *k, vg_error *err)
{
    shapes(k);
    fuse(k);
    alias(k);
    steps(k);
    vg_status st = place(k, err);
    if (st == VG_OK)
        resolve(k);
    return st;
}

vg_status nn_plan_create(nn_plan **out, const nn_graph *g, int n, int h, int w, bool keep_layers,
                         base_mem *mem, vg_error *err)
{
    nn_graph_info info;
    nn_graph_get_info(g, 32, &info);
    *out = NULL;
    int s = info.max_stride;
    if (n < 1 || n > MAX_BATCH || h < s || w < s || h > MAX_SIDE || w > MAX_SIDE || h % s || w % s)
        return base_fail(
            err, VG_ERR_ARGUMENT, NULL,
            base_mend("use sides that are multiples of %d up to %d, and 1 to %d pictures", s,
                      MAX_SIDE, MAX_BATCH),
            "a network input of %d x %dx%d", n, h, w);
    size_t n_values = g->n_values, n_ops = g->n_ops, n_most_steps = n_ops;
    for (size_t i = 0; i < n_ops; i++)
        n_most_steps += g->ops[i].kind == NN_CONCAT ? (size_t)g->ops[i].n_in : 0;

    vg_status st = VG_ERR_MEMORY;
    work k = {.g = g};
    nn_plan *p = base_alloc_zero(mem, 1, sizeof *p, err);
    if (!p)
        return st;
    *p = (nn_plan){.n = n, .h = h, .w = w, .graph = g, .keeps_layers = keep_layers};
    k.p = p;
    /* The work lives in one block, largest alignment first. */
    size_t bytes = n_values * (sizeof(buffer) + sizeof(size_t) + 4 * sizeof(int)) +
                   n_ops * (sizeof(int) + sizeof(bool));
    char *block = base_alloc_zero(mem, 1, bytes, err);
    p->steps = base_alloc_zero(mem, n_most_steps, sizeof *p->steps, err);
    p->maps = base_alloc_zero(mem, n_values, sizeof *p->maps, err);
    p->offsets = base_alloc_zero(mem, n_values, sizeof *p->offsets, err);
    if (!block || !p->steps || !p->maps || !p->offsets)
        goto done;
    k.buffers = (buffer *)(void *)block;
    k.order = (size_t *)(void *)(k.buffers + n_values);
    k.parent = (int *)(void *)(k.order + n_values);
    k.c0 = k.parent + n_values;
    k.uses = k.c0 + n_values;
    k.produced_as = k.uses + n_values;
    k.fused_add = k.produced_as + n_values;
    k.gone = (bool *)(k.fused_add + n_ops);
    for (size_t v = 0; v < n_values; v++)
        k.produced_as[v] = (int)v;
    for (size_t i = 0; i < n_ops; i++)
        k.fused_add[i] = NN_NO_VALUE;
    st = compile(&k, err);
done:
    base_free(block);
    if (st != VG_OK)
        nn_plan_destroy(&p);
    *out = p;
    return st;
}

void nn_plan_destroy(nn_plan **p)
{
    if (*p) {
        base_free((*p)->steps);
        base_free((*p)->maps);
        base_free((*p)->offsets);
        base_free(*p);
    }
    *p = NULL;
}

void nn_plan_bind(nn_plan *p, char *block, const float *input)
{
    if (!block || p->bound != block) {
        for (size_t v = 0; v < p->graph->n_values; v++)
            p->maps[v].data = p->offsets[v] == SIZE_MAX || !block
                                  ? NULL
                                  : (float *)(void *)(block + p->offsets[v]);
        for (size_t i = 0; i < p->n_steps; i++) {
            nn_step *s = &p->steps[i];
            s->dst_map = p->maps[s->dst];
            s->src_map = p->maps[s->src];
            if (s->src2 != NN_NO_VALUE)
                s->src2_map = p->maps[s->src2];
            if (s->kind == NN_STEP_COPY) {
                if (s->dst_map.data)
                    s->dst_map.data += s->k;
                s->dst_map.c = s->src_map.c;
            }
        }
        p->bound = block;
    }
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].src == p->graph->input)
            p->steps[i].src_map.data =
                (float *)(uintptr_t)input; /* read only: a source is never written */
}

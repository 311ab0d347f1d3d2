/* wire.c: the first four passes of every plan. */
#include "wire.h"

enum { MAX_BATCH = 1024, MAX_SIDE = 65536 };

vg_status nn_wires_check(const nn_graph *g, int n, int h, int w, vg_error *err)
{
    nn_graph_info info;
    nn_graph_get_info(g, 32, &info);
    int s = info.max_stride;
    if (n < 1 || n > MAX_BATCH || h < s || w < s || h > MAX_SIDE || w > MAX_SIDE || h % s || w % s)
        return base_fail(
            err, VG_ERR_ARGUMENT, NULL,
            base_mend("use sides that are multiples of %d up to %d, and 1 to %d pictures", s,
                      MAX_SIDE, MAX_BATCH),
            "a network input of %d x %dx%d", n, h, w);
    return VG_OK;
}

bool nn_wires_is_head(const nn_graph *g, int v)
{
    for (int i = 0; i < g->n_levels; i++)
        if (g->levels[i].box == v || g->levels[i].cls == v || g->levels[i].extra == v)
            return true;
    for (int i = 0; i < NN_N_RESULTS; i++)
        if (g->results[i] == v)
            return true;
    return false;
}

/* ---- 1. shapes ---- */

static void shapes(nn_wires *k, int n, int h, int w)
{
    const nn_graph *g = k->g;
    for (size_t v = 0; v < g->n_values; v++) /* h 0: not known yet */
        k->maps[v] = (nn_map){.n = n, .c = g->values[v].c};
    k->maps[g->input].h = h;
    k->maps[g->input].w = w;
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        for (int j = 0; j < op->n_in; j++) {
            int v = op->in[j], up = g->values[v].parent;
            if (up != NN_NO_VALUE && k->maps[v].h == 0) {
                k->maps[v].h = k->maps[up].h;
                k->maps[v].w = k->maps[up].w;
            }
        }
        const nn_map *x = &k->maps[op->in[0]];
        int s = op->kind == NN_CONV ? op->conv.stride : 1,
            up = op->kind == NN_UPSAMPLE || op->kind == NN_SHUFFLE ? 2 : 1;
        k->maps[op->out].h = op->kind == NN_MEAN ? 1 : (x->h + s - 1) / s * up;
        k->maps[op->out].w = op->kind == NN_MEAN ? 1 : (x->w + s - 1) / s * up;
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

static void count_uses(nn_wires *k, const bool *is_kept)
{
    const nn_graph *g = k->g;
    for (size_t i = 0; i < g->n_ops; i++)
        for (int j = 0; j < g->ops[i].n_in; j++)
            k->uses[g->ops[i].in[j]]++;
    for (size_t v = 0; v < g->n_values; v++) {
        if (g->values[v].parent != NN_NO_VALUE)
            k->uses[g->values[v].parent]++;
        if (nn_wires_is_head(g, (int)v) || (is_kept && is_kept[v]))
            k->uses[v]++;
    }
}

static void fuse(nn_wires *k, const bool *is_kept)
{
    const nn_graph *g = k->g;
    count_uses(k, is_kept);
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

/* ---- 3. alias ---- */

/* Slices of the graph first: they have no choice. Then what each concat can take in. */
static void alias(nn_wires *k)
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

/* ---- 4. steps ---- */

static const nn_step_kind KINDS[] = {
    [NN_CONV] = NN_STEP_CONV,         [NN_MAXPOOL] = NN_STEP_MAXPOOL,
    [NN_UPSAMPLE] = NN_STEP_UPSAMPLE, [NN_CONCAT] = NN_STEP_COPY,
    [NN_ADD] = NN_STEP_ADD,           [NN_ATTENTION] = NN_STEP_ATTENTION,
    [NN_SHUFFLE] = NN_STEP_SHUFFLE,   [NN_MEAN] = NN_STEP_MEAN,
};

/* The next input of a concat that lives elsewhere. */
static bool next_copy(const nn_wires *k, nn_wires_at *at, const nn_op *op, nn_step_spec *out)
{
    while (at->input < op->n_in) {
        const int v = op->in[at->input++], c0 = at->c0;
        at->c0 += k->g->values[v].c;
        if (k->parent[v] == op->out && k->c0[v] == c0)
            continue;
        out->src = v;
        out->src2 = NN_NO_VALUE;
        out->k = c0;
        return true;
    }
    return false;
}

bool nn_wires_next(const nn_wires *k, nn_wires_at *at, nn_step_spec *out)
{
    for (; at->op < k->g->n_ops; *at = (nn_wires_at){.op = at->op + 1}) {
        const size_t i = at->op;
        const nn_op *op = &k->g->ops[i];
        if (k->gone[i])
            continue;
        *out = (nn_step_spec){.kind = KINDS[op->kind],
                              .op = (int)i,
                              .dst = k->produced_as[op->out],
                              .src = op->in[0],
                              .src2 = op->kind == NN_ADD ? op->in[1] : k->fused_add[i],
                              .conv = op->kind == NN_CONV ? &op->conv : NULL,
                              .k = op->k,
                              .heads = op->heads,
                              .key_dim = op->key_dim,
                              .head_dim = op->head_dim};
        if (op->kind == NN_CONCAT) {
            if (next_copy(k, at, op, out))
                return true;
            continue;
        }
        at->op++;
        return true;
    }
    return false;
}

size_t nn_wires_most_steps(const nn_graph *g)
{
    size_t n = g->n_ops;
    for (size_t i = 0; i < g->n_ops; i++)
        n += g->ops[i].kind == NN_CONCAT ? (size_t)g->ops[i].n_in : 0;
    return n;
}

size_t nn_wires_bytes(const nn_graph *g)
{
    return g->n_values * 4 * sizeof(int) + g->n_ops * (sizeof(int) + sizeof(bool));
}

void nn_wire(nn_wires *k, const nn_graph *g, nn_map *maps, int n, int h, int w, const bool *is_kept,
             void *block)
{
    *k = (nn_wires){.g = g, .maps = maps, .parent = block};
    k->c0 = k->parent + g->n_values;
    k->uses = k->c0 + g->n_values;
    k->produced_as = k->uses + g->n_values;
    k->fused_add = k->produced_as + g->n_values;
    k->gone = (bool *)(k->fused_add + g->n_ops);
    for (size_t v = 0; v < g->n_values; v++)
        k->produced_as[v] = (int)v;
    for (size_t i = 0; i < g->n_ops; i++)
        k->fused_add[i] = NN_NO_VALUE;
    shapes(k, n, h, w);
    fuse(k, is_kept);
    alias(k);
}

int nn_wires_root(const nn_wires *k, int v, int *c0)
{
    int at = 0;
    while (k->parent[v] != NN_NO_VALUE) {
        at += k->c0[v];
        v = k->parent[v];
    }
    if (c0)
        *c0 = at;
    return v;
}

/* plan.c: from ops to steps with memory.
 *
 * The first four passes are shared with training (wire.h): shapes, fused sums, aliases, steps. Then
 * each buffer's life, from the first step that writes it to the last that reads it (place.h). How
 * large the plan's arrays are is the graph's alone, so a plan takes any shape, one after another,
 * in the memory it has. */
#include "plan.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "place.h"
#include "wire.h"

typedef struct work {
    const nn_graph *g;
    nn_plan *p;
    nn_wires wires;
    bool *is_kept;      /* (values) outputs of layers that stay until the end */
    nn_buffer *buffers; /* (values) */
    size_t *order;      /* (2 * values) scratch of nn_place */
} work;

/* ---- steps ---- */

static void steps(work *k)
{
    nn_wires_at at = {0};
    for (nn_step_spec spec; nn_wires_next(&k->wires, &at, &spec);)
        k->p->steps[k->p->n_steps++] =
            (nn_step){.spec = spec, .is_float_dst = nn_wires_is_head(k->g, spec.dst)};
}

/* ---- memory ---- */

static void touch(work *k, int v, int step)
{
    int root = v == NN_NO_VALUE ? k->g->input : nn_wires_root(&k->wires, v, NULL);
    if (root != k->g->input)
        nn_buffer_touch(&k->buffers[root], step);
}

static void lifetimes(work *k)
{
    int n_steps = (int)k->p->n_steps;
    for (size_t v = 0; v < k->g->n_values; v++)
        k->buffers[v] = (nn_buffer){.born = INT_MAX, .dies = -1};
    for (int i = 0; i < n_steps; i++) {
        const nn_step *s = &k->p->steps[i];
        touch(k, s->spec.dst, i);
        touch(k, s->spec.src, i);
        touch(k, s->spec.src2, i);
    }
    for (size_t v = 0; v < k->g->n_values; v++)
        if (nn_wires_is_head(k->g, (int)v) || k->is_kept[v])
            touch(k, (int)v, n_steps - 1);
}

/* Heads are read as floats, whatever the others are kept in. */
static size_t element_bytes(const nn_plan *p, int v)
{
    return nn_wires_is_head(p->graph, v) ? sizeof(float) : p->element_bytes;
}

static vg_status place(work *k, vg_error *err)
{
    nn_plan *p = k->p;
    lifetimes(k);
    for (size_t v = 0; v < k->g->n_values; v++) {
        nn_buffer *b = &k->buffers[v];
        const nn_map *m = &p->maps[v];
        if (b->dies < b->born)
            continue;
        vg_status st = nn_buffer_size_of(element_bytes(p, (int)v), b, m->n, m->h, m->w, m->c, err);
        if (st != VG_OK)
            return st;
        p->naive_bytes += b->bytes;
    }
    p->block_bytes = nn_place(k->buffers, k->g->n_values, k->order, k->order + k->g->n_values);
    return VG_OK;
}

/* Every value's map as an offset (in data) and a pitch. */
static void resolve(work *k)
{
    nn_plan *p = k->p;
    for (size_t v = 0; v < k->g->n_values; v++) {
        int c0, root = nn_wires_root(&k->wires, (int)v, &c0);
        assert(root == (int)v || !nn_wires_is_head(k->g, (int)v)); /* it has bytes of its own */
        p->offsets[v] = root == k->g->input
                            ? SIZE_MAX
                            : k->buffers[root].offset + (size_t)c0 * p->element_bytes;
        p->maps[v].pitch = (size_t)k->g->values[root].c;
    }
}

size_t nn_plan_work_bytes(const nn_graph *g)
{
    return g->n_values * (sizeof(nn_buffer) + 2 * sizeof(size_t) + sizeof(bool)) +
           nn_wires_bytes(g);
}

vg_status nn_plan_alloc(nn_plan **out, const nn_graph *g, bool keep_layers, size_t element_bytes,
                        base_mem *mem, vg_error *err)
{
    nn_plan *p = base_alloc_zero(mem, 1, sizeof *p, err);
    *out = p;
    if (!p)
        return VG_ERR_MEMORY;
    *p = (nn_plan){.graph = g, .keeps_layers = keep_layers, .element_bytes = element_bytes};
    p->steps = base_alloc_zero(mem, nn_wires_most_steps(g), sizeof *p->steps, err);
    p->maps = base_alloc_zero(mem, g->n_values, sizeof *p->maps, err);
    p->offsets = base_alloc_zero(mem, g->n_values, sizeof *p->offsets, err);
    if (p->steps && p->maps && p->offsets)
        return VG_OK;
    nn_plan_destroy(out);
    return VG_ERR_MEMORY;
}

vg_status nn_plan_lay_out(nn_plan *p, int n, int h, int w, void *block, vg_error *err)
{
    const nn_graph *g = p->graph;
    size_t n_values = g->n_values;
    *p = (nn_plan){.graph = g,
                   .keeps_layers = p->keeps_layers,
                   .element_bytes = p->element_bytes,
                   .steps = p->steps,
                   .maps = p->maps,
                   .offsets = p->offsets};
    vg_status st = nn_wires_check(g, n, h, w, err);
    if (st != VG_OK)
        return st;
    memset(block, 0, nn_plan_work_bytes(g));
    memset(p->maps, 0, n_values * sizeof *p->maps);
    work k = {.g = g, .p = p, .buffers = block}; /* largest alignment first */
    k.order = (size_t *)(void *)(k.buffers + n_values);
    char *wires = (char *)(k.order + 2 * n_values);
    k.is_kept = (bool *)(wires + nn_wires_bytes(g));
    for (size_t i = 0; p->keeps_layers && i < g->n_layers; i++)
        if (g->layers[i].out != NN_NO_VALUE)
            k.is_kept[g->layers[i].out] = true;
    nn_wire(&k.wires, g, p->maps, n, h, w, k.is_kept, wires);
    steps(&k);
    st = place(&k, err);
    if (st != VG_OK)
        return st;
    resolve(&k);
    p->input_at = base_round_up(p->block_bytes, BASE_MEM_ALIGN);
    p->remote_bytes =
        p->input_at +
        base_round_up((size_t)n * (size_t)h * (size_t)w * 3 * p->element_bytes, BASE_MEM_ALIGN);
    p->n = n;
    p->h = h;
    p->w = w;
    return VG_OK;
}

vg_status nn_plan_create(nn_plan **out, const nn_graph *g, int n, int h, int w, bool keep_layers,
                         base_mem *mem, vg_error *err)
{
    vg_status st = nn_plan_alloc(out, g, keep_layers, sizeof(float), mem, err);
    if (st != VG_OK)
        return st;
    void *block = base_alloc(mem, nn_plan_work_bytes(g), err);
    st = block ? nn_plan_lay_out(*out, n, h, w, block, err) : VG_ERR_MEMORY;
    base_free(block);
    if (st != VG_OK)
        nn_plan_destroy(out);
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

vg_status nn_graph_n_steps(size_t *out, const nn_graph *g, int h, int w, base_mem *mem,
                           vg_error *err)
{
    nn_plan *p = NULL;
    const vg_status st = nn_plan_create(&p, g, 1, h, w, false, mem, err);
    *out = st == VG_OK ? p->n_steps : 0;
    nn_plan_destroy(&p);
    return st;
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
            s->dst_map = p->maps[s->spec.dst];
            s->src_map = p->maps[s->spec.src];
            if (s->spec.src2 != NN_NO_VALUE)
                s->src2_map = p->maps[s->spec.src2];
            if (s->spec.kind == NN_STEP_COPY) {
                if (s->dst_map.data)
                    s->dst_map.data += s->spec.k;
                s->dst_map.c = s->src_map.c;
            }
        }
        p->bound = block;
    }
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].spec.src == p->graph->input)
            p->steps[i].src_map.data =
                (float *)(uintptr_t)input; /* read only: a source is never written */
}

/* ---- in memory that is not the program's ---- */

/* The maps of heads, and the other results. */
static size_t n_head_maps(const nn_graph *g)
{
    return 3 * (size_t)g->n_levels + NN_N_RESULTS;
}

/* The index-th of these, then of the layers'; NN_NO_VALUE: there is none. */
static int reading_value(const nn_plan *p, size_t index)
{
    const nn_graph *g = p->graph;
    const size_t of_levels = 3 * (size_t)g->n_levels, n_maps = n_head_maps(g);
    if (index < of_levels) {
        const nn_level *l = &g->levels[index / 3];
        return index % 3 == 0 ? l->box : index % 3 == 1 ? l->cls : l->extra;
    }
    return index < n_maps ? g->results[index - of_levels] : g->layers[index - n_maps].out;
}

/* From channel 0 of the first pixel to the last channel of the last: what lies between them comes
 * along. */
static size_t map_bytes(const nn_map *m)
{
    return (((size_t)m->n * (size_t)m->h * (size_t)m->w - 1) * m->pitch + (size_t)m->c) *
           sizeof(float);
}

bool nn_plan_next_reading(const nn_plan *p, size_t *index, size_t *end, nn_plan_reading *out)
{
    const size_t n = n_head_maps(p->graph) + (p->keeps_layers ? p->graph->n_layers : 0);
    while (*index < n) {
        const int v = reading_value(p, (*index)++);
        if (v == NN_NO_VALUE || p->offsets[v] == SIZE_MAX)
            continue;
        *out = (nn_plan_reading){
            .value = v, .at = p->offsets[v], .to = *end, .bytes = map_bytes(&p->maps[v])};
        *end += base_round_up(out->bytes, BASE_MEM_ALIGN);
        return true;
    }
    return false;
}

size_t nn_plan_readings_bytes(const nn_plan *p)
{
    size_t index = 0, end = 0;
    for (nn_plan_reading r; nn_plan_next_reading(p, &index, &end, &r);)
        ;
    return end;
}

static size_t place_of(const nn_plan *p, int v)
{
    return p->offsets[v] == SIZE_MAX ? p->input_at : p->offsets[v];
}

void nn_plan_bind_remote(nn_plan *p, char *results)
{
    size_t index = 0, end = 0;
    nn_plan_bind(p, NULL, NULL);
    for (size_t i = 0; i < p->n_steps; i++) {
        nn_step *s = &p->steps[i];
        s->dst_at = place_of(p, s->spec.dst);
        s->src_at = place_of(p, s->spec.src);
        if (s->spec.src2 != NN_NO_VALUE)
            s->src2_at = place_of(p, s->spec.src2);
        if (s->spec.kind == NN_STEP_COPY)
            s->dst_at += (size_t)s->spec.k * p->element_bytes;
    }
    for (nn_plan_reading r; results && nn_plan_next_reading(p, &index, &end, &r);)
        p->maps[r.value].data = (float *)(void *)(results + r.to);
}

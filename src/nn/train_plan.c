/* train_plan.c: from ops to steps of both directions with memory.
 *
 * Time runs through all forward steps, the loss, and all backward tasks. A map lives from the step
 * that writes it to the last that reads it in either direction: a convolution's input until its
 * weights' gradient is taken, everything else no longer than forward needs it. A gradient lives
 * from its first writer to the backward of the value's producer. Gradients of values that live
 * inside others lie inside the others' gradients, so a concat's gradient is no work. A convolution
 * with BN keeps its plain output z; backward turns z into its gradient in place, and the normalised
 * map is kept only as the input of the next. First writers store, later ones add: every gradient
 * has a mark a channel while backward is laid out. What nobody wrote is zeroed before it is read or
 * added to. docs/plan.md works an example through. */
#include "train_plan.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "place.h"
#include "wire.h"

typedef struct work {
    const nn_graph *g;
    nn_shape_plan *p;
    nn_wires wires;
    nn_map *maps;       /* (values) */
    nn_buffer *buffers; /* (values) maps, (values) gradients, (steps) z, (steps) saved */
    size_t n_buffers;
    size_t *order;   /* (2 * buffers) */
    size_t *mark_at; /* (values) */
    bool *marks;     /* (channels of all values) */
} work;

static size_t grad_buffer(const work *k, int root)
{
    return k->g->n_values + (size_t)root;
}

static size_t z_buffer(const work *k, size_t step)
{
    return 2 * k->g->n_values + step;
}

static size_t saved_buffer(const work *k, size_t step)
{
    return 2 * k->g->n_values + k->p->n_steps + step;
}

/* ---- forward steps ---- */

static void steps(work *k)
{
    nn_wires_at at = {0};
    k->p->n_steps = 0;
    for (nn_step_spec spec; nn_wires_next(&k->wires, &at, &spec);)
        k->p->steps[k->p->n_steps++] = (nn_train_step){.spec = spec};
}

/* ---- maps ---- */

/* Channels of dst that a step writes: a copy's are a part of it. */
static int written_channels(const work *k, const nn_train_step *s)
{
    return s->spec.kind == NN_STEP_COPY ? k->g->values[s->spec.src].c : k->g->values[s->spec.dst].c;
}

static bool is_input(const work *k, int v)
{
    return nn_wires_root(&k->wires, v, NULL) == k->g->input;
}

static void touch_value(work *k, int v, int time)
{
    if (v != NN_NO_VALUE && !is_input(k, v))
        nn_buffer_touch(&k->buffers[nn_wires_root(&k->wires, v, NULL)], time);
}

static void touch_grad(work *k, int v, int time)
{
    if (v != NN_NO_VALUE && !is_input(k, v))
        nn_buffer_touch(&k->buffers[grad_buffer(k, nn_wires_root(&k->wires, v, NULL))], time);
}

/* Batch normalisation writes what it reads: prototypes, where masks are made of sums over them. */
static bool is_normalised(const nn_graph *g, int v)
{
    for (size_t i = 0; i < g->n_ops; i++)
        if (g->ops[i].out == v)
            return g->ops[i].kind == NN_CONV && g->ops[i].conv.bn;
    return false;
}

/* Heads and the input are floats, whatever the others are kept in. */
static size_t element_bytes(const work *k, int v)
{
    const bool is_float =
        v == k->g->input || (nn_wires_is_head(k->g, v) && !is_normalised(k->g, v));
    return is_float ? sizeof(float) : k->p->element_bytes;
}

/* A value's map, or its gradient's, as an offset. c0: further channels on, c of them. */
static nn_map locate(const work *k, int v, bool grad, int c0, int c, size_t *at)
{
    int base, root = nn_wires_root(&k->wires, v, &base);
    nn_map m = k->maps[v];
    m.c = c;
    m.pitch = (size_t)k->g->values[root].c;
    *at = SIZE_MAX;
    if (root != k->g->input)
        *at = k->buffers[grad ? grad_buffer(k, root) : (size_t)root].offset +
              (size_t)(base + c0) * element_bytes(k, root);
    return m;
}

static void set_map(const work *k, nn_train_step *s, nn_train_role role, int v, bool grad)
{
    bool part = s->spec.kind == NN_STEP_COPY && v == s->spec.dst;
    if (v == NN_NO_VALUE || (grad && is_input(k, v)))
        return;
    s->is_half[role] = element_bytes(k, nn_wires_root(&k->wires, v, NULL)) < sizeof(float);
    s->map[role] = locate(k, v, grad, part ? s->spec.k : 0,
                          part ? written_channels(k, s) : k->g->values[v].c, &s->at[role]);
}

static void resolve(work *k)
{
    nn_shape_plan *p = k->p;
    for (size_t i = 0; i < p->n_steps; i++) {
        nn_train_step *s = &p->steps[i];
        for (int r = 0; r < NN_N_ROLES; r++)
            s->at[r] = SIZE_MAX;
        set_map(k, s, NN_DST, s->spec.dst, false);
        set_map(k, s, NN_SRC, s->spec.src, false);
        set_map(k, s, NN_SRC2, s->spec.src2, false);
        set_map(k, s, NN_D_DST, s->spec.dst, true);
        set_map(k, s, NN_D_SRC, s->spec.src, true);
        set_map(k, s, NN_D_SRC2, s->spec.src2, true);
        if (s->spec.kind == NN_STEP_CONV && s->spec.conv->bn) {
            s->map[NN_Z] = k->maps[s->spec.dst];
            s->map[NN_Z].pitch = (size_t)s->spec.conv->oc;
            s->at[NN_Z] = k->buffers[z_buffer(k, i)].offset;
            s->is_half[NN_Z] = p->element_bytes < sizeof(float);
            s->map[NN_SAVED] = (nn_map){
                .n = 1, .h = 1, .w = 2, .c = s->spec.conv->oc, .pitch = (size_t)s->spec.conv->oc};
            s->at[NN_SAVED] = k->buffers[saved_buffer(k, i)].offset;
        }
    }
    for (int i = 0; i < k->g->n_levels; i++) {
        nn_train_level *l = &p->levels[i];
        int box = k->g->levels[i].box, cls = k->g->levels[i].cls;
        l->box = locate(k, box, false, 0, k->g->values[box].c, &l->box_at);
        l->cls = locate(k, cls, false, 0, k->g->values[cls].c, &l->cls_at);
        l->d_box = locate(k, box, true, 0, k->g->values[box].c, &l->d_box_at);
        l->d_cls = locate(k, cls, true, 0, k->g->values[cls].c, &l->d_cls_at);
        const int extra = k->g->levels[i].extra;
        l->extra_at = l->d_extra_at = SIZE_MAX;
        if (extra == NN_NO_VALUE)
            continue;
        l->extra = locate(k, extra, false, 0, k->g->values[extra].c, &l->extra_at);
        l->d_extra = locate(k, extra, true, 0, k->g->values[extra].c, &l->d_extra_at);
    }
    for (int i = 0; i < NN_N_RESULTS; i++) {
        const int v = k->g->results[i];
        nn_train_output *o = &p->results[i];
        *o = (nn_train_output){.at = SIZE_MAX, .d_at = SIZE_MAX};
        if (v == NN_NO_VALUE)
            continue;
        o->map = locate(k, v, false, 0, k->g->values[v].c, &o->at);
        o->d_map = locate(k, v, true, 0, k->g->values[v].c, &o->d_at);
        o->is_half = element_bytes(k, v) < sizeof(float);
    }
}

/* ---- backward's tasks ---- */

static bool *marks_of(const work *k, int v, int c0)
{
    int base, root = nn_wires_root(&k->wires, v, &base);
    return k->marks + k->mark_at[root] + base + c0;
}

/* One more task; NULL where they are only counted. */
static nn_train_task *add_task(work *k, int step)
{
    nn_train_task *t = k->p->tasks ? &k->p->tasks[k->p->n_tasks] : NULL;
    k->p->n_tasks++;
    if (t)
        *t = (nn_train_task){.step = step};
    return t;
}

static int now(const work *k)
{
    return (int)(k->p->n_steps + k->p->n_tasks);
}

/* Zeros what is not written yet of channels [c0, c0 + c) of v's gradient, and marks it. */
static void complete(work *k, int v, int c0, int c)
{
    bool *mark = marks_of(k, v, c0);
    for (int i = 0; i < c; i++) {
        int first = i;
        while (i < c && !mark[i])
            mark[i++] = true;
        if (i == first)
            continue;
        nn_train_task *t = add_task(k, -1);
        if (t) {
            t->value = v; /* its map: when all have their places, see locate_zeros */
            t->c0 = c0 + first;
            t->zero.c = i - first;
            touch_grad(k, v, now(k));
        }
    }
}

/* The gradient of v gets one more contribution. Returns whether it must be added. */
static bool claim(work *k, int v)
{
    if (v == NN_NO_VALUE || is_input(k, v))
        return false;
    bool *mark = marks_of(k, v, 0);
    int c = k->g->values[v].c, written = 0;
    for (int i = 0; i < c; i++)
        written += mark[i];
    if (written > 0)
        complete(k, v, 0, c);
    memset(mark, true, (size_t)c * sizeof *mark);
    return written > 0;
}

static void backward_of(work *k, size_t i)
{
    nn_train_step *s = &k->p->steps[i];
    complete(k, s->spec.dst, s->spec.kind == NN_STEP_COPY ? s->spec.k : 0, written_channels(k, s));
    s->src2_adds = claim(k, s->spec.src2); /* a residual's gradient is written before src's */
    s->src_adds = claim(k, s->spec.src);
    if (!add_task(k, (int)i))
        return;
    int t = now(k);
    touch_grad(k, s->spec.dst, t);
    touch_grad(k, s->spec.src, t);
    touch_grad(k, s->spec.src2, t);
    if (s->spec.kind == NN_STEP_CONV || s->spec.kind == NN_STEP_MAXPOOL ||
        s->spec.kind == NN_STEP_ATTENTION)
        touch_value(k, s->spec.src, t);
    if (s->spec.kind == NN_STEP_CONV && s->spec.conv->bn) {
        nn_buffer_touch(&k->buffers[z_buffer(k, i)], t);
        nn_buffer_touch(&k->buffers[saved_buffer(k, i)], t);
    }
}

/* Lays backward out; without p->tasks it only counts them. */
static void backward(work *k)
{
    size_t n_marks = 0;
    for (size_t v = 0; v < k->g->n_values; v++) {
        k->mark_at[v] = n_marks;
        n_marks += (size_t)k->g->values[v].c;
    }
    memset(k->marks, false, n_marks * sizeof *k->marks);
    k->p->n_tasks = 0;
    for (int i = 0; i < k->g->n_levels; i++) { /* the loss is the first reader of the heads */
        claim(k, k->g->levels[i].box);
        claim(k, k->g->levels[i].cls);
        claim(k, k->g->levels[i].extra);
    }
    for (int i = 0; i < NN_N_RESULTS; i++)
        claim(k, k->g->results[i]);
    for (size_t i = k->p->n_steps; i-- > 0;)
        backward_of(k, i);
}

static void locate_zeros(work *k)
{
    for (size_t i = 0; i < k->p->n_tasks; i++) {
        nn_train_task *t = &k->p->tasks[i];
        if (t->step < 0)
            t->zero = locate(k, t->value, true, t->c0, t->zero.c, &t->at);
    }
}

/* ---- lifetimes ---- */

static void forward_lifetimes(work *k)
{
    int loss = (int)k->p->n_steps;
    for (size_t i = 0; i < k->p->n_steps; i++) {
        const nn_train_step *s = &k->p->steps[i];
        touch_value(k, s->spec.dst, (int)i);
        touch_value(k, s->spec.src, (int)i);
        touch_value(k, s->spec.src2, (int)i);
        if (s->spec.kind == NN_STEP_CONV && s->spec.conv->bn) {
            nn_buffer_touch(&k->buffers[z_buffer(k, i)], (int)i);
            nn_buffer_touch(&k->buffers[saved_buffer(k, i)], (int)i);
        }
    }
    for (int i = 0; i < k->g->n_levels; i++) {
        const nn_level *l = &k->g->levels[i];
        touch_value(k, l->box, loss);
        touch_value(k, l->cls, loss);
        touch_value(k, l->extra, loss);
        touch_grad(k, l->box, loss);
        touch_grad(k, l->cls, loss);
        touch_grad(k, l->extra, loss);
    }
    for (int i = 0; i < NN_N_RESULTS; i++) {
        touch_value(k, k->g->results[i], loss);
        touch_grad(k, k->g->results[i], loss);
    }
}

static vg_status place(work *k, vg_error *err)
{
    nn_shape_plan *p = k->p;
    vg_status st = VG_OK;
    for (size_t v = 0; v < k->g->n_values && st == VG_OK; v++) {
        const nn_map *m = &k->maps[v];
        st = nn_buffer_size_of(element_bytes(k, (int)v), &k->buffers[v], m->n, m->h, m->w, m->c,
                               err);
        k->buffers[grad_buffer(k, (int)v)].bytes = k->buffers[v].bytes;
    }
    for (size_t i = 0; i < p->n_steps && st == VG_OK; i++) {
        const nn_train_step *s = &p->steps[i];
        const nn_map *m = &k->maps[s->spec.dst];
        int c = s->spec.kind == NN_STEP_CONV ? s->spec.conv->oc : 1;
        st = nn_buffer_size_of(p->element_bytes, &k->buffers[z_buffer(k, i)], m->n, m->h, m->w, c,
                               err);
        if (st == VG_OK)
            st = nn_buffer_size(&k->buffers[saved_buffer(k, i)], 1, 1, 2, c, err);
    }
    if (st != VG_OK)
        return st;
    for (size_t i = 0; i < k->n_buffers; i++)
        if (k->buffers[i].born <= k->buffers[i].dies)
            p->naive_bytes += k->buffers[i].bytes;
    p->block_bytes = nn_place(k->buffers, k->n_buffers, k->order, k->order + k->n_buffers);
    return VG_OK;
}

static void clear_buffers(work *k)
{
    for (size_t i = 0; i < k->n_buffers; i++)
        k->buffers[i] = (nn_buffer){.born = INT_MAX, .dies = -1};
}

/* ---- together ---- */

static size_t n_channels(const nn_graph *g)
{
    size_t n = 0;
    for (size_t v = 0; v < g->n_values; v++)
        n += (size_t)g->values[v].c;
    return n;
}

size_t nn_shape_plan_work_bytes(const nn_graph *g)
{
    return 2 * (g->n_values + nn_wires_most_steps(g)) * (sizeof(nn_buffer) + 2 * sizeof(size_t)) +
           g->n_values * (sizeof(nn_map) + sizeof(size_t)) + nn_wires_bytes(g) +
           n_channels(g) * sizeof(bool);
}

/* Points the work into its block, largest alignment first, and lays the forward steps. */
static work begin(nn_shape_plan *p, const nn_graph *g, int n, int h, int w, void *block)
{
    work k = {.g = g, .p = p, .buffers = block};
    memset(block, 0, nn_shape_plan_work_bytes(g));
    const size_t most_buffers = 2 * (g->n_values + nn_wires_most_steps(g));
    k.order = (size_t *)(void *)(k.buffers + most_buffers);
    k.maps = (nn_map *)(void *)(k.order + 2 * most_buffers);
    k.mark_at = (size_t *)(void *)(k.maps + g->n_values);
    char *wires = (char *)(k.mark_at + g->n_values);
    k.marks = (bool *)(wires + nn_wires_bytes(g));
    nn_wire(&k.wires, g, k.maps, n, h, w, NULL, wires);
    steps(&k);
    k.n_buffers = 2 * (g->n_values + p->n_steps);
    clear_buffers(&k);
    return k;
}

vg_status nn_shape_plan_alloc(nn_shape_plan **out, const nn_graph *g, size_t of, void *block,
                              base_mem *mem, vg_error *err)
{
    nn_shape_plan *p = base_alloc_zero(mem, 1, sizeof *p, err);
    *out = p;
    if (!p)
        return VG_ERR_MEMORY;
    p->graph = g;
    p->element_bytes = of;
    p->steps = base_alloc_zero(mem, nn_wires_most_steps(g), sizeof *p->steps, err);
    p->live = base_alloc_zero(mem, g->n_values, sizeof *p->live, err);
    if (p->steps && p->live) {
        nn_graph_info info;
        nn_graph_get_info(g, 32, &info);
        work k = begin(p, g, 1, info.max_stride, info.max_stride, block);
        backward(&k); /* counts: tasks are the graph's, whatever the shape */
        p->most_tasks = p->n_tasks;
        p->tasks = base_alloc_zero(mem, p->most_tasks + 1, sizeof *p->tasks, err);
    }
    if (p->tasks)
        return VG_OK;
    nn_shape_plan_destroy(out);
    return VG_ERR_MEMORY;
}

vg_status nn_shape_plan_lay_out(nn_shape_plan *p, int n, int h, int w, void *block, vg_error *err)
{
    *p = (nn_shape_plan){.graph = p->graph,
                         .element_bytes = p->element_bytes,
                         .steps = p->steps,
                         .tasks = p->tasks,
                         .most_tasks = p->most_tasks,
                         .live = p->live};
    vg_status st = nn_wires_check(p->graph, n, h, w, err);
    if (st != VG_OK)
        return st;
    work k = begin(p, p->graph, n, h, w, block);
    backward(&k);
    assert(p->n_tasks == p->most_tasks);
    forward_lifetimes(&k);
    st = place(&k, err);
    if (st != VG_OK)
        return st;
    resolve(&k);
    locate_zeros(&k);
    p->n = n;
    p->h = h;
    p->w = w;
    return VG_OK;
}

vg_status nn_shape_plan_create(nn_shape_plan **out, const nn_graph *g, int n, int h, int w,
                               base_mem *mem, vg_error *err)
{
    *out = NULL;
    void *block = base_alloc(mem, nn_shape_plan_work_bytes(g), err);
    if (!block)
        return VG_ERR_MEMORY;
    vg_status st = nn_shape_plan_alloc(out, g, sizeof(float), block, mem, err);
    if (st == VG_OK)
        st = nn_shape_plan_lay_out(*out, n, h, w, block, err);
    if (st != VG_OK)
        nn_shape_plan_destroy(out);
    base_free(block);
    return st;
}

void nn_shape_plan_destroy(nn_shape_plan **p)
{
    if (*p) {
        base_free((*p)->steps);
        base_free((*p)->tasks);
        base_free((*p)->live);
        base_free(*p);
    }
    *p = NULL;
}

static void point(nn_map *m, char *block, size_t at)
{
    m->data = at == SIZE_MAX ? NULL : (float *)(void *)(block + at);
}

void nn_shape_plan_bind(nn_shape_plan *p, const nn_graph *g, char *block, const float *input)
{
    if (p->bound != block) {
        for (size_t i = 0; i < p->n_steps; i++)
            for (int r = 0; r < NN_N_ROLES; r++)
                point(&p->steps[i].map[r], block, p->steps[i].at[r]);
        for (size_t i = 0; i < p->n_tasks; i++)
            if (p->tasks[i].step < 0)
                point(&p->tasks[i].zero, block, p->tasks[i].at);
        for (int i = 0; i < g->n_levels; i++) {
            nn_train_level *l = &p->levels[i];
            point(&l->box, block, l->box_at);
            point(&l->cls, block, l->cls_at);
            point(&l->d_box, block, l->d_box_at);
            point(&l->d_cls, block, l->d_cls_at);
            point(&l->extra, block, l->extra_at);
            point(&l->d_extra, block, l->d_extra_at);
        }
        for (int i = 0; i < NN_N_RESULTS; i++) {
            point(&p->results[i].map, block, p->results[i].at);
            point(&p->results[i].d_map, block, p->results[i].d_at);
        }
        p->bound = block;
    }
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].spec.src == g->input)
            p->steps[i].map[NN_SRC].data =
                (float *)(uintptr_t)input; /* read only: a source is never written */
}

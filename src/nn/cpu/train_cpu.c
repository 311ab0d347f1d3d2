/* train_cpu.c: the CPU's training backend: a team of threads over one table of kernels. */
#include "train_cpu.h"

#include <string.h>

#include "isa.h"

static const cpu_train_kernels *const tables[] = {
#if defined(__x86_64__)
    &cpu_train_kernels_avx512,
    &cpu_train_kernels_avx2,
#endif
    &cpu_train_kernels_generic,
    &cpu_train_kernels_plain,
};

static void cpu_destroy(void **self)
{
    cpu_trainer *t = *self;
    if (t) {
        base_pool_destroy(&t->pool);
        base_free(t);
    }
    *self = NULL;
}

static vg_status cpu_create(void **out, const nn_backend_options *o, base_mem *mem, vg_error *err)
{
    *out = NULL;
    const cpu_kernels *infer = NULL;
    vg_status st = cpu_isa_choose(&infer, o->isa, err);
    if (st != VG_OK)
        return st;
    cpu_trainer *t = base_alloc_zero(mem, 1, sizeof *t, err);
    if (!t)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i]->infer == infer)
            t->k = tables[i];
    st = base_pool_create(&t->pool, o->threads > 0 ? o->threads : base_cpu_count(), mem, err);
    *out = t;
    if (st != VG_OK)
        cpu_destroy(out);
    return st;
}

static const char *cpu_isa(const void *self)
{
    return ((const cpu_trainer *)self)->k->infer->name;
}

static base_pool *cpu_pool(void *self)
{
    return ((cpu_trainer *)self)->pool;
}

static vg_status cpu_block_take(void *self, void **block, size_t bytes, base_mem *mem,
                                vg_error *err)
{
    (void)self;
    *block = base_alloc(mem, bytes, err);
    if (!*block)
        return VG_ERR_MEMORY;
    memset(*block, 0, bytes); /* every page is there before the first step, or not at all */
    return VG_OK;
}

static void cpu_block_give(void *self, void *block)
{
    (void)self;
    base_free(block);
}

/* Floats a thread of attention, whichever way. */
static size_t attention_floats(const cpu_trainer *t, const nn_train_step *s)
{
    int pixels = s->map[NN_SRC].h * s->map[NN_SRC].w;
    size_t ahead = t->k->infer->attention_scratch_floats(pixels, s->spec.key_dim, s->spec.head_dim);
    size_t back = t->k->attention_back_scratch_floats(pixels, s->spec.key_dim, s->spec.head_dim);
    return base_round_up(ahead > back ? ahead : back, BASE_MEM_ALIGN / sizeof(float));
}

static size_t cpu_scratch_bytes(const void *self, const nn_train_step *s)
{
    const cpu_trainer *t = self;
    size_t floats = 0;
    if (s->spec.kind == NN_STEP_CONV)
        floats = cpu_conv_scratch_floats(t, s);
    if (s->spec.kind == NN_STEP_ATTENTION)
        floats = attention_floats(t, s) * (size_t)base_pool_threads(t->pool);
    return floats * sizeof(float);
}

/* What a worker needs of the step it helps with. */
typedef struct job {
    const cpu_trainer *t;
    const nn_train_step *s;
    float *scratch;
    size_t scratch_floats;
    float scale; /* attention */
} job;

static size_t rows_of(const nn_map *m)
{
    return (size_t)m->n * (size_t)m->h;
}

static void run_forward(void *self, size_t begin, size_t end, int worker)
{
    const job *j = self;
    const cpu_kernels *k = j->t->k->infer;
    const nn_map *dst = &j->s->map[NN_DST], *src = &j->s->map[NN_SRC];
    switch (j->s->spec.kind) {
    case NN_STEP_MAXPOOL:
        k->maxpool_run(j->s->spec.k, dst, src, begin, end);
        break;
    case NN_STEP_UPSAMPLE:
        k->upsample_run(dst, src, begin, end);
        break;
    case NN_STEP_SHUFFLE:
        k->shuffle_run(dst, src, begin, end);
        break;
    case NN_STEP_MEAN:
        k->mean_run(dst, src, begin, end);
        break;
    case NN_STEP_COPY:
        k->copy_run(dst, src, begin, end);
        break;
    case NN_STEP_ADD:
        k->add_run(dst, src, &j->s->map[NN_SRC2], begin, end);
        break;
    case NN_STEP_ATTENTION:
        k->attention_run(dst, src, j->s->spec.heads, j->s->spec.key_dim, j->s->spec.head_dim,
                         j->scale, j->scratch + (size_t)worker * j->scratch_floats, begin, end);
        break;
    case NN_STEP_CONV:
        break;
    }
}

static vg_status cpu_forward(void *self, const nn_train_step *s, void *scratch, vg_error *err)
{
    const cpu_trainer *t = self;
    const nn_map *dst = &s->map[NN_DST];
    job j = {.t = t, .s = s, .scratch = scratch};
    size_t n = rows_of(dst); /* a unit is a row */
    (void)err;               /* arithmetic cannot fail */
    if (s->spec.kind == NN_STEP_CONV) {
        cpu_conv_forward(t, s, scratch);
        return VG_OK;
    }
    if (s->spec.kind == NN_STEP_MAXPOOL)
        n = t->k->infer->maxpool_units(dst);
    if (s->spec.kind == NN_STEP_MEAN)
        n = cpu_channel_units(dst);
    if (s->spec.kind == NN_STEP_ATTENTION) {
        n = t->k->infer->attention_units(dst, s->spec.heads);
        j.scratch_floats = attention_floats(t, s);
        j.scale = cpu_attention_scale(s->spec.key_dim);
    }
    base_pool_run(t->pool, n, 1, run_forward, &j);
    return VG_OK;
}

static void run_backward(void *self, size_t begin, size_t end, int worker)
{
    const job *j = self;
    const nn_train_step *s = j->s;
    const cpu_train_kernels *k = j->t->k;
    const nn_map *dx = &s->map[NN_D_SRC], *x = &s->map[NN_SRC], *dy = &s->map[NN_D_DST];
    if (s->spec.kind == NN_STEP_MAXPOOL)
        k->maxpool_back_run(s->spec.k, dx, x, dy, s->src_adds, begin, end);
    else if (s->spec.kind == NN_STEP_UPSAMPLE)
        k->upsample_back_run(dx, dy, s->src_adds, begin, end);
    else if (s->spec.kind == NN_STEP_SHUFFLE)
        k->shuffle_back_run(dx, dy, s->src_adds, begin, end);
    else if (s->spec.kind == NN_STEP_MEAN)
        k->mean_back_run(dx, dy, s->src_adds, begin, end);
    else
        k->attention_back_run(dx, x, dy, s->spec.heads, s->spec.key_dim, s->spec.head_dim, j->scale,
                              s->src_adds, j->scratch + (size_t)worker * j->scratch_floats, begin,
                              end);
}

static vg_status cpu_backward(void *self, const nn_train_step *s, const nn_train_wants *wants,
                              void *scratch, vg_error *err)
{
    const cpu_trainer *t = self;
    job j = {.t = t, .s = s, .scratch = scratch};
    size_t n = 0;
    (void)err;
    switch (s->spec.kind) {
    case NN_STEP_CONV:
        cpu_conv_backward(t, s, wants, scratch);
        return VG_OK;
    case NN_STEP_COPY:
    case NN_STEP_ADD:
        if (wants->src2)
            cpu_give(t, &s->map[NN_D_SRC2], &s->map[NN_D_DST], s->src2_adds);
        if (wants->src)
            cpu_give(t, &s->map[NN_D_SRC], &s->map[NN_D_DST], s->src_adds);
        return VG_OK;
    case NN_STEP_MAXPOOL:
        n = cpu_channel_units(&s->map[NN_D_SRC]);
        break;
    case NN_STEP_UPSAMPLE:
    case NN_STEP_SHUFFLE:
    case NN_STEP_MEAN:
        n = rows_of(&s->map[NN_D_SRC]);
        break;
    case NN_STEP_ATTENTION:
        n = (size_t)s->map[NN_SRC].n * (size_t)s->spec.heads;
        j.scratch_floats = attention_floats(t, s);
        j.scale = cpu_attention_scale(s->spec.key_dim);
        break;
    }
    if (wants->src)
        base_pool_run(t->pool, n, 1, run_backward, &j);
    return VG_OK;
}

static vg_status cpu_zero(void *self, const nn_map *map, size_t at, vg_error *err)
{
    (void)at, (void)err;
    cpu_give(self, map, NULL, false);
    return VG_OK;
}

/* The kernels compute whatever a graph may have. */
static vg_status cpu_check(const void *self, const nn_train_step *s, vg_error *err)
{
    (void)self, (void)s, (void)err;
    return VG_OK;
}

static void cpu_join(void *self, const nn_train_together *together)
{
    ((cpu_trainer *)self)->together = together;
}

const nn_train_backend nn_train_backend_cpu = {.name = "cpu",
                                               .create = cpu_create,
                                               .destroy = cpu_destroy,
                                               .isa = cpu_isa,
                                               .pool = cpu_pool,
                                               .block_take = cpu_block_take,
                                               .block_give = cpu_block_give,
                                               .scratch_bytes = cpu_scratch_bytes,
                                               .check = cpu_check,
                                               .forward = cpu_forward,
                                               .backward = cpu_backward,
                                               .zero = cpu_zero,
                                               .join = cpu_join};

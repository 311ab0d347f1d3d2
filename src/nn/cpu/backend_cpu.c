/* backend_cpu.c: the CPU backend: a team of threads over one table of kernels. */
#include <string.h>

#include "../backend.h"
#include "isa.h"
#include "kernels.h"

typedef struct context {
    const cpu_kernels *kernels;
    base_pool *pool;
    bool owns_pool;
} context;

static cpu_conv conv_of(const nn_conv_spec *c, int threads)
{
    return (cpu_conv){.ic = c->ic,
                      .oc = c->oc,
                      .k = c->k,
                      .stride = c->stride,
                      .groups = c->groups,
                      .silu = c->silu,
                      .threads = threads};
}

static void cpu_destroy(void **self)
{
    context *c = *self;
    if (c) {
        if (c->owns_pool)
            base_pool_destroy(&c->pool);
        base_free(c);
    }
    *self = NULL;
}

static vg_status cpu_create(void **out, const nn_backend_options *o, base_mem *mem, vg_error *err)
{
    *out = NULL;
    const cpu_kernels *kernels = NULL;
    vg_status st = cpu_isa_choose(&kernels, o->isa, err);
    if (st != VG_OK)
        return st;
    context *c = base_alloc_zero(mem, 1, sizeof *c, err);
    if (!c)
        return VG_ERR_MEMORY;
    *c = (context){.kernels = kernels, .pool = o->pool, .owns_pool = !o->pool};
    if (c->owns_pool)
        st = base_pool_create(&c->pool, o->threads > 0 ? o->threads : base_cpu_count(), mem, err);
    *out = c;
    if (st != VG_OK)
        cpu_destroy(out);
    return st;
}

static const char *cpu_isa(const void *self)
{
    return ((const context *)self)->kernels->name;
}

static int cpu_threads(const void *self)
{
    return base_pool_threads(((const context *)self)->pool);
}

static size_t cpu_weights_bytes(const void *self, const nn_conv_spec *spec)
{
    cpu_conv conv = conv_of(spec, 1);
    return ((const context *)self)->kernels->conv_packed_floats(&conv) * sizeof(float);
}

static void cpu_weights_pack(const void *self, const nn_conv_spec *spec, void *packed,
                             const float *weight, const float *bias)
{
    cpu_conv conv = conv_of(spec, 1);
    ((const context *)self)->kernels->conv_pack(&conv, packed, weight, bias);
}

static vg_status cpu_block_take(void *self, void **block, size_t bytes, base_mem *mem,
                                vg_error *err)
{
    (void)self;
    *block = base_alloc(mem, bytes, err);
    if (!*block)
        return VG_ERR_MEMORY;
    memset(*block, 0, bytes); /* every page is there before the first picture, or not at all */
    return VG_OK;
}

static void cpu_block_give(void *self, void *block)
{
    (void)self;
    base_free(block);
}

static vg_status cpu_prepare(void *self, nn_step *step, base_mem *mem, vg_error *err)
{
    (void)self, (void)step, (void)mem,
        (void)err; /* the kernels need nothing of a shape beforehand */
    return VG_OK;
}

static void cpu_release(void *self, nn_step *step)
{
    (void)self, (void)step;
}

/* Floats of scratch per thread, a multiple of a cache line. */
static size_t scratch_floats(const cpu_kernels *k, const nn_step *s)
{
    size_t n = 0;
    if (s->spec.kind == NN_STEP_ATTENTION)
        n = k->attention_scratch_floats(s->src_map.h * s->src_map.w, s->spec.key_dim,
                                        s->spec.head_dim);
    if (s->spec.kind == NN_STEP_CONV) {
        cpu_conv conv = conv_of(s->spec.conv, 1);
        n = k->conv_scratch_floats(&conv);
    }
    return base_round_up(n, BASE_MEM_ALIGN / sizeof(float));
}

static size_t cpu_scratch_bytes(const void *self, const nn_step *step)
{
    const context *c = self;
    return scratch_floats(c->kernels, step) * sizeof(float) * (size_t)base_pool_threads(c->pool);
}

/* What a worker needs of the step it helps with. */
typedef struct job {
    const cpu_kernels *kernels;
    const nn_step *step;
    cpu_conv conv;
    float *scratch;
    size_t scratch_floats;
    float scale; /* attention */
} job;

static void run_units(void *self, size_t begin, size_t end, int worker)
{
    const job *j = self;
    const nn_step *s = j->step;
    const cpu_kernels *k = j->kernels;
    switch (s->spec.kind) {
    case NN_STEP_CONV:
        k->conv_run(&j->conv, s->weights, &s->dst_map, &s->src_map,
                    s->spec.src2 == NN_NO_VALUE ? NULL : &s->src2_map,
                    j->scratch + (size_t)worker * j->scratch_floats, begin, end);
        break;
    case NN_STEP_MAXPOOL:
        k->maxpool_run(s->spec.k, &s->dst_map, &s->src_map, begin, end);
        break;
    case NN_STEP_UPSAMPLE:
        k->upsample_run(&s->dst_map, &s->src_map, begin, end);
        break;
    case NN_STEP_SHUFFLE:
        k->shuffle_run(&s->dst_map, &s->src_map, begin, end);
        break;
    case NN_STEP_MEAN:
        k->mean_run(&s->dst_map, &s->src_map, begin, end);
        break;
    case NN_STEP_COPY:
        k->copy_run(&s->dst_map, &s->src_map, begin, end);
        break;
    case NN_STEP_ADD:
        k->add_run(&s->dst_map, &s->src_map, &s->src2_map, begin, end);
        break;
    case NN_STEP_ATTENTION:
        k->attention_run(&s->dst_map, &s->src_map, s->spec.heads, s->spec.key_dim, s->spec.head_dim,
                         j->scale, j->scratch + (size_t)worker * j->scratch_floats, begin, end);
        break;
    }
}

static size_t n_units(const job *j)
{
    const nn_step *s = j->step;
    switch (s->spec.kind) {
    case NN_STEP_CONV:
        return j->kernels->conv_units(&j->conv, &s->dst_map);
    case NN_STEP_MAXPOOL:
        return j->kernels->maxpool_units(&s->dst_map);
    case NN_STEP_ATTENTION:
        return j->kernels->attention_units(&s->dst_map, s->spec.heads);
    case NN_STEP_MEAN:
        return cpu_channel_units(&s->dst_map);
    default:
        return (size_t)s->dst_map.n * (size_t)s->dst_map.h; /* a unit is a row */
    }
}

static vg_status cpu_run(void *self, const nn_step *step, void *scratch, vg_error *err)
{
    const context *c = self;
    (void)err; /* arithmetic cannot fail */
    job j = {.kernels = c->kernels,
             .step = step,
             .scratch = scratch,
             .scratch_floats = scratch_floats(c->kernels, step)};
    if (step->spec.kind == NN_STEP_CONV)
        j.conv = conv_of(step->spec.conv, base_pool_threads(c->pool));
    if (step->spec.kind == NN_STEP_ATTENTION)
        j.scale = cpu_attention_scale(step->spec.key_dim);
    base_pool_run(c->pool, n_units(&j), 1, run_units, &j);
    return VG_OK;
}

/* ---- measurements ---- */

enum {
    PEAK_WINDOWS = 200, /* of a millisecond each: the best counts, for others may have had the
                           processor in the rest */
    PEAK_ROUNDS = 5000, /* of a piece: about 0.01 ms */
    COPY_TRIES = 8,
    COPY_PIECE = 1024 * 1024 /* bytes */
};

static const char *cpu_kernel(const void *self, const nn_step *step)
{
    static const char *const names[] = {[NN_STEP_CONV] = "",
                                        [NN_STEP_MAXPOOL] = "maxpool",
                                        [NN_STEP_UPSAMPLE] = "upsample",
                                        [NN_STEP_COPY] = "copy",
                                        [NN_STEP_ADD] = "add",
                                        [NN_STEP_ATTENTION] = "attention",
                                        [NN_STEP_SHUFFLE] = "shuffle",
                                        [NN_STEP_MEAN] = "mean"};
    const context *c = self;
    if (step->spec.kind != NN_STEP_CONV)
        return names[step->spec.kind];
    const cpu_conv conv = conv_of(step->spec.conv, base_pool_threads(c->pool));
    return c->kernels->conv_name(&conv);
}

typedef struct peak_job {
    const cpu_kernels *kernels;
    int64_t began_ns;
    _Atomic int n_done[PEAK_WINDOWS]; /* pieces, of all threads, by when they ended */
} peak_job;

/* A unit is a thread's part: it computes until time is up. */
static void peak_units(void *self, size_t begin, size_t end, int worker)
{
    peak_job *j = self;
    (void)worker;
    for (size_t i = begin; i < end;) {
        float seen = 1.0F;
        j->kernels->peak_run(PEAK_ROUNDS, &seen);
        const int64_t window = (base_now_ns() - j->began_ns) / 1000000;
        if (window < PEAK_WINDOWS)
            j->n_done[window]++;
        else
            i++;
    }
}

/* Of two times the faster, in units a second. */
static double faster(double best, double n, int64_t ns)
{
    const double rate = ns > 0 ? n * 1e9 / (double)ns : 0;
    return rate > best ? rate : best;
}

static double cpu_peak_flops(void *self)
{
    const context *c = self;
    peak_job j = {.kernels = c->kernels, .began_ns = base_now_ns()};
    float seen = 1.0F;
    int most = 0;
    base_pool_run(c->pool, (size_t)base_pool_threads(c->pool), 1, peak_units, &j);
    for (int i = 0; i < PEAK_WINDOWS; i++)
        most = j.n_done[i] > most ? j.n_done[i] : most;
    return c->kernels->peak_run(PEAK_ROUNDS, &seen) * most * 1000;
}

typedef struct copy_job {
    char *dst;
    const char *src;
} copy_job;

static void copy_units(void *self, size_t begin, size_t end, int worker)
{
    const copy_job *j = self;
    (void)worker;
    memcpy(j->dst + begin * COPY_PIECE, j->src + begin * COPY_PIECE, (end - begin) * COPY_PIECE);
}

static double cpu_copy_bytes(void *self, void *block, size_t bytes)
{
    const context *c = self;
    const size_t n = bytes / 2 / COPY_PIECE;
    copy_job j = {.dst = block, .src = (const char *)block + n * COPY_PIECE};
    double best = 0;
    for (int i = 0; i < COPY_TRIES; i++) {
        const int64_t began = base_now_ns();
        base_pool_run(c->pool, n, 1, copy_units, &j);
        best = faster(best, 2.0 * (double)n * COPY_PIECE, base_now_ns() - began);
    }
    return best;
}

const nn_backend nn_backend_cpu = {.name = "cpu",
                                   .create = cpu_create,
                                   .destroy = cpu_destroy,
                                   .isa = cpu_isa,
                                   .threads = cpu_threads,
                                   .weights_bytes = cpu_weights_bytes,
                                   .weights_pack = cpu_weights_pack,
                                   .block_take = cpu_block_take,
                                   .block_give = cpu_block_give,
                                   .prepare = cpu_prepare,
                                   .release = cpu_release,
                                   .scratch_bytes = cpu_scratch_bytes,
                                   .run = cpu_run,
                                   .kernel = cpu_kernel,
                                   .peak_flops = cpu_peak_flops,
                                   .copy_bytes = cpu_copy_bytes};

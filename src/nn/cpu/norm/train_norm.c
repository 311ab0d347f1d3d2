/* train_norm.c: batch normalisation in training mode, spec 1.4, and its gradient.
 *
 * Forward: y = act((z - m) / sqrt(v + eps) * w + b) with the batch's m and biased v. With
 * xhat = (z - m) / sqrt(v + eps) and g the gradient before the activation, backward is
 * dw = sum g xhat, db = sum g, dz = w / sqrt(v + eps) (g - db / N - xhat dw / N)
 * (S. Ioffe, C. Szegedy, arXiv:1502.03167). Sums over pixels: chunks in float, then chunks in order
 * in double. */
#include <math.h>

#include "../train_cpu.h"

float *cpu_carve_take(cpu_carve *c, size_t floats)
{
    float *p = c->base ? c->base + c->used : NULL;
    c->used += base_round_up(floats, BASE_MEM_ALIGN / sizeof(float));
    return p;
}

/* The channels' constants and the chunks' parts, in scratch. */
typedef struct norm_room {
    float *scale, *shift, *slope, *offset, *parts;
    double *sums; /* (2, oc) of all pictures */
} norm_room;

static norm_room take_room(cpu_carve *c, const nn_map *z)
{
    size_t oc = (size_t)z->c;
    return (norm_room){.sums = (double *)(void *)cpu_carve_take(c, 4 * oc),
                       .scale = cpu_carve_take(c, oc),
                       .shift = cpu_carve_take(c, oc),
                       .slope = cpu_carve_take(c, oc),
                       .offset = cpu_carve_take(c, oc),
                       .parts = cpu_carve_take(c, cpu_chunks(z) * 2 * oc)};
}

size_t cpu_norm_scratch_floats(const nn_train_step *s)
{
    cpu_carve c = {0};
    take_room(&c, s->spec.conv->bn ? &s->map[NN_Z] : &s->map[NN_DST]);
    return c.used;
}

typedef struct norm_job {
    const cpu_train_kernels *k;
    cpu_norm_back back;
    float *parts;
    const nn_map *dst, *z, *other; /* other: residual, or gradient of dst */
    bool adds;
} norm_job;

static void run_moments(void *self, size_t begin, size_t end, int worker)
{
    const norm_job *j = self;
    (void)worker;
    j->k->moments_run(j->parts, j->z, begin, end);
}

static void run_norm(void *self, size_t begin, size_t end, int worker)
{
    const norm_job *j = self;
    (void)worker;
    j->k->norm_run(&j->back.norm, j->dst, j->z, j->other, begin, end);
}

static void run_norm_sums(void *self, size_t begin, size_t end, int worker)
{
    const norm_job *j = self;
    (void)worker;
    j->k->norm_sums_run(&j->back.norm, j->parts, j->z, j->other, begin, end);
}

static void run_norm_back(void *self, size_t begin, size_t end, int worker)
{
    const norm_job *j = self;
    (void)worker;
    j->k->norm_back_run(&j->back, j->z, j->other, begin, end);
}

static void run_sums(void *self, size_t begin, size_t end, int worker)
{
    const norm_job *j = self;
    (void)worker;
    j->k->sums_run(j->parts, j->z, begin, end);
}

static void run_give(void *self, size_t begin, size_t end, int worker)
{
    const norm_job *j = self;
    (void)worker;
    j->k->give_run(j->dst, j->other, j->adds, begin, end);
}

void cpu_give(const cpu_trainer *t, const nn_map *dst, const nn_map *src, bool adds)
{
    norm_job j = {.k = t->k, .dst = dst, .other = src, .adds = adds};
    base_pool_run(t->pool, cpu_chunks(dst), 1, run_give, &j);
}

/* Sum over chunks of part `which` of channel c; chunks of `width` parts. */
static double chunk_sum(const float *parts, size_t n_chunks, size_t width, size_t at)
{
    double sum = 0;
    for (size_t i = 0; i < n_chunks; i++)
        sum += (double)parts[i * width + at];
    return sum;
}

/* Mean and sum of squared distances of channel c, from those of the chunks. */
static void moments_merge(double *mean, double *m2, const float *parts, const nn_map *z, size_t c)
{
    const size_t n_chunks = cpu_chunks(z), width = 2 * (size_t)z->c;
    size_t first;
    double sum = 0, square = 0;
    for (size_t i = 0; i < n_chunks; i++)
        sum += (double)parts[i * width + c] * (double)cpu_chunk_count(z, i, &first);
    *mean = sum / (double)cpu_map_pixels(z);
    for (size_t i = 0; i < n_chunks; i++) {
        const double off = (double)parts[i * width + c] - *mean;
        square += (double)parts[i * width + (size_t)z->c + c] +
                  off * off * (double)cpu_chunk_count(z, i, &first);
    }
    *m2 = square;
}

static void set_affine(const nn_train_step *s, norm_room room, const float *mean,
                       const float *inverse)
{
    for (int c = 0; c < s->spec.conv->oc; c++) {
        double scale = (double)s->value.bn_weight[c] * (double)inverse[c];
        room.scale[c] = (float)scale;
        room.shift[c] = (float)((double)s->value.bn_bias[c] - (double)mean[c] * scale);
    }
}

/* ---- with other processes: the statistics of the whole batch ---- */

static bool adds_up(const cpu_trainer *t)
{
    return t->together != NULL && t->together->sum != NULL;
}

/* Pixels of a channel, over all pictures of the batch. */
static double n_all(const cpu_trainer *t, const nn_map *z)
{
    return adds_up(t) ? (double)t->together->n_pictures * (double)z->h * (double)z->w
                      : (double)cpu_map_pixels(z);
}

/* This process's sums, channel by channel, become everybody's. */
static void add_up(const cpu_trainer *t, double *sums, size_t oc)
{
    if (adds_up(t))
        t->together->sum(t->together->ctx, sums, 2 * oc);
}

/* Means and squared distances from them. Sums of squares about 0 in double lose nothing that a
 * float had: their relative error is mean^2 / var times 1e-16. */
static void moments_of_all(const cpu_trainer *t, double *sums, const float *parts, const nn_map *z)
{
    const size_t oc = (size_t)z->c;
    const double own = (double)cpu_map_pixels(z), n = n_all(t, z);
    for (size_t c = 0; c < oc; c++) {
        moments_merge(&sums[c], &sums[oc + c], parts, z, c);
        if (adds_up(t)) {
            sums[oc + c] += own * sums[c] * sums[c];
            sums[c] *= own;
        }
    }
    add_up(t, sums, oc);
    for (size_t c = 0; c < oc && adds_up(t); c++) {
        sums[c] /= n;
        const double m2 = sums[oc + c] - n * sums[c] * sums[c];
        sums[oc + c] = m2 > 0 ? m2 : 0;
    }
}

void cpu_norm_forward(const cpu_trainer *t, const nn_train_step *s, float *scratch)
{
    const nn_map *z = &s->map[NN_Z];
    cpu_carve carve = {.base = scratch};
    norm_room room = take_room(&carve, z);
    float *mean = s->map[NN_SAVED].data, *inverse = mean + z->c;
    norm_job j = {.k = t->k, .parts = room.parts, .z = z, .dst = &s->map[NN_DST]};
    base_pool_run(t->pool, cpu_chunks(z), 1, run_moments, &j);
    const double n = n_all(t, z), bn_eps = s->spec.conv->eps, bn_momentum = s->spec.conv->momentum;
    moments_of_all(t, room.sums, room.parts, z);
    for (int c = 0; c < z->c; c++) {
        const double m = room.sums[c], m2 = room.sums[z->c + c];
        mean[c] = (float)m;
        inverse[c] = (float)(1.0 / sqrt(m2 / n + bn_eps));
        double unbiased = m2 / (n > 1 ? n - 1 : 1);
        s->value.mean[c] = (float)((1 - bn_momentum) * s->value.mean[c] + bn_momentum * m);
        s->value.var[c] = (float)((1 - bn_momentum) * s->value.var[c] + bn_momentum * unbiased);
    }
    set_affine(s, room, mean, inverse);
    j.back.norm = (cpu_norm){
        .mean = mean, .scale = room.scale, .shift = room.shift, .silu = s->spec.conv->silu};
    j.other = s->spec.src2 == NN_NO_VALUE ? NULL : &s->map[NN_SRC2];
    base_pool_run(t->pool, cpu_chunks(z), 1, run_norm, &j);
}

void cpu_norm_backward(const cpu_trainer *t, const nn_train_step *s, const nn_train_wants *wants,
                       float *scratch)
{
    const nn_map *z = &s->map[NN_Z];
    cpu_carve carve = {.base = scratch};
    norm_room room = take_room(&carve, z);
    const float *mean = s->map[NN_SAVED].data, *inverse = mean + z->c;
    set_affine(s, room, mean, inverse);
    norm_job j = {.k = t->k,
                  .parts = room.parts,
                  .z = z,
                  .other = &s->map[NN_D_DST],
                  .back = {.norm = {.mean = mean,
                                    .scale = room.scale,
                                    .shift = room.shift,
                                    .silu = s->spec.conv->silu},
                           .slope = room.slope,
                           .offset = room.offset}};
    base_pool_run(t->pool, cpu_chunks(z), 1, run_norm_sums, &j);
    const double n = n_all(t, z);
    size_t n_chunks = cpu_chunks(z), oc = (size_t)z->c;
    for (size_t c = 0; c < oc; c++) {
        double sum = chunk_sum(room.parts, n_chunks, 2 * oc, c);
        double sum_xhat = chunk_sum(room.parts, n_chunks, 2 * oc, oc + c) * (double)inverse[c];
        if (wants->bn_bias) /* of this process's pictures: gradients are added up later */
            s->grad.bn_bias[c] = (float)((double)s->grad.bn_bias[c] + sum);
        if (wants->bn_weight)
            s->grad.bn_weight[c] = (float)((double)s->grad.bn_weight[c] + sum_xhat);
        room.sums[c] = sum;
        room.sums[oc + c] = sum_xhat;
    }
    add_up(t, room.sums, oc);
    for (size_t c = 0; c < oc; c++) {
        const double sum = room.sums[c], sum_xhat = room.sums[oc + c];
        double scale = (double)s->value.bn_weight[c] * (double)inverse[c];
        room.slope[c] = (float)(-scale * (double)inverse[c] * sum_xhat / n);
        room.offset[c] = (float)(-scale * sum / n);
    }
    base_pool_run(t->pool, n_chunks, 1, run_norm_back, &j);
}

void cpu_bias_backward(const cpu_trainer *t, float *d_bias, const nn_map *dy, float *scratch)
{
    cpu_carve carve = {.base = scratch};
    norm_room room = take_room(&carve, dy);
    norm_job j = {.k = t->k, .parts = room.parts, .z = dy};
    base_pool_run(t->pool, cpu_chunks(dy), 1, run_sums, &j);
    for (size_t c = 0; c < (size_t)dy->c; c++)
        d_bias[c] =
            (float)((double)d_bias[c] + chunk_sum(room.parts, cpu_chunks(dy), (size_t)dy->c, c));
}

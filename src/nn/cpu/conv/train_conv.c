/* train_conv.c: a convolution both ways.
 *
 * Forward is inference's kernel with a bias of zero, then batch normalisation. The gradient of the
 * input is a convolution too, with the weights turned by half a circle and their channels
 * exchanged, so it runs on the same kernels (Winograd for 3x3); where the stride is 2 the gradient
 * of the output is spread out with zeros between first, a picture at a time. Weights change every
 * step, so they are packed every time. */
#include <string.h>

#include "../train_cpu.h"

static cpu_conv forward_of(const nn_conv_spec *c, const cpu_trainer *t)
{
    return (cpu_conv){.ic = c->ic,
                      .oc = c->oc,
                      .k = c->k,
                      .stride = c->stride,
                      .groups = c->groups,
                      .threads = base_pool_threads(t->pool)};
}

/* The convolution that takes the gradient of the output to that of the input. */
static cpu_conv backward_of(const nn_conv_spec *c, const cpu_trainer *t)
{
    return (cpu_conv){.ic = c->oc,
                      .oc = c->ic,
                      .k = c->k,
                      .stride = 1,
                      .groups = c->groups,
                      .threads = base_pool_threads(t->pool)};
}

/* What a run of an inference kernel wants in scratch. turned: weights that had to be turned first.
 */
typedef struct conv_room {
    float *packed, *threads, *turned;
    size_t thread_floats;
} conv_room;

static conv_room take_conv_room(const cpu_trainer *t, cpu_carve *carve, const cpu_conv *c)
{
    conv_room r = {.packed = cpu_carve_take(carve, t->k->infer->conv_packed_floats(c))};
    r.thread_floats =
        base_round_up(t->k->infer->conv_scratch_floats(c), BASE_MEM_ALIGN / sizeof(float));
    r.threads = cpu_carve_take(carve, r.thread_floats * (size_t)base_pool_threads(t->pool));
    /* Depthwise: the turned weights, and a bias of zero. */
    r.turned = cpu_carve_take(carve, c->groups > 1 ? (size_t)(c->oc * (c->k * c->k + 1)) : 0);
    return r;
}

typedef struct conv_job {
    const cpu_train_kernels *k;
    cpu_conv conv;
    const nn_map *dst, *src, *add;
    float *packed, *scratch;
    size_t scratch_floats;
    cpu_weight_sums sums;
    float *dw;
    const float *weight, *bias;
    bool turned, adds;
} conv_job;

static void run_conv(void *self, size_t begin, size_t end, int worker)
{
    const conv_job *j = self;
    j->k->infer->conv_run(&j->conv, j->packed, j->dst, j->src, j->add,
                          j->scratch + (size_t)worker * j->scratch_floats, begin, end);
}

static void convolve(const cpu_trainer *t, const cpu_conv *c, conv_room room, const nn_map *dst,
                     const nn_map *src, const nn_map *add)
{
    conv_job j = {.k = t->k,
                  .conv = *c,
                  .dst = dst,
                  .src = src,
                  .add = add,
                  .packed = room.packed,
                  .scratch = room.threads,
                  .scratch_floats = room.thread_floats};
    base_pool_run(t->pool, t->k->infer->conv_units(c, dst), 1, run_conv, &j);
}

static void run_pack(void *self, size_t begin, size_t end, int worker)
{
    const conv_job *j = self;
    (void)worker;
    j->k->pack_run(&j->conv, j->packed, j->weight, j->bias, j->turned, begin, end);
}

/* bias NULL: zeros. turned: see cpu_train_kernels. */
static void pack(const cpu_trainer *t, const cpu_conv *c, conv_room room, const float *weight,
                 const float *bias, bool turned)
{
    if (c->groups > 1) { /* so few weights that inference's way will do */
        const size_t taps = (size_t)(c->k * c->k), n = (size_t)c->oc * taps;
        for (size_t i = 0; i < n; i++)
            room.turned[i] = weight[turned ? i / taps * taps + taps - 1 - i % taps : i];
        memset(room.turned + n, 0, (size_t)c->oc * sizeof *room.turned);
        t->k->infer->conv_pack(c, room.packed, room.turned, bias ? bias : room.turned + n);
        return;
    }
    conv_job j = {.k = t->k,
                  .conv = *c,
                  .packed = room.packed,
                  .weight = weight,
                  .bias = bias,
                  .turned = turned};
    base_pool_run(t->pool, t->k->pack_units(c), 1, run_pack, &j);
}

/* ---- the forms of a state dict ---- */

static bool is_transposed(const nn_train_step *s)
{
    return s->spec.conv->form == NN_FORM_TRANSPOSED;
}

static size_t weight_floats(const nn_train_step *s)
{
    return is_transposed(s) ? (size_t)s->spec.conv->oc * (size_t)s->spec.conv->ic : 0;
}

/* (oc, ic) in scratch of a transposed one's (ic, c, 2, 2); others' as they are. Weights change
 * every step, so this is done each time, like packing. */
static const float *weight_of(const nn_train_step *s, cpu_carve *carve)
{
    float *to = cpu_carve_take(carve, weight_floats(s));
    const size_t ic = (size_t)s->spec.conv->ic, c = (size_t)s->spec.conv->oc / 4;
    if (!is_transposed(s) || !carve->base)
        return s->value.weight;
    for (size_t o = 0; o < 4 * c; o++)
        for (size_t i = 0; i < ic; i++)
            to[o * ic + i] = s->value.weight[(i * c + o % c) * 4 + o / c];
    return to;
}

/* A transposed one's bias is that of every tap. */
static const float *bias_of(const nn_train_step *s, cpu_carve *carve)
{
    const size_t c = (size_t)s->spec.conv->oc / 4;
    float *to = cpu_carve_take(carve, is_transposed(s) ? 4 * c : 0);
    if (s->spec.conv->bn)
        return NULL;
    if (!is_transposed(s) || !carve->base)
        return s->value.bias;
    for (size_t o = 0; o < 4 * c; o++)
        to[o] = s->value.bias[o % c];
    return to;
}

/* What was taken of the matrix is added to the tensor's gradient. */
static void give_transposed(const nn_train_step *s, const float *d)
{
    const size_t ic = (size_t)s->spec.conv->ic, c = (size_t)s->spec.conv->oc / 4;
    for (size_t o = 0; o < 4 * c; o++)
        for (size_t i = 0; i < ic; i++)
            s->grad.weight[(i * c + o % c) * 4 + o / c] += d[o * ic + i];
}

static void bias_gradient(const cpu_trainer *t, const nn_train_step *s, const nn_map *dz,
                          float *scratch)
{
    const size_t oc = (size_t)s->spec.conv->oc;
    float *d = scratch + cpu_norm_scratch_floats(s); /* behind what the sums take */
    if (!is_transposed(s)) {
        cpu_bias_backward(t, s->grad.bias, dz, scratch);
        return;
    }
    memset(d, 0, oc * sizeof *d);
    cpu_bias_backward(t, d, dz, scratch);
    for (size_t o = 0; o < oc; o++)
        s->grad.bias[o % (oc / 4)] += d[o];
}

void cpu_conv_forward(const cpu_trainer *t, const nn_train_step *s, float *scratch)
{
    cpu_conv c = forward_of(s->spec.conv, t);
    cpu_carve carve = {.base = scratch};
    conv_room room = take_conv_room(t, &carve, &c);
    const float *weight = weight_of(s, &carve), *bias = bias_of(s, &carve);
    pack(t, &c, room, weight, bias, false);
    if (s->spec.conv->bn) {
        convolve(t, &c, room, &s->map[NN_Z], &s->map[NN_SRC], NULL);
        cpu_norm_forward(t, s, scratch);
    } else
        convolve(t, &c, room, &s->map[NN_DST], &s->map[NN_SRC],
                 s->spec.src2 == NN_NO_VALUE ? NULL : &s->map[NN_SRC2]);
}

/* ---- the input's gradient ---- */

/* A stride of 2: dz in every second place of a picture as large as the input, a row at a time. The
 * turned weights of an even k want one zero more before than behind them, but cpu_pad puts the one
 * more behind: so dz lies in the odd places then. */
static size_t spread_floats(const nn_train_step *s)
{
    const nn_map *x = &s->map[NN_SRC];
    return (size_t)x->h * (size_t)x->w * (size_t)s->spec.conv->oc;
}

typedef struct spread_job {
    const nn_map *to, *dz;
    int picture, first; /* first: place of the first row and column */
} spread_job;

static void run_spread(void *self, size_t begin, size_t end, int worker)
{
    const spread_job *j = self;
    (void)worker;
    for (size_t y = begin; y < end; y++) {
        const float *from = nn_map_row(j->dz, j->picture, (int)y);
        float *to = nn_map_row(j->to, 0, 2 * (int)y + j->first) + (size_t)j->first * j->to->pitch;
        for (int x = 0; x < j->dz->w; x++, from += j->dz->pitch, to += 2 * j->to->pitch)
            memcpy(to, from, (size_t)j->dz->c * sizeof *to);
    }
}

/* Stride 2 where the kernels have nothing better. */
static void spread_gradient(const cpu_trainer *t, const nn_train_step *s, const nn_map *dz,
                            cpu_carve *carve)
{
    cpu_conv c = backward_of(s->spec.conv, t);
    conv_room room = take_conv_room(t, carve, &c);
    float *spread = cpu_carve_take(carve, spread_floats(s));
    if (!carve->base)
        return;
    pack(t, &c, room, s->value.weight, NULL, true);
    memset(spread, 0, spread_floats(s) * sizeof *spread);
    nn_map one = s->map[NN_D_SRC];
    nn_map wide = {
        .data = spread, .pitch = (size_t)c.ic, .n = 1, .h = one.h, .w = one.w, .c = c.ic};
    one.n = 1;
    for (int i = 0; i < dz->n; i++) {
        spread_job j = {.to = &wide, .dz = dz, .picture = i, .first = c.k % 2 == 0 ? 1 : 0};
        base_pool_run(t->pool, (size_t)dz->h, 4, run_spread, &j);
        one.data = nn_map_row(&s->map[NN_D_SRC], i, 0);
        convolve(t, &c, room, &one, &wide, s->src_adds ? &one : NULL);
    }
}

static void run_strided_pack(void *self, size_t begin, size_t end, int worker)
{
    const conv_job *j = self;
    (void)worker;
    j->k->strided_pack_run(&j->conv, j->packed, j->weight, begin, end);
}

static void run_strided(void *self, size_t begin, size_t end, int worker)
{
    const conv_job *j = self;
    (void)worker;
    j->k->strided_run(&j->conv, j->packed, j->dst, j->src, j->adds, begin, end);
}

/* carve without a base: only says what it takes. */
static void input_gradient(const cpu_trainer *t, const nn_train_step *s, const nn_map *dz,
                           cpu_carve *carve)
{
    cpu_conv forward = forward_of(s->spec.conv, t), back = backward_of(s->spec.conv, t);
    const nn_map *dx = &s->map[NN_D_SRC];
    if (forward.stride == 1) {
        conv_room room = take_conv_room(t, carve, &back);
        const float *weight = weight_of(s, carve);
        if (!carve->base)
            return;
        pack(t, &back, room, weight, NULL, true);
        convolve(t, &back, room, dx, dz, s->src_adds ? dx : NULL);
    } else if (t->k->strided_fits(&forward)) {
        conv_job j = {.k = t->k,
                      .conv = forward,
                      .packed = cpu_carve_take(carve, t->k->strided_packed_floats(&forward)),
                      .weight = s->value.weight,
                      .dst = dx,
                      .src = dz,
                      .adds = s->src_adds};
        if (!carve->base)
            return;
        base_pool_run(t->pool, 4, 1, run_strided_pack, &j);
        base_pool_run(t->pool, t->k->strided_units(dz), 1, run_strided, &j);
    } else
        spread_gradient(t, s, dz, carve);
}

/* ---- the weights' gradient ---- */

static void run_weight_sums(void *self, size_t begin, size_t end, int worker)
{
    const conv_job *j = self;
    j->k->weight_sums_run(&j->conv, j->packed, j->dst, j->src,
                          j->scratch + (size_t)worker * j->scratch_floats, begin, end);
}

static void run_weight_add(void *self, size_t begin, size_t end, int worker)
{
    const conv_job *j = self;
    (void)worker;
    j->k->weight_add_run(&j->conv, &j->sums, j->dw, j->packed, begin, end);
}

static void run_depthwise_sums(void *self, size_t begin, size_t end, int worker)
{
    const conv_job *j = self;
    (void)worker;
    j->k->depthwise_sums_run(&j->conv, j->packed, j->dst, j->src, begin, end);
}

static void depthwise_gradient(const cpu_trainer *t, conv_job *j, cpu_carve *carve)
{
    size_t n = (size_t)j->conv.oc * (size_t)(j->conv.k * j->conv.k);
    j->packed = cpu_carve_take(carve, n * (size_t)j->dst->n);
    if (!carve->base)
        return;
    base_pool_run(t->pool, cpu_channel_units(j->dst), 1, run_depthwise_sums, j);
    for (size_t i = 0; i < n; i++) {
        double sum = (double)j->dw[i];
        for (size_t picture = 0; picture < (size_t)j->dst->n; picture++)
            sum += (double)j->packed[picture * n + i];
        j->dw[i] = (float)sum;
    }
}

/* carve without a base: only says what it takes. */
static void weight_gradient(const cpu_trainer *t, const nn_train_step *s, const nn_map *dz,
                            cpu_carve *carve)
{
    conv_job j = {.k = t->k,
                  .conv = forward_of(s->spec.conv, t),
                  .dst = dz,
                  .src = &s->map[NN_SRC],
                  .dw = s->grad.weight};
    float *matrix = cpu_carve_take(carve, weight_floats(s));
    if (is_transposed(s))
        j.dw = matrix;
    if (s->spec.conv->groups > 1) {
        depthwise_gradient(t, &j, carve);
        return;
    }
    j.sums = t->k->weight_sums(&j.conv, dz);
    j.scratch_floats = base_round_up(j.sums.scratch_floats, BASE_MEM_ALIGN / sizeof(float));
    j.packed = cpu_carve_take(carve, j.sums.slots * j.sums.slot_floats);
    j.scratch = cpu_carve_take(carve, j.scratch_floats * (size_t)base_pool_threads(t->pool));
    if (!carve->base)
        return;
    if (is_transposed(s))
        memset(matrix, 0, weight_floats(s) * sizeof *matrix);
    base_pool_run(t->pool, j.sums.slots * j.sums.groups, 1, run_weight_sums, &j);
    base_pool_run(t->pool, t->k->weight_add_units(&j.conv), 1, run_weight_add, &j);
    if (is_transposed(s))
        give_transposed(s, matrix);
}

void cpu_conv_backward(const cpu_trainer *t, const nn_train_step *s, const nn_train_wants *wants,
                       float *scratch)
{
    const nn_map *dz = s->spec.conv->bn ? &s->map[NN_Z] : &s->map[NN_D_DST];
    if (wants->src2)
        cpu_give(t, &s->map[NN_D_SRC2], &s->map[NN_D_DST], s->src2_adds);
    if (!wants->own)
        return;
    if (s->spec.conv->bn)
        cpu_norm_backward(t, s, wants, scratch);
    else if (wants->bias)
        bias_gradient(t, s, dz, scratch);
    if (wants->weight)
        weight_gradient(t, s, dz, &(cpu_carve){.base = scratch});
    if (wants->src)
        input_gradient(t, s, dz, &(cpu_carve){.base = scratch});
}

size_t cpu_conv_scratch_floats(const cpu_trainer *t, const nn_train_step *s)
{
    cpu_conv ahead = forward_of(s->spec.conv, t);
    const nn_map *dz = &s->map[s->spec.conv->bn ? NN_Z : NN_DST];
    cpu_carve forward = {0}, weights = {0}, input = {0};
    take_conv_room(t, &forward, &ahead);
    weight_of(s, &forward);
    bias_of(s, &forward);
    weight_gradient(t, s, dz, &weights);
    if (s->at[NN_D_SRC] != SIZE_MAX)
        input_gradient(t, s, dz, &input);
    size_t most = cpu_norm_scratch_floats(s) + (is_transposed(s) ? (size_t)s->spec.conv->oc : 0);
    most = forward.used > most ? forward.used : most;
    most = weights.used > most ? weights.used : most;
    return input.used > most ? input.used : most;
}

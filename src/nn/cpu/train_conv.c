/* train_conv.c: a convolution both ways.
 *
 * Forward is inference's kernel with a bias of zero, then batch normalisation. The gradient of the
 * input is a convolution too, with the weights turned by half a circle and their channels
 * exchanged, so it runs on the same kernels (Winograd for 3x3); where the stride is 2 the gradient
 * of the output is spread out with zeros between first, a picture at a time. Weights change every
 * step, so they are packed every time. */
#include <string.h>

#include "train_cpu.h"

static cpu_conv forward_of(const nn_conv_spec *c)
{
    return (cpu_conv){
        .ic = c->ic, .oc = c->oc, .k = c->k, .stride = c->stride, .groups = c->groups};
}

/* The convolution that takes the gradient of the output to that of the input. */
static cpu_conv backward_of(const nn_conv_spec *c)
{
    return (cpu_conv){.ic = c->oc, .oc = c->ic, .k = c->k, .stride = 1, .groups = c->groups};
}

static size_t weight_floats(const nn_conv_spec *c)
{
    return (size_t)c->oc * (size_t)(c->ic / c->groups) * (size_t)c->k * (size_t)c->k;
}

/* What a run of an inference kernel wants in scratch. */
typedef struct conv_room {
    float *bias, *packed, *threads;
    size_t thread_floats;
} conv_room;

static conv_room take_conv_room(const cpu_trainer *t, cpu_carve *carve, const cpu_conv *c)
{
    conv_room r = {.bias = cpu_carve_take(carve, (size_t)c->oc),
                   .packed = cpu_carve_take(carve, t->k->infer->conv_packed_floats(c))};
    r.thread_floats =
        base_round_up(t->k->infer->conv_scratch_floats(c), BASE_MEM_ALIGN / sizeof(float));
    r.threads = cpu_carve_take(carve, r.thread_floats * (size_t)base_pool_threads(t->pool));
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

void cpu_conv_forward(const cpu_trainer *t, const nn_train_step *s, float *scratch)
{
    cpu_conv c = forward_of(s->conv);
    cpu_carve carve = {.base = scratch};
    conv_room room = take_conv_room(t, &carve, &c);
    memset(room.bias, 0, (size_t)c.oc * sizeof *room.bias);
    t->k->infer->conv_pack(&c, room.packed, s->value.weight,
                           s->conv->bn ? room.bias : s->value.bias);
    if (s->conv->bn) {
        convolve(t, &c, room, &s->map[NN_Z], &s->map[NN_SRC], NULL);
        cpu_norm_forward(t, s, scratch);
    } else
        convolve(t, &c, room, &s->map[NN_DST], &s->map[NN_SRC],
                 s->src2 == NN_NO_VALUE ? NULL : &s->map[NN_SRC2]);
}

/* ---- the input's gradient ---- */

/* to (I, O, k, k), turned, from (O, I, k, k); depthwise only turned. */
static void turn_weights(float *to, const float *from, const nn_conv_spec *c)
{
    size_t taps = (size_t)c->k * (size_t)c->k, ic = (size_t)(c->ic / c->groups), oc = (size_t)c->oc;
    for (size_t o = 0; o < oc; o++)
        for (size_t i = 0; i < ic; i++) {
            float *out = to + (c->groups == 1 ? i * oc + o : o) * taps;
            for (size_t tap = 0; tap < taps; tap++)
                out[taps - 1 - tap] = from[(o * ic + i) * taps + tap];
        }
}

/* A stride of 2: dz in the even places of a picture as large as the input, a row at a time. */
static size_t spread_floats(const nn_train_step *s)
{
    const nn_map *x = &s->map[NN_SRC];
    return s->conv->stride == 1 ? 0 : (size_t)x->h * (size_t)x->w * (size_t)s->conv->oc;
}

typedef struct spread_job {
    const nn_map *to, *dz;
    int picture;
} spread_job;

static void run_spread(void *self, size_t begin, size_t end, int worker)
{
    const spread_job *j = self;
    (void)worker;
    for (size_t y = begin; y < end; y++) {
        const float *from = nn_map_row(j->dz, j->picture, (int)y);
        float *to = nn_map_row(j->to, 0, 2 * (int)y);
        for (int x = 0; x < j->dz->w; x++, from += j->dz->pitch, to += 2 * j->to->pitch)
            memcpy(to, from, (size_t)j->dz->c * sizeof *to);
    }
}

static void input_gradient(const cpu_trainer *t, const nn_train_step *s, const nn_map *dz,
                           float *scratch)
{
    cpu_conv c = backward_of(s->conv);
    cpu_carve carve = {.base = scratch};
    conv_room room = take_conv_room(t, &carve, &c);
    float *turned = cpu_carve_take(&carve, weight_floats(s->conv));
    float *spread = cpu_carve_take(&carve, spread_floats(s));
    const nn_map *dx = &s->map[NN_D_SRC];
    memset(room.bias, 0, (size_t)c.oc * sizeof *room.bias);
    turn_weights(turned, s->value.weight, s->conv);
    t->k->infer->conv_pack(&c, room.packed, turned, room.bias);
    if (s->conv->stride == 1) {
        convolve(t, &c, room, dx, dz, s->src_adds ? dx : NULL);
        return;
    }
    memset(spread, 0, spread_floats(s) * sizeof *spread);
    nn_map one = *dx;
    nn_map wide = {
        .data = spread, .pitch = (size_t)c.ic, .n = 1, .h = dx->h, .w = dx->w, .c = c.ic};
    one.n = 1;
    for (int i = 0; i < dx->n; i++) {
        spread_job j = {.to = &wide, .dz = dz, .picture = i};
        base_pool_run(t->pool, (size_t)dz->h, 4, run_spread, &j);
        one.data = nn_map_row(dx, i, 0);
        convolve(t, &c, room, &one, &wide, s->src_adds ? &one : NULL);
    }
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
                  .conv = forward_of(s->conv),
                  .dst = dz,
                  .src = &s->map[NN_SRC],
                  .dw = s->grad.weight};
    if (s->conv->groups > 1) {
        depthwise_gradient(t, &j, carve);
        return;
    }
    j.sums = t->k->weight_sums(&j.conv, dz);
    j.scratch_floats = base_round_up(j.sums.scratch_floats, BASE_MEM_ALIGN / sizeof(float));
    j.packed = cpu_carve_take(carve, j.sums.slots * j.sums.slot_floats);
    j.scratch = cpu_carve_take(carve, j.scratch_floats * (size_t)base_pool_threads(t->pool));
    if (!carve->base)
        return;
    base_pool_run(t->pool, j.sums.slots * j.sums.groups, 1, run_weight_sums, &j);
    base_pool_run(t->pool, t->k->weight_add_units(&j.conv), 1, run_weight_add, &j);
}

void cpu_conv_backward(const cpu_trainer *t, const nn_train_step *s, const nn_train_wants *wants,
                       float *scratch)
{
    const nn_map *dz = s->conv->bn ? &s->map[NN_Z] : &s->map[NN_D_DST];
    if (wants->src2)
        cpu_give(t, &s->map[NN_D_SRC2], &s->map[NN_D_DST], s->src2_adds);
    if (!wants->own)
        return;
    if (s->conv->bn)
        cpu_norm_backward(t, s, wants, scratch);
    else if (wants->bias)
        cpu_bias_backward(t, s->grad.bias, dz, scratch);
    if (wants->weight)
        weight_gradient(t, s, dz, &(cpu_carve){.base = scratch});
    if (wants->src)
        input_gradient(t, s, dz, scratch);
}

size_t cpu_conv_scratch_floats(const cpu_trainer *t, const nn_train_step *s)
{
    cpu_conv ahead = forward_of(s->conv), back = backward_of(s->conv);
    cpu_carve forward = {0}, weights = {0}, input = {0};
    take_conv_room(t, &forward, &ahead);
    weight_gradient(t, s, &s->map[s->conv->bn ? NN_Z : NN_DST], &weights);
    if (s->at[NN_D_SRC] != SIZE_MAX) {
        take_conv_room(t, &input, &back);
        cpu_carve_take(&input, weight_floats(s->conv));
        cpu_carve_take(&input, spread_floats(s));
    }
    size_t most = cpu_norm_scratch_floats(s);
    most = forward.used > most ? forward.used : most;
    most = weights.used > most ? weights.used : most;
    return input.used > most ? input.used : most;
}

/* optimizer.c: the steps, piece by piece. A piece is a run of at most PIECE elements of one
 * parameter: the unit of work, and of the sums whose order is fixed.
 *
 * Block: [head][parameters][pieces][sums of pieces][moment 0 of every parameter][moment 1]. Moments
 * start at 0, which makes SGD's first buffer the gradient itself, as the recipe wants. */
#include "optimizer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* 32 KiB of a float array: four of them stay in a second-level cache. */
enum { PIECE = 8192, MOMENTS = 2 };

static const double CLIP_NORM = TRAIN_CLIP_NORM, CLIP_EPS = TRAIN_CLIP_EPS,
                    BETA2 = TRAIN_ADAM_BETA2, ADAM_EPS = TRAIN_ADAM_EPS,
                    RMSPROP_ALPHA = TRAIN_RMSPROP_ALPHA;
/* Dozat's schedule of beta1; from where RAdam trusts the mean square. */
static const double NADAM_BASE = 0.96, NADAM_DECAY = 0.004, RADAM_FROM = 5;
static const double AUTO_SGD_ITERATIONS = 10000, AUTO_SGD_LR = 0.01, AUTO_MOMENTUM = 0.9,
                    AUTO_ADAMW_LR = 0.002;

typedef struct slot {
    float *moment[MOMENTS]; /* (n_elements), NULL: none */
    train_group group;
} slot;

typedef struct piece {
    float *value;
    const float *grad;
    float *moment[MOMENTS];
    size_t n;
    train_group group;
} piece;

struct train_optimizer {
    train_optimizer_options options;
    int64_t n_steps;
    double mu_product; /* NAdam: of beta1 at all steps so far */
    size_t n_params, n_pieces;
    slot *slots;   /* (n_params) */
    piece *pieces; /* (n_pieces) in the order of parameters */
    double *sums;  /* (n_pieces) squares of gradients */
};

const char *train_optimizer_name(train_optimizer_kind kind)
{
    static const char *const names[] = {"auto",   "SGD",   "Adam",  "AdamW",
                                        "Adamax", "NAdam", "RAdam", "RMSProp"};
    return names[kind];
}

void train_optimizer_choose(train_optimizer_options *o, int64_t n_pictures, int batch, int epochs,
                            int nc)
{
    if (o->kind != TRAIN_OPTIMIZER_AUTO)
        return;
    const double per_epoch = ceil((double)n_pictures / (batch > 64 ? batch : 64));
    o->momentum = AUTO_MOMENTUM;
    o->warmup_bias_lr = 0;
    if (per_epoch * epochs > AUTO_SGD_ITERATIONS) {
        o->kind = TRAIN_OPTIMIZER_SGD;
        o->lr0 = AUTO_SGD_LR;
    } else {
        o->kind = TRAIN_OPTIMIZER_ADAMW;
        o->lr0 = rint(AUTO_ADAMW_LR * 5 / (4 + nc) * 1e6) / 1e6; /* six decimals */
    }
}

/* ---- the block ---- */

typedef struct layout {
    size_t slots, pieces, sums, moments, bytes; /* offsets, and the end */
    size_t n_pieces;
} layout;

int train_optimizer_n_moments(train_optimizer_kind kind)
{
    return kind == TRAIN_OPTIMIZER_SGD ? 1 : 2;
}

static size_t take(size_t *at, size_t bytes)
{
    const size_t begin = *at;
    *at = base_round_up(begin + bytes, BASE_MEM_ALIGN);
    return begin;
}

static layout lay_out(const train_param *params, size_t n_params, const train_optimizer_options *o)
{
    layout l = {0};
    size_t moment_bytes = 0;
    for (size_t i = 0; i < n_params && !o->is_far; i++) {
        if (train_param_group(&params[i]) == TRAIN_GROUP_NONE)
            continue;
        l.n_pieces += (params[i].info->n_elements + PIECE - 1) / PIECE;
        moment_bytes += base_round_up(params[i].info->n_elements * sizeof(float), BASE_MEM_ALIGN);
    }
    take(&l.bytes, sizeof(train_optimizer));
    l.slots = take(&l.bytes, n_params * sizeof(slot));
    l.pieces = take(&l.bytes, l.n_pieces * sizeof(piece));
    l.sums = take(&l.bytes, l.n_pieces * sizeof(double));
    l.moments = take(&l.bytes, (size_t)train_optimizer_n_moments(o->kind) * moment_bytes);
    return l;
}

size_t train_optimizer_bytes(const train_param *params, size_t n_params,
                             const train_optimizer_options *o)
{
    return lay_out(params, n_params, o).bytes;
}

static void fill_slots(train_optimizer *o, const train_param *params, float *moments)
{
    for (size_t i = 0; i < o->n_params; i++)
        o->slots[i].group = train_param_group(&params[i]);
    const int n_moments = o->options.is_far ? 0 : train_optimizer_n_moments(o->options.kind);
    for (int m = 0; m < n_moments; m++)
        for (size_t i = 0; i < o->n_params; i++) {
            if (o->slots[i].group == TRAIN_GROUP_NONE)
                continue;
            o->slots[i].moment[m] = moments;
            moments += base_round_up(params[i].info->n_elements * sizeof(float), BASE_MEM_ALIGN) /
                       sizeof(float);
        }
}

static void fill_pieces(train_optimizer *o, const train_param *params)
{
    piece *next = o->pieces;
    for (size_t i = 0; i < o->n_params; i++) {
        const slot *s = &o->slots[i];
        if (s->group == TRAIN_GROUP_NONE)
            continue;
        const size_t n = params[i].info->n_elements;
        for (size_t at = 0; at < n; at += PIECE) {
            *next = (piece){.value = params[i].value + at,
                            .grad = params[i].grad + at,
                            .n = n - at < PIECE ? n - at : PIECE,
                            .group = s->group};
            for (int m = 0; m < MOMENTS; m++)
                next->moment[m] = s->moment[m] != NULL ? s->moment[m] + at : NULL;
            next++;
        }
    }
}

vg_status train_optimizer_create(train_optimizer **out, const train_param *params, size_t n_params,
                                 const train_optimizer_options *options, base_mem *mem,
                                 vg_error *err)
{
    *out = NULL;
    if (options->kind == TRAIN_OPTIMIZER_AUTO)
        return base_fail(err, VG_ERR_ARGUMENT, "optimizer", NULL, "auto was not resolved");
    if (!(options->momentum >= 0 && options->momentum < 1))
        return base_fail(err, VG_ERR_ARGUMENT, "momentum",
                         "give one from 0 to less than 1, such as 0.937", "a momentum of %g",
                         options->momentum);
    if (!(options->weight_decay >= 0 && isfinite(options->weight_decay)))
        return base_fail(err, VG_ERR_ARGUMENT, "weight_decay",
                         "give one of 0 or more, such as 0.0005", "a weight decay of %g",
                         options->weight_decay);
    const layout l = lay_out(params, n_params, options);
    char *block = base_alloc_zero(mem, 1, l.bytes, err);
    if (block == NULL)
        return VG_ERR_MEMORY;
    train_optimizer *o = (train_optimizer *)block;
    *o = (train_optimizer){.options = *options,
                           .mu_product = 1,
                           .n_params = n_params,
                           .n_pieces = l.n_pieces,
                           .slots = (slot *)(block + l.slots),
                           .pieces = (piece *)(block + l.pieces),
                           .sums = (double *)(block + l.sums)};
    fill_slots(o, params, (float *)(block + l.moments));
    if (!o->options.is_far)
        fill_pieces(o, params);
    *out = o;
    return VG_OK;
}

void train_optimizer_destroy(train_optimizer **o)
{
    base_free(*o);
    *o = NULL;
}

/* ---- the norm ---- */

/* Eight sums side by side, added in a fixed order: vector code, and the same number from every
 * compiler. */
static double sum_of_squares(const float *g, size_t n)
{
    enum { LANES = 8 };
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += (double)g[i + (size_t)k] * (double)g[i + (size_t)k];
    for (int k = 0; i < n; i++, k++)
        lane[k] += (double)g[i] * (double)g[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static void sum_pieces(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    train_optimizer *o = ctx;
    for (size_t i = begin; i < end; i++)
        o->sums[i] = sum_of_squares(o->pieces[i].grad, o->pieces[i].n);
}

/* ---- the rules ---- */

typedef train_optimizer_rule rule;

static void move_sgd(float *restrict p, const float *restrict grad, float *restrict buf, size_t n,
                     const rule *r)
{
    const float clip = r->clip, lr = r->lr, decay = r->decay, momentum = r->momentum;
    for (size_t i = 0; i < n; i++) {
        const float g = grad[i] * clip + decay * p[i];
        buf[i] = momentum * buf[i] + g;
        p[i] -= lr * (g + momentum * buf[i]);
    }
}

static void move_adam(float *restrict p, const float *restrict grad, float *restrict mean,
                      float *restrict square, size_t n, const rule *r, bool decoupled)
{
    const float clip = r->clip, lr = r->lr, root2 = r->root2, eps = (float)ADAM_EPS;
    const float take1 = r->take1, beta2 = (float)BETA2, take2 = (float)(1 - BETA2);
    const float shrink = decoupled ? r->decay : 1, add = decoupled ? 0 : r->decay;
    for (size_t i = 0; i < n; i++) {
        const float g = grad[i] * clip + add * p[i];
        mean[i] += take1 * (g - mean[i]);
        square[i] = beta2 * square[i] + take2 * g * g;
        p[i] = p[i] * shrink - lr * (mean[i] / (sqrtf(square[i]) / root2 + eps));
    }
}

static void move_adamax(float *restrict p, const float *restrict grad, float *restrict mean,
                        float *restrict largest, size_t n, const rule *r)
{
    const float clip = r->clip, lr = r->lr, decay = r->decay, take1 = r->take1;
    const float eps = (float)ADAM_EPS, beta2 = (float)BETA2;
    for (size_t i = 0; i < n; i++) {
        const float g = grad[i] * clip + decay * p[i];
        mean[i] += take1 * (g - mean[i]);
        largest[i] = fmaxf(beta2 * largest[i], fabsf(g) + eps);
        p[i] -= lr * mean[i] / largest[i];
    }
}

static void move_nadam(float *restrict p, const float *restrict grad, float *restrict mean,
                       float *restrict square, size_t n, const rule *r)
{
    const float clip = r->clip, lr = r->lr, now = r->now, decay = r->decay, take1 = r->take1;
    const float root2 = r->root2, eps = (float)ADAM_EPS;
    const float beta2 = (float)BETA2, take2 = (float)(1 - BETA2);
    for (size_t i = 0; i < n; i++) {
        const float g = grad[i] * clip + decay * p[i];
        mean[i] += take1 * (g - mean[i]);
        square[i] = beta2 * square[i] + take2 * g * g;
        p[i] -= (now * g + lr * mean[i]) / (sqrtf(square[i]) / root2 + eps);
    }
}

static void move_radam(float *restrict p, const float *restrict grad, float *restrict mean,
                       float *restrict square, size_t n, const rule *r)
{
    const float clip = r->clip, lr = r->lr, decay = r->decay, take1 = r->take1;
    const float root2 = r->root2, eps = (float)ADAM_EPS;
    const float beta2 = (float)BETA2, take2 = (float)(1 - BETA2);
    for (size_t i = 0; i < n; i++) {
        const float g = grad[i] * clip + decay * p[i];
        mean[i] += take1 * (g - mean[i]);
        square[i] = beta2 * square[i] + take2 * g * g;
        p[i] -= lr * mean[i] * (root2 > 0 ? root2 / (sqrtf(square[i]) + eps) : 1);
    }
}

static void move_rmsprop(float *restrict p, const float *restrict grad, float *restrict buf,
                         float *restrict square, size_t n, const rule *r)
{
    const float clip = r->clip, lr = r->lr, decay = r->decay, momentum = r->momentum;
    const float eps = (float)ADAM_EPS, alpha = (float)RMSPROP_ALPHA;
    const float take = (float)(1 - RMSPROP_ALPHA);
    for (size_t i = 0; i < n; i++) {
        const float g = grad[i] * clip + decay * p[i];
        square[i] = alpha * square[i] + take * g * g;
        buf[i] = momentum * buf[i] + g / (sqrtf(square[i]) + eps);
        p[i] -= lr * buf[i];
    }
}

typedef struct step_job {
    train_optimizer *o;
    rule rules[TRAIN_N_GROUPS];
} step_job;

static void move_piece(const piece *p, train_optimizer_kind kind, const rule *r)
{
    switch (kind) {
    case TRAIN_OPTIMIZER_ADAMAX:
        move_adamax(p->value, p->grad, p->moment[0], p->moment[1], p->n, r);
        return;
    case TRAIN_OPTIMIZER_NADAM:
        move_nadam(p->value, p->grad, p->moment[0], p->moment[1], p->n, r);
        return;
    case TRAIN_OPTIMIZER_RADAM:
        move_radam(p->value, p->grad, p->moment[0], p->moment[1], p->n, r);
        return;
    case TRAIN_OPTIMIZER_RMSPROP:
        move_rmsprop(p->value, p->grad, p->moment[0], p->moment[1], p->n, r);
        return;
    case TRAIN_OPTIMIZER_SGD:
        move_sgd(p->value, p->grad, p->moment[0], p->n, r);
        return;
    default:
        move_adam(p->value, p->grad, p->moment[0], p->moment[1], p->n, r,
                  kind == TRAIN_OPTIMIZER_ADAMW);
    }
}

static void move_pieces(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const step_job *job = ctx;
    for (size_t i = begin; i < end; i++) {
        const piece *p = &job->o->pieces[i];
        move_piece(p, job->o->options.kind, &job->rules[p->group]);
    }
}

/* NAdam's beta1 at a step, from 1. */
static double nadam_mu(const train_optimizer *o, int64_t step)
{
    return o->options.momentum * (1 - 0.5 * pow(NADAM_BASE, (double)step * NADAM_DECAY));
}

/* RAdam's rectification: how far the mean square of so many gradients is to be trusted; 0: not yet.
 */
static double radam_trust(double n_steps)
{
    const double rho = 2 / (1 - BETA2) - 1, power = pow(BETA2, n_steps);
    const double rho_t = rho - 2 * n_steps * power / (1 - power);
    return rho_t > RADAM_FROM
               ? sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t))
               : 0;
}

/* After n_steps was raised: Adam's corrections count from 1. */
static rule make_rule(const train_optimizer *o, const train_rates *rates, train_group group,
                      double clip)
{
    const train_optimizer_kind kind = o->options.kind;
    const double lr = rates->lr[group], n_steps = (double)o->n_steps;
    const double decay = group == TRAIN_GROUP_WEIGHT ? o->options.weight_decay : 0;
    rule r = {.clip = (float)clip,
              .lr = (float)lr,
              .decay = (float)decay,
              .momentum = (float)rates->momentum,
              .root2 = 1};
    if (kind == TRAIN_OPTIMIZER_SGD || kind == TRAIN_OPTIMIZER_RMSPROP)
        return r;
    const double beta1 = o->options.momentum;
    double root2 = sqrt(1 - pow(BETA2, n_steps));
    r.take1 = (float)(1 - beta1);
    r.lr = (float)(lr / (1 - pow(beta1, n_steps)));
    if (kind == TRAIN_OPTIMIZER_ADAMW)
        r.decay = (float)(1 - lr * decay);
    if (kind == TRAIN_OPTIMIZER_RADAM)
        root2 *= radam_trust(n_steps);
    if (kind == TRAIN_OPTIMIZER_NADAM) {
        const double mu = nadam_mu(o, o->n_steps), next = nadam_mu(o, o->n_steps + 1);
        r.now = (float)(lr * (1 - mu) / (1 - o->mu_product));
        r.lr = (float)(lr * next / (1 - o->mu_product * next));
    }
    r.root2 = (float)root2;
    return r;
}

static void run(base_pool *pool, size_t n, base_pool_fn fn, void *ctx)
{
    if (pool != NULL)
        base_pool_run(pool, n, 1, fn, ctx);
    else
        fn(ctx, 0, n, 0);
}

void train_optimizer_count(train_optimizer *o)
{
    o->n_steps++;
    o->mu_product *= nadam_mu(o, o->n_steps);
}

void train_optimizer_rules(const train_optimizer *o, const train_rates *rates,
                           train_optimizer_rule rules[TRAIN_N_GROUPS])
{
    train_optimizer next = *o;
    train_optimizer_count(&next);
    for (int group = 0; group < TRAIN_N_GROUPS; group++)
        rules[group] = make_rule(&next, rates, (train_group)group, 1);
}

bool train_optimizer_step(train_optimizer *o, const train_rates *rates, base_pool *pool,
                          double *norm)
{
    assert(!o->options.is_far);
    run(pool, o->n_pieces, sum_pieces, o);
    double squares = 0;
    for (size_t i = 0; i < o->n_pieces; i++)
        squares += o->sums[i];
    *norm = sqrt(squares);
    if (!isfinite(*norm))
        return false;

    train_optimizer_count(o);
    step_job job = {.o = o};
    const double clip = fmin(1, CLIP_NORM / (*norm + CLIP_EPS));
    for (int group = 0; group < TRAIN_N_GROUPS; group++)
        job.rules[group] = make_rule(o, rates, (train_group)group, clip);
    run(pool, o->n_pieces, move_pieces, &job);
    return true;
}

/* ---- state ---- */

train_optimizer_kind train_optimizer_get_kind(const train_optimizer *o)
{
    return o->options.kind;
}

float *train_optimizer_moment(train_optimizer *o, int moment, size_t index)
{
    return o->slots[index].moment[moment];
}

int64_t train_optimizer_steps(const train_optimizer *o)
{
    return o->n_steps;
}

void train_optimizer_set_steps(train_optimizer *o, int64_t n_steps)
{
    o->n_steps = n_steps;
    o->mu_product = 1;
    for (int64_t i = 1; i <= n_steps && o->mu_product > 0; i++)
        o->mu_product *= nadam_mu(o, i); /* in the same order: the same number */
}

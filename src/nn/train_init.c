/* train_init.c: spec 1.5. Every tensor has a random stream of its own, from the seed and its key:
 * adding a layer changes no other layer's start. */
#include "train_init.h"

#include <math.h>
#include <string.h>

/* SplitMix64: G. Steele, D. Lea, C. Flood, OOPSLA 2014. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t stream_of(const char *key, uint64_t seed)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    uint64_t state = seed ^ h;
    next(&state);
    return state;
}

/* Kaiming's uniform bound with a = sqrt 5 is 1 / sqrt(fan in). */
static void uniform(float *dst, const nn_param *p, size_t fan, uint64_t seed)
{
    double bound = 1.0 / sqrt((double)fan);
    uint64_t state = stream_of(p->key, seed);
    for (size_t i = 0; i < p->n_elements; i++)
        dst[i] = (float)(((double)(next(&state) >> 11) * 0x1p-52 - 1.0) * bound);
}

static size_t fan_of(const nn_param *weight)
{
    size_t fan = 1;
    for (int d = 1; d < weight->n_dims; d++)
        fan *= (size_t)weight->shape[d];
    return fan;
}

static void fill(float *dst, size_t n, double value)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)value;
}

/* The convolution of a plain bias, which follows its weight; NULL: none. */
static const nn_op *op_of_bias(const nn_graph *g, const nn_param *p)
{
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        if (op->kind == NN_CONV && !op->conv.bn && &g->params[op->conv.first_param + 1] == p)
            return op;
    }
    return NULL;
}

/* A head's bias says at the start: boxes of a bin's size, and about five objects a picture. Others
 * start as torch has them, like the weight. */
static void init_bias(float *dst, const nn_graph *g, const nn_param *p, uint64_t seed)
{
    const nn_op *op = op_of_bias(g, p);
    for (int l = 0; op && l < g->n_levels; l++) {
        const double cells = 640.0 / g->levels[l].stride;
        if (g->levels[l].box == op->out) {
            fill(dst, p->n_elements, 1.0);
            return;
        }
        if (g->levels[l].cls == op->out) {
            fill(dst, p->n_elements, log(5.0 / g->nc / (cells * cells)));
            return;
        }
    }
    if (op)
        uniform(dst, p, fan_of(p - 1), seed);
    else
        fill(dst, p->n_elements, 0);
}

void nn_train_init_one(float *value, const nn_graph *g, size_t index, uint64_t seed)
{
    const nn_param *p = &g->params[index];
    switch (p->kind) {
    case NN_PARAM_WEIGHT:
        uniform(value, p, fan_of(p), seed);
        break;
    case NN_PARAM_BIAS:
        init_bias(value, g, p, seed);
        break;
    case NN_PARAM_BN_WEIGHT:
        fill(value, p->n_elements, 1);
        break;
    case NN_PARAM_BN_BIAS:
    case NN_PARAM_BN_MEAN:
        fill(value, p->n_elements, 0);
        break;
    case NN_PARAM_BN_VAR:
        /* The reference's stride probe, which a network without levels does not go through:
         * spec 1.5. */
        fill(value, p->n_elements, g->n_levels > 0 ? 0.9 : 1.0);
        break;
    case NN_PARAM_DFL:
        for (size_t b = 0; b < p->n_elements; b++)
            value[b] = (float)b;
        break;
    }
}

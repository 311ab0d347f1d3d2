/* model.h: a model of a few tensors of every kind, with values and gradients of its own, for tests
 * that need no network. */
#ifndef TESTS_TRAIN_MODEL_H
#define TESTS_TRAIN_MODEL_H

#include "support/random.h"
#include "support/test.h"
#include "train/train.h"

enum { MODEL_N = 8, MODEL_MOST = 10000 };

typedef struct model {
    nn_param infos[MODEL_N];
    train_param params[MODEL_N];
    float values[MODEL_N][MODEL_MOST], grads[MODEL_N][MODEL_MOST];
} model;

static inline void model_set(model *m, int i, const char *key, nn_param_kind kind, int layer,
                             int n_dims, const int *shape)
{
    nn_param *p = &m->infos[i];
    *p = (nn_param){.kind = kind, .layer = layer, .n_dims = n_dims, .n_elements = 1};
    snprintf(p->key, sizeof p->key, "%s", key);
    for (int d = 0; d < n_dims; d++) {
        p->shape[d] = shape[d];
        p->n_elements *= (size_t)shape[d];
    }
    assert_true(p->n_elements <= MODEL_MOST);
    const bool has_grad =
        kind != NN_PARAM_BN_MEAN && kind != NN_PARAM_BN_VAR && kind != NN_PARAM_DFL;
    m->params[i] =
        (train_param){.info = p, .value = m->values[i], .grad = has_grad ? m->grads[i] : NULL};
}

static inline void model_shake(model *m, uint64_t seed)
{
    test_random r = {.state = seed};
    for (int i = 0; i < MODEL_N; i++)
        for (size_t k = 0; k < m->infos[i].n_elements; k++) {
            m->values[i][k] = random_float(&r, -1, 1);
            m->grads[i][k] = random_float(&r, -0.1f, 0.1f);
        }
}

/* wide: the elements of the first tensor, which need more than one piece of work from 8193 on. */
static inline void model_make(model *m, int wide, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    model_set(m, 0, "model.0.conv.weight", NN_PARAM_WEIGHT, 0, 4, (int[]){wide, 1, 1, 1});
    model_set(m, 1, "model.0.bn.weight", NN_PARAM_BN_WEIGHT, 0, 1, (int[]){7});
    model_set(m, 2, "model.0.bn.bias", NN_PARAM_BN_BIAS, 0, 1, (int[]){7});
    model_set(m, 3, "model.0.bn.running_mean", NN_PARAM_BN_MEAN, 0, 1, (int[]){7});
    model_set(m, 4, "model.0.bn.running_var", NN_PARAM_BN_VAR, 0, 1, (int[]){7});
    model_set(m, 5, "model.2.cv3.0.2.weight", NN_PARAM_WEIGHT, 2, 4, (int[]){3, 5, 1, 1});
    model_set(m, 6, "model.2.cv3.0.2.bias", NN_PARAM_BIAS, 2, 1, (int[]){3});
    model_set(m, 7, "model.2.dfl.conv.weight", NN_PARAM_DFL, 2, 4, (int[]){1, 16, 1, 1});
    model_shake(m, seed);
}

static inline bool model_same_values(const model *a, const model *b)
{
    for (int i = 0; i < MODEL_N; i++)
        if (memcmp(a->values[i], b->values[i], a->infos[i].n_elements * sizeof(float)) != 0)
            return false;
    return true;
}

#endif

/* params.c: which group a tensor belongs to, what is frozen, what another model's file gives. */
#include "params.h"

#include <string.h>

train_group train_param_group(const train_param *p)
{
    if (p->grad == NULL || p->frozen)
        return TRAIN_GROUP_NONE;
    if (strstr(p->info->key, "bias") != NULL)
        return TRAIN_GROUP_BIAS;
    return p->info->kind == NN_PARAM_BN_WEIGHT ? TRAIN_GROUP_NORM : TRAIN_GROUP_WEIGHT;
}

/* Rows without parameters (upsample, concat) may be frozen; rows behind the last may not. */
static int last_layer(const train_param *params, size_t n_params)
{
    int last = -1;
    for (size_t i = 0; i < n_params; i++)
        if (params[i].info->layer > last)
            last = params[i].info->layer;
    return last;
}

vg_status train_params_freeze(train_param *params, size_t n_params, const int *layers,
                              size_t n_layers, vg_error *err)
{
    const int last = last_layer(params, n_params);
    for (size_t k = 0; k < n_layers; k++)
        if (layers[k] < 0 || layers[k] > last)
            return base_fail(err, VG_ERR_ARGUMENT, "freeze",
                             base_mend("name layers from 0 to %d", last),
                             "layer %d in a model whose last layer is %d", layers[k], last);
    for (size_t i = 0; i < n_params; i++) {
        params[i].frozen =
            params[i].info->kind == NN_PARAM_DFL || strstr(params[i].info->key, ".dfl") != NULL;
        for (size_t k = 0; k < n_layers; k++)
            if (params[i].info->layer == layers[k])
                params[i].frozen = true;
    }
    return VG_OK;
}

static bool same_shape(const nn_param *p, const weights_tensor *t)
{
    if (t->n_dims != p->n_dims)
        return false;
    for (int d = 0; d < p->n_dims; d++)
        if (t->shape[d] != p->shape[d])
            return false;
    return true;
}

const weights_tensor *train_param_find(const train_param *p, const weights_file *from)
{
    const weights_tensor *t = weights_find(from, p->info->key);
    return t != NULL && same_shape(p->info, t) ? t : NULL;
}

size_t train_params_transfer(train_param *params, size_t n_params, const weights_file *from)
{
    size_t n_copied = 0;
    for (size_t i = 0; i < n_params; i++) {
        const weights_tensor *t = train_param_find(&params[i], from);
        if (t == NULL)
            continue;
        weights_to_float(params[i].value, t);
        n_copied++;
    }
    return n_copied;
}

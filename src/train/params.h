/* params.h: the tensors that training moves, as one list of views, so that optimizer, EMA and
 * checkpoint need no network: value and gradient lie wherever the network keeps them. Order and
 * keys are nn_graph_param's. */
#ifndef TRAIN_PARAMS_H
#define TRAIN_PARAMS_H

#include "nn/nn.h"

/* Spec 4.2, in its order. */
typedef enum train_group {
    TRAIN_GROUP_BIAS,   /* "bias" in the key: no decay, a learning rate of its own in warm-up */
    TRAIN_GROUP_WEIGHT, /* the other weights, which decay */
    TRAIN_GROUP_NORM,   /* BN weights: no decay */
    TRAIN_N_GROUPS,
    TRAIN_GROUP_NONE =
        TRAIN_N_GROUPS /* running statistics, DFL, frozen: never moved by the optimizer */
} train_group;

/* Everything in it is borrowed. */
typedef struct train_param {
    const nn_param *info; /* key, kind, layer, shape, n_elements */
    float *value;         /* (n_elements); NULL: on a device */
    float *grad; /* (n_elements); NULL: running statistics and DFL. On a device: not to be read */
    bool frozen;
} train_param;

train_group train_param_group(const train_param *p);

/* Freezes the rows of the model's YAML named in layers, and no others; DFL always is frozen.
 * Errors: VG_ERR_ARGUMENT (a layer beyond the model): nothing changed. */
vg_status train_params_freeze(train_param *params, size_t n_params, const int *layers,
                              size_t n_layers, vg_error *err);

/* Whether the file has it: its key, in its shape. */
const weights_tensor *train_param_find(const train_param *p, const weights_file *from);

/* Copies what has the same key and shape in both (spec 4.5, "Transferred a/b items": b is n_params,
 * the returned a the number copied); the rest keeps its values. Values lie in this machine's
 * memory.
 */
size_t train_params_transfer(train_param *params, size_t n_params, const weights_file *from);

#endif

/* train_backend.h: what a processor must offer to train; the twin of backend.h. Internal to nn.
 *
 * The plan says what to compute and where it lies; the backend says how. A step knows both ways:
 * forward reads src and writes dst; backward reads the gradient of dst and stores or adds the
 * gradients of src and of the parameters. */
#ifndef NN_TRAIN_BACKEND_H
#define NN_TRAIN_BACKEND_H

#include "backend.h"

/* The maps of a step. A gradient has the letter d in front. */
typedef enum nn_train_role {
    NN_DST,
    NN_SRC,
    NN_SRC2, /* residual of a convolution, second of a sum */
    NN_Z, /* a convolution with BN: its plain output, dense; backward turns it into its gradient */
    NN_SAVED, /* (2, oc): the batch's mean and 1 / sqrt(var + eps) */
    NN_D_DST,
    NN_D_SRC,
    NN_D_SRC2,
    NN_N_ROLES
} nn_train_role;

/* Parameters of a convolution or their gradients. */
typedef struct nn_train_params {
    float *weight, *bias;                    /* bias: without BN */
    float *bn_weight, *bn_bias, *mean, *var; /* BN; the last two have no gradient */
} nn_train_params;

typedef struct nn_train_step {
    nn_step_spec spec;
    nn_map map[NN_N_ROLES];   /* data NULL: there is none */
    size_t at[NN_N_ROLES];    /* bytes into the block; SIZE_MAX: none */
    bool src_adds, src2_adds; /* gradients: an earlier reader has written there already */
    nn_train_params value, grad;
} nn_train_step;

/* What of a step's backward is wanted: frozen parameters and what lies below them are left out. */
typedef struct nn_train_wants {
    bool own; /* gradients through the op itself, not just a residual's */
    bool weight, bias, bn_weight, bn_bias;
    bool src, src2;
} nn_train_wants;

typedef struct nn_train_backend {
    const char *name;
    vg_status (*create)(void **context, const nn_backend_options *o, base_mem *mem, vg_error *err);
    void (*destroy)(void **context);
    const char *(*isa)(const void *context);
    base_pool *(*pool)(void *context);
    vg_status (*block_take)(void *context, void **block, size_t bytes, base_mem *mem,
                            vg_error *err);
    void (*block_give)(void *context, void *block);
    /* For all threads together, both ways. */
    size_t (*scratch_bytes)(const void *context, const nn_train_step *step);
    void (*forward)(void *context, const nn_train_step *step, void *scratch);
    void (*backward)(void *context, const nn_train_step *step, const nn_train_wants *wants,
                     void *scratch);
    void (*zero)(void *context, const nn_map *map);
} nn_train_backend;

extern const nn_train_backend nn_train_backend_cpu;

#endif

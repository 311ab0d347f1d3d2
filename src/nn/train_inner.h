/* train_inner.h: what a network in training is made of, for the files that are one: train.c,
 * train_remote.c for what a backend with memory of its own asks for besides, and train_together.c
 * for what other processes are told. Internal to nn. */
#ifndef NN_TRAIN_INNER_H
#define NN_TRAIN_INNER_H

#include "train_plan.h"

struct nn_train {
    nn_graph *graph;
    const nn_train_backend *backend;
    void *context;
    nn_device *device;    /* borrowed; NULL: the CPU */
    char *values, *grads; /* one block each; NULL with a remote */
    size_t values_bytes, grads_bytes;
    size_t *value_at, *grad_at; /* (params) bytes into the blocks; SIZE_MAX: no gradient */
    size_t most_param_bytes;
    size_t element_bytes;  /* of the block's maps: train_plan.h */
    char *block, *scratch; /* NULL with a remote */
    size_t block_bytes, scratch_bytes;
    char *staging; /* with a remote: the input, and whatever else is copied */
    size_t staging_bytes;
    bool is_staging_busy;  /* a copy to the device may not be done */
    nn_shape_plan **plans; /* (max_plans) */
    void *plan_work;       /* scratch of making one */
    int max_plans;
    size_t engine_bytes; /* all but parameters, gradients and activations */
    uint64_t clock;
    nn_shape_plan *current;
    const nn_train_together *together; /* NULL: alone */
};

/* What of a step's backward is wanted; live: (values) of nn_train_find_live. */
void nn_train_find_live(const nn_graph *g, bool *live, const bool *needs_grad);
nn_train_wants nn_train_wants_of(const nn_train *t, const nn_train_step *s, const bool *live,
                                 const bool *needs_grad);
/* Backward is done with a step. */
void nn_train_tell_ready(const nn_train *t, const nn_train_step *s);

/* ---- of a network on a device ---- */

/* Values and gradients; the values are the start's. */
vg_status nn_train_remote_params(nn_train *t, uint64_t seed, const nn_accounts *mem, vg_error *err);
size_t nn_train_remote_staging_bytes(const nn_train *t, size_t input_bytes);
/* Makes room on the device and in staging; the old goes first, so that the two are never held
 * together. */
vg_status nn_train_remote_hold(nn_train *t, size_t block_bytes, size_t scratch_bytes,
                               size_t staging_bytes, const nn_accounts *mem, vg_error *err);
/* The input to its place in the block. */
vg_status nn_train_remote_input(nn_train *t, const float *input, vg_error *err);
vg_status nn_train_remote_pull(nn_train *t, void *to, nn_train_memory from, size_t at, size_t bytes,
                               vg_error *err);
vg_status nn_train_remote_push(nn_train *t, nn_train_memory to, size_t at, const void *from,
                               size_t bytes, vg_error *err);

#endif

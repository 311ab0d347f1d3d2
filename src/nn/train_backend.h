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

/* The same as bytes into a block; SIZE_MAX: none. */
typedef struct nn_train_places {
    size_t weight, bias, bn_weight, bn_bias, mean, var;
} nn_train_places;

typedef struct nn_train_step {
    nn_step_spec spec;
    nn_map map[NN_N_ROLES];            /* data NULL: there is none */
    size_t at[NN_N_ROLES];             /* bytes into the block; SIZE_MAX: none */
    bool is_half[NN_N_ROLES];          /* a map of 16-bit numbers; false: of floats */
    bool src_adds, src2_adds;          /* gradients: an earlier reader has written there already */
    nn_train_params value, grad;       /* with a remote: NULLs */
    nn_train_places value_at, grad_at; /* of the same, in the blocks of values and gradients */
} nn_train_step;

/* What of a step's backward is wanted: frozen parameters and what lies below them are left out. */
typedef struct nn_train_wants {
    bool own; /* gradients through the op itself, not just a residual's */
    bool weight, bias, bn_weight, bn_bias;
    bool src, src2;
} nn_train_wants;

/* What a backend with memory of its own offers besides. Copies and steps are done in the order of
 * the calls, after which finish waits. */
typedef struct nn_train_remote {
    /* A block is taken at most once at a time; its bytes are booked on mem. */
    vg_status (*take)(void *context, nn_train_memory which, size_t bytes, base_mem *mem,
                      vg_error *err);
    void (*give)(void *context, nn_train_memory which);
    /* Memory of the program's that copies come from and go to. */
    vg_status (*take_staging)(void *context, void **host, size_t bytes, base_mem *mem,
                              vg_error *err);
    void (*give_staging)(void *context);
    /* host, in the staging, stays as it is until finish. */
    vg_status (*upload)(void *context, nn_train_memory to, size_t at, const void *host,
                        size_t bytes, vg_error *err);
    vg_status (*download)(void *context, void *host, nn_train_memory from, size_t at, size_t bytes,
                          vg_error *err);
    /* Zeros; at and bytes are multiples of 64. */
    vg_status (*clear)(void *context, nn_train_memory which, size_t at, size_t bytes,
                       vg_error *err);
    vg_status (*finish)(void *context, vg_error *err);
    const struct gpu_block *(*buffer)(const void *context, nn_train_memory which);
} nn_train_remote;

typedef struct nn_train_backend {
    const char *name;
    vg_status (*create)(void **context, const nn_backend_options *o, base_mem *mem, vg_error *err);
    void (*destroy)(void **context);
    const char *(*isa)(const void *context);
    base_pool *(*pool)(void *context); /* NULL with a remote, as are block_take and block_give */
    vg_status (*block_take)(void *context, void **block, size_t bytes, base_mem *mem,
                            vg_error *err);
    void (*block_give)(void *context, void *block);
    /* For all threads together, both ways. */
    size_t (*scratch_bytes)(const void *context, const nn_train_step *step);
    /* Whether the backend can compute it. Errors: VG_ERR_UNSUPPORTED. */
    vg_status (*check)(const void *context, const nn_train_step *step, vg_error *err);
    /* With a remote these queue it. Errors: the device's alone. */
    vg_status (*forward)(void *context, const nn_train_step *step, void *scratch, vg_error *err);
    vg_status (*backward)(void *context, const nn_train_step *step, const nn_train_wants *wants,
                          void *scratch, vg_error *err);
    vg_status (*zero)(void *context, const nn_map *map, size_t at, vg_error *err);
    /* Borrowed until destroy; NULL: alone. Only its sum is asked, in steps with BN. NULL: the
     * backend cannot. */
    void (*join)(void *context, const nn_train_together *together);
    const nn_train_remote *remote; /* NULL: it computes in the program's memory */
} nn_train_backend;

extern const nn_train_backend nn_train_backend_cpu, nn_train_backend_gpu;

#endif

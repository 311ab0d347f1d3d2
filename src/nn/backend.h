/* backend.h: what a processor must offer to run plans; one const struct per backend, in its own
 * folder. Internal to nn.
 *
 * The plan says what to compute and where it lies; the backend says how. Life of a context: create,
 * pack every convolution's weights once, take the block, prepare the steps of a plan, run them in
 * order (nothing allocates here), release the steps, give the block back, destroy.
 *
 * Where the processor has memory of its own, the program cannot follow an address into it. So a
 * step says where its maps lie twice: as addresses in the program's memory (maps), and as places in
 * the block (_at), which are all that a backend with a `remote` reads. */
#ifndef NN_BACKEND_H
#define NN_BACKEND_H

#include "graph.h"

typedef enum nn_step_kind {
    NN_STEP_CONV,
    NN_STEP_MAXPOOL,
    NN_STEP_UPSAMPLE,
    NN_STEP_COPY,
    NN_STEP_ADD,
    NN_STEP_ATTENTION
} nn_step_kind;

/* What a step computes from which values, whatever their shapes are; the same for inference and for
 * training. */
typedef struct nn_step_spec {
    nn_step_kind kind;
    int op;             /* index in the graph */
    int dst, src, src2; /* values; src2: residual of a conv, second of an add; NN_NO_VALUE: none */
    const nn_conv_spec *conv;
    int k;                        /* of a pool: its side; of a copy: channel in dst */
    int heads, key_dim, head_dim; /* of attention */
} nn_step_spec;

/* One thing to do. Maps have shapes and pitches; addresses come with nn_plan_bind. */
typedef struct nn_step {
    nn_step_spec spec;
    nn_map dst_map, src_map, src2_map;
    size_t dst_at, src_at, src2_at; /* bytes into the block */
    const void *weights;            /* packed; NULL with a remote */
    size_t weights_at;              /* bytes into all of them */
    void *state;                    /* the backend's, between prepare and release */
} nn_step;

typedef struct nn_backend_options {
    base_pool *pool; /* borrowed; NULL: a team of the context's own, of `threads` */
    int threads;
    const char *isa;   /* NULL: best */
    nn_device *device; /* borrowed; of a GPU's context */
} nn_backend_options;

/* Memory that is not the program's. Each kind is taken at most once at a time. */
typedef enum nn_remote_memory {
    NN_REMOTE_WEIGHTS,
    NN_REMOTE_BLOCK,
    NN_REMOTE_STAGING, /* the program's, where copies come from and go to */
    NN_N_REMOTE_MEMORIES
} nn_remote_memory;

/* What a backend with memory of its own offers besides. Copies and steps are done in the order of
 * the calls, after which finish waits. */
typedef struct nn_remote {
    /* Books the bytes on mem. *host: the staging's address, 64-byte aligned, else NULL. */
    vg_status (*take)(void *context, nn_remote_memory which, void **host, size_t bytes,
                      base_mem *mem, vg_error *err);
    void (*give)(void *context, nn_remote_memory which);
    /* host stays as it is until finish. */
    vg_status (*upload)(void *context, nn_remote_memory to, size_t at, const void *host,
                        size_t bytes, vg_error *err);
    vg_status (*download)(void *context, void *host, size_t at, size_t bytes, vg_error *err);
    vg_status (*finish)(void *context, vg_error *err);
} nn_remote;

typedef struct nn_backend {
    const char *name;
    vg_status (*create)(void **context, const nn_backend_options *o, base_mem *mem, vg_error *err);
    void (*destroy)(void **context);
    const char *(*isa)(const void *context);
    int (*threads)(const void *context);
    /* The form of a convolution's weights that is independent of the picture's size. */
    size_t (*weights_bytes)(const void *context, const nn_conv_spec *c);
    void (*weights_pack)(const void *context, const nn_conv_spec *c, void *packed,
                         const float *weight, const float *bias);
    /* Memory that steps read and write, 64-byte aligned, every page touched. */
    vg_status (*block_take)(void *context, void **block, size_t bytes, base_mem *mem,
                            vg_error *err);
    void (*block_give)(void *context, void *block);
    vg_status (*prepare)(void *context, nn_step *step, base_mem *mem, vg_error *err);
    void (*release)(void *context, nn_step *step);
    /* Scratch of a step for all threads together. */
    size_t (*scratch_bytes)(const void *context, const nn_step *step);
    /* With a remote: queues it. Errors: the device's alone. */
    vg_status (*run)(void *context, const nn_step *step, void *scratch, vg_error *err);
    /* For measurements: by what a step is computed ("winograd"); the most operations a second that
     * the context's threads can do together; and the bytes a second, read and written, of copying
     * one half of a block to the other. Each takes some tens of milliseconds; NULL with a remote,
     * as are block_take and block_give. */
    const char *(*kernel)(const void *context, const nn_step *step);
    double (*peak_flops)(void *context);
    double (*copy_bytes)(void *context, void *block, size_t bytes);
    const nn_remote *remote; /* NULL: it computes in the program's memory */
} nn_backend;

extern const nn_backend nn_backend_cpu, nn_backend_gpu;

#endif

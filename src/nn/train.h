/* train.h: the training side of a network: forward in training mode, backward, gradients. Included
 * by nn.h's users as "nn/nn.h".
 *
 * Calling sequence: create; copy weights in (nn_train_push); then per step: nn_train_plan,
 * nn_train_forward, fill the heads' gradients (nn_train_head_grad), nn_train_backward; gradients
 * add up until nn_train_zero_grad. The optimizer is above: it reads gradients and writes values.
 * Memory: parameters, gradients and the descriptions of plans are taken at create; activations in
 * one block and scratch, which nn_train_plan and nn_train_borrow may enlarge; nothing else
 * allocates.
 * Where: on the CPU all of it is the program's memory, and functions that give addresses give them.
 * On a device it is the device's: those addresses are NULL, nn_train_pull and nn_train_push copy,
 * and whoever computes there too (loss, optimizer) takes the buffers and the places in them, and
 * queues kernels of their own, which are done in the order of the calls.
 * Threads: one caller at a time. Results are the same bits for any number of threads. */
#ifndef NN_TRAIN_H
#define NN_TRAIN_H

typedef struct nn_train nn_train;

typedef struct nn_train_options {
    int threads;       /* 0: every processor */
    const char *isa;   /* as in nn_engine_options */
    nn_device *device; /* borrowed until destroy; NULL: the CPU */
    int max_plans;     /* shapes whose plans are kept at hand; 0: 8 */
    /* On a device: maps and their gradients of 16 bits, in half the memory, and sums of floats. The
     * caller's gradients of the heads, which are floats, must be scaled so that what comes of them
     * is neither lost in 16 bits nor more than they hold; gradients of parameters are then of that
     * scale, and no numbers after an overflow. Elsewhere it has no effect. */
    bool half;
} nn_train_options;

/* Parameters start as spec 1.5 says, from seed. graph is taken on success, untouched on failure.
 * Errors: VG_ERR_ARGUMENT (isa), VG_ERR_MEMORY; a device's. */
vg_status nn_train_create(nn_train **out, nn_graph *graph, const nn_train_options *o, uint64_t seed,
                          const nn_accounts *mem, vg_error *err);
void nn_train_destroy(nn_train **t);
const nn_graph *nn_train_graph(const nn_train *t);
const char *nn_train_isa(const nn_train *t);
/* The team of threads, for those who work between forward and backward (loss, optimizer). NULL on a
 * device. */
base_pool *nn_train_pool(nn_train *t);

/* Value of parameter `index` (nn_graph_param's order), row major, 64-byte aligned; running
 * statistics too. The caller may write it. NULL on a device. */
float *nn_train_param(nn_train *t, size_t index);
/* Its gradient; NULL for running statistics and the fixed DFL, and on a device. */
float *nn_train_grad(nn_train *t, size_t index);
/* This and forward and backward fail on a device alone: VG_ERR_DEVICE (it was lost),
 * VG_ERR_MEMORY. */
vg_status nn_train_zero_grad(nn_train *t, vg_error *err);

/* ---- where things lie, on the CPU as on a device ---- */

/* Values and gradients are each one block, in which a parameter begins at a multiple of 64 bytes;
 * what lies between is 0 and stays so under any optimizer that leaves 0 as it is. */
typedef enum nn_train_memory {
    NN_TRAIN_VALUES,
    NN_TRAIN_GRADS,
    NN_TRAIN_BLOCK,   /* activations and their gradients: heads lie here */
    NN_TRAIN_SCRATCH, /* the network's alone */
    NN_N_TRAIN_MEMORIES
} nn_train_memory;
/* Of what is taken now. */
size_t nn_train_bytes(const nn_train *t, nn_train_memory which);
/* Where parameter `index` begins among the values; its gradient among the gradients, SIZE_MAX where
 * it has none. */
size_t nn_train_param_at(const nn_train *t, size_t index);
size_t nn_train_grad_at(const nn_train *t, size_t index);
/* Of the current plan, in NN_TRAIN_BLOCK. Pitches and sides are those of nn_train_head. */
typedef struct nn_train_head_places {
    size_t box, cls, d_box, d_cls;
    size_t extra, d_extra; /* SIZE_MAX: there is none */
} nn_train_head_places;
nn_train_head_places nn_train_head_at(const nn_train *t, int level);
/* The same of nn_train_result, which the network must have. is_half: both are of 16 bits. */
typedef struct nn_train_result_places {
    size_t at, d_at;
    bool is_half;
} nn_train_result_places;
nn_train_result_places nn_train_result_at(const nn_train *t, nn_result which);

/* Copies that are done when they return, also in pieces: a checkpoint need not stop training for
 * long. On a device they wait for all that was queued before. `at` and `bytes` are multiples of
 * four, within the block. */
vg_status nn_train_pull(nn_train *t, void *to, nn_train_memory from, size_t at, size_t bytes,
                        vg_error *err);
vg_status nn_train_push(nn_train *t, nn_train_memory to, size_t at, const void *from, size_t bytes,
                        vg_error *err);

/* For kernels of others on the same device (nn/gpu/host.h): the device, NULL on the CPU, and the
 * buffer of a memory; the block's and scratch's are others after nn_train_plan and nn_train_borrow
 * took more. */
nn_device *nn_train_device(const nn_train *t);
const struct gpu_block *nn_train_gpu_block(const nn_train *t, nn_train_memory which);

/* What a shape needs: for plans and --batch -1. weights_bytes are parameters and gradients,
 * engine_bytes the descriptions with the cache of plans; activation_bytes and scratch_bytes are
 * what nn_train_plan takes for it; input_bytes the caller's input. On a device the first three are
 * the device's, activations with a copy of the input, and staging_bytes is this machine's. */
vg_status nn_train_need(nn_train *t, int n, int h, int w, nn_memory_need *out,
                        const nn_accounts *mem, vg_error *err);
/* The same before there is anything: what nn_train_create and nn_train_plan would take. */
vg_status nn_graph_train_need(nn_graph *g, const nn_train_options *o, int n, int h, int w,
                              nn_memory_need *out, const nn_accounts *mem, vg_error *err);
/* Makes the plan of a shape current (cached as the engine's). Errors: VG_ERR_ARGUMENT,
 * VG_ERR_MEMORY; then no plan is current. */
vg_status nn_train_plan(nn_train *t, int n, int h, int w, const nn_accounts *mem, vg_error *err);

/* input: (n, h, w, 3), 64-byte aligned; on the CPU it must stay as it is until backward is done, on
 * a device it is the caller's again at once. Normalises with the batch's statistics and moves the
 * running ones (spec 1.4). */
vg_status nn_train_forward(nn_train *t, const float *input, vg_error *err);
int nn_train_n_heads(const nn_train *t);
/* The raw maps, dense (pitch == channels); valid between forward and backward. On a device data is
 * NULL, here and below: nn_train_head_at. */
nn_head nn_train_head(const nn_train *t, int level);
/* The same shapes: d loss / d head, every element to be filled by the caller before backward. */
nn_head nn_train_head_grad(const nn_train *t, int level);
/* All of both as a loss takes them, and how many levels they are. */
int nn_train_levels(const nn_train *t, base_level levels[NN_MAX_LEVELS],
                    base_level_gradient gradients[NN_MAX_LEVELS]);
/* The same of what a task has beside levels (nn_plan_result), and of its gradient. False where the
 * network has none; then *out has no channels. */
bool nn_train_result(const nn_train *t, nn_result which, nn_map *out);
bool nn_train_result_grad(const nn_train *t, nn_result which, nn_map *out);
/* Adds d loss / d parameter to the gradients. Once per forward. needs_grad[i] false (NULL: all
 * true): parameter i is frozen; what lies below the lowest trained parameter is not computed. */
vg_status nn_train_backward(nn_train *t, const bool *needs_grad, vg_error *err);

/* For processes that train together, each on its share of a batch. The functions are called by the
 * thread that calls forward and backward, in an order that depends on the graph and needs_grad
 * alone, so every process calls them in the same; those that have no picture of a batch call
 * nn_train_idle_forward and nn_train_idle_backward in their place. */
typedef struct nn_train_together {
    void *ctx;
    /* NULL: each process normalises by the statistics of its own pictures. Else n sums over the
     * pixels of a map are added up over the processes, in place. */
    void (*sum)(void *ctx, double *sums, size_t n);
    /* Backward has added its last to the gradients of parameters first to first + n - 1. n 0: a
     * step is behind it. */
    void (*ready)(void *ctx, size_t first, size_t n);
    int n_pictures; /* of the whole batch: the caller sets it before each forward */
} nn_train_together;
/* Borrowed until destroy; NULL: this process is alone. */
void nn_train_join(nn_train *t, const nn_train_together *together);
/* What forward and backward of a plan tell and ask the others, without pictures. A plan must be
 * current: of the batch's height and width, for any number of pictures. */
void nn_train_idle_forward(nn_train *t);
void nn_train_idle_backward(nn_train *t, const bool *needs_grad);

/* The activation block (on a device *block is NULL: nn_train_gpu_block), at least `bytes` of it,
 * for others to use from the end of a backward until the next forward: validation computes there.
 * It is lost to them then, and enlarged, and with that moved, where it was smaller; so ask for the
 * largest first, and each time for its address. No parameter and no gradient of a parameter lies in
 * it. Errors: VG_ERR_MEMORY. */
vg_status nn_train_borrow(nn_train *t, void **block, size_t bytes, const nn_accounts *mem,
                          vg_error *err);

#endif

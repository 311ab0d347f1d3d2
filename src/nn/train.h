/* train.h: the training side of a network: forward in training mode, backward, gradients. Included
 * by nn.h's users as "nn/nn.h".
 *
 * Calling sequence: create; copy weights in (nn_train_param); then per step: nn_train_plan,
 * nn_train_forward, fill the heads' gradients (nn_train_head_grad), nn_train_backward; gradients
 * add up until nn_train_zero_grad. The optimizer is above: it reads nn_train_grad and writes
 * nn_train_param.
 * Memory: parameters, gradients and the descriptions of plans are taken at create; activations in
 * one block and scratch, which nn_train_plan and nn_train_borrow may enlarge; nothing else
 * allocates.
 * Threads: one caller at a time. Results are the same bits for any number of threads. */
#ifndef NN_TRAIN_H
#define NN_TRAIN_H

typedef struct nn_train nn_train;

typedef struct nn_train_options {
    int threads;     /* 0: every processor */
    const char *isa; /* as in nn_engine_options */
    int max_plans;   /* shapes whose plans are kept at hand; 0: 8 */
} nn_train_options;

/* Parameters start as spec 1.5 says, from seed. graph is taken on success, untouched on failure.
 * Errors: VG_ERR_ARGUMENT (isa), VG_ERR_MEMORY. */
vg_status nn_train_create(nn_train **out, nn_graph *graph, const nn_train_options *o, uint64_t seed,
                          const nn_accounts *mem, vg_error *err);
void nn_train_destroy(nn_train **t);
const nn_graph *nn_train_graph(const nn_train *t);
const char *nn_train_isa(const nn_train *t);
/* The team of threads, for those who work between forward and backward (loss, optimizer). */
base_pool *nn_train_pool(nn_train *t);

/* Value of parameter `index` (nn_graph_param's order), row major, 64-byte aligned; running
 * statistics too. The caller may write it. */
float *nn_train_param(nn_train *t, size_t index);
/* Its gradient; NULL for running statistics and the fixed DFL. */
float *nn_train_grad(nn_train *t, size_t index);
void nn_train_zero_grad(nn_train *t);

/* What a shape needs: for plans and --batch -1. weights_bytes are parameters and gradients,
 * engine_bytes the descriptions with the cache of plans; activation_bytes and scratch_bytes are
 * what nn_train_plan takes for it; input_bytes the caller's input. */
vg_status nn_train_need(nn_train *t, int n, int h, int w, nn_memory_need *out,
                        const nn_accounts *mem, vg_error *err);
/* The same before there is anything: what nn_train_create and nn_train_plan would take. */
vg_status nn_graph_train_need(nn_graph *g, const nn_train_options *o, int n, int h, int w,
                              nn_memory_need *out, const nn_accounts *mem, vg_error *err);
/* Makes the plan of a shape current (cached as the engine's). Errors: VG_ERR_ARGUMENT,
 * VG_ERR_MEMORY; then no plan is current. */
vg_status nn_train_plan(nn_train *t, int n, int h, int w, const nn_accounts *mem, vg_error *err);

/* input: (n, h, w, 3), 64-byte aligned; it must stay as it is until backward is done. Normalises
 * with the batch's statistics and moves the running ones (spec 1.4). */
void nn_train_forward(nn_train *t, const float *input);
int nn_train_n_heads(const nn_train *t);
/* The raw maps, dense (pitch == channels); valid between forward and backward. */
nn_head nn_train_head(const nn_train *t, int level);
/* The same shapes: d loss / d head, every element to be filled by the caller before backward. */
nn_head nn_train_head_grad(const nn_train *t, int level);
/* All of both as a loss takes them, and how many levels they are. */
int nn_train_levels(const nn_train *t, base_level levels[NN_MAX_LEVELS],
                    base_level_gradient gradients[NN_MAX_LEVELS]);
/* Adds d loss / d parameter to the gradients. Once per forward. needs_grad[i] false (NULL: all
 * true): parameter i is frozen; what lies below the lowest trained parameter is not computed. */
void nn_train_backward(nn_train *t, const bool *needs_grad);

/* The activation block, at least `bytes` of it, for others to use from the end of a backward until
 * the next forward: validation computes there. It is lost to them then, and enlarged, and with that
 * moved, where it was smaller; so ask for the largest first, and each time for its address. No
 * parameter and no gradient of a parameter lies in it. Errors: VG_ERR_MEMORY. */
vg_status nn_train_borrow(nn_train *t, void **block, size_t bytes, const nn_accounts *mem,
                          vg_error *err);

#endif

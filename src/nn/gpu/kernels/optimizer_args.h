/* optimizer_args.h: what the optimizer's kernels are told, in the words of C and of OpenCL C. */
#ifndef NN_GPU_OPTIMIZER_ARGS_H
#define NN_GPU_OPTIMIZER_ARGS_H

#ifndef __OPENCL_C_VERSION__
#include "args.h"
#endif

/* A group's share of a parameter. */
#define GPU_PIECE  4096
#define GPU_GROUPS 3

/* In the order of train/optimizer.h's train_optimizer_kind, from SGD. */
#define GPU_SGD     1
#define GPU_ADAM    2
#define GPU_ADAMW   3
#define GPU_ADAMAX  4
#define GPU_NADAM   5
#define GPU_RADAM   6
#define GPU_RMSPROP 7

/* Numbers of a step, as loss_args.h's: the norm, the clip's factor, 1 where the norm is finite. */
enum { GPU_STEP_NORM, GPU_STEP_CLIP, GPU_STEP_GOOD, GPU_N_STEP_RESULTS };

/* At most GPU_PIECE elements of one tensor. Places are in floats. */
typedef struct gpu_piece {
    gpu_u64 value_at, grad_at; /* in the memory of values and of gradients */
    gpu_u64 state_at[2];       /* in the state: the two moments; of the average, [0] is it */
    int n, group;
} gpu_piece;

/* train/optimizer.c's rule without the clip, which the device works out. */
typedef struct gpu_rule {
    float lr, decay, momentum, take1, root2, now;
} gpu_rule;

typedef struct gpu_optimizer_args {
    gpu_rule rule[GPU_GROUPS];
    gpu_u64 pieces_at, sums_at, results_at; /* bytes into the optimizer's own memory */
    int n_pieces, kind;
    float unscale;             /* of every gradient, before all else */
    float clip_norm, clip_eps; /* the largest norm; beside a norm that divides */
    float beta2, take2, eps;   /* of the mean square: its own share, the gradient's; beside it */
    float keep, take;          /* of the average: its own share, and the model's */
} gpu_optimizer_args;

/* n floats from `at` on become 0; an item has so many of them. */
#define GPU_CLEAR_EACH 16
typedef struct gpu_clear_args {
    gpu_u64 at, n;
} gpu_clear_args;

#endif

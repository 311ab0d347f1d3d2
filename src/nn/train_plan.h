/* train_plan.h: a graph for one shape, both ways: steps, the order of backward, and where each map
 * and gradient lies. Internal to nn. */
#ifndef NN_TRAIN_PLAN_H
#define NN_TRAIN_PLAN_H

#include "train_backend.h"

/* Backward's list: a step, or a part of a gradient that nobody writes and somebody reads. */
typedef struct nn_train_task {
    int step;  /* -1: zero */
    int value; /* whose gradient is zeroed, from channel c0 on */
    int c0;
    nn_map zero;
    size_t at;
} nn_train_task;

typedef struct nn_train_level {
    nn_map box, cls, d_box, d_cls;
    size_t box_at, cls_at, d_box_at, d_cls_at;
    nn_map extra, d_extra; /* c 0: none */
    size_t extra_at, d_extra_at;
} nn_train_level;

typedef struct nn_train_output {
    nn_map map, d_map; /* c 0: none */
    size_t at, d_at;
    bool is_half; /* both, of 16 bits */
} nn_train_output;

typedef struct nn_shape_plan {
    int n, h, w; /* n 0: of no shape */
    const nn_graph *graph;
    /* Of maps and their gradients; but heads, logits, the input and what is saved are floats. */
    size_t element_bytes;
    size_t block_bytes, naive_bytes, scratch_bytes;
    size_t input_at, remote_bytes; /* with a remote the input lies behind all else in the block */
    char *bound;                   /* the block that maps point into */
    nn_train_step *steps;
    size_t n_steps;
    nn_train_task *tasks;
    size_t n_tasks, most_tasks;
    nn_train_level levels[NN_MAX_LEVELS];
    nn_train_output results[NN_N_RESULTS];
    bool *live; /* (values) backward's: something trained lies at or below it */
    uint64_t used;
} nn_shape_plan;

/* A plan of no shape, with room for any. element_bytes: 4, or 2 of numbers of 16 bits. work:
 * scratch of nn_shape_plan_work_bytes, 64-byte aligned. */
vg_status nn_shape_plan_alloc(nn_shape_plan **out, const nn_graph *g, size_t element_bytes,
                              void *work, base_mem *mem, vg_error *err);
/* For a shape, whatever the plan was for before. Backend-free; parameters are not bound. Allocates
 * nothing. Errors, after which it is of no shape: VG_ERR_ARGUMENT, VG_ERR_LIMIT. */
vg_status nn_shape_plan_lay_out(nn_shape_plan *p, int n, int h, int w, void *work, vg_error *err);
size_t nn_shape_plan_work_bytes(const nn_graph *g);
/* Both in one, of floats. */
vg_status nn_shape_plan_create(nn_shape_plan **out, const nn_graph *g, int n, int h, int w,
                               base_mem *mem, vg_error *err);
void nn_shape_plan_destroy(nn_shape_plan **p);
/* Points every map into block, and the graph's input at input. */
void nn_shape_plan_bind(nn_shape_plan *p, const nn_graph *g, char *block, const float *input);

#endif

/* plan.h: a graph for one shape: steps in order, and where each map lies in the one block. Internal
 * to nn. */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include "backend.h"

struct nn_plan {
    int n, h, w; /* n 0: of no shape */
    size_t block_bytes, naive_bytes, scratch_bytes;
    char *bound; /* the block that the steps' maps point into; NULL: offsets */
    const nn_graph *graph;
    nn_step *steps;
    size_t n_steps;
    nn_map *maps;    /* (values) */
    size_t *offsets; /* (values) bytes into the block; SIZE_MAX: the input */
    uint64_t used;   /* for the cache: when last asked for */
    bool keeps_layers;
};

/* A plan of no shape, with room for any. */
vg_status nn_plan_alloc(nn_plan **out, const nn_graph *g, bool keep_layers, base_mem *mem,
                        vg_error *err);
/* Works out shapes, fusions, aliases and offsets for a shape, whatever the plan was for before.
 * Backend-free: nothing is prepared yet, scratch_bytes is 0. Allocates nothing; work: scratch of
 * nn_plan_work_bytes, 64-byte aligned. Errors, after which it is of no shape: VG_ERR_ARGUMENT (h, w
 * no multiples of the largest stride), VG_ERR_LIMIT. */
vg_status nn_plan_lay_out(nn_plan *p, int n, int h, int w, void *work, vg_error *err);
size_t nn_plan_work_bytes(const nn_graph *g);
/* Both in one. */
vg_status nn_plan_create(nn_plan **out, const nn_graph *g, int n, int h, int w, bool keep_layers,
                         base_mem *mem, vg_error *err);
void nn_plan_destroy(nn_plan **p);
/* Points every map into block, and the graph's input at input. Without a block the maps have shapes
 * and pitches only. */
void nn_plan_bind(nn_plan *p, char *block, const float *input);

#endif

/* plan.h: a graph for one shape: steps in order, and where each map lies in the one block. Internal
 * to nn. */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include "backend.h"

struct nn_plan {
    int n, h, w;
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

/* Works out shapes, fusions, aliases and offsets. Backend-free: nothing is prepared yet,
 * scratch_bytes is 0. Errors: VG_ERR_ARGUMENT (h, w no multiples of the largest stride),
 * VG_ERR_LIMIT, VG_ERR_MEMORY. */
vg_status nn_plan_create(nn_plan **out, const nn_graph *g, int n, int h, int w, bool keep_layers,
                         base_mem *mem, vg_error *err);
void nn_plan_destroy(nn_plan **p);
/* Points every map into block, and the graph's input at input. Without a block the maps have shapes
 * and pitches only. */
void nn_plan_bind(nn_plan *p, char *block, const float *input);

#endif

/* plan.h: a graph for one shape: steps in order, and where each map lies in the one block. Internal
 * to nn. */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include "backend.h"

struct nn_plan {
    int n, h, w; /* n 0: of no shape */
    size_t block_bytes, naive_bytes, scratch_bytes;
    size_t input_at, remote_bytes; /* with a remote: the input is in the block, too, at its end */
    char *bound;                   /* the block that the steps' maps point into; NULL: offsets */
    const nn_graph *graph;
    nn_step *steps;
    size_t n_steps;
    nn_map *maps;    /* (values) */
    size_t *offsets; /* (values) bytes into the block; SIZE_MAX: the input */
    uint64_t used;   /* for the cache: when last asked for */
    bool keeps_layers;
    /* Bytes of a map's element: a float's, or those of 16 bits. The heads' maps are floats. */
    size_t element_bytes;
};

/* A plan of no shape, with room for any. */
vg_status nn_plan_alloc(nn_plan **out, const nn_graph *g, bool keep_layers, size_t element_bytes,
                        base_mem *mem, vg_error *err);
/* Works out shapes, fusions, aliases and offsets for a shape, whatever the plan was for before.
 * Backend-free: nothing is prepared yet, scratch_bytes is 0. Allocates nothing; work: scratch of
 * nn_plan_work_bytes, 64-byte aligned. Errors, after which it is of no shape: VG_ERR_ARGUMENT (h, w
 * no multiples of the largest stride), VG_ERR_LIMIT. */
vg_status nn_plan_lay_out(nn_plan *p, int n, int h, int w, void *work, vg_error *err);
size_t nn_plan_work_bytes(const nn_graph *g);
/* Both in one, of floats. */
vg_status nn_plan_create(nn_plan **out, const nn_graph *g, int n, int h, int w, bool keep_layers,
                         base_mem *mem, vg_error *err);
void nn_plan_destroy(nn_plan **p);
/* Points every map into block, and the graph's input at input. Without a block the maps have shapes
 * and pitches only. */
void nn_plan_bind(nn_plan *p, char *block, const float *input);

/* With a remote: the steps' places, and the maps of what is read after a run, which lie in results
 * (nn_plan_readings_bytes) then; NULL: they have no addresses. */
void nn_plan_bind_remote(nn_plan *p, char *results);
size_t nn_plan_readings_bytes(const nn_plan *p);
/* What is read after a run: the heads' maps, and the layers' that are kept. at: in the block; to:
 * in results. False past the last. */
typedef struct nn_plan_reading {
    int value;
    size_t at, to, bytes;
} nn_plan_reading;
bool nn_plan_next_reading(const nn_plan *p, size_t *index, size_t *end, nn_plan_reading *out);

#endif

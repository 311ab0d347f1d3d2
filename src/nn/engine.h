/* engine.h: what an engine is made of, for the two files that are one: engine.c, and
 * engine_remote.c for what a backend with memory of its own asks for besides. Internal to nn. */
#ifndef NN_ENGINE_H
#define NN_ENGINE_H

#include "plan.h"

/* Where a slot's candidates lie. */
typedef struct nn_pick_place {
    size_t rows_at;             /* in the block */
    char *host;                 /* of rows */
    size_t n_ahead, n_possible; /* rows that come with their numbers; that there can be */
} nn_pick_place;

struct nn_engine {
    nn_graph *graph;
    const nn_backend *backend;
    void *context;
    char *weights; /* one block: every convolution's packed weights */
    size_t weights_bytes;
    size_t *weights_offset;      /* (ops) */
    size_t most_weight, most_oc; /* elements: of the largest convolution */
    size_t most_packed_bytes;
    char *block, *scratch;
    size_t block_bytes, scratch_bytes;
    char *staging; /* with a remote: the input, and the results behind it */
    size_t staging_bytes;
    bool is_lent;    /* the block is the caller's, and scratch its end */
    bool is_loaded;  /* weights are there */
    nn_plan **plans; /* (max_plans) */
    void *plan_work; /* scratch of making one */
    int max_plans;
    uint64_t clock; /* counts uses, for the cache */
    bool keep_layers;
    bool is_half; /* maps and weights on the device are of 16 bits */
    /* with picture_bytes: slots behind the rest of the block, and in staging */
    size_t picture_bytes, work_bytes, slot_bytes, slot_staging_bytes;
    int max_pending, n_pending, oldest; /* slots: the oldest, and n_pending - 1 behind it */
    nn_picks picks[NN_MOST_PENDING];
    nn_pick_place places[NN_MOST_PENDING];
};

/* Of folding: the weight, the bias, and four vectors of BN; with a remote, the packed form as well.
 */
size_t nn_engine_fold_bytes(const nn_engine *e);
/* The plan of a shape: one of the cache, or made in the place of the longest unused. */
vg_status nn_engine_find_plan(nn_engine *e, nn_plan **out, int n, int h, int w,
                              const nn_accounts *mem, vg_error *err);
/* The steps one after another; step_ns NULL: nobody looks at the clock. */
vg_status nn_engine_run_steps(nn_engine *e, const nn_plan *p, int64_t *step_ns, vg_error *err);

/* ---- of an engine with a remote ---- */

/* To the device, by way of packed. */
vg_status nn_remote_pack(nn_engine *e, size_t op, float *packed, const float *weight,
                         const float *bias, vg_error *err);
/* The input and the results; and weights are folded in it when they come later. */
size_t nn_remote_staging_bytes(const nn_engine *e, const nn_plan *p);
/* Of the block on the device. */
size_t nn_remote_block_bytes(const nn_engine *e, const nn_plan *p);
/* Makes room for a plan, on the device and in staging; the old goes first, so that the two are
 * never held together. */
vg_status nn_remote_hold(nn_engine *e, const nn_plan *p, const nn_accounts *mem, vg_error *err);
/* Whether there is room already. */
bool nn_remote_holds(const nn_engine *e, const nn_plan *p);
void nn_remote_drop(nn_engine *e);
void nn_remote_lend(nn_engine *e, const void *block, size_t bytes);
/* The input goes over, the results come back; the caller's input is free when it returns. */
vg_status nn_remote_run(nn_engine *e, nn_plan *p, const float *input, int64_t *step_ns,
                        vg_error *err);

/* Of a slot: pictures that go up, then what comes down; 0 where floats go up. */
typedef struct nn_slot_layout {
    size_t picture_bytes;                /* of each: its taps, then its rows */
    size_t first_at, rows_at, counts_at; /* from the slot's begin */
    size_t staging_bytes, bytes;         /* counts are the device's alone */
} nn_slot_layout;
nn_slot_layout nn_slot_plan(const nn_engine *e, const nn_plan *p);

#endif

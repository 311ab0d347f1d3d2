/* accounts.h: who holds memory in a detector or a job, and what was planned for each. */
#ifndef STREAM_ACCOUNTS_H
#define STREAM_ACCOUNTS_H

#include "base/base.h"
#include "nn/nn.h"
#include "vigil/types.h"

#define STREAM_OWNERS(X)                                                                           \
    X(WEIGHTS, "weights")         /* packed for this processor */                                  \
    X(ACTIVATIONS, "activations") /* the one block, and the threads' scratch */                    \
    X(PLANS, "plans")             /* graph and plan descriptions, threads */                       \
    X(FRAMES, "frames")           /* encoded files, pictures, network inputs */                    \
    X(DETECTIONS, "detections")   /* candidates and results */                                     \
    X(OUTPUT, "output")           /* list of sources, canvas, encoder, text */                     \
    X(LOADING, "loading")         /* while opening only */                                         \
    /* FFmpeg's, which no account can hold: estimates, in the plan alone */                        \
    X(DECODERS, "decoders (FFmpeg)")                                                               \
    X(ENCODERS, "encoders (FFmpeg)")                                                               \
    /* with a GPU alone */                                                                         \
    X(STAGING, "staging")                 /* this machine's: what is copied to it and from it */   \
    X(GPU_WEIGHTS, "GPU weights")         /* its own memory, from here on */                       \
    X(GPU_ACTIVATIONS, "GPU activations") /* and the network's input */

typedef enum stream_owner {
#define X(name, tag) STREAM_##name,
    STREAM_OWNERS(X)
#undef X
        STREAM_N_OWNERS
} stream_owner;
enum {
    STREAM_N_ACCOUNTS = STREAM_DECODERS, /* of those that hold memory of ours */
    STREAM_N_FFMPEG = STREAM_STAGING,    /* and FFmpeg's */
    STREAM_FIRST_OF_GPU = STREAM_GPU_WEIGHTS
};

/* Must stay where it is while blocks live: accounts point at their root. */
typedef struct stream_accounts {
    base_mem root;
    base_mem gpu; /* the root of its owners: its memory is none of the machine's */
    base_mem owner[STREAM_N_OWNERS];
    size_t planned_bytes[STREAM_N_OWNERS];
    const nn_device *device; /* of the detector that is open; NULL: the CPU */
} stream_accounts;

/* limit_bytes 0: none. */
void stream_accounts_init(stream_accounts *a, size_t limit_bytes);
/* Of a GPU's memory; 0: none. */
void stream_accounts_limit_gpu(stream_accounts *a, size_t limit_bytes);
/* Of this machine's memory. */
size_t stream_accounts_planned(const stream_accounts *a);
/* Where an engine takes its own. */
nn_accounts stream_accounts_of_engine(stream_accounts *a);
size_t stream_accounts_planned_gpu(const stream_accounts *a);
/* Plans what an engine needs: on the GPU where a->device is. */
void stream_accounts_plan_engine(stream_accounts *a, const nn_memory_need *need);
/* What is held now, with the plan. FFmpeg's rows are there where it is planned for, a GPU's where
 * one computes. */
void stream_accounts_memory(vg_memory *out, const stream_accounts *a);
/* The plan alone, all rows; a GPU's as above. */
void stream_accounts_plan(vg_memory *out, const stream_accounts *a);
/* VG_ERR_LIMIT with the sum and its parts when what is planned does not fit under the root's limit,
 * or a GPU's under its limit or into its memory. */
vg_status stream_accounts_check(const stream_accounts *a, vg_error *err);

#endif

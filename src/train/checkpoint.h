/* checkpoint.h: all that a run's further course depends on, in a file that survives whatever
 * happens to the process, and the model files that a run leaves. The format is described at the top
 * of checkpoint_format.c.
 *
 * A checkpoint is also a weights file: predict, val and --weights read its average from it like
 * from any other. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "args.h"
#include "best.h"
#include "engine.h"
#include "rng.h"

enum { TRAIN_N_LOSSES = DETECT_MOST_ITEMS }; /* in the task's order; the rest 0 */

/* Where a run stands. Zeros, but last_step -1: the start. */
typedef struct train_position {
    int64_t epoch;      /* from 0: under way, or to begin */
    int64_t batch;      /* batches of it that are done; n_batches: to validate */
    int64_t n_batches;  /* of an epoch: a resumed run must have as many */
    int64_t last_step;  /* iteration of the last optimizer step; -1: none yet */
    bool has_gradients; /* batches were gathered since the last step: their gradients belong to the
                           state */
    double loss_sums[TRAIN_N_LOSSES]; /* over the epoch's batches that are done */
    double seconds;                   /* of training so far */
} train_position;

/* The parts are borrowed; the values belong to the caller. */
typedef struct train_state {
    const train_param *params; /* (n_params) */
    size_t n_params;
    train_optimizer *optimizer;
    train_ema *ema;
    train_engine *engine; /* whose all that is; NULL: it lies in this machine's memory */
    train_position position;
    train_best best;
    base_rng rng;
} train_state;

/* What a file says of its model beside the tensors. All borrowed; NULL or 0: left out. */
typedef struct train_facts {
    const char *model_yaml, *scale, *version, *date;
    const char *const *names; /* (n_names) classes */
    int n_names;
    const float *strides; /* (n_strides) */
    int n_strides;
} train_facts;

/* Replaces path whole or not at all; what was there stays as the previous one ("last.1.safetensors"
 * beside "last.safetensors"). Reaches the disk before it returns. Takes memory for the header
 * alone, and gives it back. Errors: VG_ERR_IO (disk full, read-only folder), VG_ERR_LIMIT (a name
 * too long), VG_ERR_MEMORY: path and the previous one are as they were. A full disk may be told by
 * a signal, SIGXFSZ: programs ignore it. */
vg_status train_checkpoint_save(const train_state *s, const train_args *args,
                                const train_facts *facts, const char *path, base_mem *mem,
                                vg_error *err);

typedef struct train_checkpoint train_checkpoint;

/* Opens the newest whole checkpoint of path: one that was complete but not yet in its place
 * ("path.new"), path itself, or the previous one; each is checked to its last byte. Errors:
 * VG_ERR_IO, VG_ERR_FORMAT (damaged, all of them), VG_ERR_ARGUMENT (weights without a state:
 * finished, or never training), VG_ERR_UNSUPPORTED (of a newer version), VG_ERR_MEMORY. *out
 * belongs to the caller. */
vg_status train_checkpoint_open(train_checkpoint **out, const char *path, base_mem *mem,
                                vg_error *err);
void train_checkpoint_close(train_checkpoint **c);
/* The file that was opened. */
const char *train_checkpoint_path(const train_checkpoint *c);
/* Why not a newer one: to be told to the user. False when the newest was good. Borrowed. */
bool train_checkpoint_fell_back(const train_checkpoint *c, const vg_error **why);

/* What is needed before there is a model to read into. Borrowed. */
const train_args *train_checkpoint_args(const train_checkpoint *c);
const train_position *train_checkpoint_position(const train_checkpoint *c);
train_optimizer_kind train_checkpoint_optimizer(const train_checkpoint *c);
const weights_file *
train_checkpoint_weights(const train_checkpoint *c); /* model_yaml, names, average */

/* Into a state made for the same model: weights, average, optimizer, gradients (zeros where none
 * were gathered), position, best, random stream. Errors: VG_ERR_FORMAT (another model, other frozen
 * layers, another optimizer): the state is as it was. */
vg_status train_checkpoint_read(const train_checkpoint *c, train_state *s, vg_error *err);

/* Removes the unfinished files that dead processes left beside path. */
void train_checkpoint_sweep(const char *path);

/* A model alone: the average (or with ema NULL the values), in F32 or F16; args NULL: left out.
 * epoch -1: finished. */
vg_status train_model_save(const train_param *params, size_t n_params, train_ema *ema,
                           weights_dtype dtype, int64_t epoch, const train_args *args,
                           const train_facts *facts, const char *path, base_mem *mem,
                           vg_error *err);

#endif

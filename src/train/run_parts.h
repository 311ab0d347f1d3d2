/* run_parts.h: what a run is made of. For this folder. */
#ifndef TRAIN_RUN_PARTS_H
#define TRAIN_RUN_PARTS_H

#include "engine.h"
#include "names.h"
#include "need.h"
#include "result.h"
#include "run.h"
#include "task/task.h"
#include "together.h"

enum { RUN_MOST_WAITING = 64 };

/* What waits for room on the disk, and what was lost: bear.c. */
typedef struct run_bearing {
    bool is_full; /* the last writing failed for want of it */
    int64_t tried_ns;
    size_t n_rows; /* that results.csv lacks; the oldest gives way */
    vg_train_epoch rows[RUN_MOST_WAITING];
    size_t n_lost_rows, n_lost_models;
    double lost_best; /* fitness of weights that were not kept; 0: none, or better ones were */
    bool has_news;
    vg_error news;
} run_bearing;

struct train_run {
    train_args args;
    train_accounts mem;
    size_t before_bytes[TRAIN_OWNER_WORK + 1]; /* in use on them when the run began */
    base_pool *pool;                           /* until the engine has one of its own */
    size_t passing_bytes;                      /* of what is closed before the first batch */
    vg_plan need;
    char folder[TRAIN_PATH_BYTES], last_path[TRAIN_PATH_BYTES], best_path[TRAIN_PATH_BYTES];

    data_spec *spec;
    data_set *train_set, *val_set;
    uint8_t *wanted_classes; /* (nc) NULL: all */
    data_loader *loader;

    nn_graph *graph;   /* until it is the engine's */
    nn_device *device; /* NULL: the CPU */
    train_engine engine;
    nn_graph_info info;
    const task *task;
    char *model_yaml;   /* with this run's class count */
    const char **names; /* (nc) texts of the spec */
    size_t n_params;
    train_param *params; /* (n_params) */
    bool *needs_grad;    /* (n_params) */
    train_optimizer_options optimizer_options;
    train_schedule schedule;
    train_state state;
    weights_file *average; /* state.ema's, as validation reads it */

    together together;    /* of several ranks */
    vg_train_ranks waits; /* of the whole session, when it is over */
    int64_t looked_ns, warned_ns;
    train_validator *validator;
    float *resized; /* multi_scale: the largest batch; else NULL */
    report_csv *csv;
    run_bearing bearing;

    bool has_transferred, fell_back, has_final;
    size_t n_transferred;
    vg_error why;
    char few_notice[512];   /* "" or how little of the weights could be taken over */
    char names_notice[512]; /* "" or how the weights' classes are not the dataset's */
    char ranks_notice[512]; /* "" or what of the machines several ranks leave unused */
    int asked_imgsz;        /* before it was raised to a multiple of the stride */
    train_validation final;
    const train_listener *listener; /* during go; NULL: none */
    int64_t started_ns, saved_ns;
    uint64_t batches_ns;     /* of this session, loader and all; not validation, nor checkpoints */
    ranks_figures exchanged; /* meanwhile */
    int64_t n_steps;         /* meanwhile */
    int64_t first_epoch;     /* of this session */
    int64_t plain_epoch;     /* the first without mosaic; -1: not yet */
    bool is_time_up;         /* said after a batch, by rank 0 for all */
    bool is_late;            /* the hours of `time` are over, and an epoch ended with that */
    double seconds_before;   /* of the sessions before this one */
    bool has_saved;          /* last_path is this run's: it wrote it, or was resumed from it */
    int n_bad_steps;         /* in a row */
    int n_lost;              /* devices that failed */
    double grad_norm;
};

/* ---- run_model.c ---- */

/* The model's YAML, for nc classes (0: the model's own), and r->graph of it; raises imgsz to a
 * multiple of the stride. */
vg_status run_open_graph(train_run *r, int nc, vg_error *err);
/* A fresh graph of the run's model. */
vg_status run_make_graph(const train_run *r, nn_graph **out, vg_error *err);
/* The table of parameters, which the plan needs; their values come with the engine. */
vg_status run_make_params(train_run *r, vg_error *err);
vg_status run_open_engine(train_run *r, vg_error *err);
/* What fits of the weights that the arguments name. */
vg_status run_transfer(train_run *r, vg_error *err);
/* Whether those weights were of other classes: names_notice. */
void run_compare_names(train_run *r, const weights_file *f);

/* ---- run_data.c ---- */

vg_status run_read_spec(train_run *r, vg_error *err);
vg_status run_open_sets(train_run *r, vg_error *err);
vg_status run_make_loader(train_run *r, vg_error *err);
vg_status run_make_validator(train_run *r, vg_error *err);
data_augment run_augment(const train_args *a);
detect_loss_gains run_gains(const train_args *a);
data_loader_options run_loader_options(const train_run *r, int batch);
train_validator_options run_validator_options(const train_run *r, int batch);

/* ---- run_setup.c, run.c, need.c, room.c ---- */

/* Whether this rank writes the run's files: rank 0, or who is alone. */
bool run_writes(const train_run *r);
/* That compute. */
int run_threads(const train_run *r);

train_facts run_facts(const train_run *r);
/* Classes that the optimizer's own choice of a rate counts. */
int run_lr_classes(const train_run *r);
/* The threads that compute here. */
base_pool *run_pool(const train_run *r);
/* The state of a run that has not begun. */
void run_begin_state(train_run *r);
/* The engine made ready for the largest batch. */
vg_status run_reserve(train_run *r, vg_error *err);
/* results.csv, to go on behind the epochs that are done. */
vg_status run_open_csv(train_run *r, vg_error *err);
/* "": auto. */
vg_status run_open_device(train_run *r, const char *name, vg_error *err);
/* last.safetensors has no training state. Where that is because the run is finished, err says so;
 * else it is left. Returns VG_ERR_ARGUMENT. */
vg_status run_refuse_finished(const train_run *r, vg_error *err);
/* VG_ERR_IO where the folder's disk has no room for checkpoints. */
vg_status run_check_room(const train_run *r, bool resumes, vg_error *err);
/* Works out need; makes args.batch a number; says no when the plan does not fit args.memory_limit
 * (is_strict), or no batch does. */
vg_status run_plan(train_run *r, bool is_strict, vg_error *err);
/* For batches up to this one. Borrows from r. */
train_engine_learning run_learning(const train_run *r, int n, int h, int w, size_t most_labels,
                                   int n_threads);

/* ---- bear.c: err is where the failure's words are; never NULL ---- */

/* st, or VG_OK where it is a failure that passes; then it is told and will be tried again. */
vg_status run_bear(train_run *r, vg_status st, const vg_error *e);
vg_status run_add_row(train_run *r, const vg_train_epoch *row, vg_error *err);
/* After writing best.safetensors, of this fitness, where the best before was `before`. */
vg_status run_settle_best(train_run *r, vg_status st, double fitness, double before,
                          const vg_error *err);
/* After writing epochN.safetensors. */
vg_status run_settle_period(train_run *r, vg_status st, const vg_error *err);
/* The rows that wait, then the checkpoint. */
vg_status run_keep(train_run *r, vg_error *err);
bool run_is_due_again(const train_run *r);
/* VG_ERR_IO: the run is finished, and lacks something. */
vg_status run_tell_lost(const train_run *r, vg_error *err);
vg_status run_save_checkpoint(train_run *r, vg_error *err);

/* ---- run_move.c ---- */

/* Whether it is the device that failed, by what err tells of st. */
bool run_lost_device(const train_run *r, vg_status st);
/* Into the error: what there is to go on from. Its status. */
vg_status run_tell_device(const train_run *r, vg_error *err);
/* After such a failure, which err tells: the run stands at its last checkpoint (or its start), and
 * computes on what is left. Memory is held against limits as it is taken, not planned anew. */
vg_status run_move(train_run *r, vg_error *err);

/* To who listens. */
void run_tell_saved(const train_run *r, const char *path, bool is_checkpoint);
/* The size that one side takes when the longer side becomes about size: multiples of stride. */
int run_scaled_side(int side, int longer_side, int size, int stride);
/* The largest that multi_scale makes of a batch. */
void run_enlarge(const train_run *r, int *h, int *w);
/* Validation's weights: the average, or a file. */
vg_status run_validate(train_run *r, train_validation *out, const weights_file *weights,
                       const train_listener *listener, bool is_final, vg_error *err);

#endif

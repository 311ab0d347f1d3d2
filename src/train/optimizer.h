/* optimizer.h: SGD with Nesterov momentum, Adam, AdamW (spec 4.2; Loshchilov and Hutter 2019 for
 * AdamW), and its relatives Adamax (Kingma and Ba 2015, section 7.1), NAdam (Dozat 2016), RAdam
 * (Liu and others 2020) and RMSProp with momentum (Tieleman and Hinton 2012): one call takes summed
 * gradients to new weights: clip by total norm, decay by group, move.
 *
 * Memory: state and scratch in one block at create; step allocates nothing. Threads: a step may
 * share its work among a pool; sums are taken over fixed pieces in a fixed order in double, so the
 * numbers do not depend on it. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "params.h"
#include "schedule.h"

typedef enum train_optimizer_kind {
    TRAIN_OPTIMIZER_AUTO, /* a wish: train_optimizer_choose makes it one of the others */
    TRAIN_OPTIMIZER_SGD,
    TRAIN_OPTIMIZER_ADAM,
    TRAIN_OPTIMIZER_ADAMW,
    TRAIN_OPTIMIZER_ADAMAX,
    TRAIN_OPTIMIZER_NADAM,
    TRAIN_OPTIMIZER_RADAM,
    TRAIN_OPTIMIZER_RMSPROP,
    TRAIN_N_OPTIMIZERS
} train_optimizer_kind;
/* "auto", "SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSProp" */
const char *train_optimizer_name(train_optimizer_kind kind);

/* Spec 4.2: the largest norm and what stands beside one that divides; Adam's, and RMSProp's memory.
 * For who does the steps elsewhere. */
#define TRAIN_CLIP_NORM     10.0
#define TRAIN_CLIP_EPS      1e-6
#define TRAIN_ADAM_BETA2    0.999
#define TRAIN_ADAM_EPS      1e-8
#define TRAIN_RMSPROP_ALPHA 0.99

typedef struct train_optimizer_options {
    train_optimizer_kind kind; /* not AUTO */
    double lr0;                /* for the schedule */
    double momentum;       /* SGD's and RMSProp's where no warm-up sets it; beta1 of the others */
    double weight_decay;   /* scaled: train_scaled_decay */
    double warmup_bias_lr; /* for the schedule */
    bool is_far; /* the numbers lie on a device, whose part the steps are: what is here counts them
                    and makes their rules, and has no moments */
} train_optimizer_options;

/* What `auto` means for a run, in place (spec 4.2): SGD with lr 0.01 and momentum 0.9 for more than
 * 10000 iterations, else AdamW with an lr by the number of classes and beta1 0.9; warm-up of biases
 * from 0. Other kinds stay as they are. */
void train_optimizer_choose(train_optimizer_options *o, int64_t n_pictures, int batch, int epochs,
                            int nc);

typedef struct train_optimizer train_optimizer;

/* params are borrowed until destroy; those of no group (frozen, statistics) take no state and are
 * never touched. Errors: VG_ERR_ARGUMENT (AUTO; a momentum outside 0 <= m < 1; a decay below 0),
 * VG_ERR_MEMORY. */
vg_status train_optimizer_create(train_optimizer **out, const train_param *params, size_t n_params,
                                 const train_optimizer_options *o, base_mem *mem, vg_error *err);
size_t train_optimizer_bytes(const train_param *params, size_t n_params,
                             const train_optimizer_options *o);
void train_optimizer_destroy(train_optimizer **o);

/* Adds one step: reads gradients (and leaves them), writes values. pool NULL: the caller alone.
 * *norm: the total norm of the gradients before clipping. False when it is not finite: then nothing
 * has changed, for such a step would make every weight NaN; the caller counts these and gives up
 * when they go on. */
bool train_optimizer_step(train_optimizer *o, const train_rates *rates, base_pool *pool,
                          double *norm);

/* How the elements of a group move in one step: the kind's formula, in float, stands at move_sgd
 * and the others in optimizer.c. */
typedef struct train_optimizer_rule {
    float clip;  /* factor of every gradient */
    float lr;    /* of the relatives of Adam: divided by the first bias correction */
    float decay; /* AdamW: factor of the weight; others: added to the gradient, times the weight */
    float momentum; /* SGD, RMSProp */
    float take1;    /* 1 - beta1 */
    float root2;    /* square root of the second bias correction; RAdam: 0: no mean square yet */
    float now;      /* NAdam: the gradient's own learning rate, beside lr, the mean's */
} train_optimizer_rule;
/* Those of the step to come, with a clip of 1: who does the steps of one that is far clips by
 * itself, and counts each step whose norm was finite. */
void train_optimizer_rules(const train_optimizer *o, const train_rates *rates,
                           train_optimizer_rule rules[TRAIN_N_GROUPS]);
void train_optimizer_count(train_optimizer *o);

/* 1 for SGD, else 2. */
int train_optimizer_n_moments(train_optimizer_kind kind);
train_optimizer_kind train_optimizer_get_kind(const train_optimizer *o);
/* State, for checkpoints: moment 0 (the momentum buffer of SGD and RMSProp, Adam's mean) and 1 (the
 * mean square; Adamax's largest) of parameter index; NULL where there is none, or it is far. */
float *train_optimizer_moment(train_optimizer *o, int moment, size_t index);
int64_t train_optimizer_steps(const train_optimizer *o);
void train_optimizer_set_steps(train_optimizer *o, int64_t n_steps);

#endif

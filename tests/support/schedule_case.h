/* schedule_case.h: the run that a tensor of the golden schedule follows, from its name alone:
 * "lin_e10_nb60_b16": linear, 10 epochs of 60 batches of 16 pictures. For the tests of train and
 * for vigil-golden. */
#ifndef TESTS_SCHEDULE_CASE_H
#define TESTS_SCHEDULE_CASE_H

#include <stdio.h>
#include <string.h>

#include "train/train.h"

/* The columns of its rows; momentum is -1 where the optimizer has none. */
enum {
    SCHEDULE_EPOCH,
    SCHEDULE_NI,
    SCHEDULE_LR, /* three of them, by train_group */
    SCHEDULE_MOMENTUM = SCHEDULE_LR + TRAIN_N_GROUPS,
    SCHEDULE_ACCUMULATE,
    SCHEDULE_STEP,
    SCHEDULE_COLUMNS
};

/* The reference's defaults. */
static inline train_schedule schedule_default(int epochs, int n_batches, int batch)
{
    return (train_schedule){.epochs = epochs,
                            .n_batches = n_batches,
                            .batch = batch,
                            .nbs = 64,
                            .lr0 = 0.01,
                            .lrf = 0.01,
                            .warmup_epochs = 3,
                            .warmup_momentum = 0.8,
                            .warmup_bias_lr = 0.1,
                            .momentum = 0.937,
                            .optimizer_momentum = 0.937};
}

/* False when the name is of no such run. */
static inline bool schedule_of_name(train_schedule *out, const char *name)
{
    char kind[8], rest;
    int epochs, n_batches, batch;
    if (sscanf(name, "%7[a-z]_e%d_nb%d_b%d%c", kind, &epochs, &n_batches, &batch, &rest) != 4)
        return false;
    *out = schedule_default(epochs, n_batches, batch);
    out->cos_lr = strcmp(kind, "cos") == 0;
    if (strcmp(kind, "adamw") == 0) { /* as `auto` chooses for 80 classes: spec 4.2 */
        out->lr0 = 0.002;
        out->warmup_bias_lr = 0;
    }
    return out->cos_lr || out->warmup_bias_lr == 0 || strcmp(kind, "lin") == 0;
}

#endif

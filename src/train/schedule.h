/* schedule.h: learning rates, momentum and accumulation at every iteration: a pure function of
 * where training stands (spec 4.2, 4.3), so that a resumed run needs nothing but its place. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "params.h"

typedef struct train_schedule {
    int epochs;
    int64_t n_batches; /* of an epoch */
    int batch, nbs;    /* pictures of a batch; of an optimizer step */
    double lr0, lrf;   /* of the optimizer: after `auto` */
    bool cos_lr;
    double warmup_epochs, warmup_momentum, warmup_bias_lr;
    double momentum;           /* where warm-up ends */
    double optimizer_momentum; /* what holds when there is no warm-up: `auto` may differ */
} train_schedule;

/* VG_ERR_ARGUMENT: epochs, n_batches, batch or nbs below 1, or a number that is not finite. */
vg_status train_schedule_check(const train_schedule *s, vg_error *err);

/* Iterations of warm-up, the last included: 0..nw; -1: none. */
int64_t train_schedule_warmup(const train_schedule *s);
/* The factor of lr0 in an epoch (from 0). */
double train_schedule_factor(const train_schedule *s, int epoch);

typedef struct train_rates {
    double lr[TRAIN_N_GROUPS];
    double momentum; /* SGD's; Adam has none to move */
    int accumulate;  /* batches to an optimizer step */
} train_rates;
/* For batch 0 <= i < n_batches of an epoch. */
train_rates train_schedule_at(const train_schedule *s, int epoch, int64_t i);

/* Whether the optimizer steps after iteration ni (from 0, over all epochs). last_step: the
 * iteration of the last step, -1 at the start; the caller moves it. */
static inline bool train_schedule_steps(int64_t ni, int64_t last_step, int accumulate)
{
    return ni - last_step >= accumulate;
}

/* Batches to a step after warm-up: max(round(nbs / batch), 1). */
int train_accumulate(int batch, int nbs);
/* weight_decay * batch * accumulate / nbs. */
double train_scaled_decay(double weight_decay, int batch, int nbs);

#endif

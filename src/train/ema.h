/* ema.h: the exponential moving average of every floating tensor of the model, running statistics
 * and DFL too (spec 4.4). Validation and the weights files use it. Memory: one block at create.
 * Threads: update may share its work among a pool; the numbers do not depend on it. */
#ifndef TRAIN_EMA_H
#define TRAIN_EMA_H

#include "params.h"

typedef struct train_ema train_ema;

/* Starts as a copy of the model; where a value lies on a device (NULL), as nothing yet. params are
 * borrowed until destroy. */
vg_status train_ema_create(train_ema **out, const train_param *params, size_t n_params,
                           base_mem *mem, vg_error *err);
size_t train_ema_bytes(const train_param *params, size_t n_params);
void train_ema_destroy(train_ema **e);

/* 0.9999 * (1 - exp(-updates / 2000)). */
double train_ema_decay(int64_t updates);
/* After each optimizer step. pool NULL: the caller alone. */
void train_ema_update(train_ema *e, base_pool *pool);
/* Counts an update that a device has done, with the decay of one more. */
void train_ema_count(train_ema *e);
/* The average of parameter index; a checkpoint reads and writes it. */
float *train_ema_value(train_ema *e, size_t index);
/* The average as a weights file, without a copy: it follows the updates. The caller closes it,
 * before destroy. */
vg_status train_ema_open_weights(const train_ema *e, weights_file **out, base_mem *mem,
                                 vg_error *err);
/* What the above takes on its account, before there is an average. mem: for the moment, and without
 * touching the values' pages. */
vg_status train_ema_reader_bytes(size_t *out, const train_param *params, size_t n_params,
                                 base_mem *mem, vg_error *err);
int64_t train_ema_updates(const train_ema *e);
void train_ema_set_updates(train_ema *e, int64_t updates);

#endif

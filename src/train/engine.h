/* engine.h: what a run computes with: the network in training, its loss, optimizer and average,
 * wherever their numbers lie. The run, its checkpoints and its validation do not know where that
 * is.
 *
 * Calling sequence: open (parameters start at random), write what earlier weights give,
 * prepare (optimizer, average, and memory for the largest batch), then batches and steps; close.
 * After prepare nothing is allocated.
 *
 * What is of the host in every case is in the struct: the optimizer's and the average's object
 * (kind, counts, rules) and the average's image, which validation and weights files are made of.
 * What a device has besides is behind the table. One owner, one caller at a time. */
#ifndef TRAIN_ENGINE_H
#define TRAIN_ENGINE_H

#include "accounts.h"
#include "detect/detect.h"
#include "ema.h"
#include "optimizer.h"
#include "scaler.h"

/* What belongs to every parameter; not all of them have all of it. */
typedef enum train_set {
    TRAIN_SET_VALUE,
    TRAIN_SET_GRAD,
    TRAIN_SET_MOMENT0,
    TRAIN_SET_MOMENT1,
    TRAIN_SET_AVERAGE,
    TRAIN_N_SETS
} train_set;

typedef struct train_engine train_engine;

typedef struct train_engine_options {
    int threads;       /* as in nn_train_options */
    nn_device *device; /* borrowed until close; NULL: the CPU */
    bool amp;          /* on a device: maps of 16 bits, by a scaled loss; else it has no effect */
    uint64_t seed;
} train_engine_options;

/* The rest, once data and arguments have said it. Borrowed during prepare but needs_grad, which is
 * borrowed until close. */
typedef struct train_engine_learning {
    const train_optimizer_options *optimizer;
    const bool *needs_grad;         /* (n_params) */
    detect_loss_bounds loss;        /* of the largest batch */
    int nc, most_n, most_h, most_w; /* its shape */
    size_t map_floats;              /* nn_graph_output_floats of it */
    detect_loss_gains gains;
    base_pool *pool; /* of what a device leaves to the CPU; borrowed until close */
} train_engine_learning;

/* For a share of a batch, when other processes have the rest (together.h). */
typedef struct train_engine_share {
    void *ctx;
    int n_all; /* pictures of all shares; this one may have none */
    /* The sum of target scores of this share becomes that of all. */
    vg_status (*scores)(void *ctx, double *sum, vg_error *err);
} train_engine_share;

typedef struct train_engine_batch {
    const float *input; /* (n, h, w, 3) 0..1, 64-byte aligned; as it is until the call returns */
    int n, h, w;
    const detect_label *labels;
    size_t n_labels;
    detect_extras extras;            /* what the loss's kind needs of them besides */
    const train_engine_share *share; /* NULL: it is the whole batch. On the CPU alone */
} train_engine_batch;

/* What prepare will take beside nn_train_plan, the optimizer's and the average's object: */
typedef struct train_engine_need {
    size_t optimizer_bytes, average_bytes, loss_bytes; /* of the device's memory */
    size_t host_bytes;    /* of this machine's, on mem.work: descriptions, and the CPU's loss */
    size_t staging_bytes; /* of this machine's, on mem.activations: what is copied goes through */
} train_engine_need;

/* The implementation for one kind of processor. Functions are called with what open made. */
typedef struct train_engine_table {
    const char *name;
    /* The last part of train_engine_prepare: sets self. The average begins as a copy of the
     * values. */
    vg_status (*prepare)(train_engine *e, const train_engine_learning *l, vg_error *err);
    void (*release)(train_engine *e); /* of what prepare took, also half of it */
    /* Adds the batch's gradients to those that are there. */
    vg_status (*gradients)(train_engine *e, detect_loss_value *loss, const train_engine_batch *b,
                           vg_error *err);
    /* A step and gradients of zero after it. *finite false: the norm is no number, and nothing else
     * has changed but the scale of the loss; else the average has followed. */
    vg_status (*step)(train_engine *e, const train_rates *rates, double *norm, bool *finite,
                      vg_error *err);
    /* Elements first to first + n - 1 of parameter index, done when they return. Memory of fixed
     * size: the caller takes large tensors in pieces, or hands over all of one. */
    vg_status (*read)(train_engine *e, float *dst, train_set set, size_t index, size_t first,
                      size_t n, vg_error *err);
    vg_status (*write)(train_engine *e, train_set set, size_t index, size_t first, const float *src,
                       size_t n, vg_error *err);
    /* params as of a run that has no engine yet: values and gradients are not there. mem: for the
     * call. */
    vg_status (*need)(train_engine_need *out, const train_param *params, size_t n_params,
                      const train_engine_learning *l, base_mem *mem, vg_error *err);
} train_engine_table;

extern const train_engine_table train_engine_cpu, train_engine_gpu;
/* The table for a device; NULL: the CPU's. */
const train_engine_table *train_engine_table_of(const nn_device *device);
enum { TRAIN_ENGINE_PIECE = 4096 }; /* elements that are read or written at once */

struct train_engine {
    const train_engine_table *table;
    nn_train *net;
    train_param *params; /* (n_params) borrowed; value NULL, and grad no address, on a device */
    size_t n_params;
    train_optimizer *optimizer; /* NULL before prepare, as average */
    train_ema *average;
    train_accounts mem;
    nn_device *device;   /* NULL: the CPU */
    train_scaler scaler; /* gradients are of a loss that is scaled so */
    /* Of prepare. */
    const bool *needs_grad;
    detect_loss_gains gains;
    int nc;
    void *self; /* the table's */
};

/* e: zeroed. graph is taken on success, untouched on failure. params (n_params): in
 * nn_graph_param's order, borrowed until close; on the CPU open fills in where value and gradient
 * are. What a failure leaves is close's. */
vg_status train_engine_open(train_engine *e, nn_graph *graph, train_param *params, size_t n_params,
                            const train_engine_options *o, const train_accounts *mem,
                            vg_error *err);
vg_status train_engine_prepare(train_engine *e, const train_engine_learning *l, vg_error *err);
void train_engine_close(train_engine *e);

/* As the table's. */
vg_status train_engine_gradients(train_engine *e, detect_loss_value *loss,
                                 const train_engine_batch *b, vg_error *err);
vg_status train_engine_step(train_engine *e, const train_rates *rates, double *norm, bool *finite,
                            vg_error *err);
/* Makes the image of the average (train_ema_value) what the average is: before it is looked at. */
vg_status train_engine_settle_average(train_engine *e, vg_error *err);
vg_status train_engine_read(train_engine *e, float *dst, train_set set, size_t index, size_t first,
                            size_t n, vg_error *err);
vg_status train_engine_write(train_engine *e, train_set set, size_t index, size_t first,
                             const float *src, size_t n, vg_error *err);
/* After a scale was set from outside, while there are gradients of another: they become of this
 * one.
 */
vg_status train_engine_rescale(train_engine *e, double from, vg_error *err);
/* Whether parameter index has it. */
bool train_engine_has(const train_engine *e, train_set set, size_t index);
/* All of a tensor of the same shape. */
vg_status train_engine_write_tensor(train_engine *e, train_set set, size_t index,
                                    const weights_tensor *t, vg_error *err);

#endif

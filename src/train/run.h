/* run.h: a training run: spec 4.5, from arguments to weights.
 *
 * Calling sequence: create (a new run) or resume (from its checkpoint), run, destroy. Everything
 * that a run needs is taken at create, but headers of files, given back when they are written. One
 * owner; it starts threads of its own at create (loaders, the network's). Who watches is told after
 * every batch and epoch. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include "checkpoint.h"
#include "need.h"
#include "report/report.h"
#include "validate.h"
#include "vigil/types.h"

/* Functions may be NULL; an error of one ends the run with it, the last checkpoint intact. */
typedef struct train_listener {
    void *ctx;
    void (*batch)(void *ctx, const vg_train_batch *p);
    void (*epoch)(void *ctx, const vg_train_epoch *e); /* after its checkpoint */
    bool (*wants_stop)(void *ctx); /* asked after every batch, in training and in validation */
    void (*epoch_start)(void *ctx, int epoch, int n_epochs);
    void (*ranks)(void *ctx, const vg_train_ranks *r); /* of several, every few seconds */
    /* A validation begins, is over. is_final: of best.safetensors, when training is over. */
    void (*validating)(void *ctx, bool is_final);
    void (*validation)(void *ctx, const train_validation *v, bool is_final);
    void (*saved)(void *ctx, const char *path, bool is_checkpoint); /* else weights */
    /* Batch number ni of the run, from 0, before its step (and before multi_scale's resizing). A
     * resumed run begins with a later ni. */
    vg_status (*input)(void *ctx, int64_t ni, const data_batch *b, vg_error *err);
    /* A picture of a validation. */
    vg_status (*validated)(void *ctx, const train_validated *p, bool is_final, vg_error *err);
    /* Training is over; what the folder gets at its end is to be written now (final NULL: no
     * weights were the best). Until this returns VG_OK and last.safetensors becomes a model, the
     * run can be resumed, and the end is done again from the final validation on. */
    vg_status (*finishing)(void *ctx, const train_validation *final, vg_error *err);
} train_listener;

typedef struct train_run train_run;

/* folder: made where it is not; gets weights/last.safetensors (a checkpoint until the run is
 * finished), weights/best.safetensors, weights/epochN.safetensors (save_period) and results.csv.
 * Errors: VG_ERR_LIMIT (the plan does not fit args->memory_limit: the sum by owner, and the batch
 * that would fit; nothing has been taken then); VG_ERR_ARGUMENT (layers or classes that are not
 * there), VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_MEMORY. *out belongs to the caller; the accounts must
 * outlive it. */
vg_status train_run_create(train_run **out, const train_args *args, const char *folder,
                           const train_accounts *mem, vg_error *err);
/* Goes on where folder/weights/last.safetensors stands, with its arguments. Also VG_ERR_ARGUMENT:
 * the run is finished (it says so, and where its weights are), or never was one. */
vg_status train_run_resume(train_run **out, const char *folder, const train_accounts *mem,
                           vg_error *err);
/* The same, but for the machine's arguments among those that were given (train_args_move): a run
 * may go on elsewhere than where it began. */
vg_status train_run_resume_on(train_run **out, const char *folder, const train_args *args,
                              const train_args_given *given, const train_accounts *mem,
                              vg_error *err);
void train_run_destroy(train_run **r);

/* Until the last epoch, or until patience or the listener ends it. VG_ERR_INTERRUPTED: the
 * listener's wish; a checkpoint was written from which resume goes on with the same numbers.
 * VG_ERR_FORMAT: gradients that are no numbers, step after step. After an error the last checkpoint
 * is intact. A disk without room ends no run: what could not be written is tried again, and
 * VG_ERR_IO at the end says what is lost. */
vg_status train_run_go(train_run *r, const train_listener *listener, vg_error *err);

/* Facts for who prints them. Borrowed. */
/* What was planned, and why the batch is so large. */
const vg_plan *train_run_need(const train_run *r);
const train_args *train_run_args(const train_run *r);
/* Where it computes; NULL: the CPU. */
const nn_device *train_run_device(const train_run *r);
const nn_graph *train_run_graph(const train_run *r);
const data_set *train_run_set(const train_run *r,
                              data_split split); /* DATA_TRAIN, or DATA_VAL: the one validated on */
const struct task *train_run_task(const train_run *r);
const char *const *train_run_names(const train_run *r); /* (nc) of the model's classes */
/* The first epoch without mosaic; -1: there was none yet. */
int64_t train_run_plain_epoch(const train_run *r);
const train_optimizer_options *train_run_optimizer(const train_run *r); /* what `auto` became */
const train_position *train_run_position(const train_run *r);
const char *train_run_best_path(const train_run *r);
const char *train_run_last_path(const train_run *r);
/* "Transferred a/b items". False: no weights were given. */
bool train_run_transferred(const train_run *r, size_t *n_transferred, size_t *n_items);
/* How the classes of the weights that it started from are not the dataset's; "" else. */
/* "" or a warning: less than half of the tensors came from the weights. */
const char *train_run_few_notice(const train_run *r);
const char *train_run_names_notice(const train_run *r);
/* Of several ranks, when training is over: this session's. NULL: it is not, or alone. */
const vg_train_ranks *train_run_waits(const train_run *r);
/* Of several ranks; rank 0's. */
const char *train_run_ranks_notice(const train_run *r);
/* imgsz as it was given; that of train_run_args is raised to a multiple of the stride. */
int train_run_asked_imgsz(const train_run *r);
/* That the disk is full and training goes on, or that there is room again; once each, NULL else. */
const vg_error *train_run_news(train_run *r);
/* A newer checkpoint was damaged and an older one used: why. False else. */
bool train_run_fell_back(const train_run *r, const vg_error **why);
/* Of best.safetensors when the run is finished. NULL: not yet. Borrowed. */
const train_validation *train_run_final(const train_run *r);
/* The part of this session's training, 0 to 1, that was spent waiting for pictures: of its epochs
 * so far, without their validation. 0 before the first has ended. */
double train_run_loader_wait(const train_run *r);

#endif

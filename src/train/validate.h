/* validate.h: how good weights are on a split: loss, detections, average precision (spec 5.5, 6).
 *
 * Memory: everything is taken at create, whatever the weights will be; validations allocate
 * nothing. Beside a network in training it computes in that network's activation block, which is
 * idle then, has its batches in it (but on a device, where they are this side's), and uses its
 * threads. One owner. */
#ifndef TRAIN_VALIDATE_H
#define TRAIN_VALIDATE_H

#include "accounts.h"
#include "data/data.h"
#include "detect/detect.h"
#include "nn/nn.h"

struct task;
typedef struct train_validator train_validator;

typedef struct train_validator_options {
    const struct task *task; /* NULL: detect */
    const data_set *set;     /* borrowed until destroy */
    nn_train *net; /* whose block is used, borrowed until destroy; NULL: a block of its own */
    int imgsz, stride, batch, workers;
    bool rect;
    bool augment; /* test-time augmentation; not in a block of the net's */
    data_cache cache;
    size_t cache_bytes; /* the budget; 0: no bound */
    const char *isa;    /* NULL: the best here */
    nn_device *device;  /* borrowed until destroy, and net's; NULL: the CPU */
    bool half;          /* on a device: numbers of 16 bits */
    detect_nms_options nms;
    detect_ap ap;
    detect_loss_gains gains;
    struct ranks *ranks;  /* who share the pictures of every batch; NULL: alone */
    const float *strides; /* (n_levels) of the model */
    int n_levels;
    int n_keypoints, keypoint_dims; /* of the model */
    int mask_ratio;                 /* of the objects' masks: as in data_loader_options */
    bool separate_masks;
    bool whole_masks; /* of what is found: at the input's size, for files (task_judge_options) */
    bool outlines;    /* of these */
} train_validator_options;

/* What create will take, before there is anything. engine: one of the graph, made without weights,
 * for sizes alone; its own bytes and the graph's are not in it. NULL on a device, where nothing of
 * the engine is. */
typedef struct train_validator_need {
    data_loader_bounds bounds;
    size_t data_bytes, work_bytes;
    size_t lent_bytes; /* of the network's block */
} train_validator_need;
vg_status train_validator_plan(train_validator_need *out, const train_validator_options *o,
                               nn_engine *engine, int n_threads, const nn_accounts *mem,
                               vg_error *err);

/* graph: taken, also on failure. pool: the threads of all that it computes; it and the accounts are
 * borrowed until destroy. */
vg_status train_validator_create(train_validator **out, const train_validator_options *o,
                                 nn_graph **graph, base_pool *pool, const train_accounts *mem,
                                 vg_error *err);
void train_validator_destroy(train_validator **v);

typedef struct train_validation {
    detect_metrics_result metrics; /* borrowed until the next validation; of ranks: rank 0 has it */
    double loss[VG_MOST_LOSSES];   /* in the task's order: means over batches */
    int n_losses;
    bool stopped; /* asked to, before the end: the numbers mean nothing */
} train_validation;

/* One picture after its detections: boxes (best first) and truths in pixels of the picture as in
 * its file, cut at its edges. Borrowed during the call. */
typedef struct train_validated {
    const data_batch *batch;
    int i; /* in the batch */
    const data_item *item;
    size_t first_label;        /* of its objects, in the batch's labels */
    const vg_detection *boxes; /* (n_boxes) */
    size_t n_boxes;
    const detect_truth *truths; /* (n_truths) */
    size_t n_truths;
    vg_extras found, there; /* beside the boxes, and the truths: as in task_judged */
} train_validated;

/* Who looks on. Functions may be NULL. An error of picture ends the validation with it. */
typedef struct train_validate_watch {
    void *ctx;
    bool (*wants_stop)(void *ctx); /* asked after every batch */
    vg_status (*picture)(void *ctx, const train_validated *p, vg_error *err);
} train_validate_watch;

/* weights: only read before the first batch. watch: NULL: nobody. Errors: VG_ERR_IO (a picture),
 * VG_ERR_FORMAT (the weights), VG_ERR_MEMORY (a picture's decoder), the watch's. */
vg_status train_validate(train_validator *v, train_validation *out, const weights_file *weights,
                         const train_validate_watch *watch, vg_error *err);

#endif

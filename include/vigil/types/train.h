/* SPDX-License-Identifier: Apache-2.0 */
/* types/train.h: numbers of training and validation. */
#ifndef VIGIL_TYPES_TRAIN_H
#define VIGIL_TYPES_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset.h"
#include "result.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A row of metrics, 0..1. Tasks that say more of an object than its box have two: of boxes, which
 * stands in the structs below as it always did, and of masks or keypoints (`second`; 0 where there
 * is none). */
typedef struct vg_figures {
    double precision, recall; /* at the confidence of the best mean F1, each row's own */
    double map50, map; /* mean average precision: at IoU (keypoints: OKS) 0.5; over 0.5..0.95 */
    double f1;         /* of a class: there; else 0 */
} vg_figures;

/* Losses stand in the order of the task: box, cls, dfl of detect and obb; box, seg, cls, dfl of
 * segment; box, pose, kobj, cls, dfl of pose; the loss of classify. */
enum { VG_MOST_LOSSES = 5 };

/* After a batch. Losses are means over the epoch so far. */
typedef struct vg_train_batch {
    int epoch, n_epochs;      /* epoch from 1 */
    int64_t batch, n_batches; /* batches done in this epoch; in all */
    vg_task task;
    int n_losses; /* as many as the task has; 0 in a struct that nobody has filled */
    double loss[VG_MOST_LOSSES];
    int n_pictures, width, height; /* of this batch; pixels */
    size_t n_instances;            /* labelled objects in it */
    double grad_norm;              /* L2, of the last optimizer step, before clipping */
    double lr[3];                  /* weights, norms, biases */
    double seconds;                /* of training, all sessions together */
} vg_train_batch;

/* After an epoch, its validation and its checkpoint: also a row of results.csv. Metrics and
 * val_loss are NAN where it was not validated. */
typedef struct vg_train_epoch {
    int epoch, n_epochs; /* epoch from 1 */
    double seconds;      /* of training so far, all sessions together */
    vg_task task;
    int n_losses;
    double train_loss[VG_MOST_LOSSES], val_loss[VG_MOST_LOSSES];
    double lr[3]; /* weights, norms, biases */
    bool is_validated;
    size_t n_pictures, n_instances; /* of validation */
    double precision, recall;       /* 0..1, at the confidence of the best mean F1 */
    double map50, map;              /* mean average precision, 0..1: at IoU 0.5; over 0.5..0.95 */
    vg_figures second;              /* of masks or keypoints */
    double top1, top5; /* of classify, 0..1: pictures whose class came first; among five */
    bool is_best;      /* the best fitness so far */
    bool stops;        /* patience is over: training ends here */
    bool time_is_up;   /* `time` is over: it ends here, perhaps within the epoch */
    /* What could not be written beside the weights since the last epoch: training goes on, and
     * reports it again at its end. NULL: nothing. Borrowed during the call. */
    const vg_error *trouble;
} vg_train_epoch;

/* How fast an epoch goes, and what the process holds. */
typedef struct vg_train_pace {
    double pictures_per_s, elapsed_s, left_s; /* of this epoch; left_s below 0: unknown */
    size_t planned_bytes, resident_bytes;     /* of the whole process; 0: unknown */
} vg_train_pace;

enum { VG_RANKS_SHOWN = 16, VG_RANK_HOST_BYTES = 64 };

/* One of several processes that train together, and the part of the time, 0 to 1, that it waited
 * for others. */
typedef struct vg_rank_wait {
    int rank;
    char host[VG_RANK_HOST_BYTES]; /* its machine */
    double waiting;
} vg_rank_wait;

/* Who waits for whom. Parts of the time, 0 to 1. */
typedef struct vg_train_ranks {
    int n_ranks;        /* 0: alone, or nobody has looked yet */
    bool is_slow;       /* the first of `shown` holds the others up, by a fifth */
    double for_slowest; /* how much more the others wait than it does, in the mean */
    double exchange;    /* what it waits itself: numbers on their way */
    double pushing;     /* pushing messages on between layers, in the mean */
    double step_bytes;  /* that a rank adds up in a step; 0: unknown */
    int n_shown;        /* n_ranks, or VG_RANKS_SHOWN */
    vg_rank_wait shown[VG_RANKS_SHOWN]; /* who waits least, for whom the others wait, first */
} vg_train_ranks;

typedef enum vg_run_state {
    VG_RUN_PREPARING,
    VG_RUN_TRAINING,
    VG_RUN_FINISHED,
    VG_RUN_STOPPED, /* by request, with a checkpoint */
    VG_RUN_FAILED,  /* error says why */
    VG_RUN_DIED     /* without a last word: killed */
} vg_run_state;

/* A run as another process sees it. */
typedef struct vg_run_view {
    vg_run_state state;
    bool is_alive;    /* false: the view will not change any more */
    bool is_detached; /* it has left its terminal */
    int pid;
    int exit_status;      /* of the program, when it is over */
    int start_epoch;      /* of this session, from 0 */
    vg_train_batch batch; /* the last; n_batches 0: none yet */
    vg_train_pace pace;
    vg_train_epoch epoch; /* the last that ended in this session; epoch 0: none yet */
    vg_train_ranks ranks; /* of several, every five seconds */
    vg_error error;       /* VG_RUN_FAILED, VG_RUN_STOPPED */
} vg_run_view;

/* ---- validation ---- */

/* Precision, recall, map50 and map are as in vg_train_epoch. */
typedef struct vg_val_class {
    int class_index;
    const char *name;
    size_t n_pictures, n_instances; /* pictures that have the class; its labelled objects */
    double precision, recall, map50, map;
    double f1; /* at the same confidence as precision and recall */
    vg_figures second;
    vg_task task;
    double top1, top5; /* of classify, whose one row is that of all */
} vg_val_class;

/* What plots and tables of a validation are made of. Rows are those of vg_val_result.classes; point
 * i of a curve is at the confidence, or the recall, of i / (n_points - 1). Where nothing at all was
 * right there are no classes, so no rows. */
typedef struct vg_val_curves {
    size_t n_points;          /* 1000 */
    const double *p, *r, *f1; /* (n_classes, n_points) by confidence, at IoU 0.5 */
    const double *pr;         /* (n_classes, n_points) precision by recall, at IoU 0.5 */
    const double *ap;         /* (n_classes, 10) at IoU 0.5, 0.55, ... 0.95 */
    const double *maps;       /* (nc) ap's mean by class number; the mean over classes where one has
                                 no objects */
    const uint64_t *confusion; /* (n_confused, n_confused) [predicted][true], background last */
    int nc;                    /* classes of the dataset */
    int n_confused;            /* nc + 1; nc of classify, which has no background */
} vg_val_curves;

typedef struct vg_val_result {
    size_t n_pictures, n_instances, n_detections;
    double precision, recall, map50, map; /* means over the classes that have objects */
    vg_figures second;                    /* of masks or keypoints */
    double top1, top5;                    /* of classify: as in vg_train_epoch */
    /* 0.1 map50 + 0.9 map; with masks or keypoints the sum of both; (top1 + top5) / 2 */
    double fitness;
    vg_task task;
    int n_losses;
    double loss[VG_MOST_LOSSES];
    const vg_val_class *classes; /* (n_classes) those with objects; of classify none */
    size_t n_classes;
    double seconds;   /* that validation took */
    double best_conf; /* where the mean F1 is best: that of precision and recall */
    vg_val_curves curves;
    vg_val_curves second_curves; /* of masks or keypoints, without confusion; else n_points is 0 */
    double second_best_conf;
} vg_val_result;

/* A number by the name that it has in results.csv: "metrics/mAP50(M)", "val/seg_loss", "fitness".
 */
typedef struct vg_number {
    char name[48];
    double value;
} vg_number;
enum { VG_MOST_NUMBERS = 16 };

#ifdef __cplusplus
}
#endif
#endif

/* val_run.h: one pass of a weights file over a split, with its results in a run folder.
 *
 * Calling sequence: open, go once, read, close. Memory: everything is taken at open, on accounts of
 * its own. */
#ifndef TRAIN_VAL_RUN_H
#define TRAIN_VAL_RUN_H

#include "accounts.h"
#include "gallery.h"
#include "result.h"
#include "saver.h"

/* Borrowed during open. */
typedef struct train_val_options {
    const char *data, *weights; /* a dataset's YAML; .pt or .safetensors */
    const char *task;           /* what the weights must be made for; NULL: anything */
    data_split split;
    int imgsz; /* 0: the weights' own, else NN_IMGSZ */
    int batch, workers;
    int threads; /* 0: every processor */
    detect_nms_options nms;
    detect_ap ap;
    bool single_cls, augment, rect, plots, save_json, save_txt, save_conf;
    const char *project, *name; /* where files want a folder */
    bool exist_ok;
    const char *device; /* as in vg_options; NULL: auto */
    bool half;          /* as there */
    size_t gpu_memory_limit_bytes;
} train_val_options;

/* Members are for reading. It stays where it is until close: accounts point into it. */
typedef struct train_val {
    train_owners accounts;
    nn_device *device; /* NULL: the CPU */
    base_pool *pool;
    data_spec *spec;
    data_set *set;
    weights_file *weights;
    nn_graph *graph; /* taken by the validator */
    nn_graph_info info;
    const struct task *task;
    nn_imgsz imgsz;           /* squares; with rect batches have the shapes of their pictures */
    char names_notice[512];   /* "" or how the weights' classes are not the dataset's */
    char letters_notice[512]; /* "" or which names the plots cannot show */
    train_validator *validator;
    const char **names; /* (nc) */
    int nc;             /* of the dataset; 1 with single_cls */
    char folder[TRAIN_PATH_BYTES];
    bool is_written; /* its results are in the folder */
    int n_made;      /* folders of that path that were not there before */
    bool plots;
    train_gallery *gallery;        /* NULL without plots */
    train_saver *saver;            /* NULL without save_json and save_txt */
    bool (*wants_stop)(void *ctx); /* during run */
    size_t n_seen;                 /* pictures */
    void *ctx;
    train_result result;
    bool is_done;
} train_val;

/* v: zeroed. What a failure leaves is close's. Errors: VG_ERR_ARGUMENT (the dataset has no such
 * split, or other classes than the weights), VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED,
 * VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_SYSTEM. */
vg_status train_val_open(train_val *v, const train_val_options *o, vg_error *err);
/* Of one that did not come to its end, nothing is left of an empty folder. */
void train_val_close(train_val *v);
/* Once. *out is the run's until close. wants_stop (NULL: never) is asked after every batch. Errors:
 * as train_validate; VG_ERR_INTERRUPTED. */
vg_status train_val_go(train_val *v, const vg_val_result **out, bool (*wants_stop)(void *ctx),
                       void *ctx, vg_error *err);
void train_val_model(const train_val *v, vg_model_info *out);
/* What is to be said of names, plots and the dataset; NULL past the last. */
const char *train_val_message(const train_val *v, size_t index);

#endif

/* args.h: every argument of training in one table: name, kind, default, range, one line of help
 * (spec 4.1). The command line, args.yaml, checkpoints, help and docs are all drawn from it; adding
 * one is a field here and a row in args.c. */
#ifndef TRAIN_ARGS_H
#define TRAIN_ARGS_H

#include "base/base.h"
#include "optimizer.h"

enum {
    TRAIN_ARG_TEXT_BYTES = VG_OPTION_TEXT_BYTES,
    TRAIN_MOST_EPOCHS = 1000000,
    TRAIN_DEVICE_BYTES = TRAIN_ARG_TEXT_BYTES
};

/* What a device that fails in the middle of a run means. */
typedef enum train_device_lost {
    TRAIN_DEVICE_LOST_STOP,
    TRAIN_DEVICE_LOST_RESUME
} train_device_lost;

/* A plain value; made by train_args_default. Texts are "" where the argument is none. */
typedef struct train_args {
    char model[TRAIN_ARG_TEXT_BYTES], cfg[TRAIN_ARG_TEXT_BYTES], data[TRAIN_ARG_TEXT_BYTES],
        weights[TRAIN_ARG_TEXT_BYTES];
    char task[16];                   /* of the model; "any" */
    char device[TRAIN_DEVICE_BYTES]; /* as in vg_options */
    char project[TRAIN_ARG_TEXT_BYTES], name[TRAIN_ARG_TEXT_BYTES], resume[TRAIN_ARG_TEXT_BYTES];
    bool exist_ok, save, deterministic, single_cls, rect, cos_lr, amp, val, half, plots,
        agnostic_nms, save_json, save_pt, sync_bn, overlap_mask;
    bool has_imgsz;                                     /* imgsz was given: else it is the task's */
    size_t memory_limit, gpu_memory_limit, cache_limit; /* bytes; 0: none */
    int epochs, patience, batch, imgsz, save_period, workers, threads, seed, close_mosaic, max_det,
        vid_stride, nbs, mask_ratio;
    int copy_paste_mode; /* data_copy_paste */
    int auto_augment;    /* data_auto_augment */
    int device_lost;     /* train_device_lost */
    int optimizer;       /* train_optimizer_kind */
    int cache;           /* 0 none, 1 ram, 2 disk: data_cache */
    int split;           /* 0 train, 1 val, 2 test: data_split */
    vg_ints freeze;
    vg_classes classes;
    double batch_share; /* of memory, with a batch of -1: "batch: 0.7"; 0: not given */
    double hours, save_minutes, fraction, conf, iou, multi_scale, rank_timeout;
    double lr0, lrf, momentum, weight_decay, warmup_epochs, warmup_momentum, warmup_bias_lr;
    double box, cls, dfl, pose, kobj, label_smoothing;
    double hsv_h, hsv_s, hsv_v, degrees, translate, scale, shear, perspective, flipud, fliplr, bgr,
        mosaic, mixup, copy_paste, erasing;
} train_args;

extern const base_options train_arg_table;

void train_args_default(train_args *out);
/* One argument from text; "none" and "null" empty a text or a list. Errors: VG_ERR_ARGUMENT, with
 * the nearest known name, the range or the choices; args is as it was. */
vg_status train_args_set(train_args *args, const char *name, const char *value, vg_error *err);
/* All that a map of YAML or JSON says; source names it in errors, which have the line. On an error
 * args may be half changed. */
vg_status train_args_read(train_args *args, const base_node *map, const char *source,
                          vg_error *err);

/* One of them. */
vg_status train_args_read_one(train_args *args, const base_node *node, const char *source,
                              vg_error *err);

/* ---- args_file.c ---- */

/* What a .yaml that was given for a model is instead: a dataset's, or a list of arguments. */
typedef enum train_yaml_kind {
    TRAIN_YAML_OTHER,
    TRAIN_YAML_DATASET,
    TRAIN_YAML_ARGS
} train_yaml_kind;
train_yaml_kind train_yaml_look(const char *path, base_mem *mem);
/* The file's arguments but `resume` and those that were given (by their places in the table).
 * left_out (n): the names that are on in the file and that training does not have, "" none. Errors:
 * as train_args_read. */
vg_status train_args_read_file(train_args *args, const bool *given, char *left_out, size_t n,
                               const char *path, base_mem *mem, vg_error *err);

/* ---- args_settle.c ---- */

enum { TRAIN_MOST_ARGS = 128 };
/* Which arguments the caller has set, by their places in the table. */
typedef struct train_args_given {
    bool at[TRAIN_MOST_ARGS];
} train_args_given;
/* train_args_set, remembered. */
vg_status train_args_give(train_args *args, train_args_given *given, const char *name,
                          const char *value, vg_error *err);
bool train_args_is_given(const train_args_given *given, const char *name);
/* Those that are of the machine and not of the run: device, gpu_memory_limit, device_lost,
 * rank_timeout. Takes what was given of them. */
void train_args_move(train_args *args, const train_args *to, const train_args_given *given);
/* `cfg` becomes the model, or where it, or the model, names a file of arguments, those of an
 * earlier run or of the Python tool are read, under what was given. notice (n): what the file has
 * that training does not have, "" nothing. Errors: as train_args_read_file; VG_ERR_ARGUMENT (a
 * dataset's YAML; two models). */
vg_status train_args_settle(train_args *args, train_args_given *given, char *notice, size_t n,
                            base_mem *mem, vg_error *err);
/* What can be said before a folder is made: dataset and model are named, and the dataset's file can
 * be read. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT. */
vg_status train_args_check(const train_args *args, base_mem *mem, vg_error *err);
/* Fine-tuning: the model is the weights' own. */
void train_args_name_model(train_args *args);

typedef enum train_args_form { TRAIN_ARGS_YAML, TRAIN_ARGS_JSON } train_args_form;
/* All arguments in the table's order: "epochs: 100" lines, or a JSON object. train_args_read gives
 * the same back. */
vg_status train_args_add_text(base_str *out, const train_args *args, train_args_form form,
                              base_mem *mem, vg_error *err);

#endif

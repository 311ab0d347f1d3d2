/* classify.c: one class for the whole picture. */
#include "task.h"

const task task_classify = {
    .id = VG_TASK_CLASSIFY,
    .name = "classify",
    .suffix = "-cls",
    .head = "Classify",
    .help = "what the whole picture shows",
    .labels = &DATA_FOLDERS,
    .loss = &DETECT_LOSS_CLASSES,
    .lr_classes = 10, /* the reference finds no count there, and takes this */
    .val_batches = 2,
    .imgsz = 224,
    .losses = {"loss"},
    .n_losses = 1,
    .metrics = {"metrics/accuracy_top1", "metrics/accuracy_top5"},
    .n_metrics = 2,
    .judge = &task_judge_classes,
    .is_whole = true,
    .find = task_find_class,
    .put_label = task_put_label_box,
    .draw_above = task_draw_top,
};

/* detect.c: boxes. */
#include "task.h"

const task task_detect = {
    .id = VG_TASK_DETECT,
    .name = "detect",
    .suffix = "",
    .head = "Detect",
    .help = "a box around each object",
    .labels = &DATA_BOXES,
    .loss = &DETECT_LOSS_BOXES,
    .val_batches = 2,
    .imgsz = 640,
    .losses = {"box_loss", "cls_loss", "dfl_loss"},
    .n_losses = 3,
    .metrics = {"metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)",
                "metrics/mAP50-95(B)"},
    .n_metrics = 4,
    .judge = &task_judge_boxes,
    .has_boxes_alone = true,
    .has_counts = true,
    .find = task_find_boxes,
    .put_label = task_put_label_box,
    .put_coco = task_put_coco_box,
};

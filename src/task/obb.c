/* obb.c: boxes that are turned. */
#include "task.h"

const task task_obb = {
    .id = VG_TASK_OBB,
    .name = "obb",
    .suffix = "-obb",
    .head = "OBB",
    .help = "a turned box around each object",
    .labels = &DATA_ROTATED,
    .loss = &DETECT_LOSS_ROTATED,
    .val_batches = 1,
    .imgsz = 640,
    .losses = {"box_loss", "cls_loss", "dfl_loss"},
    .n_losses = 3,
    .metrics = {"metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)",
                "metrics/mAP50-95(B)"},
    .n_metrics = 4,
    .judge = &task_judge_rotated,
    .is_rotated = true,
    .find = task_find_rotated,
    .put_label = task_put_label_corners,
    .put_json = task_put_json_corners,
    .put_coco = task_put_coco_rotated,
};

/* segment.c: boxes with masks. */
#include "task.h"

const task task_segment = {
    .id = VG_TASK_SEGMENT,
    .name = "segment",
    .suffix = "-seg",
    .head = "Segment",
    .help = "each object's outline, pixel by pixel",
    .labels = &DATA_POLYGONS,
    .loss = &DETECT_LOSS_MASKS,
    .val_batches = 2,
    .imgsz = 640,
    .losses = {"box_loss", "seg_loss", "cls_loss", "dfl_loss"},
    .n_losses = 4,
    .metrics = {"metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)",
                "metrics/mAP50-95(B)", "metrics/precision(M)", "metrics/recall(M)",
                "metrics/mAP50(M)", "metrics/mAP50-95(M)"},
    .n_metrics = 8,
    .second = "Mask",
    .second_letter = "M",
    .judge = &task_judge_masks,
    .has_masks = true,
    .has_counts = true,
    .find = task_find_masks,
    .put_label = task_put_label_outline,
    .put_json = task_put_json_outline,
    .draw_below = task_draw_masks,
};

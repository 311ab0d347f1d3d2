/* pose.c: boxes with keypoints. */
#include "task.h"

const task task_pose = {
    .id = VG_TASK_POSE,
    .name = "pose",
    .suffix = "-pose",
    .head = "Pose",
    .help = "named points of each object, such as a person's joints",
    .labels = &DATA_KEYPOINTS,
    .loss = &DETECT_LOSS_KEYPOINTS,
    .val_batches = 2,
    .imgsz = 640,
    .losses = {"box_loss", "pose_loss", "kobj_loss", "cls_loss", "dfl_loss"},
    .n_losses = 5,
    .metrics = {"metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)",
                "metrics/mAP50-95(B)", "metrics/precision(P)", "metrics/recall(P)",
                "metrics/mAP50(P)", "metrics/mAP50-95(P)"},
    .n_metrics = 8,
    .second = "Pose",
    .second_letter = "P",
    .judge = &task_judge_keypoints,
    .has_counts = true,
    .find = task_find_keypoints,
    .put_label = task_put_label_keypoints,
    .put_json = task_put_json_keypoints,
    .put_coco = task_put_coco_keypoints,
    .draw_above = task_draw_keypoints,
};

/* kind_later.c: files about training, which this build has not: known by their tensors, so that
 * they are told from strange ones. */
#include "kind.h"

static bool is_train(const gold_file *f)
{
    return gold_has(f, "step1.raw0") && gold_has(f, "loss_total") && gold_has(f, "targets");
}

static bool is_augment(const gold_file *f)
{
    return gold_has(f, "hsv.in_bgr") || gold_has(f, "warp0.M") || gold_has_prefix(f, "mosaic") ||
           gold_has_prefix(f, "mixup");
}

static bool is_schedule(const gold_file *f)
{
    return gold_has(f, "ema_decay") || gold_has(f, "accumulate_wd") || gold_has(f, "auto_adamw_lr");
}

const gold_kind gold_kind_train = {
    .name = "training steps", .help = "losses, gradients, weights by step", .recognises = is_train};
const gold_kind gold_kind_augment = {
    .name = "augmentation", .help = "pictures and boxes changed", .recognises = is_augment};
const gold_kind gold_kind_schedule = {
    .name = "schedule", .help = "learning rates by iteration", .recognises = is_schedule};

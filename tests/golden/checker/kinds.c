/* kinds.c: the table of kinds. */
#include "kind.h"

extern const gold_kind gold_kind_pt, gold_kind_train, gold_kind_augment, gold_kind_schedule,
    gold_kind_loss, gold_kind_forward, gold_kind_forward_half, gold_kind_generator, gold_kind_fused,
    gold_kind_state_dict, gold_kind_predict, gold_kind_letterbox, gold_kind_nms, gold_kind_metrics,
    gold_kind_ciou, gold_kind_probiou;
extern const gold_kind gold_kind_obb_nms, gold_kind_segment_post;
extern const gold_kind gold_kind_task_metrics, gold_kind_rank_metrics;

/* The more demanding first: a training file has a loss file's tensors, too. */
const gold_kind *const gold_kinds[] = {
    &gold_kind_pt,           &gold_kind_train,        &gold_kind_augment,
    &gold_kind_schedule,     &gold_kind_loss,         &gold_kind_forward,
    &gold_kind_forward_half, &gold_kind_generator,    &gold_kind_fused,
    &gold_kind_state_dict,   &gold_kind_predict,      &gold_kind_letterbox,
    &gold_kind_obb_nms,      &gold_kind_segment_post, &gold_kind_nms,
    &gold_kind_metrics,      &gold_kind_ciou,         &gold_kind_probiou,
    &gold_kind_task_metrics, &gold_kind_rank_metrics, NULL,
};

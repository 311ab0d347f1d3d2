/* kinds.c: the table of kinds. */
#include "kind.h"

/* The more demanding first: a training file has a loss file's tensors, too. */
#define KINDS(X)                                                                                   \
    X(task_forward)                                                                                \
    X(pt)                                                                                          \
    X(train)                                                                                       \
    X(class_images)                                                                                \
    X(task_labels)                                                                                 \
    X(task_augment)                                                                                \
    X(augment)                                                                                     \
    X(schedule)                                                                                    \
    X(loss)                                                                                        \
    X(forward)                                                                                     \
    X(forward_half)                                                                                \
    X(generator)                                                                                   \
    X(fused)                                                                                       \
    X(state_dict)                                                                                  \
    X(task_predict)                                                                                \
    X(predict)                                                                                     \
    X(letterbox)                                                                                   \
    X(obb_nms)                                                                                     \
    X(segment_post)                                                                                \
    X(nms)                                                                                         \
    X(metrics)                                                                                     \
    X(ciou)                                                                                        \
    X(probiou)                                                                                     \
    X(task_metrics)                                                                                \
    X(task_loss)                                                                                   \
    X(classify_loss)                                                                               \
    X(rank_metrics)

#define DECLARE(name) extern const gold_kind gold_kind_##name;
KINDS(DECLARE)

#define POINT(name) &gold_kind_##name,
const gold_kind *const gold_kinds[] = {KINDS(POINT) NULL};

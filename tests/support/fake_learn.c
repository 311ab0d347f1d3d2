/* fake_learn.c: launches of loss and optimizer: every map, list and sum within its buffer, and a
 * grid that covers what is to be computed. */
#include <string.h>

#include "../../src/nn/gpu/kernels/loss_args.h"
#include "../../src/nn/gpu/kernels/optimizer_args.h"
#include "fake_train.h"

enum { MAPS, D_MAPS, LOSS };              /* the buffers of the loss */
enum { VALUES, GRADS, STATE, OPTIMIZER }; /* of the optimizer */
enum { SUM = 8 };

static size_t ceil_of(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

/* Bytes [at, at + n) of that buffer. */
static bool holds(const fake_launch *l, int buffer, gpu_u64 at, size_t n)
{
    return at % 4 == 0 && at + n <= l->bytes[buffer];
}

static const char *look_at_clear(const fake_launch *l)
{
    const gpu_clear_args *a = l->args;
    if (!holds(l, 0, 4 * a->at, 4 * a->n))
        return "zeros that reach out of their block";
    return l->items == GPU_ITEMS && l->x * GPU_ITEMS * GPU_CLEAR_EACH >= a->n
               ? NULL
               : "zeros of which some are not written";
}

static bool holds_level(const fake_launch *l, const gpu_loss_args *a, const gpu_loss_level *v)
{
    const size_t before = (size_t)a->batch * (size_t)v->h * (size_t)v->w - 1;
    const size_t box = GPU_BOX_CHANNELS, cls = (size_t)a->nc;
    return holds(l, MAPS, 4 * v->box_at, 4 * (before * (size_t)v->box_pitch + box)) &&
           holds(l, MAPS, 4 * v->cls_at, 4 * (before * (size_t)v->cls_pitch + cls)) &&
           holds(l, D_MAPS, 4 * v->d_box_at, 4 * (before * (size_t)v->d_box_pitch + box)) &&
           holds(l, D_MAPS, 4 * v->d_cls_at, 4 * (before * (size_t)v->d_cls_pitch + cls));
}

static const char *look_at_loss(const fake_launch *l)
{
    const gpu_loss_args *a = l->args;
    const size_t anchors = (size_t)a->batch * (size_t)a->n_anchors, truths = (size_t)a->n_truths;
    const size_t each = ceil_of((size_t)a->n_anchors, GPU_ITEMS), batch = (size_t)a->batch;
    int n_anchors = 0;
    for (int i = 0; i < a->n_levels; i++) {
        if (a->level[i].first != n_anchors || !holds_level(l, a, &a->level[i]))
            return "a head that reaches out of its block";
        n_anchors += a->level[i].h * a->level[i].w;
    }
    if (n_anchors != a->n_anchors)
        return "anchors of no level";
    if (!holds(l, LOSS, a->first_at, 4 * (batch + 1)) ||
        !holds(l, LOSS, a->truths_at, truths * sizeof(gpu_truth)) ||
        !holds(l, LOSS, a->boxes_at, 16 * anchors) ||
        !holds(l, LOSS, a->top_at, 4 * GPU_TOPK * truths) ||
        !holds(l, LOSS, a->index_at, 4 * anchors) || !holds(l, LOSS, a->weight_at, 4 * anchors) ||
        !holds(l, LOSS, a->truth_sums_at, 2 * SUM * truths) ||
        !holds(l, LOSS, a->class_sums_at, SUM * (size_t)a->n_class_groups) ||
        !holds(l, LOSS, a->box_sums_at, 2 * SUM * (size_t)a->n_box_groups) ||
        !holds(l, LOSS, a->divisor_at, SUM) || !holds(l, LOSS, a->results_at, 8 * GPU_N_RESULTS))
        return "a loss that reaches out of its memory";
    const bool by_anchor = strstr(l->name, "decode") || strstr(l->name, "settle");
    const size_t wanted = by_anchor                                            ? each
                          : strstr(l->name, "top") || strstr(l->name, "weigh") ? truths
                          : strstr(l->name, "class")
                              ? ceil_of(anchors * (size_t)a->nc, GPU_ITEMS * GPU_CLASS_EACH)
                          : strstr(l->name, "box") ? ceil_of(anchors, GPU_BOX_ANCHORS)
                                                   : 1;
    return l->items == GPU_ITEMS && l->x == wanted && l->y == (by_anchor ? batch : 1) && l->z == 1
               ? NULL
               : "a loss that leaves something out";
}

static const char *look_at_optimizer(const fake_launch *l)
{
    const gpu_optimizer_args *a = l->args;
    const size_t n = (size_t)a->n_pieces;
    if (!holds(l, OPTIMIZER, a->pieces_at, n * sizeof(gpu_piece)) ||
        !holds(l, OPTIMIZER, a->results_at, 8 * GPU_N_STEP_RESULTS) ||
        (!strstr(l->name, "average") && !holds(l, OPTIMIZER, a->sums_at, n * SUM)))
        return "an optimizer that reaches out of its memory";
    return l->items == GPU_ITEMS && l->x == (strstr(l->name, "judge") ? 1 : n) && l->y == 1
               ? NULL
               : "an optimizer that leaves something out";
}

const char *fake_learn_mistake(const fake_launch *l)
{
    return strcmp(l->name, "learn_clear") == 0       ? look_at_clear(l)
           : strncmp(l->name, "loss_", 5) == 0       ? look_at_loss(l)
           : strncmp(l->name, "optimizer_", 10) == 0 ? look_at_optimizer(l)
                                                     : NULL;
}

/* onnx_nms.c: suppression within the file (spec 2.3): the best class of each cell, classes kept
 * apart by an offset, and always max_det rows a picture, the best first, zeros behind them.
 *
 * NonMaxSuppression says which cells stay, in an order that the standard leaves open. So the scores
 * of those that stay are put back in their places, all others being 0, and the largest are taken.
 */
#include "onnx_build.h"

static const char scope[] = "nms";

/* Spec 2.3: classes are this far apart, and boxes of two never overlap. */
static const float class_offset = 7680;

/* Over the classes. Its axes moved from an attribute to an input with opset 18. */
static onnx_name best_score(onnx_build *b, const char *scores)
{
    onnx_node n = {.scope = scope, .op = "ReduceMax", .n_in = 1, .in = {scores}};
    onnx_name axes;
    n.attributes[n.n_attributes++] = (onnx_attribute){.name = "keepdims", .kind = ONNX_INT, .i = 1};
    if (b->o->opset < 18) {
        n.attributes[n.n_attributes++] =
            (onnx_attribute){.name = "axes", .kind = ONNX_INTS, .n = 1, .ints = {1}};
    } else {
        axes = onnx_int64(b, 1);
        n.in[n.n_in++] = axes.text;
    }
    return onnx_add(b, &n);
}

static onnx_name best_class(onnx_build *b, const char *scores)
{
    const onnx_name index =
        onnx_add(b, &(onnx_node){.scope = scope,
                                 .op = "ArgMax",
                                 .n_in = 1,
                                 .in = {scores},
                                 .n_attributes = 2,
                                 .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 1},
                                                {.name = "keepdims", .kind = ONNX_INT, .i = 1}}});
    return onnx_cast(b, scope, index.text, ONNX_FLOAT);
}

/* max_det more cells of nothing (batch, max_det[, last]), so that there are always as many rows. */
static onnx_name pad(onnx_build *b, const char *x, int last)
{
    const int64_t more[3] = {b->o->batch, b->o->max_det, last}, ones[3] = {1, 1, 1};
    const int n_dims = last > 0 ? 3 : 2;
    onnx_name shape, both[2];
    if (b->o->dynamic) {
        const onnx_name all = onnx_add_1(b, scope, "Shape", x);
        const onnx_name parts[2] = {onnx_slice(b, scope, all.text, 0, 0, 1),
                                    onnx_int64s(b, 1, more + 1, n_dims - 1)};
        shape = onnx_concat(b, scope, parts, 2, 0);
    } else {
        shape = onnx_int64s(b, 1, more, n_dims);
    }
    const onnx_name zero = onnx_float(b, n_dims, ones, 0, ONNX_FLOAT);
    base_format(both[0].text, sizeof both[0].text, "%s", x);
    both[1] = onnx_add_2(b, scope, "Expand", zero.text, shape.text);
    return onnx_concat(b, scope, both, 2, 1);
}

/* (batch, cells): the score where the cell stays, else 0. */
static onnx_name kept_scores(onnx_build *b, const char *boxes, const char *best)
{
    const int64_t one[1] = {1}, ends[2] = {0, 2};
    const onnx_name most = onnx_int64(b, b->o->max_det),
                    iou = onnx_float(b, 1, one, b->o->iou, ONNX_FLOAT),
                    conf = onnx_float(b, 1, one, b->o->conf, ONNX_FLOAT);
    const onnx_name selected =
        onnx_add(b, &(onnx_node){.scope = scope,
                                 .op = "NonMaxSuppression",
                                 .n_in = 5,
                                 .in = {boxes, best, most.text, iou.text, conf.text}});
    const onnx_name columns = onnx_int64s(b, 1, ends, 2); /* picture and cell; the class is 0 */
    const onnx_name places =
        onnx_add(b, &(onnx_node){.scope = scope,
                                 .op = "Gather",
                                 .n_in = 2,
                                 .in = {selected.text, columns.text},
                                 .n_attributes = 1,
                                 .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 1}}});
    const int64_t cells = b->o->dynamic ? -1 : onnx_n_cells(b);
    const onnx_name flat = onnx_reshape(b, scope, best, 2, (int64_t[]){onnx_batch(b), cells});
    const onnx_name zero = onnx_float(b, 0, NULL, 0, ONNX_FLOAT);
    const onnx_name none = onnx_add_2(b, scope, "Mul", flat.text, zero.text),
                    those = onnx_add_2(b, scope, "GatherND", flat.text, places.text);
    return onnx_add(b, &(onnx_node){.scope = scope,
                                    .op = "ScatterND",
                                    .n_in = 3,
                                    .in = {none.text, places.text, those.text}});
}

void onnx_nms(onnx_build *b, const char *boxes, const char *scores, const char *output)
{
    static const int64_t turn[3] = {0, 2, 1};
    const onnx_name best = best_score(b, scores), cls = best_class(b, scores);
    const onnx_name corners = onnx_transpose(b, scope, boxes, 3, turn);
    onnx_name parts[3] = {corners, onnx_transpose(b, scope, best.text, 3, turn),
                          onnx_transpose(b, scope, cls.text, 3, turn)};
    onnx_name apart = corners;
    if (!b->o->agnostic) {
        const onnx_name far = onnx_float(b, 0, NULL, class_offset, ONNX_FLOAT);
        const onnx_name off = onnx_add_2(b, scope, "Mul", parts[2].text, far.text);
        apart = onnx_add_2(b, scope, "Add", corners.text, off.text);
    }
    onnx_name kept = kept_scores(b, apart.text, best.text);
    onnx_name rows = onnx_concat(b, scope, parts, 3, 2);
    if (b->o->dynamic || onnx_n_cells(b) < b->o->max_det) {
        kept = pad(b, kept.text, 0);
        rows = pad(b, rows.text, 6);
    }
    const onnx_name k = onnx_int64(b, b->o->max_det);
    const char at[] = "nms/TopK.indices";
    const onnx_name top =
        onnx_add(b, &(onnx_node){.scope = scope,
                                 .op = "TopK",
                                 .n_in = 2,
                                 .in = {kept.text, k.text},
                                 .n_attributes = 3,
                                 .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 1},
                                                {.name = "largest", .kind = ONNX_INT, .i = 1},
                                                {.name = "sorted", .kind = ONNX_INT, .i = 1}},
                                 .second = at});
    const int64_t column[3] = {onnx_batch(b), b->o->max_det, 1};
    const onnx_name which = onnx_reshape(b, scope, at, 3, column);
    const onnx_name chosen =
        onnx_add(b, &(onnx_node){.scope = scope,
                                 .op = "GatherND",
                                 .n_in = 2,
                                 .in = {rows.text, which.text},
                                 .n_attributes = 1,
                                 .attributes = {{.name = "batch_dims", .kind = ONNX_INT, .i = 1}}});
    const onnx_name zero = onnx_float(b, 0, NULL, 0, ONNX_FLOAT);
    onnx_name real = onnx_add_2(b, scope, "Greater", top.text, zero.text);
    real = onnx_cast(b, scope, real.text, ONNX_FLOAT);
    real = onnx_reshape(b, scope, real.text, 3, column);
    onnx_add(b, &(onnx_node){.scope = scope,
                             .op = "Mul",
                             .n_in = 2,
                             .in = {chosen.text, real.text},
                             .output = output});
}

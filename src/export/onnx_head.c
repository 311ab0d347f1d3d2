/* onnx_head.c: the head's raw maps to boxes and scores (spec 2.2), in 32 bits whatever the network
 * has: a coordinate of 1000 pixels has half a pixel's room in 16. */
#include <string.h>

#include "onnx_build.h"

static const char scope[] = "head";

typedef enum part { BOXES, CLASSES, EXTRAS } part;

static int value_of(const nn_level *level, part which)
{
    return which == BOXES ? level->box : which == CLASSES ? level->cls : level->extra;
}

/* (B, c, cells) of all levels side by side. */
static onnx_name join_levels(onnx_build *b, part which, int c)
{
    onnx_name parts[NN_MAX_LEVELS];
    const int n = nn_graph_n_levels(b->g);
    for (int i = 0; i < n; i++) {
        const nn_level *level = nn_graph_level(b->g, i);
        const int value = value_of(level, which);
        int64_t h, w;
        onnx_map_size(b, value, &h, &w);
        parts[i] = onnx_reshape(b, scope, onnx_value(b, value).text, 3,
                                (int64_t[]){onnx_batch(b), c, b->o->dynamic ? -1 : h * w});
    }
    const onnx_name all = n > 1 ? onnx_concat(b, scope, parts, n, 2) : parts[0];
    return b->o->half ? onnx_cast(b, scope, all.text, ONNX_FLOAT) : all;
}

static float bin(const onnx_build *b, size_t index)
{
    (void)b;
    return (float)index;
}

/* The expected value of each side's 16 bins: (B, 64, A) -> (B, 4, A). Before opset 13 a softmax
 * takes all dimensions from its axis on as one, so that axis must be the last. */
static onnx_name add_dfl(onnx_build *b, const char *x)
{
    const int64_t batch = onnx_batch(b), cells = b->o->dynamic ? -1 : onnx_n_cells(b);
    onnx_name y = onnx_reshape(b, scope, x, 4, (int64_t[]){batch, 4, NN_REG_MAX, cells});
    const bool is_old = b->o->opset < 13;
    y = onnx_transpose(b, scope, y.text, 4,
                       is_old ? (int64_t[]){0, 1, 3, 2} : (int64_t[]){0, 2, 1, 3});
    y = onnx_add(
        b, &(onnx_node){.scope = scope,
                        .op = "Softmax",
                        .n_in = 1,
                        .in = {y.text},
                        .n_attributes = 1,
                        .attributes = {{.name = "axis", .kind = ONNX_INT, .i = is_old ? 3 : 1}}});
    if (is_old)
        y = onnx_transpose(b, scope, y.text, 4, (int64_t[]){0, 3, 1, 2});
    const onnx_name bins =
        onnx_floats(b, "dfl.weight", 4, (int64_t[]){1, NN_REG_MAX, 1, 1}, bin, ONNX_FLOAT);
    y = onnx_add_2(b, scope, "Conv", y.text, bins.text);
    return onnx_reshape(b, scope, y.text, 3, (int64_t[]){batch, 4, cells});
}

/* ---- cells: their centres in cells of their level, and that level's stride ---- */

/* Level and place of a cell in a file of fixed shape. */
static int find_cell(const onnx_build *b, size_t cell, int64_t *x, int64_t *y)
{
    int64_t h, w, at = (int64_t)cell;
    for (int i = 0;; i++) {
        onnx_map_size(b, nn_graph_level(b->g, i)->box, &h, &w);
        if (at < h * w) {
            *x = at % w;
            *y = at / w;
            return i;
        }
        at -= h * w;
    }
}

/* (1, 2, A) */
static float centre(const onnx_build *b, size_t index)
{
    const size_t n = (size_t)onnx_n_cells(b);
    int64_t x, y;
    find_cell(b, index % n, &x, &y);
    return (float)(index < n ? x : y) + 0.5f;
}

/* (1, 1, A) */
static float stride(const onnx_build *b, size_t index)
{
    int64_t x, y;
    return (float)nn_graph_level(b->g, find_cell(b, index, &x, &y))->stride;
}

/* 0.5, 1.5, ... along one side of a map, as (1, 1, 1, W) or (1, 1, H, 1) spread over the map. */
static onnx_name spread_axis(onnx_build *b, const char *shape, const char *map, int axis)
{
    const int64_t zero = 0, one = 1, at = axis;
    const onnx_name from = onnx_int64s(b, 0, &zero, 1), by = onnx_int64s(b, 0, &one, 1),
                    which = onnx_int64s(b, 0, &at, 1);
    const onnx_name side =
        onnx_add(b, &(onnx_node){.scope = scope,
                                 .op = "Gather",
                                 .n_in = 2,
                                 .in = {shape, which.text},
                                 .n_attributes = 1,
                                 .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 0}}});
    onnx_name y = onnx_add(
        b, &(onnx_node){
               .scope = scope, .op = "Range", .n_in = 3, .in = {from.text, side.text, by.text}});
    y = onnx_cast(b, scope, y.text, ONNX_FLOAT);
    y = onnx_add_2(b, scope, "Add", y.text, onnx_float(b, 0, NULL, 0.5f, ONNX_FLOAT).text);
    y = onnx_reshape(b, scope, y.text, 4,
                     axis == 3 ? (int64_t[]){1, 1, 1, -1} : (int64_t[]){1, 1, -1, 1});
    return onnx_add_2(b, scope, "Expand", y.text, map);
}

static void make_cells_dynamic(onnx_build *b, onnx_name *centres, onnx_name *strides)
{
    onnx_name at[NN_MAX_LEVELS], by[NN_MAX_LEVELS];
    const int n = nn_graph_n_levels(b->g);
    for (int i = 0; i < n; i++) {
        const nn_level *level = nn_graph_level(b->g, i);
        const onnx_name shape = onnx_add_1(b, scope, "Shape", onnx_value(b, level->box).text);
        const onnx_name whole[2] = {onnx_int64s(b, 1, (int64_t[]){1, 1}, 2),
                                    onnx_slice(b, scope, shape.text, 0, 2, 4)};
        const onnx_name map = onnx_concat(b, scope, whole, 2, 0);
        const onnx_name both[2] = {spread_axis(b, shape.text, map.text, 3),
                                   spread_axis(b, shape.text, map.text, 2)};
        const onnx_name grid = onnx_concat(b, scope, both, 2, 1);
        at[i] = onnx_reshape(b, scope, grid.text, 3, (int64_t[]){1, 2, -1});
        const onnx_name one =
            onnx_float(b, 4, (int64_t[]){1, 1, 1, 1}, (float)level->stride, ONNX_FLOAT);
        const onnx_name each = onnx_add_2(b, scope, "Expand", one.text, map.text);
        by[i] = onnx_reshape(b, scope, each.text, 3, (int64_t[]){1, 1, -1});
    }
    *centres = n > 1 ? onnx_concat(b, scope, at, n, 2) : at[0];
    *strides = n > 1 ? onnx_concat(b, scope, by, n, 2) : by[0];
}

static void make_cells(onnx_build *b, onnx_name *centres, onnx_name *strides)
{
    const int64_t n = onnx_n_cells(b);
    if (b->o->dynamic) {
        make_cells_dynamic(b, centres, strides);
        return;
    }
    *centres = onnx_floats(b, "cells", 3, (int64_t[]){1, 2, n}, centre, ONNX_FLOAT);
    *strides = onnx_floats(b, "strides", 3, (int64_t[]){1, 1, n}, stride, ONNX_FLOAT);
}

/* ---- what a task adds, and how its boxes lie ---- */

/* What decoding has made so far: (1, 2, A), (1, 1, A), and both (B, 2, A). */
typedef struct decoding {
    onnx_name centres, strides, left_top, right_bottom;
} decoding;

static onnx_name number(onnx_build *b, float x)
{
    return onnx_float(b, 0, NULL, x, ONNX_FLOAT);
}

/* Of the four distances, in cells: (B, 4, A). */
static onnx_name upright(onnx_build *b, const decoding *d)
{
    const onnx_name corners[2] = {
        onnx_add_2(b, scope, "Sub", d->centres.text, d->left_top.text),
        onnx_add_2(b, scope, "Add", d->centres.text, d->right_bottom.text)};
    const onnx_name sum = onnx_add_2(b, scope, "Add", corners[0].text, corners[1].text);
    const onnx_name parts[2] = {onnx_add_2(b, scope, "Mul", sum.text, number(b, 0.5F).text),
                                onnx_add_2(b, scope, "Sub", corners[1].text, corners[0].text)};
    return onnx_concat(b, scope, parts, 2, 1);
}

/* Radians: spec 1.3 of the tasks. */
static onnx_name angles(onnx_build *b, const char *raw)
{
    onnx_name x = onnx_add_1(b, scope, "Sigmoid", raw);
    x = onnx_add_2(b, scope, "Sub", x.text, number(b, 0.25F).text);
    return onnx_add_2(b, scope, "Mul", x.text, number(b, 3.14159265358979F).text);
}

/* The distances are along the box's own sides. */
static onnx_name turned(onnx_build *b, const decoding *d, const char *angle)
{
    const onnx_name c = onnx_add_1(b, scope, "Cos", angle), s = onnx_add_1(b, scope, "Sin", angle);
    onnx_name off = onnx_add_2(b, scope, "Sub", d->right_bottom.text, d->left_top.text);
    off = onnx_add_2(b, scope, "Mul", off.text, number(b, 0.5F).text);
    const onnx_name x = onnx_slice(b, scope, off.text, 1, 0, 1),
                    y = onnx_slice(b, scope, off.text, 1, 1, 2);
    const onnx_name xc = onnx_add_2(b, scope, "Mul", x.text, c.text),
                    ys = onnx_add_2(b, scope, "Mul", y.text, s.text),
                    xs = onnx_add_2(b, scope, "Mul", x.text, s.text),
                    yc = onnx_add_2(b, scope, "Mul", y.text, c.text);
    const onnx_name both[2] = {onnx_add_2(b, scope, "Sub", xc.text, ys.text),
                               onnx_add_2(b, scope, "Add", xs.text, yc.text)};
    const onnx_name from = onnx_concat(b, scope, both, 2, 1);
    const onnx_name parts[2] = {
        onnx_add_2(b, scope, "Add", from.text, d->centres.text),
        onnx_add_2(b, scope, "Add", d->left_top.text, d->right_bottom.text)};
    return onnx_concat(b, scope, parts, 2, 1);
}

/* (2 raw + the cell's corner) times the stride, and a sigmoid of the third number. */
static onnx_name points(onnx_build *b, const decoding *d, const char *raw,
                        const nn_graph_info *info)
{
    const int64_t cells = b->o->dynamic ? -1 : onnx_n_cells(b);
    const onnx_name x = onnx_reshape(
        b, scope, raw, 4, (int64_t[]){onnx_batch(b), info->keypoints, info->keypoint_dims, cells});
    const onnx_name corner = onnx_add_2(b, scope, "Sub", d->centres.text, number(b, 0.5F).text);
    const onnx_name at = onnx_reshape(b, scope, corner.text, 4, (int64_t[]){1, 1, 2, -1}),
                    by = onnx_reshape(b, scope, d->strides.text, 4, (int64_t[]){1, 1, 1, -1});
    onnx_name xy = onnx_slice(b, scope, x.text, 2, 0, 2);
    xy = onnx_add_2(b, scope, "Mul", xy.text, number(b, 2).text);
    xy = onnx_add_2(b, scope, "Add", xy.text, at.text);
    xy = onnx_add_2(b, scope, "Mul", xy.text, by.text);
    if (info->keypoint_dims == 3) {
        const onnx_name v = onnx_slice(b, scope, x.text, 2, 2, 3);
        const onnx_name both[2] = {xy, onnx_add_1(b, scope, "Sigmoid", v.text)};
        xy = onnx_concat(b, scope, both, 2, 2);
    }
    return onnx_reshape(b, scope, xy.text, 3, (int64_t[]){onnx_batch(b), info->n_extra, cells});
}

/* Boxes in cells, and the rows behind the classes; raw: (B, n_extra, A). */
typedef struct rows {
    onnx_name boxes, extras;
} rows;

static rows decode_masks(onnx_build *b, const decoding *d, const onnx_name *raw,
                         const nn_graph_info *info)
{
    (void)info;
    return (rows){upright(b, d), *raw};
}

static rows decode_points(onnx_build *b, const decoding *d, const onnx_name *raw,
                          const nn_graph_info *info)
{
    return (rows){upright(b, d), points(b, d, raw->text, info)};
}

static rows decode_turned(onnx_build *b, const decoding *d, const onnx_name *raw,
                          const nn_graph_info *info)
{
    (void)info;
    const onnx_name angle = angles(b, raw->text);
    return (rows){turned(b, d, angle.text), angle};
}

typedef struct decoder {
    const char *task;
    rows (*decode)(onnx_build *b, const decoding *d, const onnx_name *raw,
                   const nn_graph_info *info);
} decoder;

static const decoder decoders[] = {
    {"segment", decode_masks}, {"pose", decode_points}, {"obb", decode_turned}};

static rows decode(onnx_build *b, const decoding *d, const nn_graph_info *info)
{
    const char *name = export_task_name(b->g);
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++)
        if (strcmp(decoders[i].task, name) == 0) {
            const onnx_name raw = join_levels(b, EXTRAS, info->n_extra);
            return decoders[i].decode(b, d, &raw, info);
        }
    return (rows){.boxes = upright(b, d)};
}

/* A value of the network under an output's name, in 32 bits. */
static void put_result(onnx_build *b, const char *x, const char *output)
{
    onnx_node n = {.scope = scope, .op = "Identity", .n_in = 1, .in = {x}, .output = output};
    if (b->o->half) {
        n.op = "Cast";
        n.n_attributes = 1;
        n.attributes[0] = (onnx_attribute){.name = "to", .kind = ONNX_INT, .i = ONNX_FLOAT};
    }
    onnx_add(b, &n);
}

static void put_classes(onnx_build *b, int logits, const char *output)
{
    const int nc = nn_graph_value(b->g, logits)->c;
    onnx_name x =
        onnx_reshape(b, scope, onnx_value(b, logits).text, 2, (int64_t[]){onnx_batch(b), nc});
    if (b->o->half)
        x = onnx_cast(b, scope, x.text, ONNX_FLOAT);
    onnx_add(b, &(onnx_node){.scope = scope,
                             .op = "Softmax",
                             .n_in = 1,
                             .in = {x.text},
                             .n_attributes = 1,
                             .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 1}},
                             .output = output});
}

/* ---- together ---- */

static void put_suppressed(onnx_build *b, const decoding *d, const onnx_name *scores,
                           const char *output)
{
    const onnx_name corners[2] = {
        onnx_add_2(b, scope, "Sub", d->centres.text, d->left_top.text),
        onnx_add_2(b, scope, "Add", d->centres.text, d->right_bottom.text)};
    const onnx_name cells = onnx_concat(b, scope, corners, 2, 1);
    const onnx_name boxes = onnx_add_2(b, scope, "Mul", cells.text, d->strides.text);
    onnx_nms(b, boxes.text, scores->text, output);
}

void onnx_head(onnx_build *b, const char *output, const char *second)
{
    decoding d;
    nn_graph_info info;
    const int logits = nn_graph_result(b->g, NN_LOGITS),
              prototypes = nn_graph_result(b->g, NN_PROTOTYPES);
    if (b->stream.status != VG_OK)
        return;
    if (logits != NN_NO_VALUE) {
        put_classes(b, logits, output);
        return;
    }
    nn_graph_get_info(b->g, 32, &info);
    const onnx_name sides = add_dfl(b, join_levels(b, BOXES, 4 * NN_REG_MAX).text);
    const onnx_name logit = join_levels(b, CLASSES, info.nc);
    const onnx_name scores = onnx_add_1(b, scope, "Sigmoid", logit.text);
    make_cells(b, &d.centres, &d.strides);
    d.left_top = onnx_slice(b, scope, sides.text, 1, 0, 2);
    d.right_bottom = onnx_slice(b, scope, sides.text, 1, 2, 4);
    if (b->o->nms) {
        put_suppressed(b, &d, &scores, output);
        return;
    }
    const rows r = decode(b, &d, &info);
    const onnx_name boxes = onnx_add_2(b, scope, "Mul", r.boxes.text, d.strides.text);
    onnx_add(b, &(onnx_node){.scope = scope,
                             .op = "Concat",
                             .n_in = info.n_extra > 0 ? 3 : 2,
                             .in = {boxes.text, scores.text, r.extras.text},
                             .n_attributes = 1,
                             .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 1}},
                             .output = output});
    if (prototypes != NN_NO_VALUE)
        put_result(b, onnx_value(b, prototypes).text, second);
}

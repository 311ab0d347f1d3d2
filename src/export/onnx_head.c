/* onnx_head.c: the head's raw maps to boxes and scores (spec 2.2), in 32 bits whatever the network
 * has: a coordinate of 1000 pixels has half a pixel's room in 16. */
#include "onnx_build.h"

static const char scope[] = "head";

/* (B, c, cells) of all levels side by side. */
static onnx_name join_levels(onnx_build *b, bool is_box, int c)
{
    onnx_name part[NN_MAX_LEVELS];
    const int n = nn_graph_n_levels(b->g);
    for (int i = 0; i < n; i++) {
        const nn_level *level = nn_graph_level(b->g, i);
        const int value = is_box ? level->box : level->cls;
        int64_t h, w;
        onnx_map_size(b, value, &h, &w);
        part[i] = onnx_reshape(b, scope, onnx_value(b, value).text, 3,
                               (int64_t[]){onnx_batch(b), c, b->o->dynamic ? -1 : h * w});
    }
    const onnx_name all = n > 1 ? onnx_concat(b, scope, part, n, 2) : part[0];
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

void onnx_head(onnx_build *b, const char *output)
{
    onnx_name centres, strides;
    if (b->stream.status != VG_OK)
        return;
    const onnx_name sides = add_dfl(b, join_levels(b, true, 4 * NN_REG_MAX).text);
    const int nc = nn_graph_value(b->g, nn_graph_level(b->g, 0)->cls)->c;
    const onnx_name logits = join_levels(b, false, nc);
    const onnx_name scores = onnx_add_1(b, scope, "Sigmoid", logits.text);
    make_cells(b, &centres, &strides);
    const onnx_name lt = onnx_slice(b, scope, sides.text, 1, 0, 2),
                    rb = onnx_slice(b, scope, sides.text, 1, 2, 4);
    const onnx_name corners[2] = {onnx_add_2(b, scope, "Sub", centres.text, lt.text),
                                  onnx_add_2(b, scope, "Add", centres.text, rb.text)};
    if (b->o->nms) {
        const onnx_name cells = onnx_concat(b, scope, corners, 2, 1);
        const onnx_name boxes = onnx_add_2(b, scope, "Mul", cells.text, strides.text);
        onnx_nms(b, boxes.text, scores.text, output);
        return;
    }
    const onnx_name sum = onnx_add_2(b, scope, "Add", corners[0].text, corners[1].text);
    const onnx_name half = onnx_float(b, 0, NULL, 0.5f, ONNX_FLOAT);
    const onnx_name parts[2] = {onnx_add_2(b, scope, "Mul", sum.text, half.text),
                                onnx_add_2(b, scope, "Sub", corners[1].text, corners[0].text)};
    const onnx_name cells = onnx_concat(b, scope, parts, 2, 1);
    const onnx_name boxes = onnx_add_2(b, scope, "Mul", cells.text, strides.text);
    onnx_add(b, &(onnx_node){.scope = scope,
                             .op = "Concat",
                             .n_in = 2,
                             .in = {boxes.text, scores.text},
                             .n_attributes = 1,
                             .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 1}},
                             .output = output});
}

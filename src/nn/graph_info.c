/* graph_info.c: what a graph can be asked: parameters, operations, its table of layers. Spec 1.3.
 */
#include <string.h>

#include "graph.h"

size_t nn_graph_n_params(const nn_graph *g)
{
    return g->n_params;
}

const nn_param *nn_graph_param(const nn_graph *g, size_t index)
{
    return &g->params[index];
}

size_t nn_graph_n_ops(const nn_graph *g)
{
    return g->n_ops;
}

const nn_op *nn_graph_op(const nn_graph *g, size_t index)
{
    return &g->ops[index];
}

size_t nn_graph_n_values(const nn_graph *g)
{
    return g->n_values;
}

const nn_value *nn_graph_value(const nn_graph *g, int index)
{
    return &g->values[index];
}

int nn_graph_n_levels(const nn_graph *g)
{
    return g->n_levels;
}

const nn_level *nn_graph_level(const nn_graph *g, int index)
{
    return &g->levels[index];
}

int nn_graph_result(const nn_graph *g, nn_result which)
{
    return g->results[which];
}

/* Sides are rounded up by every stride. */
static size_t map_floats(const nn_graph *g, int v, int h, int w)
{
    const nn_value *x = &g->values[v];
    const size_t down = (size_t)x->down;
    const size_t rows = ((size_t)h * NN_DOWN_ONE + down - 1) / down,
                 columns = ((size_t)w * NN_DOWN_ONE + down - 1) / down;
    return rows * columns * (size_t)x->c;
}

size_t nn_graph_output_floats(const nn_graph *g, int n, int h, int w)
{
    size_t sum = 0;
    for (int i = 0; i < g->n_levels; i++) {
        const nn_level *l = &g->levels[i];
        sum += map_floats(g, l->box, h, w) + map_floats(g, l->cls, h, w);
        if (l->extra != NN_NO_VALUE)
            sum += map_floats(g, l->extra, h, w);
    }
    if (g->results[NN_PROTOTYPES] != NN_NO_VALUE)
        sum += map_floats(g, g->results[NN_PROTOTYPES], h, w);
    if (g->results[NN_LOGITS] != NN_NO_VALUE) /* of one pixel */
        sum += (size_t)g->values[g->results[NN_LOGITS]].c;
    return (size_t)n * sum;
}

static bool is_counted(const nn_param *p)
{
    return p->kind != NN_PARAM_BN_MEAN && p->kind != NN_PARAM_BN_VAR;
}

/* Cells of a map for a square input, spec 1.3's way: at 32 x 32, scaled by area. */
static double cells(const nn_graph *g, int value, int imgsz)
{
    double side = 32.0 * NN_DOWN_ONE / g->values[value].down, scale = imgsz / 32.0;
    return side * side * scale * scale;
}

/* What the rule counts of an op: a convolution's multiply-adds; 4 an element of its BN; and an
 * element of a nearest upsampling as one, which spec 1.3 leaves out, but which its table has: x is
 * 196.0 with it and 195.9 without. */
static void op_macs_of(const nn_graph *g, const nn_op *op, double n_cells, double *fused,
                       double *bn)
{
    const nn_conv_spec *c = &op->conv;
    double n = n_cells * g->values[op->out].c;
    *fused = *bn = 0;
    if (op->kind == NN_UPSAMPLE)
        *fused = n;
    if (op->kind == NN_MEAN)
        *fused = 2 * n;
    if (op->kind != NN_CONV)
        return;
    *fused = n * (c->ic / c->groups) * c->k * c->k;
    if (c->form == NN_FORM_TRANSPOSED)
        *fused *= 4; /* the table has four times its true number: spec 1.6 of the tasks */
    *bn = c->bn ? 4 * n : 0;
}

static void op_macs(const nn_graph *g, const nn_op *op, int imgsz, double *fused, double *bn)
{
    op_macs_of(g, op, cells(g, op->out, imgsz), fused, bn);
}

double nn_op_flops(const nn_graph *g, const nn_op *op, int h, int w)
{
    double fused, bn;
    op_macs_of(g, op, (double)h * w, &fused, &bn);
    return 2 * fused;
}

double nn_boxes_flops(const nn_graph *g, int h, int w)
{
    double n_cells = 0;
    for (int i = 0; i < g->n_levels; i++)
        n_cells += (double)(h / g->levels[i].stride) * (w / g->levels[i].stride);
    return n_cells * 2 * 4 * NN_REG_MAX;
}

/* The head's fixed DFL convolution of 16 to 1 channels over 4 sides of every cell. */
static double dfl_macs(const nn_graph *g, int imgsz)
{
    double macs = 0;
    for (int i = 0; i < g->n_levels; i++)
        macs += cells(g, g->levels[i].box, imgsz) * 4 * NN_REG_MAX;
    return macs;
}

void nn_graph_get_info(const nn_graph *g, int imgsz, nn_graph_info *out)
{
    *out = (nn_graph_info){.nc = g->nc,
                           .n_levels = g->n_levels,
                           .n_layers = (int)g->n_layers,
                           .max_stride = 1,
                           .task = g->task,
                           .n_extra = g->n_extra,
                           .keypoints = g->keypoints,
                           .keypoint_dims = g->keypoint_dims,
                           .class_branch = g->class_branch};
    base_format(out->name, sizeof out->name, "%s", g->name);
    base_format(out->scale, sizeof out->scale, "%s", g->scale);
    for (int i = 0; i < g->n_levels; i++)
        out->strides[i] = (float)g->levels[i].stride;
    for (size_t i = 0; i < g->n_params; i++)
        out->n_params += is_counted(&g->params[i]) ? (int64_t)g->params[i].n_elements : 0;
    out->n_params_fused = out->n_params;
    double fused_sum = dfl_macs(g, imgsz), bn_sum = 0;
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        int down = g->values[op->out].down / NN_DOWN_ONE;
        out->max_stride = down > out->max_stride ? down : out->max_stride;
        double fused, bn;
        op_macs(g, op, imgsz, &fused, &bn);
        fused_sum += fused;
        bn_sum += bn;
        out->n_convs += op->kind == NN_CONV;
        if (op->kind == NN_CONV && op->conv.bn)
            out->n_params_fused -= op->conv.oc; /* weight and bias of the BN become one bias */
    }
    out->gflops = (fused_sum + bn_sum) * 2 / 1e9;
    out->gflops_fused = fused_sum * 2 / 1e9;
}

void nn_graph_layer(const nn_graph *g, int index, int imgsz, vg_layer *out)
{
    const nn_layer *l = &g->layers[index];
    *out = (vg_layer){.index = index,
                      .from = l->from,
                      .module = l->module,
                      .args = l->args,
                      .repeats = l->repeats,
                      .c_out = l->out == NN_NO_VALUE ? 0 : g->values[l->out].c};
    for (size_t i = 0; i < g->n_params; i++)
        if (g->params[i].layer == index && is_counted(&g->params[i]))
            out->n_params += (int64_t)g->params[i].n_elements;
    double macs = l->out == NN_NO_VALUE ? dfl_macs(g, imgsz) : 0;
    for (size_t i = 0; i < g->n_ops; i++) {
        double fused, bn;
        if (g->ops[i].layer != index)
            continue;
        op_macs(g, &g->ops[i], imgsz, &fused, &bn);
        macs += fused + bn;
    }
    out->gflops = macs * 2 / 1e9;
}

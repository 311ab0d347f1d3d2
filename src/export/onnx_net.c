/* onnx_net.c: the network's operations as ONNX's, one for one, with BN folded: what optimizers of
 * other programs look for (Conv, Sigmoid, Mul). */
#include <math.h>
#include <string.h>

#include "onnx_build.h"

onnx_name onnx_value(onnx_build *b, int value)
{
    const nn_value *v = nn_graph_value(b->g, value);
    if (b->values[value].text[0] == '\0' && v->parent != NN_NO_VALUE) {
        const onnx_name parent = onnx_value(b, v->parent);
        b->values[value] = onnx_slice(b, "slice", parent.text, 1, v->c0, v->c0 + v->c);
    }
    return b->values[value];
}

/* The folded weights go into the file as they are read: one convolution is in memory. */
static void put_weights(onnx_build *b, const nn_op *op, const onnx_name *weight,
                        const onnx_name *bias)
{
    const nn_conv_spec *c = &op->conv;
    const int64_t dims[4] = {c->oc, c->ic / c->groups, c->k, c->k}, n_bias[1] = {c->oc};
    if (b->pass == ONNX_TENSORS && b->stream.status == VG_OK)
        b->stream.status = nn_fold(b->weight, b->bias, b->g, op, b->w, b->bias + c->oc, b->err);
    onnx_tensor(b, weight->text, 4, dims, b->weight, onnx_map_type(b));
    onnx_tensor(b, bias->text, 1, n_bias, b->bias, onnx_map_type(b));
}

static onnx_name add_conv(onnx_build *b, const nn_op *op, const char *x)
{
    const nn_conv_spec *c = &op->conv;
    const int pad = (c->k - 1) / 2; /* an even kernel has stride 2, and a cell less behind */
    onnx_name weight, bias;
    base_format(weight.text, sizeof weight.text, "%s%s", op->key,
                c->bn ? ".conv.weight" : ".weight");
    base_format(bias.text, sizeof bias.text, "%s%s", op->key, c->bn ? ".conv.bias" : ".bias");
    put_weights(b, op, &weight, &bias);
    onnx_name y = onnx_add(
        b,
        &(onnx_node){
            .scope = op->key,
            .op = "Conv",
            .n_in = 3,
            .in = {x, weight.text, bias.text},
            .n_attributes = 5,
            .attributes = {
                {.name = "dilations", .kind = ONNX_INTS, .n = 2, .ints = {1, 1}},
                {.name = "group", .kind = ONNX_INT, .i = c->groups},
                {.name = "kernel_shape", .kind = ONNX_INTS, .n = 2, .ints = {c->k, c->k}},
                {.name = "pads", .kind = ONNX_INTS, .n = 4, .ints = {pad, pad, pad, pad}},
                {.name = "strides", .kind = ONNX_INTS, .n = 2, .ints = {c->stride, c->stride}}}});
    if (!c->silu)
        return y;
    const onnx_name s = onnx_add_1(b, op->key, "Sigmoid", y.text);
    return onnx_add_2(b, op->key, "Mul", y.text, s.text);
}

static onnx_name add_maxpool(onnx_build *b, const nn_op *op, const char *scope, const char *x)
{
    const int pad = op->k / 2;
    return onnx_add(
        b, &(onnx_node){
               .scope = scope,
               .op = "MaxPool",
               .n_in = 1,
               .in = {x},
               .n_attributes = 3,
               .attributes = {
                   {.name = "kernel_shape", .kind = ONNX_INTS, .n = 2, .ints = {op->k, op->k}},
                   {.name = "pads", .kind = ONNX_INTS, .n = 4, .ints = {pad, pad, pad, pad}},
                   {.name = "strides", .kind = ONNX_INTS, .n = 2, .ints = {1, 1}}}});
}

static float up_scale(const onnx_build *b, size_t index)
{
    (void)b;
    return index < 2 ? 1 : 2;
}

static onnx_name add_upsample(onnx_build *b, const char *scope, const char *x)
{
    const int64_t four[1] = {4}, none[1] = {0};
    const onnx_name scales = onnx_floats(b, NULL, 1, four, up_scale, ONNX_FLOAT);
    onnx_name roi = {""};
    if (b->o->opset < 13) /* there the region of interest must be given, if only as nothing */
        roi = onnx_floats(b, NULL, 1, none, up_scale, ONNX_FLOAT);
    return onnx_add(
        b,
        &(onnx_node){
            .scope = scope,
            .op = "Resize",
            .n_in = 3,
            .in = {x, roi.text, scales.text},
            .n_attributes = 3,
            .attributes = {
                {.name = "coordinate_transformation_mode", .kind = ONNX_TEXT, .text = "asymmetric"},
                {.name = "mode", .kind = ONNX_TEXT, .text = "nearest"},
                {.name = "nearest_mode", .kind = ONNX_TEXT, .text = "floor"}}});
}

/* (B, C, H W) back into rows and columns; those of a dynamic file are the input's. */
static onnx_name unflatten(onnx_build *b, const char *scope, const char *x, int c, int like)
{
    int64_t h, w;
    onnx_map_size(b, like, &h, &w);
    if (!b->o->dynamic)
        return onnx_reshape(b, scope, x, 4, (int64_t[]){onnx_batch(b), c, h, w});
    const onnx_name shape = onnx_add_1(b, scope, "Shape", onnx_value(b, like).text);
    const onnx_name both[2] = {onnx_int64s(b, 1, (int64_t[]){0, c}, 2),
                               onnx_slice(b, scope, shape.text, 0, 2, 4)};
    return onnx_add_2(b, scope, "Reshape", x, onnx_concat(b, scope, both, 2, 0).text);
}

/* Spec 1.4: softmax(q' k / sqrt(K)) over positions, head by head. */
static onnx_name add_attention(onnx_build *b, const nn_op *op, const char *scope)
{
    static const int64_t turn[4] = {0, 1, 3, 2};
    const int kd = op->key_dim, all = 2 * kd + op->head_dim;
    const onnx_name x = onnx_value(b, op->in[0]);
    int64_t h, w;
    onnx_map_size(b, op->in[0], &h, &w);
    const onnx_name flat =
        onnx_reshape(b, scope, x.text, 4,
                     (int64_t[]){onnx_batch(b), op->heads, all, b->o->dynamic ? -1 : h * w});
    const onnx_name q = onnx_slice(b, scope, flat.text, 2, 0, kd),
                    k = onnx_slice(b, scope, flat.text, 2, kd, 2 * kd),
                    v = onnx_slice(b, scope, flat.text, 2, 2 * kd, all);
    onnx_name a =
        onnx_add_2(b, scope, "MatMul", onnx_transpose(b, scope, q.text, 4, turn).text, k.text);
    const float scale = (float)(1 / sqrt((double)kd));
    a = onnx_add_2(b, scope, "Mul", a.text, onnx_float(b, 0, NULL, scale, onnx_map_type(b)).text);
    a = onnx_add(b, &(onnx_node){.scope = scope,
                                 .op = "Softmax",
                                 .n_in = 1,
                                 .in = {a.text},
                                 .n_attributes = 1,
                                 .attributes = {{.name = "axis", .kind = ONNX_INT, .i = 3}}});
    const onnx_name o =
        onnx_add_2(b, scope, "MatMul", v.text, onnx_transpose(b, scope, a.text, 4, turn).text);
    return unflatten(b, scope, o.text, op->heads * op->head_dim, op->in[0]);
}

/* The taps of a pixel's channels become pixels: a transposed convolution of no overlap. */
static onnx_name add_shuffle(onnx_build *b, const char *scope, const char *x)
{
    return onnx_add(
        b, &(onnx_node){.scope = scope,
                        .op = "DepthToSpace",
                        .n_in = 1,
                        .in = {x},
                        .n_attributes = 2,
                        .attributes = {{.name = "blocksize", .kind = ONNX_INT, .i = 2},
                                       {.name = "mode", .kind = ONNX_TEXT, .text = "DCR"}}});
}

static onnx_name add_op(onnx_build *b, const nn_op *op)
{
    onnx_name in[NN_MAX_INPUTS];
    char scope[32];
    base_format(scope, sizeof scope, "model.%d", op->layer);
    for (int i = 0; i < op->n_in; i++)
        in[i] = onnx_value(b, op->in[i]);
    switch (op->kind) {
    case NN_CONV:
        return add_conv(b, op, in[0].text);
    case NN_MAXPOOL:
        return add_maxpool(b, op, scope, in[0].text);
    case NN_UPSAMPLE:
        return add_upsample(b, scope, in[0].text);
    case NN_CONCAT:
        return onnx_concat(b, scope, in, op->n_in, 1);
    case NN_ADD:
        return onnx_add_2(b, scope, "Add", in[0].text, in[1].text);
    case NN_ATTENTION:
        return add_attention(b, op, scope);
    case NN_SHUFFLE:
        return add_shuffle(b, scope, in[0].text);
    case NN_MEAN:
        return onnx_add_1(b, scope, "GlobalAveragePool", in[0].text);
    }
    return in[0];
}

void onnx_net(onnx_build *b)
{
    memset(b->values, 0, nn_graph_n_values(b->g) * sizeof *b->values);
    base_format(b->values[0].text, sizeof b->values[0].text, "images");
    if (b->o->half)
        b->values[0] = onnx_cast(b, "images", "images", ONNX_FLOAT16);
    for (size_t i = 0; i < nn_graph_n_ops(b->g) && b->stream.status == VG_OK; i++) {
        const nn_op *op = nn_graph_op(b->g, i);
        b->values[op->out] = add_op(b, op);
    }
}

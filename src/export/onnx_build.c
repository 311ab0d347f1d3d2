/* onnx_build.c: nodes and constants as messages, counted or written as the pass wants. */
#include "onnx_build.h"

#include <math.h>
#include <string.h>

#include <onnx.pb-c.h>

enum { FIELD_NODE = 1, FIELD_INITIALIZER = 5, FIELD_RAW = 9 };
enum { PART = 4096 };

/* protobuf-c's texts are char *, though packing only reads them. */
static char *unconst(const char *text)
{
    return (char *)(uintptr_t)text;
}

static bool is_told(const onnx_build *b, onnx_pass pass)
{
    return b->stream.status == VG_OK && (b->pass == ONNX_COUNT || b->pass == pass);
}

/* ---- nodes ---- */

static void make_attribute(Vigil__Onnx__AttributeProto *out, const onnx_attribute *a)
{
    static const int32_t types[] = {[ONNX_INT] = 2, [ONNX_INTS] = 7, [ONNX_TEXT] = 3};
    vigil__onnx__attribute_proto__init(out);
    out->name = unconst(a->name);
    out->has_type = true;
    out->type = types[a->kind];
    if (a->kind == ONNX_INT) {
        out->has_i = true;
        out->i = a->i;
    } else if (a->kind == ONNX_INTS) {
        out->n_ints = a->n;
        out->ints = (int64_t *)(uintptr_t)a->ints;
    } else {
        out->has_s = true;
        out->s = (ProtobufCBinaryData){strlen(a->text), (uint8_t *)(uintptr_t)a->text};
    }
}

onnx_name onnx_add(onnx_build *b, const onnx_node *n)
{
    onnx_name name;
    base_format(name.text, sizeof name.text, "%s/%s.%d", n->scope, n->op, b->n_nodes++);
    const char *output = n->output != NULL ? n->output : name.text;
    if (is_told(b, ONNX_NODES)) {
        Vigil__Onnx__AttributeProto attributes[ONNX_MOST_ATTRIBUTES], *at[ONNX_MOST_ATTRIBUTES];
        char *in[ONNX_MOST_INPUTS], *out[2] = {unconst(output), unconst(n->second)};
        for (int i = 0; i < n->n_attributes; i++) {
            make_attribute(&attributes[i], &n->attributes[i]);
            at[i] = &attributes[i];
        }
        for (int i = 0; i < n->n_in; i++)
            in[i] = unconst(n->in[i]);
        Vigil__Onnx__NodeProto m = VIGIL__ONNX__NODE_PROTO__INIT;
        m.n_input = (size_t)n->n_in;
        m.input = in;
        m.n_output = n->second != NULL ? 2 : 1;
        m.output = out;
        m.name = name.text;
        m.op_type = unconst(n->op);
        m.n_attribute = (size_t)n->n_attributes;
        m.attribute = at;
        onnx_put_message(&b->stream, FIELD_NODE, &m.base, 0);
    }
    if (n->output != NULL)
        base_format(name.text, sizeof name.text, "%s", output);
    return name;
}

onnx_name onnx_add_1(onnx_build *b, const char *scope, const char *op, const char *x)
{
    return onnx_add(b, &(onnx_node){.scope = scope, .op = op, .n_in = 1, .in = {x}});
}

onnx_name onnx_add_2(onnx_build *b, const char *scope, const char *op, const char *x, const char *y)
{
    return onnx_add(b, &(onnx_node){.scope = scope, .op = op, .n_in = 2, .in = {x, y}});
}

onnx_name onnx_reshape(onnx_build *b, const char *scope, const char *x, int n, const int64_t *shape)
{
    return onnx_add_2(b, scope, "Reshape", x, onnx_int64s(b, 1, shape, n).text);
}

onnx_name onnx_slice(onnx_build *b, const char *scope, const char *x, int axis, int64_t begin,
                     int64_t end)
{
    const onnx_name from = onnx_int64(b, begin), to = onnx_int64(b, end), on = onnx_int64(b, axis);
    return onnx_add(
        b, &(onnx_node){
               .scope = scope, .op = "Slice", .n_in = 4, .in = {x, from.text, to.text, on.text}});
}

onnx_name onnx_transpose(onnx_build *b, const char *scope, const char *x, int n,
                         const int64_t *order)
{
    onnx_attribute a = {.name = "perm", .kind = ONNX_INTS, .n = (size_t)n};
    memcpy(a.ints, order, (size_t)n * sizeof *order);
    return onnx_add(b, &(onnx_node){.scope = scope,
                                    .op = "Transpose",
                                    .n_in = 1,
                                    .in = {x},
                                    .n_attributes = 1,
                                    .attributes = {a}});
}

onnx_name onnx_concat(onnx_build *b, const char *scope, const onnx_name *x, int n, int axis)
{
    onnx_node node = {.scope = scope,
                      .op = "Concat",
                      .n_in = n,
                      .n_attributes = 1,
                      .attributes = {{.name = "axis", .kind = ONNX_INT, .i = axis}}};
    for (int i = 0; i < n; i++)
        node.in[i] = x[i].text;
    return onnx_add(b, &node);
}

onnx_name onnx_cast(onnx_build *b, const char *scope, const char *x, onnx_type to)
{
    return onnx_add(b, &(onnx_node){.scope = scope,
                                    .op = "Cast",
                                    .n_in = 1,
                                    .in = {x},
                                    .n_attributes = 1,
                                    .attributes = {{.name = "to", .kind = ONNX_INT, .i = to}}});
}

/* ---- tensors ---- */

static size_t type_bytes(onnx_type type)
{
    return type == ONNX_INT64 ? 8 : type == ONNX_FLOAT ? 4 : 2;
}

/* Everything of a tensor but its bytes, which the caller puts: n elements. */
static void put_tensor_head(onnx_build *b, const char *name, int n_dims, const int64_t *dims,
                            onnx_type type, size_t *n)
{
    Vigil__Onnx__TensorProto m = VIGIL__ONNX__TENSOR_PROTO__INIT;
    *n = 1;
    for (int i = 0; i < n_dims; i++)
        *n *= (size_t)dims[i];
    const uint64_t bytes = *n * type_bytes(type);
    m.name = unconst(name);
    m.n_dims = (size_t)n_dims;
    m.dims = (int64_t *)(uintptr_t)dims;
    m.has_data_type = true;
    m.data_type = (int32_t)type;
    onnx_put_message(&b->stream, FIELD_INITIALIZER, &m.base,
                     onnx_head_bytes(FIELD_RAW, bytes) + bytes);
    onnx_put_head(&b->stream, FIELD_RAW, bytes);
}

/* n floats in the file's type. A number that 16 bits cannot hold would silently become infinity. */
static void put_floats(onnx_build *b, const char *name, const float *values, size_t n,
                       onnx_type type)
{
    uint16_t part[PART];
    if (type == ONNX_FLOAT) {
        export_put(&b->stream, values, n * sizeof *values);
        return;
    }
    for (size_t i = 0; i < n && b->stream.status == VG_OK;) {
        size_t now = n - i < PART ? n - i : PART;
        for (size_t k = 0; k < now; k++) {
            part[k] = weights_f32_to_f16(values[i + k]);
            if (!isfinite(weights_f16_to_f32(part[k])))
                b->stream.status = base_fail(
                    b->err, VG_ERR_LIMIT, base_where("tensor %s", name), "export without --half",
                    "a folded weight of %g, which 16 bits cannot hold", (double)values[i + k]);
        }
        export_put(&b->stream, part, now * sizeof *part);
        i += now;
    }
}

void onnx_tensor(onnx_build *b, const char *name, int n_dims, const int64_t *dims,
                 const float *values, onnx_type type)
{
    size_t n;
    if (!is_told(b, ONNX_TENSORS))
        return;
    put_tensor_head(b, name, n_dims, dims, type, &n);
    if (b->pass == ONNX_COUNT)
        b->stream.n_bytes += n * type_bytes(type);
    else
        put_floats(b, name, values, n, type);
}

static onnx_name next_constant(onnx_build *b)
{
    onnx_name name;
    base_format(name.text, sizeof name.text, "constant.%d", b->n_constants++);
    return name;
}

onnx_name onnx_floats(onnx_build *b, const char *name, int n_dims, const int64_t *dims,
                      onnx_element element, onnx_type type)
{
    onnx_name out;
    size_t n;
    if (name != NULL)
        base_format(out.text, sizeof out.text, "%s", name);
    else
        out = next_constant(b);
    if (!is_told(b, ONNX_TENSORS))
        return out;
    put_tensor_head(b, out.text, n_dims, dims, type, &n);
    if (b->pass == ONNX_COUNT) {
        b->stream.n_bytes += n * type_bytes(type);
        return out;
    }
    float part[PART];
    for (size_t i = 0; i < n && b->stream.status == VG_OK;) {
        size_t now = n - i < PART ? n - i : PART;
        for (size_t k = 0; k < now; k++)
            part[k] = element(b, i + k);
        put_floats(b, out.text, part, now, type);
        i += now;
    }
    return out;
}

onnx_name onnx_int64s(onnx_build *b, int n_dims, const int64_t *values, int n)
{
    const onnx_name name = next_constant(b);
    const int64_t dims[1] = {n};
    size_t n_elements;
    if (is_told(b, ONNX_TENSORS)) {
        put_tensor_head(b, name.text, n_dims, dims, ONNX_INT64, &n_elements);
        export_put(&b->stream, values, n_elements * sizeof *values);
    }
    return name;
}

onnx_name onnx_int64(onnx_build *b, int64_t value)
{
    return onnx_int64s(b, 1, &value, 1);
}

onnx_name onnx_float(onnx_build *b, int n_dims, const int64_t *dims, float value, onnx_type type)
{
    const onnx_name name = next_constant(b);
    onnx_tensor(b, name.text, n_dims, dims, &value, type);
    return name;
}

/* ---- shapes ---- */

onnx_type onnx_map_type(const onnx_build *b)
{
    return b->o->half ? ONNX_FLOAT16 : ONNX_FLOAT;
}

void onnx_map_size(const onnx_build *b, int value, int64_t *h, int64_t *w)
{
    const int down = nn_graph_value(b->g, value)->down;
    *h = (int64_t)b->o->imgsz.h * NN_DOWN_ONE / down;
    *w = (int64_t)b->o->imgsz.w * NN_DOWN_ONE / down;
}

int64_t onnx_batch(const onnx_build *b)
{
    return b->o->dynamic ? 0 : b->o->batch;
}

int64_t onnx_n_cells(const onnx_build *b)
{
    int64_t n = 0, h, w;
    for (int i = 0; i < nn_graph_n_levels(b->g); i++) {
        onnx_map_size(b, nn_graph_level(b->g, i)->box, &h, &w);
        n += h * w;
    }
    return n;
}

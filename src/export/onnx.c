/* onnx.c: the model around the graph: head, metadata, input and output; and the order of writing.
 *
 * Source: the format's own description, ONNX's onnx.proto and its versioning table. */
#include <string.h>

#include <onnx.pb-c.h>

#include "head.h"
#include "literal.h"
#include "onnx_build.h"

enum { FIELD_IR = 1, FIELD_PRODUCER = 2, FIELD_PRODUCER_VERSION = 3, FIELD_GRAPH = 7 };
enum { FIELD_OPSET = 8, FIELD_METADATA = 14 };
enum { FIELD_GRAPH_NAME = 2, FIELD_INPUT = 11, FIELD_OUTPUT = 12 };

/* protobuf's own limit: a message's length is a signed 32-bit number for its readers. */
static const uint64_t most_bytes = ((uint64_t)1 << 31) - 1;

static char *unconst(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* The version of the file's own form that came with an opset. */
static uint64_t ir_version(int opset)
{
    return opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : 10;
}

static int class_count(const nn_graph *g)
{
    nn_graph_info info;
    nn_graph_get_info(g, 32, &info);
    return info.nc;
}

/* ---- metadata ---- */

static void put_pair(export_stream *s, const char *key, const char *value)
{
    Vigil__Onnx__StringStringEntryProto m = VIGIL__ONNX__STRING_STRING_ENTRY_PROTO__INIT;
    m.key = unconst(key);
    m.value = unconst(value);
    onnx_put_message(s, FIELD_METADATA, &m.base, 0);
}

static const char *truth(bool is)
{
    return is ? "True" : "False";
}

/* The keys, and how their values are written, are those that the Python tool writes and reads. */
static void put_metadata(onnx_build *b, const char *names)
{
    const export_onnx_options *o = b->o;
    const export_about *a = &o->about;
    export_stream *s = &b->stream;
    const export_head *head = export_head_of(b->g);
    nn_graph_info info;
    char batch[16], stride[16], imgsz[48], args[256];
    nn_graph_get_info(b->g, 32, &info);
    base_format(batch, sizeof batch, "%d", o->batch);
    base_format(stride, sizeof stride, "%d", info.max_stride);
    base_format(imgsz, sizeof imgsz, "[%d, %d]", o->imgsz.h, o->imgsz.w);
    base_format(args, sizeof args,
                "{'batch': %d, 'half': %s, 'dynamic': %s, 'simplify': False, 'opset': %d, "
                "'nms': %s}",
                o->batch, truth(o->half), truth(o->dynamic), o->opset, truth(o->nms));
    const char *const pairs[][2] = {{"description", a->description},
                                    {"author", a->author},
                                    {"date", a->date},
                                    {"version", a->version},
                                    {"license", a->license},
                                    {"docs", a->docs},
                                    {"stride", stride},
                                    {"task", head->task},
                                    {"head", head->module},
                                    {"batch", batch},
                                    {"imgsz", imgsz},
                                    {"names", names},
                                    {"args", args},
                                    {"channels", "3"},
                                    {"end2end", "False"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        put_pair(s, pairs[i][0], pairs[i][1]);
    if (info.keypoints > 0) {
        base_format(imgsz, sizeof imgsz, "[%d, %d]", info.keypoints, info.keypoint_dims);
        put_pair(s, "kpt_shape", imgsz);
    }
}

/* ---- input and output ---- */

typedef struct dimension {
    int64_t n;
    const char *name; /* of what the reader chooses; NULL: n */
} dimension;

static void put_value(export_stream *s, int field, const char *name, const dimension *dims,
                      size_t n)
{
    Vigil__Onnx__TensorShapeProto__Dimension d[4], *at[4];
    Vigil__Onnx__TensorShapeProto shape = VIGIL__ONNX__TENSOR_SHAPE_PROTO__INIT;
    Vigil__Onnx__TypeProto__Tensor tensor = VIGIL__ONNX__TYPE_PROTO__TENSOR__INIT;
    Vigil__Onnx__TypeProto type = VIGIL__ONNX__TYPE_PROTO__INIT;
    Vigil__Onnx__ValueInfoProto m = VIGIL__ONNX__VALUE_INFO_PROTO__INIT;
    for (size_t i = 0; i < n; i++) {
        vigil__onnx__tensor_shape_proto__dimension__init(&d[i]);
        d[i].has_dim_value = dims[i].name == NULL;
        d[i].dim_value = dims[i].n;
        d[i].dim_param = unconst(dims[i].name);
        at[i] = &d[i];
    }
    shape.n_dim = n;
    shape.dim = at;
    tensor.has_elem_type = true;
    tensor.elem_type = ONNX_FLOAT;
    tensor.shape = &shape;
    type.tensor_type = &tensor;
    m.name = unconst(name);
    m.type = &type;
    onnx_put_message(s, field, &m.base, 0);
}

static void put_ends(onnx_build *b)
{
    const export_onnx_options *o = b->o;
    const bool is_free = o->dynamic;
    const int nc = class_count(b->g);
    const dimension batch = {o->batch, is_free ? "batch" : NULL};
    const dimension in[4] = {batch,
                             {3, NULL},
                             {o->imgsz.h, is_free ? "height" : NULL},
                             {o->imgsz.w, is_free ? "width" : NULL}};
    nn_graph_info info;
    nn_graph_get_info(b->g, 32, &info);
    const int prototypes = nn_graph_result(b->g, NN_PROTOTYPES);
    const dimension classes[2] = {batch, {nc, NULL}};
    const dimension raw[3] = {
        batch, {4 + nc + info.n_extra, NULL}, {onnx_n_cells(b), is_free ? "anchors" : NULL}};
    const dimension boxes[3] = {batch, {o->max_det, NULL}, {6, NULL}};
    put_value(&b->stream, FIELD_INPUT, "images", in, 4);
    if (info.n_levels == 0)
        put_value(&b->stream, FIELD_OUTPUT, "output0", classes, 2);
    else
        put_value(&b->stream, FIELD_OUTPUT, "output0", o->nms ? boxes : raw, 3);
    if (prototypes != NN_NO_VALUE) {
        int64_t h, w;
        onnx_map_size(b, prototypes, &h, &w);
        const dimension maps[4] = {batch,
                                   {nn_graph_value(b->g, prototypes)->c, NULL},
                                   {h, is_free ? "mask_height" : NULL},
                                   {w, is_free ? "mask_width" : NULL}};
        put_value(&b->stream, FIELD_OUTPUT, "output1", maps, 4);
    }
}

/* ---- the file ---- */

/* What the pass wants of the graph. */
static void put_graph(onnx_build *b, onnx_pass pass)
{
    b->pass = pass;
    b->n_nodes = b->n_constants = 0;
    onnx_net(b);
    onnx_head(b, "output0", "output1");
}

static void put_model(onnx_build *b, const char *names, uint64_t n_graph, const char *graph_name)
{
    export_stream *s = &b->stream;
    Vigil__Onnx__OperatorSetIdProto opset = VIGIL__ONNX__OPERATOR_SET_ID_PROTO__INIT;
    opset.domain = unconst("");
    opset.has_version = true;
    opset.version = b->o->opset;
    onnx_put_number(s, FIELD_IR, ir_version(b->o->opset));
    onnx_put_text(s, FIELD_PRODUCER, "vigil");
    onnx_put_text(s, FIELD_PRODUCER_VERSION, b->o->about.version);
    onnx_put_message(s, FIELD_OPSET, &opset.base, 0);
    put_metadata(b, names);
    onnx_put_head(s, FIELD_GRAPH, n_graph);
    put_graph(b, ONNX_NODES);
    onnx_put_text(s, FIELD_GRAPH_NAME, graph_name);
    put_graph(b, ONNX_TENSORS);
    put_ends(b);
}

/* Bytes of the graph, its own name and ends included. */
static uint64_t count_graph(onnx_build *b, const char *graph_name)
{
    put_graph(b, ONNX_COUNT);
    onnx_put_text(&b->stream, FIELD_GRAPH_NAME, graph_name);
    put_ends(b);
    const uint64_t n = b->stream.n_bytes;
    b->stream.n_bytes = 0;
    return n;
}

static void largest_conv(const nn_graph *g, size_t *n_weight, size_t *n_channels)
{
    *n_weight = *n_channels = 0;
    for (size_t i = 0; i < nn_graph_n_ops(g); i++) {
        const nn_op *op = nn_graph_op(g, i);
        if (op->kind != NN_CONV)
            continue;
        const size_t n = nn_conv_weight_elements(&op->conv), oc = (size_t)op->conv.oc;
        *n_weight = n > *n_weight ? n : *n_weight;
        *n_channels = oc > *n_channels ? oc : *n_channels;
    }
}

typedef struct layout {
    size_t values_at, weight_at, bias_at, n_bytes; /* the stream's buffer is at 0 */
} layout;

static layout plan(const nn_graph *g)
{
    size_t n_weight, n_channels;
    layout l;
    largest_conv(g, &n_weight, &n_channels);
    l.values_at = EXPORT_BUFFER_BYTES;
    l.weight_at =
        base_round_up(l.values_at + nn_graph_n_values(g) * sizeof(onnx_name), BASE_MEM_ALIGN);
    l.bias_at = base_round_up(l.weight_at + n_weight * sizeof(float), BASE_MEM_ALIGN);
    l.n_bytes = l.bias_at + 5 * n_channels * sizeof(float);
    return l;
}

/* A bound of the names' literal: an escaped byte takes four. The text grows by half, and both
 * blocks count while it moves. */
static size_t names_bytes(const nn_graph *g, const weights_file *w)
{
    const weights_meta *meta = weights_get_meta(w);
    size_t n = 256;
    for (int i = 0; i < class_count(g); i++)
        n += 24 + 4 * (i < meta->n_classes ? strlen(meta->names[i]) : 8);
    return 3 * n;
}

size_t export_onnx_need(const nn_graph *g, const weights_file *w)
{
    return plan(g).n_bytes + names_bytes(g, w);
}

vg_status export_onnx(const char *path, const nn_graph *g, const weights_file *w,
                      const export_onnx_options *o, base_mem *mem, vg_error *err)
{
    const layout l = plan(g);
    vg_status st = VG_ERR_MEMORY;
    base_file file = BASE_FILE_NONE;
    base_str names = {0};
    nn_graph_info info;
    nn_graph_get_info(g, 32, &info);
    if (o->nms && (info.n_levels == 0 || info.n_extra > 0))
        return base_fail(err, VG_ERR_ARGUMENT, "nms", "leave it out",
                         "suppression in the file of a model that does not only detect");
    uint8_t *block = base_alloc(mem, l.n_bytes, err);
    if (block == NULL)
        goto done;
    st = literal_add_names(&names, weights_get_meta(w), class_count(g), mem, err);
    if (st != VG_OK)
        goto done;
    onnx_build b = {.stream = {.buffer = block, .err = err},
                    .g = g,
                    .w = w,
                    .o = o,
                    .values = (onnx_name *)(void *)(block + l.values_at),
                    .weight = (float *)(void *)(block + l.weight_at),
                    .bias = (float *)(void *)(block + l.bias_at),
                    .err = err};
    const uint64_t n_graph = count_graph(&b, info.name);
    if (n_graph + ((size_t)1 << 20) + names.length > most_bytes) {
        st = base_fail(err, VG_ERR_LIMIT, path, "export with --half, or a smaller scale",
                       "a model of 2 GB, more than an ONNX file holds");
        goto done;
    }
    st = base_file_create_beside(&file, path, err);
    if (st != VG_OK)
        goto done;
    b.stream.file = &file;
    put_model(&b, names.text, n_graph, info.name);
    export_flush(&b.stream);
    st = b.stream.status;
    if (st == VG_OK)
        st = base_file_commit(&file, path, err);
done:
    base_file_discard(&file);
    base_str_fini(&names);
    base_free(block);
    return st;
}

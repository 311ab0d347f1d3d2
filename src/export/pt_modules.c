/* pt_modules.c: the tree of modules that a state dict's names tell of: model.2.m.0.cv1.conv.weight
 * is a Conv2d in a Conv in a Bottleneck in a ModuleList in a C3k2.
 *
 * The Python tool builds nothing when it reads a checkpoint: each object gets the attributes that
 * the pickle has for it. Which those are was read from checkpoints that it had written. */
#include <math.h>
#include <string.h>

#include "pt.h"

/* ---- what modules are ---- */

static const struct {
    const char *name;
    pkl_class class;
} rows[] = {{"Conv", PKL_CONV},
            {"DWConv", PKL_DW_CONV},
            {"Bottleneck", PKL_BOTTLENECK},
            {"C2f", PKL_C2F},
            {"C3", PKL_C3},
            {"C3k", PKL_C3K},
            {"C3k2", PKL_C3K2},
            {"SPPF", PKL_SPPF},
            {"C2PSA", PKL_C2PSA},
            {"nn.Upsample", PKL_UPSAMPLE},
            {"Concat", PKL_CONCAT},
            {"Detect", PKL_DETECT},
            {"Segment", PKL_SEGMENT},
            {"Pose", PKL_POSE},
            {"OBB", PKL_OBB},
            {"Classify", PKL_CLASSIFY}};

/* Heads that hold a detector's branches. */
static bool has_branches(pkl_class c)
{
    return c == PKL_DETECT || c == PKL_SEGMENT || c == PKL_POSE || c == PKL_OBB;
}

static pkl_class row_class(pt_build *b, const vg_layer *l)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, l->module) == 0)
            return rows[i].class;
    pt_fail(b, VG_ERR_UNSUPPORTED, l->module, "export to onnx",
            "a module that no checkpoint of the Python tool was seen to hold");
    return PKL_SEQUENTIAL;
}

/* A module, and the parameters [lo, hi) of the graph that are within. */
typedef struct module {
    const char *key;
    size_t lo, hi;
    pkl_class class;
    int layer;
} module;

static const char *last_name(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot != NULL ? dot + 1 : key;
}

static bool is_number(const char *name)
{
    return name[0] >= '0' && name[0] <= '9';
}

/* The parameter KEY.name. */
static const nn_param *find_param(const pt_build *b, const module *m, const char *name)
{
    const size_t n = strlen(m->key);
    for (size_t i = m->lo; i < m->hi; i++) {
        const nn_param *p = nn_graph_param(b->g, i);
        if (strcmp(p->key + n + 1, name) == 0)
            return p;
    }
    return NULL;
}

static const nn_op *find_op(const pt_build *b, const char *key)
{
    for (size_t i = 0; i < nn_graph_n_ops(b->g); i++) {
        const nn_op *op = nn_graph_op(b->g, i);
        if (op->kind == NN_CONV && strcmp(op->key, key) == 0)
            return op;
    }
    return NULL;
}

/* The convolution KEY.suffix. */
static const nn_op *find_op_of(const pt_build *b, const char *key, const char *suffix)
{
    char whole[NN_KEY_BYTES];
    return base_format(whole, sizeof whole, "%s%s", key, suffix) ? find_op(b, whole) : NULL;
}

static const nn_op *find_in_layer(const pt_build *b, int layer, nn_op_kind kind, int *n)
{
    const nn_op *found = NULL;
    *n = 0;
    for (size_t i = 0; i < nn_graph_n_ops(b->g); i++) {
        const nn_op *op = nn_graph_op(b->g, i);
        if (op->kind != kind || op->layer != layer)
            continue;
        found = found != NULL ? found : op;
        ++*n;
    }
    return found;
}

/* What holds a weight without another's name: a convolution, but for the forms of other tasks. */
static pkl_class weight_class(const pt_build *b, const module *m)
{
    const nn_op *op = find_op(b, m->key);
    const nn_conv_form form = op != NULL ? op->conv.form : NN_FORM_PLAIN;
    return form == NN_FORM_LINEAR       ? PKL_LINEAR
           : form == NN_FORM_TRANSPOSED ? PKL_CONV_TRANSPOSE
                                        : PKL_CONV2D;
}

/* The class of what is within another, by its names. */
static pkl_class child_class(const pt_build *b, const module *m, pkl_class parent, pkl_class row)
{
    const char *name = last_name(m->key);
    if (find_param(b, m, "running_mean") != NULL)
        return PKL_BATCH_NORM;
    if (find_param(b, m, "weight") != NULL)
        return weight_class(b, m);
    if (find_param(b, m, "conv.weight") != NULL) {
        const nn_op *op = find_op(b, m->key);
        return strcmp(name, "dfl") == 0                                 ? PKL_DFL
               : has_branches(row) && op != NULL && op->conv.groups > 1 ? PKL_DW_CONV
                                                                        : PKL_CONV;
    }
    if (strcmp(name, "proto") == 0)
        return PKL_PROTO;
    if (has_branches(parent))
        return PKL_MODULE_LIST;
    if (has_branches(row) || strcmp(name, "ffn") == 0)
        return PKL_SEQUENTIAL;
    if (strcmp(name, "attn") == 0)
        return PKL_ATTENTION;
    if (strcmp(name, "m") == 0)
        return parent == PKL_C3K2 || parent == PKL_C2F ? PKL_MODULE_LIST : PKL_SEQUENTIAL;
    if (row == PKL_C2PSA)
        return PKL_PSA_BLOCK;
    return find_param(b, m, "cv3.conv.weight") != NULL ? PKL_C3K : PKL_BOTTLENECK;
}

/* ---- tensors ---- */

void pt_put_values(pt_build *b, pkl_class storage, const float *values, int64_t n)
{
    if (b->n_storages == b->most) {
        pt_fail(b, VG_ERR_LIMIT, "", NULL, "more tensors than were planned for");
        return;
    }
    const bool is_count = storage == PKL_LONG_STORAGE;
    pkl_tensor(&b->pkl, storage, b->n_storages, is_count ? 0 : 1, &n);
    b->storages[b->n_storages++] =
        (pt_storage){.class = storage, .n = is_count ? 1 : (size_t)n, .values = values};
}

/* In the precision that the weights have: what was trained in 32 bits validates to the same digits.
 */
static void put_tensor(pt_build *b, const nn_param *p)
{
    static const float bins[NN_REG_MAX] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const weights_tensor *t = weights_find(b->w, p->key);
    int64_t shape[4];
    bool fits = t != NULL && t->n_dims == p->n_dims;
    for (int d = 0; d < p->n_dims; d++) {
        shape[d] = p->shape[d];
        fits = fits && t->shape[d] == shape[d];
    }
    const bool is_fixed = t == NULL && p->kind == NN_PARAM_DFL;
    if (!fits && !is_fixed) {
        pt_fail(b, VG_ERR_FORMAT, p->key,
                "give weights as training writes them, of the same architecture",
                t == NULL ? "the weights lack a tensor of the model"
                          : "a tensor of another shape than the model's");
        return;
    }
    if (b->n_storages == b->most) {
        pt_fail(b, VG_ERR_LIMIT, p->key, NULL, "more tensors than were planned for");
        return;
    }
    const bool is_half = b->o->half || (t != NULL && t->dtype == WEIGHTS_F16);
    const pkl_class storage = is_half ? PKL_HALF_STORAGE : PKL_FLOAT_STORAGE;
    pkl_tensor(&b->pkl, storage, b->n_storages, p->n_dims, shape);
    b->storages[b->n_storages++] =
        (pt_storage){.tensor = t, .class = storage, .n = p->n_elements, .values = bins};
}

static void put_parameter(pt_build *b, const char *name, const nn_param *param)
{
    pkl_writer *p = &b->pkl;
    pkl_text(p, name);
    if (param == NULL) {
        pkl_put_none(p);
        return;
    }
    pkl_name_class(p, PKL_REBUILD_PARAMETER);
    pkl_tuple_begin(p);
    put_tensor(b, param);
    pkl_bool(p, false);
    pkl_ordered_begin(p);
    pkl_ordered_end(p);
    pkl_tuple_end(p);
    pkl_call(p);
}

static void put_buffer(pt_build *b, const char *name, const nn_param *param)
{
    pkl_text(&b->pkl, name);
    put_tensor(b, param);
}

/* ---- modules ---- */

/* What every module of PyTorch has, up to its tensors. */
static void begin_module(pt_build *b, pkl_class class)
{
    static const char *const hooks[] = {"_forward_hooks", "_forward_pre_hooks", "_state_dict_hooks",
                                        "_load_state_dict_pre_hooks",
                                        "_load_state_dict_post_hooks"};
    pkl_writer *p = &b->pkl;
    pkl_object_begin(p, class);
    pkl_set_bool(p, "training", false);
    pkl_text(p, "_non_persistent_buffers_set");
    pkl_empty_set(p);
    pkl_text(p, "_backward_hooks");
    pkl_ordered_begin(p);
    pkl_ordered_end(p);
    pkl_set_none(p, "_is_full_backward_hook");
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        pkl_text(p, hooks[i]);
        pkl_ordered_begin(p);
        pkl_ordered_end(p);
    }
}

static void put_tensors(pt_build *b, const module *m)
{
    pkl_writer *p = &b->pkl;
    const bool is_norm = m->class == PKL_BATCH_NORM;
    pkl_text(p, "_parameters");
    pkl_ordered_begin(p);
    if (is_norm || m->class == PKL_CONV2D || m->class == PKL_CONV_TRANSPOSE ||
        m->class == PKL_LINEAR) {
        put_parameter(b, "weight", find_param(b, m, "weight"));
        put_parameter(b, "bias", find_param(b, m, "bias"));
    }
    pkl_ordered_end(p);
    pkl_text(p, "_buffers");
    pkl_ordered_begin(p);
    if (is_norm) {
        put_buffer(b, "running_mean", find_param(b, m, "running_mean"));
        put_buffer(b, "running_var", find_param(b, m, "running_var"));
        pkl_text(p, "num_batches_tracked");
        pt_put_values(b, PKL_LONG_STORAGE, NULL, 1);
    }
    pkl_ordered_end(p);
}

/* A module that holds no tensors and no modules. */
static void begin_plain(pt_build *b, const char *name, pkl_class class)
{
    pkl_writer *p = &b->pkl;
    pkl_text(p, name);
    begin_module(b, class);
    put_tensors(b, &(module){.key = "", .class = class});
    pkl_text(p, "_modules");
    pkl_ordered_begin(p);
    pkl_ordered_end(p);
}

static void put_activation(pt_build *b, const module *m)
{
    const nn_op *op = find_op(b, m->key);
    if (op != NULL && op->conv.silu) {
        begin_plain(b, "act", PKL_SILU);
        pkl_set_bool(&b->pkl, "inplace", true);
    } else {
        begin_plain(b, "act", PKL_IDENTITY);
    }
    pkl_object_end(&b->pkl);
}

static void put_pool(pt_build *b, const module *m)
{
    int n;
    const nn_op *op = find_in_layer(b, m->layer, NN_MAXPOOL, &n);
    pkl_writer *p = &b->pkl;
    begin_plain(b, "m", PKL_MAX_POOL);
    pkl_set_int(p, "kernel_size", op->k);
    pkl_set_int(p, "stride", 1);
    pkl_set_int(p, "padding", op->k / 2);
    pkl_set_int(p, "dilation", 1);
    pkl_set_bool(p, "return_indices", false);
    pkl_set_bool(p, "ceil_mode", false);
    pkl_object_end(p);
}

static void put_conv2d_facts(pt_build *b, const module *m)
{
    const nn_param *w = find_param(b, m, "weight");
    pkl_writer *p = &b->pkl;
    char key[NN_KEY_BYTES];
    base_format(key, sizeof key, "%s", m->key); /* a Conv's op has the Conv's key */
    if (strcmp(last_name(key), "conv") == 0)
        key[strlen(key) - strlen(".conv")] = '\0';
    const nn_op *op = find_op(b, key);
    const int stride = op != NULL ? op->conv.stride : 1, groups = op != NULL ? op->conv.groups : 1;
    const int k = w->shape[2], pad = (k - 1) / 2;
    pkl_set_int(p, "in_channels", (int64_t)w->shape[1] * groups);
    pkl_set_int(p, "out_channels", w->shape[0]);
    pkl_set_pair(p, "kernel_size", k, k);
    pkl_set_pair(p, "stride", stride, stride);
    pkl_set_pair(p, "padding", pad, pad);
    pkl_set_pair(p, "dilation", 1, 1);
    pkl_set_bool(p, "transposed", false);
    pkl_set_pair(p, "output_padding", 0, 0);
    pkl_set_int(p, "groups", groups);
    pkl_set_text(p, "padding_mode", "zeros");
    pkl_text(p, "_reversed_padding_repeated_twice");
    pkl_ints(p, 4, (int64_t[]){pad, pad, pad, pad});
}

/* Kernel 2, stride 2. */
static void put_transposed_facts(pt_build *b, const module *m)
{
    const nn_param *w = find_param(b, m, "weight");
    pkl_writer *p = &b->pkl;
    pkl_set_int(p, "in_channels", w->shape[0]);
    pkl_set_int(p, "out_channels", w->shape[1]);
    pkl_set_pair(p, "kernel_size", 2, 2);
    pkl_set_pair(p, "stride", 2, 2);
    pkl_set_pair(p, "padding", 0, 0);
    pkl_set_pair(p, "dilation", 1, 1);
    pkl_set_bool(p, "transposed", true);
    pkl_set_pair(p, "output_padding", 0, 0);
    pkl_set_int(p, "groups", 1);
    pkl_set_text(p, "padding_mode", "zeros");
    pkl_text(p, "_reversed_padding_repeated_twice");
    pkl_ints(p, 4, (int64_t[]){0, 0, 0, 0});
}

static void put_linear_facts(pt_build *b, const module *m)
{
    const nn_param *w = find_param(b, m, "weight");
    pkl_set_int(&b->pkl, "in_features", w->shape[1]);
    pkl_set_int(&b->pkl, "out_features", w->shape[0]);
}

/* Between a classifier's convolution and its matrix. */
static void put_mean(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    begin_plain(b, "pool", PKL_MEAN_POOL);
    pkl_set_int(p, "output_size", 1);
    pkl_object_end(p);
    begin_plain(b, "drop", PKL_DROPOUT);
    pkl_set_real(p, "p", 0);
    pkl_set_bool(p, "inplace", true);
    pkl_object_end(p);
}

/* Whether a sum takes what the block's last convolution gives. */
static bool has_shortcut(const pt_build *b, const char *key)
{
    const nn_op *last = find_op_of(b, key, ".cv2");
    for (size_t i = 0; last != NULL && i < nn_graph_n_ops(b->g); i++) {
        const nn_op *op = nn_graph_op(b->g, i);
        if (op->kind == NN_ADD && (op->in[0] == last->out || op->in[1] == last->out))
            return true;
    }
    return false;
}

static void put_detect_facts(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    const pkl_class real = b->o->half ? PKL_HALF_STORAGE : PKL_FLOAT_STORAGE;
    pkl_set_int(p, "nc", b->info.nc);
    pkl_set_int(p, "nl", b->info.n_levels);
    pkl_set_int(p, "reg_max", NN_REG_MAX);
    pkl_set_int(p, "no", b->info.nc + 4 * NN_REG_MAX);
    pkl_text(p, "stride");
    pt_put_values(b, real, b->info.strides, b->info.n_levels);
    pkl_set_bool(p, "inplace", true);
    pkl_text(p, "anchors");
    pt_put_values(b, real, NULL, 0);
    pkl_text(p, "strides");
    pt_put_values(b, real, NULL, 0);
}

static void put_segment_facts(pt_build *b, const module *m)
{
    char key[NN_KEY_BYTES];
    base_format(key, sizeof key, "%s.proto.cv1", m->key);
    const nn_op *first = find_op(b, key);
    put_detect_facts(b);
    pkl_set_int(&b->pkl, "nm", b->info.n_extra);
    if (first != NULL)
        pkl_set_int(&b->pkl, "npr", first->conv.oc);
}

void pt_put_points(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    pkl_text(p, "kpt_shape");
    pkl_list_begin(p);
    pkl_int(p, b->info.keypoints);
    pkl_int(p, b->info.keypoint_dims);
    pkl_list_end(p);
}

static void put_attention_facts(pt_build *b, int layer)
{
    int n;
    pkl_writer *p = &b->pkl;
    const nn_op *op = find_in_layer(b, layer, NN_ATTENTION, &n);
    pkl_set_int(p, "num_heads", op->heads);
    pkl_set_int(p, "head_dim", op->head_dim);
    pkl_set_int(p, "key_dim", op->key_dim);
    pkl_set_real(p, "scale", pow(op->key_dim, -0.5));
}

static void put_upsample_facts(pt_build *b, int layer)
{
    int n;
    pkl_writer *p = &b->pkl;
    find_in_layer(b, layer, NN_UPSAMPLE, &n);
    pkl_set_text(p, "name", "Upsample");
    pkl_set_none(p, "size");
    pkl_set_real(p, "scale_factor", ldexp(1, n)); /* each op doubles */
    pkl_set_text(p, "mode", "nearest");
    pkl_set_none(p, "align_corners");
    pkl_set_none(p, "recompute_scale_factor");
}

/* A Conv's op has the Conv's key, of which the norm is the "bn". */
static void put_norm_facts(pt_build *b, const module *m)
{
    char key[NN_KEY_BYTES];
    base_format(key, sizeof key, "%s", m->key);
    key[strlen(key) - strlen(last_name(key)) - 1] = '\0';
    const nn_op *op = find_op(b, key);
    pkl_set_real(&b->pkl, "eps", op != NULL ? op->conv.eps : 1e-3);
    pkl_set_real(&b->pkl, "momentum", op != NULL ? op->conv.momentum : 0.03);
}

static void put_facts(pt_build *b, const module *m)
{
    pkl_writer *p = &b->pkl;
    const nn_op *first = find_op_of(b, m->key, ".cv1");
    switch (m->class) {
    case PKL_CONV2D:
        put_conv2d_facts(b, m);
        break;
    case PKL_BATCH_NORM:
        pkl_set_int(p, "num_features", find_param(b, m, "weight")->shape[0]);
        put_norm_facts(b, m);
        pkl_set_bool(p, "affine", true);
        pkl_set_bool(p, "track_running_stats", true);
        break;
    case PKL_C3K2:
    case PKL_C2F:
    case PKL_C2PSA:
        pkl_set_int(p, "c", first->conv.oc / 2);
        break;
    case PKL_BOTTLENECK:
        pkl_set_bool(p, "add", has_shortcut(b, m->key));
        break;
    case PKL_PSA_BLOCK:
        pkl_set_bool(p, "add", true);
        break;
    case PKL_ATTENTION:
        put_attention_facts(b, m->layer);
        break;
    case PKL_DFL:
        pkl_set_int(p, "c1", NN_REG_MAX);
        break;
    case PKL_DETECT:
        put_detect_facts(b);
        break;
    case PKL_SEGMENT:
        put_segment_facts(b, m);
        break;
    case PKL_POSE:
        put_detect_facts(b);
        pt_put_points(b);
        pkl_set_int(p, "nk", b->info.n_extra);
        break;
    case PKL_OBB:
        put_detect_facts(b);
        pkl_set_int(p, "ne", b->info.n_extra);
        break;
    case PKL_CONV_TRANSPOSE:
        put_transposed_facts(b, m);
        break;
    case PKL_LINEAR:
        put_linear_facts(b, m);
        break;
    case PKL_CONCAT:
        pkl_set_int(p, "d", 1);
        break;
    case PKL_UPSAMPLE:
        put_upsample_facts(b, m->layer);
        break;
    default:
        break;
    }
}

static void put_module(pt_build *b, const char *name, const module *m, pkl_class row,
                       const vg_layer *l);

/* The modules that the names below this one tell of, in their order. */
static void put_children(pt_build *b, const module *m, pkl_class row)
{
    const size_t n = strlen(m->key) + 1;
    for (size_t i = m->lo; i < m->hi && b->zip.stream.status == VG_OK;) {
        const char *from = nn_graph_param(b->g, i)->key;
        const char *dot = strchr(from + n, '.');
        if (dot == NULL) { /* a tensor of its own */
            i++;
            continue;
        }
        char key[NN_KEY_BYTES];
        base_format(key, sizeof key, "%.*s", (int)(dot - from), from);
        module child = {.key = key, .lo = i, .hi = i, .layer = m->layer};
        while (child.hi < m->hi &&
               strncmp(nn_graph_param(b->g, child.hi)->key, from, (size_t)(dot - from) + 1) == 0)
            child.hi++;
        child.class = child_class(b, &child, m->class, row);
        if (m->class == PKL_SEQUENTIAL && strchr(m->key, '.') == strrchr(m->key, '.'))
            child.class = row; /* a row that is repeated */
        put_module(b, key + n, &child, row, NULL);
        if (m->class == PKL_CLASSIFY && child.class == PKL_CONV)
            put_mean(b);
        i = child.hi;
    }
    if (m->class == PKL_CONV || m->class == PKL_DW_CONV)
        put_activation(b, m);
    if (m->class == PKL_SPPF)
        put_pool(b, m);
}

static void put_row_facts(pt_build *b, const module *m, const vg_layer *l)
{
    pkl_writer *p = &b->pkl;
    char name[96];
    int64_t from[NN_MAX_INPUTS];
    const int n = pt_read_from(l, from, NN_MAX_INPUTS);
    pkl_set_int(p, "np", l->n_params);
    pkl_set_int(p, "i", l->index);
    pkl_text(p, "f");
    if (l->from[0] != '[') {
        pkl_int(p, from[0]);
    } else {
        pkl_list_begin(p);
        for (int i = 0; i < n; i++)
            pkl_int(p, from[i]);
        pkl_list_end(p);
    }
    pkl_set_text(p, "type", pkl_class_name(name, sizeof name, m->class));
}

static void put_module(pt_build *b, const char *name, const module *m, pkl_class row,
                       const vg_layer *l)
{
    pkl_writer *p = &b->pkl;
    pkl_text(p, name);
    begin_module(b, m->class);
    put_tensors(b, m);
    pkl_text(p, "_modules");
    pkl_ordered_begin(p);
    put_children(b, m, row);
    pkl_ordered_end(p);
    if (b->zip.stream.status == VG_OK)
        put_facts(b, m);
    if (l != NULL)
        put_row_facts(b, m, l);
    pkl_object_end(p);
}

static void put_row(pt_build *b, int index, size_t lo, size_t hi)
{
    vg_layer l;
    char key[32];
    nn_graph_layer(b->g, index, 32, &l);
    base_format(key, sizeof key, "model.%d", index);
    const pkl_class row = row_class(b, &l);
    const bool is_repeated = lo < hi && is_number(nn_graph_param(b->g, lo)->key + strlen(key) + 1);
    put_module(b, key + strlen("model."),
               &(module){.key = key,
                         .lo = lo,
                         .hi = hi,
                         .layer = index,
                         .class = is_repeated ? PKL_SEQUENTIAL : row},
               row, &l);
}

void pt_put_model(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    const pkl_class model = export_head_of(b->g)->model;
    const module none = {.key = "", .class = model};
    begin_module(b, model);
    put_tensors(b, &none);
    pkl_text(p, "_modules");
    pkl_ordered_begin(p);
    pkl_text(p, "model");
    begin_module(b, PKL_SEQUENTIAL);
    put_tensors(b, &none);
    pkl_text(p, "_modules");
    pkl_ordered_begin(p);
    size_t at = 0;
    for (int i = 0; i < b->info.n_layers && b->zip.stream.status == VG_OK; i++) {
        const size_t lo = at;
        while (at < nn_graph_n_params(b->g) && nn_graph_param(b->g, at)->layer == i)
            at++;
        put_row(b, i, lo, at);
    }
    pkl_ordered_end(p);
    pkl_object_end(p);
    pkl_ordered_end(p);
    pt_put_model_facts(b);
    pkl_object_end(p);
}

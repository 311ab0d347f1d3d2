/* pt_meta.c: what a checkpoint says beside its tensors: the model's YAML, class names, strides,
 * training arguments. */
#include <inttypes.h>
#include <string.h>

#include "pt.h"

enum { MOST_JSON_BYTES = 4 << 20, MOST_NAMES = 1 << 16, MOST_STRIDES = 64, MOST_UNKNOWN = 256 };

/* Every class that checkpoints of Ultralytics' detectors are known to name: spec section 7. */
typedef struct known_class {
    const char *module, *name; /* name NULL: all of the module */
} known_class;

static const known_class known_classes[] = {
    {"ultralytics.nn.tasks", "DetectionModel"},
    {"ultralytics.nn.tasks", "SegmentationModel"},
    {"ultralytics.nn.tasks", "PoseModel"},
    {"ultralytics.nn.tasks", "OBBModel"},
    {"ultralytics.nn.tasks", "ClassificationModel"},
    {"ultralytics.nn.modules.conv", NULL},
    {"ultralytics.nn.modules.block", NULL},
    {"ultralytics.nn.modules.head", NULL},
    {"ultralytics.utils", "IterableSimpleNamespace"},
    {"ultralytics.utils.loss", NULL},
    {"ultralytics.utils.tal", NULL},
    {"collections", "OrderedDict"},
    {"__builtin__", "set"},
    {"builtins", "set"},
    {"__builtin__", "dict"},
    {"builtins", "dict"},
    {"torch.nn.modules.container", NULL},
    {"torch.nn.modules.conv", NULL},
    {"torch.nn.modules.batchnorm", NULL},
    {"torch.nn.modules.activation", NULL},
    {"torch.nn.modules.pooling", NULL},
    {"torch.nn.modules.linear", NULL},
    {"torch.nn.modules.loss", NULL},
    {"torch.nn.modules.upsampling", NULL},
    {"torch.nn.modules.dropout", NULL},
    {"torchvision.transforms.transforms", NULL},
    {"torchvision.transforms.functional", "InterpolationMode"},
    {"torch.nn.parameter", NULL},
    {"torch._utils", NULL},
    {"torch._tensor", NULL},
    {"torch", NULL},
    {"torch.serialization", NULL},
    {"pathlib", NULL},
    {"pathlib._local", NULL},
    {"numpy", NULL},
    {"numpy.core.multiarray", NULL},
    {"numpy._core.multiarray", NULL},
    {"_codecs", "encode"},
};

static bool equal(const char *bytes, size_t n, const char *text)
{
    return n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static bool is_known(const pickle_node *type)
{
    for (size_t i = 0; i < sizeof known_classes / sizeof known_classes[0]; i++) {
        const known_class *k = &known_classes[i];
        if (equal(type->as.type.module, type->as.type.n_module, k->module) &&
            (k->name == NULL || equal(type->as.type.name, type->as.type.n_name, k->name)))
            return true;
    }
    return false;
}

static bool is_same_class(const pickle_node *a, const pickle_node *b)
{
    return a->as.type.n_module == b->as.type.n_module && a->as.type.n_name == b->as.type.n_name &&
           memcmp(a->as.type.module, b->as.type.module, a->as.type.n_module) == 0 &&
           memcmp(a->as.type.name, b->as.type.name, a->as.type.n_name) == 0;
}

vg_status pt_count_unknown_classes(pt_context *c, const pickle_cell *classes)
{
    const pickle_node *seen[MOST_UNKNOWN];
    weights_meta *m = &c->f->meta;
    for (; classes != NULL && m->n_unknown_classes < MOST_UNKNOWN; classes = classes->next) {
        const pickle_node *type = classes->value;
        bool is_new = !is_known(type);
        for (size_t i = 0; i < m->n_unknown_classes && is_new; i++)
            is_new = !is_same_class(type, seen[i]);
        if (is_new)
            seen[m->n_unknown_classes++] = type;
    }
    if (m->n_unknown_classes == 0)
        return VG_OK;
    char name[256];
    pickle_format_class(name, sizeof name, seen[0]);
    m->unknown_class = arena_text(&c->f->own, name, strlen(name), c->err);
    return m->unknown_class != NULL ? VG_OK : c->err->status;
}

/* The text of a str; "" for anything else. */
static vg_status copy_text(pt_context *c, const char **out, const pickle_node *n)
{
    *out = NULL;
    if (n == NULL || n->kind != PICKLE_TEXT)
        return VG_OK;
    if (!weights_is_utf8(n->as.text.bytes, n->as.text.n))
        return base_fail(
            c->err, VG_ERR_FORMAT, base_where("%s, data.pkl byte %" PRIu32, c->f->name, n->at),
            "copy or download the file again", "a text is not UTF-8, or holds a 0 byte");
    *out = arena_text(&c->f->own, n->as.text.bytes, n->as.text.n, c->err);
    return *out != NULL ? VG_OK : c->err->status;
}

static vg_status copy_json(pt_context *c, const char **out, const pickle_node *n)
{
    *out = NULL;
    if (n == NULL || (n->kind != PICKLE_DICT && n->kind != PICKLE_OBJECT))
        return VG_OK;
    base_str json = {0};
    vg_status st = pickle_to_json(&json, n, true, MOST_JSON_BYTES, c->mem, c->err);
    if (st == VG_OK) {
        *out = arena_text(&c->f->own, json.text, json.length, c->err);
        if (*out == NULL)
            st = c->err->status;
    } else {
        base_error_prefix_where(c->err, c->f->name);
    }
    base_str_fini(&json);
    return st;
}

static vg_status bad_names(const pt_context *c, const pickle_node *n)
{
    return base_fail(c->err, VG_ERR_FORMAT,
                     base_where("%s, data.pkl byte %" PRIu32 ", names", c->f->name, n->at),
                     "give the model names for the classes 0 to nc - 1 and save it again",
                     "the class names are not texts numbered from 0 without gaps");
}

/* {0: 'person', ...} or ['person', ...]. */
static vg_status read_names(pt_context *c, const pickle_node *n)
{
    if (n == NULL || n->kind == PICKLE_NONE)
        return VG_OK;
    if ((n->kind != PICKLE_DICT && n->kind != PICKLE_LIST) || n->as.items.n > MOST_NAMES)
        return bad_names(c, n);
    const char **names = arena_take(&c->f->own, n->as.items.n, sizeof *names, c->err);
    if (names == NULL)
        return c->err->status;
    int64_t next = 0;
    for (const pickle_cell *cell = n->as.items.first; cell != NULL; cell = cell->next, next++) {
        const int64_t at = n->kind == PICKLE_LIST          ? next
                           : cell->key->kind == PICKLE_INT ? cell->key->as.i
                                                           : -1;
        if (at < 0 || at >= (int64_t)n->as.items.n || names[at] != NULL ||
            cell->value->kind != PICKLE_TEXT)
            return bad_names(c, n);
        vg_status st = copy_text(c, &names[at], cell->value);
        if (st != VG_OK)
            return st;
    }
    c->f->meta.names = names;
    c->f->meta.n_classes = (int)n->as.items.n;
    return VG_OK;
}

static vg_status read_strides(pt_context *c, const pickle_node *n)
{
    weights_tensor t;
    if (n == NULL || !pt_is_tensor(n))
        return VG_OK;
    vg_status st = pt_read_tensor(c, &t, "stride", n);
    if (st != VG_OK)
        return st;
    if (t.n_elements > MOST_STRIDES)
        return base_fail(c->err, VG_ERR_LIMIT, base_where("%s, stride", c->f->name), NULL,
                         "the model has %zu strides, more than %d", t.n_elements, MOST_STRIDES);
    float *strides = arena_take(&c->f->own, t.n_elements, sizeof *strides, c->err);
    if (strides == NULL)
        return c->err->status;
    weights_to_float(strides, &t);
    for (size_t i = 0; i < t.n_elements; i++)
        if (!(strides[i] > 0 && strides[i] <= 1e6f))
            return base_fail(c->err, VG_ERR_FORMAT, base_where("%s, stride", c->f->name),
                             "copy or download the file again",
                             "a stride of the model is not a positive number");
    c->f->meta.strides = strides;
    c->f->meta.n_strides = (int)t.n_elements;
    return VG_OK;
}

vg_status pt_read_meta(pt_context *c, const pickle_node *root, const pickle_node *model)
{
    weights_meta *m = &c->f->meta;
    m->source = "pt";
    const pickle_node *yaml = pickle_attribute(model, "yaml"),
                      *args = pickle_get(root, "train_args");
    const pickle_node *epoch = pickle_get(root, "epoch");
    if (args == NULL || args->kind == PICKLE_NONE)
        args = pickle_attribute(model, "args");
    if (epoch != NULL && epoch->kind == PICKLE_INT && epoch->as.i >= 0)
        m->epoch = epoch->as.i;
    vg_status st = copy_json(c, &m->model_yaml, yaml);
    if (st == VG_OK)
        st = copy_json(c, &m->train_args, args);
    if (st == VG_OK)
        st = copy_text(c, &m->scale, pickle_get(yaml, "scale"));
    if (st == VG_OK)
        st = copy_text(c, &m->version, pickle_get(root, "version"));
    if (st == VG_OK)
        st = copy_text(c, &m->date, pickle_get(root, "date"));
    if (st == VG_OK)
        st = copy_text(c, &m->license, pickle_get(root, "license"));
    if (st == VG_OK)
        st = read_names(c, pickle_attribute(model, "names"));
    return st == VG_OK ? read_strides(c, pickle_attribute(model, "stride")) : st;
}

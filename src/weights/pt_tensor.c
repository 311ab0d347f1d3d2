/* pt_tensor.c: a tensor of a checkpoint: `_rebuild_tensor_v2(storage, offset, size, stride, ...)`,
 * perhaps inside
 * `_rebuild_parameter(tensor, ...)`; the storage is the persistent id ('storage', class, key,
 * location, numel), its bytes the zip entry data/<key>. Spec section 7. Several tensors may share a
 * storage. */
#include <inttypes.h>
#include <string.h>

#include "pt.h"

/* A tensor that repeats elements (stride 0) may be larger than its storage, but not without end. */
enum { MOST_REPEATED_ELEMENTS = 1 << 24 };

static const char *torch_utils = "torch._utils";

typedef struct storage_class {
    const char *name;
    weights_dtype dtype;
} storage_class;

static const storage_class storage_classes[] = {
    {"FloatStorage", WEIGHTS_F32},  {"HalfStorage", WEIGHTS_F16}, {"BFloat16Storage", WEIGHTS_BF16},
    {"DoubleStorage", WEIGHTS_F64}, {"LongStorage", WEIGHTS_I64}, {"IntStorage", WEIGHTS_I32},
    {"ShortStorage", WEIGHTS_I16},  {"CharStorage", WEIGHTS_I8},  {"ByteStorage", WEIGHTS_U8},
    {"BoolStorage", WEIGHTS_BOOL},
};

static vg_status bad(const pt_context *c, const char *name, const pickle_node *at, const char *what)
{
    return base_fail(
        c->err, VG_ERR_FORMAT,
        base_where("%s, data.pkl byte %" PRIu32 ", tensor %.150s", c->f->name, at->at, name),
        "copy or download the file again", "%s", what);
}

static vg_status unsupported(const pt_context *c, const char *name, const pickle_node *at,
                             const pickle_node *type)
{
    char class_name[200];
    pickle_format_class(class_name, sizeof class_name, type);
    return base_fail(
        c->err, VG_ERR_UNSUPPORTED,
        base_where("%s, data.pkl byte %" PRIu32 ", tensor %.150s", c->f->name, at->at, name),
        "save the model again as plain float tensors: model.float() or model.half(), then "
        "torch.save",
        "a tensor of a kind that is not read here: %s", class_name);
}

static bool is_parameter(const pickle_node *type)
{
    return pickle_is_class(type, torch_utils, "_rebuild_parameter") ||
           pickle_is_class(type, torch_utils, "_rebuild_parameter_with_state");
}

bool pt_is_tensor(const pickle_node *n)
{
    const pickle_node *type = pickle_type(n);
    return type != NULL &&
           (is_parameter(type) || pickle_is_class(type, "torch._tensor", "_rebuild_from_type_v2") ||
            (type->as.type.n_module == strlen(torch_utils) &&
             type->as.type.n_name >= strlen("_rebuild_tensor") &&
             memcmp(type->as.type.module, torch_utils, strlen(torch_utils)) == 0 &&
             memcmp(type->as.type.name, "_rebuild_", 9) == 0 &&
             memmem(type->as.type.name, type->as.type.n_name, "tensor", 6) != NULL));
}

/* The arguments of the _rebuild_tensor_v2 inside parameters and tensors that carry attributes. */
static vg_status unwrap(const pt_context *c, const char *name, const pickle_node *n,
                        const pickle_node **args)
{
    const pickle_node *type = pickle_type(n);
    *args = n->kind == PICKLE_OBJECT ? n->as.object.args : NULL;
    for (int depth = 0; depth < 4; depth++) {
        if (pickle_is_class(type, torch_utils, "_rebuild_tensor_v2"))
            return VG_OK;
        const pickle_node *first = pickle_item(*args, 0);
        if (is_parameter(type) && first != NULL && first->kind == PICKLE_OBJECT) {
            type = pickle_type(first);
            *args = first->as.object.args;
        } else if (pickle_is_class(type, "torch._tensor", "_rebuild_from_type_v2") &&
                   first != NULL &&
                   pickle_item(*args, 2) != NULL) { /* (function, type, its arguments, state) */
            type = first;
            *args = pickle_item(*args, 2);
        } else {
            break;
        }
    }
    return unsupported(c, name, n, type);
}

static vg_status find_storage(const pt_context *c, weights_tensor *t, const pickle_node *persistent,
                              const zip_entry **entry, size_t *n_storage)
{
    const pickle_node *id =
        persistent != NULL && persistent->kind == PICKLE_PERSISTENT ? persistent->as.id : NULL;
    const pickle_node *type = pickle_item(id, 1), *key = pickle_item(id, 2),
                      *numel = pickle_item(id, 4);
    if (!pickle_is_text(pickle_item(id, 0), "storage") || type == NULL ||
        type->kind != PICKLE_CLASS || key == NULL || key->kind != PICKLE_TEXT || numel == NULL ||
        numel->kind != PICKLE_INT || numel->as.i < 0)
        return bad(c, t->name, persistent != NULL ? persistent : &pickle_none,
                   "its storage is not described as torch does");

    const storage_class *found = NULL;
    for (size_t i = 0; i < sizeof storage_classes / sizeof storage_classes[0]; i++)
        if (pickle_is_class(type, "torch", storage_classes[i].name))
            found = &storage_classes[i];
    if (found == NULL)
        return unsupported(c, t->name, persistent, type);
    t->dtype = found->dtype;

    char path[1024];
    const bool fits = base_format(path, sizeof path, "%sdata/%.*s", c->folder,
                                  (int)(key->as.text.n % 512), key->as.text.bytes);
    *entry = fits && key->as.text.n < 512 ? zip_find(&c->zip, path) : NULL;
    if (*entry == NULL)
        return bad(c, t->name, key, "the zip has no entry for its storage");
    *n_storage = (size_t)numel->as.i;
    if (*n_storage > (*entry)->n_bytes / weights_dtype_bytes(t->dtype))
        return base_fail(
            c->err, VG_ERR_FORMAT, base_where("%s, tensor %.150s", c->f->name, t->name),
            "copy or download the file again",
            "its storage should have %zu elements of %s, but the zip's entry has %zu bytes",
            *n_storage, weights_dtype_name(t->dtype), (*entry)->n_bytes);
    return VG_OK;
}

static vg_status read_dims(const pt_context *c, const weights_tensor *t, int64_t *dims,
                           const pickle_node *tuple, const char *what)
{
    if (tuple == NULL || tuple->kind != PICKLE_TUPLE || tuple->as.items.n != (size_t)t->n_dims)
        return bad(c, t->name, tuple != NULL ? tuple : &pickle_none, what);
    int d = 0;
    for (const pickle_cell *cell = tuple->as.items.first; cell != NULL; cell = cell->next) {
        if (cell->value->kind != PICKLE_INT || cell->value->as.i < 0)
            return bad(c, t->name, tuple, what);
        dims[d++] = cell->value->as.i;
    }
    return VG_OK;
}

/* Elements, and one past the last place that offset and strides reach, in elements of the storage.
 */
static bool measure(weights_tensor *t, size_t offset, size_t *end)
{
    t->n_elements = 1;
    bool is_empty = false;
    for (int d = 0; d < t->n_dims; d++)
        is_empty = is_empty || t->shape[d] == 0;
    *end = offset;
    if (is_empty) {
        t->n_elements = 0;
        return true;
    }
    for (int d = 0; d < t->n_dims; d++) {
        size_t reach = 0;
        if (!base_mul_size(&t->n_elements, t->n_elements, (size_t)t->shape[d]) ||
            !base_mul_size(&reach, (size_t)t->shape[d] - 1, (size_t)t->stride[d]) ||
            !base_add_size(end, *end, reach))
            return false;
    }
    return base_add_size(end, *end, 1);
}

vg_status pt_read_tensor(pt_context *c, weights_tensor *t, const char *name, const pickle_node *n)
{
    const pickle_node *args = NULL;
    const zip_entry *entry = NULL;
    size_t n_storage = 0, end = 0;
    *t = (weights_tensor){.name = name};
    vg_status st = unwrap(c, name, n, &args);
    if (st == VG_OK)
        st = find_storage(c, t, pickle_item(args, 0), &entry, &n_storage);
    if (st != VG_OK)
        return st;

    const pickle_node *offset = pickle_item(args, 1), *stride = pickle_item(args, 3);
    if (offset == NULL || offset->kind != PICKLE_INT || offset->as.i < 0)
        return bad(c, name, n, "its offset is not a whole number from 0");
    if (stride == NULL || stride->kind != PICKLE_TUPLE)
        return bad(c, name, n, "its strides are not a tuple of whole numbers from 0");
    if (stride->as.items.n > WEIGHTS_MAX_DIMS)
        return base_fail(
            c->err, VG_ERR_UNSUPPORTED, base_where("%s, tensor %.150s", c->f->name, name), NULL,
            "it has %zu dimensions, more than %d", stride->as.items.n, WEIGHTS_MAX_DIMS);
    t->n_dims = (int)stride->as.items.n;
    st = read_dims(c, t, t->stride, stride, "its strides are not a tuple of whole numbers from 0");
    if (st == VG_OK)
        st = read_dims(c, t, t->shape, pickle_item(args, 2),
                       "its size is not a tuple of whole numbers, one a stride");
    if (st != VG_OK)
        return st;
    if (!measure(t, (size_t)offset->as.i, &end) || end > n_storage)
        return bad(c, name, n, "its offset, size and strides reach beyond its storage");
    if (t->n_elements > n_storage && t->n_elements > MOST_REPEATED_ELEMENTS)
        return base_fail(c->err, VG_ERR_LIMIT, base_where("%s, tensor %.150s", c->f->name, name),
                         "save the model again with contiguous tensors",
                         "it repeats the %zu elements of its storage to %zu", n_storage,
                         t->n_elements);
    t->data = entry->data + (size_t)offset->as.i * weights_dtype_bytes(t->dtype);
    return VG_OK;
}

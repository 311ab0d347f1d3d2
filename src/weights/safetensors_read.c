/* safetensors_read.c: u64 header length, JSON header, data. Source: the format's description in the
 * safetensors project's README; its rules are all checked: offsets inside the data, lengths equal
 * to shape times type, every byte of the data in exactly one tensor, no name twice. */
#include <inttypes.h>
#include <string.h>

#include "file.h"

/* The format allows 100 MB; 16 MiB is room for about 100,000 tensors. */
enum { MOST_HEADER_BYTES = 16 << 20 };

static const char *remedy = "copy or download the file again; if that does not help, write it "
                            "again with the program that made it";

static vg_status bad_tensor(const weights_file *f, const char *tensor, vg_error *err,
                            const char *what)
{
    return base_fail(err, VG_ERR_FORMAT, base_where("%s, tensor %.150s", f->name, tensor), remedy,
                     "%s", what);
}

static bool find_dtype(weights_dtype *out, const char *name)
{
    for (int t = WEIGHTS_F32; t <= WEIGHTS_BOOL; t++)
        if (strcmp(name, weights_dtype_name((weights_dtype)t)) == 0) {
            *out = (weights_dtype)t;
            return true;
        }
    return false;
}

static vg_status read_shape(weights_file *f, weights_tensor *t, const base_node *shape,
                            vg_error *err)
{
    if (shape == NULL || shape->kind != BASE_NODE_LIST)
        return bad_tensor(f, t->name, err, "its shape is not a list");
    if (shape->n_children > WEIGHTS_MAX_DIMS)
        return base_fail(err, VG_ERR_UNSUPPORTED, base_where("%s, tensor %.150s", f->name, t->name),
                         NULL, "its shape has %zu dimensions, more than %d", shape->n_children,
                         WEIGHTS_MAX_DIMS);
    t->n_elements = 1;
    for (const base_node *n = shape->first; n != NULL; n = n->next) {
        if (n->kind != BASE_NODE_INT || n->i < 0)
            return bad_tensor(f, t->name, err,
                              "its shape holds something other than whole numbers from 0");
        t->shape[t->n_dims++] = n->i;
        if (!base_mul_size(&t->n_elements, t->n_elements, (size_t)n->i) ||
            t->n_elements > INT64_MAX)
            return bad_tensor(f, t->name, err,
                              "its shape counts more elements than memory has addresses");
    }
    int64_t stride = 1;
    for (int d = t->n_dims - 1; d >= 0; d--) {
        t->stride[d] = stride;
        stride *= t->n_elements == 0 ? 1 : t->shape[d];
    }
    return VG_OK;
}

static vg_status read_tensor(weights_file *f, weights_tensor *t, const base_node *node,
                             size_t data_at, vg_error *err)
{
    const size_t n_data = f->n_bytes - data_at;
    t->name = arena_text(&f->own, node->key, strlen(node->key), err);
    if (t->name == NULL)
        return err->status;
    const base_node *dtype = base_node_get(node, "dtype");
    const base_node *offsets = base_node_get(node, "data_offsets");
    if (node->kind != BASE_NODE_MAP || dtype == NULL || dtype->kind != BASE_NODE_TEXT)
        return bad_tensor(f, t->name, err, "its entry has no dtype");
    if (!find_dtype(&t->dtype, dtype->text))
        return base_fail(err, VG_ERR_UNSUPPORTED, base_where("%s, tensor %.150s", f->name, t->name),
                         "convert the tensors to F32, F16 or BF16 with the program that made them",
                         "its dtype %.40s is not one of F32 F16 BF16 F64 I64 I32 I16 I8 U8 BOOL",
                         dtype->text);
    vg_status st = read_shape(f, t, base_node_get(node, "shape"), err);
    if (st != VG_OK)
        return st;

    const base_node *begin = base_node_at(offsets, 0), *end = base_node_at(offsets, 1);
    if (offsets == NULL || offsets->n_children != 2 || begin == NULL || end == NULL ||
        begin->kind != BASE_NODE_INT || end->kind != BASE_NODE_INT)
        return bad_tensor(f, t->name, err, "its data_offsets are not two whole numbers");
    if (begin->i < 0 || end->i < begin->i || (uint64_t)end->i > n_data)
        return base_fail(
            err, VG_ERR_FORMAT, base_where("%s, tensor %.150s", f->name, t->name), remedy,
            "its data_offsets %" PRId64 "..%" PRId64 " are not inside the %zu bytes of data",
            begin->i, end->i, n_data);
    size_t bytes = 0;
    if (!base_mul_size(&bytes, t->n_elements, weights_dtype_bytes(t->dtype)) ||
        bytes != (size_t)(end->i - begin->i))
        return base_fail(
            err, VG_ERR_FORMAT, base_where("%s, tensor %.150s", f->name, t->name), remedy,
            "its data_offsets span %" PRId64 " bytes, but %zu elements of %s need another number",
            end->i - begin->i, t->n_elements, dtype->text);
    t->data = f->bytes + data_at + (size_t)begin->i;
    return VG_OK;
}

static size_t bytes_of(const weights_tensor *t)
{
    return t->n_elements * weights_dtype_bytes(t->dtype);
}

/* By place in the file; an empty one before the one that begins where it ends. */
static int place_before(const void *a, const void *b, void *ctx)
{
    const weights_tensor *tensors = ctx;
    const weights_tensor *x = &tensors[*(const size_t *)a], *y = &tensors[*(const size_t *)b];
    return x->data != y->data ? (const uint8_t *)x->data < (const uint8_t *)y->data
                              : bytes_of(x) < bytes_of(y);
}

/* Every byte of data belongs to one tensor: nothing is hidden between two, nothing is read as both.
 */
static vg_status check_cover(const weights_file *f, size_t data_at, base_mem *mem, vg_error *err)
{
    vg_status st = VG_OK;
    size_t *order = NULL;
    const uint8_t *at = f->bytes + data_at, *end = f->bytes + f->n_bytes;
    if (f->n_tensors > 0) {
        order = base_alloc_zero(mem, f->n_tensors, sizeof *order, err);
        if (order == NULL)
            return VG_ERR_MEMORY;
    }
    for (size_t i = 0; i < f->n_tensors; i++)
        order[i] = i;
    base_sort(order, f->n_tensors, sizeof *order, place_before, f->tensors);
    for (size_t i = 0; i < f->n_tensors; i++) {
        const weights_tensor *t = &f->tensors[order[i]];
        if ((const uint8_t *)t->data != at) {
            st = bad_tensor(f, t->name, err,
                            (const uint8_t *)t->data < at
                                ? "its data overlaps another tensor's"
                                : "before its data there are bytes of no tensor");
            goto done;
        }
        at += bytes_of(t);
    }
    if (at != end)
        st = base_fail(err, VG_ERR_FORMAT,
                       base_where("%s, byte %zu", f->name, (size_t)(at - f->bytes)), remedy,
                       "the last %zu bytes belong to no tensor", (size_t)(end - at));
done:
    base_free(order);
    return st;
}

static vg_status bad_meta(const weights_file *f, const char *key, const char *must_be,
                          vg_error *err)
{
    return base_fail(err, VG_ERR_FORMAT, base_where("%s, __metadata__, %s", f->name, key),
                     "write the file with vigil convert, or leave the key out", "%s is not %s", key,
                     must_be);
}

static vg_status read_names(weights_file *f, const base_node *list, vg_error *err)
{
    if (list == NULL || list->kind != BASE_NODE_LIST || list->n_children > INT32_MAX)
        return bad_meta(f, "names", "a JSON list of texts", err);
    const char **names = arena_take(&f->own, list->n_children, sizeof *names, err);
    if (names == NULL)
        return err->status;
    int n = 0;
    for (const base_node *c = list->first; c != NULL; c = c->next) {
        if (c->kind != BASE_NODE_TEXT)
            return bad_meta(f, "names", "a JSON list of texts", err);
        names[n] = arena_text(&f->own, c->text, strlen(c->text), err);
        if (names[n++] == NULL)
            return err->status;
    }
    f->meta.names = names;
    f->meta.n_classes = n;
    return VG_OK;
}

static vg_status read_strides(weights_file *f, const base_node *list, vg_error *err)
{
    if (list == NULL || list->kind != BASE_NODE_LIST || list->n_children > 64)
        return bad_meta(f, "stride", "a JSON list of numbers", err);
    float *strides = arena_take(&f->own, list->n_children, sizeof *strides, err);
    if (strides == NULL)
        return err->status;
    int n = 0;
    for (const base_node *c = list->first; c != NULL; c = c->next) {
        if ((c->kind != BASE_NODE_INT && c->kind != BASE_NODE_REAL) || !(c->real > 0) ||
            c->real > 1e6)
            return bad_meta(f, "stride", "a JSON list of positive numbers", err);
        strides[n++] = (float)c->real;
    }
    f->meta.strides = strides;
    f->meta.n_strides = n;
    return VG_OK;
}

/* A value that is itself JSON. Others may have a key of that name, too, for something else: a text
 * that does not even begin as JSON is theirs. */
static vg_status read_list(weights_file *f, const char *key,
                           vg_status (*read)(weights_file *, const base_node *, vg_error *),
                           base_mem *mem, vg_error *err)
{
    const char *text = weights_metadata_get(f, key);
    if (text == NULL || (text[0] != '[' && text[0] != '{'))
        return VG_OK;
    base_tree *tree = NULL;
    vg_status st = base_tree_from_json(&tree, text, strlen(text), key, mem, err);
    if (st == VG_OK)
        st = read(f, base_tree_root(tree), err);
    else if (st == VG_ERR_FORMAT)
        st = bad_meta(f, key, "a JSON list", err);
    base_tree_destroy(&tree);
    return st;
}

static vg_status read_meta(weights_file *f, const base_node *map, base_mem *mem, vg_error *err)
{
    f->meta.source = "safetensors";
    if (map == NULL)
        return VG_OK;
    if (map->kind != BASE_NODE_MAP)
        return base_fail(err, VG_ERR_FORMAT, base_where("%s, __metadata__", f->name), remedy,
                         "it is not a map");
    f->pairs = arena_take(&f->own, map->n_children, sizeof *f->pairs, err);
    if (f->pairs == NULL)
        return err->status;
    for (const base_node *n = map->first; n != NULL; n = n->next) {
        if (n->kind != BASE_NODE_TEXT)
            return bad_meta(f, n->key, "a text", err);
        weights_pair *p = &f->pairs[f->n_pairs];
        p->key = arena_text(&f->own, n->key, strlen(n->key), err);
        p->value = arena_text(&f->own, n->text, strlen(n->text), err);
        if (p->key == NULL || p->value == NULL)
            return err->status;
        f->n_pairs++;
    }
    f->meta.model_yaml = weights_metadata_get(f, "model_yaml");
    f->meta.scale = weights_metadata_get(f, "scale");
    f->meta.train_args = weights_metadata_get(f, "train_args");
    f->meta.version = weights_metadata_get(f, "version");
    f->meta.date = weights_metadata_get(f, "date");
    f->meta.license = weights_metadata_get(f, "license");
    const char *epoch = weights_metadata_get(f, "epoch");
    if (epoch != NULL && !base_parse_i64(&f->meta.epoch, epoch, -1, INT64_MAX))
        return bad_meta(f, "epoch", "a whole number from -1", err);
    vg_status st = read_list(f, "names", read_names, mem, err);
    return st != VG_OK ? st : read_list(f, "stride", read_strides, mem, err);
}

static vg_status read_header(weights_file *f, const base_node *root, size_t data_at, base_mem *mem,
                             vg_error *err)
{
    if (root == NULL || root->kind != BASE_NODE_MAP)
        return base_fail(err, VG_ERR_FORMAT, base_where("%s, byte 8", f->name), remedy,
                         "the header is not a map");
    const base_node *meta = base_node_get(root, "__metadata__");
    const size_t n = root->n_children - (meta != NULL);
    if (n > WEIGHTS_MOST_TENSORS)
        return base_fail(err, VG_ERR_LIMIT, f->name, NULL, "%zu tensors, more than %d", n,
                         WEIGHTS_MOST_TENSORS);
    f->tensors = arena_take(&f->own, n, sizeof *f->tensors, err);
    if (f->tensors == NULL)
        return err->status;
    for (const base_node *c = root->first; c != NULL; c = c->next) {
        if (c == meta)
            continue;
        vg_status st = read_tensor(f, &f->tensors[f->n_tensors], c, data_at, err);
        if (st != VG_OK)
            return st;
        f->n_tensors++;
    }
    vg_status st = check_cover(f, data_at, mem, err);
    return st != VG_OK ? st : read_meta(f, meta, mem, err);
}

vg_status safetensors_read(weights_file *f, base_mem *mem, vg_error *err)
{
    static const char *expected =
        "give a .safetensors file, or a .pt checkpoint written by torch.save";
    uint64_t n_header = 0;
    if (f->n_bytes < 8 + 2)
        return base_fail(err, VG_ERR_FORMAT, f->name, expected,
                         "%zu bytes are too few for a file of weights", f->n_bytes);
    memcpy(&n_header, f->bytes, sizeof n_header);
    if (f->bytes[8] != '{')
        return base_fail(
            err, VG_ERR_FORMAT, base_where("%s, byte 8", f->name), expected,
            "the file is neither safetensors nor a zip: no { after the header's length");
    if (n_header > f->n_bytes - 8)
        return base_fail(err, VG_ERR_FORMAT, base_where("%s, byte 0", f->name),
                         "copy or download the file again",
                         "the header should have %" PRIu64
                         " bytes, the file has %zu behind its length",
                         n_header, f->n_bytes - 8);
    if (n_header > MOST_HEADER_BYTES)
        return base_fail(err, VG_ERR_LIMIT, base_where("%s, byte 0", f->name), NULL,
                         "the header has %" PRIu64 " bytes, more than %d", n_header,
                         MOST_HEADER_BYTES);
    base_tree *tree = NULL;
    vg_status st =
        base_tree_from_json(&tree, (const char *)f->bytes + 8, (size_t)n_header, f->name, mem, err);
    if (st == VG_OK)
        st = read_header(f, base_tree_root(tree), (size_t)n_header + 8, mem, err);
    base_tree_destroy(&tree);
    return st;
}

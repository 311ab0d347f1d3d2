/* tree_json.c: JSON through jansson, then copied into our nodes.
 *
 * jansson builds its whole document before we see any of it, so depth and number of values are
 * bounded beforehand by a scan over the brackets and commas: 16 MiB of "[[],[],..." would otherwise
 * become a gigabyte. Its memory is the library's, and gone before we return. It keeps no lines:
 * those of our nodes are 0, errors have theirs. */
#define BASE_IMPLEMENTATION
#include "tree.h"

#include <jansson.h>
#include <string.h>

#include "status.h"
#include "tree_build.h"

/* The list or map that opens before text[i] has nothing in it. */
static bool is_empty(const char *text, size_t i, size_t n)
{
    while (i < n && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r'))
        i++;
    return i < n && (text[i] == ']' || text[i] == '}');
}

/* Counts what would become values: the first, one behind each bracket that opens on something and
 * one behind each comma. */
static vg_status check_bounds(const base_tree *t, const char *text, size_t n, vg_error *err)
{
    size_t n_values = 1;
    int depth = 0;
    int line = 1;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        line += c == '\n';
        if (in_string) {
            if (c == '\\' && i + 1 < n && text[i + 1] != '\n')
                i++;
            else if (c == '"')
                in_string = false;
            continue;
        }
        in_string = c == '"';
        bool opens = c == '[' || c == '{';
        if (opens) {
            vg_status st = tree_check_depth(t, ++depth, line, err);
            if (st != VG_OK)
                return st;
        }
        if ((c == ']' || c == '}') && depth > 0)
            depth--;
        n_values += c == ',' || (opens && !is_empty(text, i + 1, n));
        if (n_values > TREE_MOST_NODES)
            return base_fail(err, VG_ERR_LIMIT, base_where("%s:%d", t->source, line),
                             "check that it is the file you mean", "more than %d values",
                             TREE_MOST_NODES);
    }
    return VG_OK;
}

static vg_status parse(json_t **out, const base_tree *t, const char *text, size_t n, vg_error *err)
{
    json_error_t why;
    *out = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (*out)
        return VG_OK;
    if (json_error_code(&why) == json_error_out_of_memory)
        return base_fail(err, VG_ERR_MEMORY, t->source, NULL, "the JSON reader got no memory");
    return base_fail(err, VG_ERR_FORMAT,
                     why.line > 0 ? base_where("%s:%d, column %d", t->source, why.line, why.column)
                                  : t->source,
                     "correct the JSON there", "%s", why.text);
}

static vg_status copy(base_tree *t, base_node **out, const json_t *json, base_mem *mem,
                      vg_error *err);

static vg_status copy_list(base_tree *t, base_node *list, const json_t *json, base_mem *mem,
                           vg_error *err)
{
    base_node *last = NULL;
    for (size_t i = 0; i < json_array_size(json); i++) {
        base_node *child;
        vg_status st = copy(t, &child, json_array_get(json, i), mem, err);
        if (st != VG_OK)
            return st;
        tree_link(list, last, child);
        last = child;
    }
    return VG_OK;
}

static vg_status copy_map(base_tree *t, base_node *map, json_t *json, base_mem *mem, vg_error *err)
{
    base_node *last = NULL;
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        base_node *child;
        vg_status st = copy(t, &child, value, mem, err);
        if (st != VG_OK)
            return st;
        st = tree_add_text(t, &child->key, key, strlen(key), mem, err);
        if (st != VG_OK)
            return st;
        tree_link(map, last, child);
        last = child;
    }
    return VG_OK;
}

/* Recursion as deep as the document, which check_bounds has bounded. */
static vg_status copy(base_tree *t, base_node **out, const json_t *json, base_mem *mem,
                      vg_error *err)
{
    static const base_node_kind kinds[] = {
        [JSON_OBJECT] = BASE_NODE_MAP,  [JSON_ARRAY] = BASE_NODE_LIST,
        [JSON_STRING] = BASE_NODE_TEXT, [JSON_INTEGER] = BASE_NODE_INT,
        [JSON_REAL] = BASE_NODE_REAL,   [JSON_TRUE] = BASE_NODE_BOOL,
        [JSON_FALSE] = BASE_NODE_BOOL,  [JSON_NULL] = BASE_NODE_NULL};
    base_node *node;
    vg_status st = tree_add_node(t, &node, kinds[json_typeof(json)], 0, mem, err);
    if (st != VG_OK)
        return st;
    *out = node;
    switch (node->kind) {
    case BASE_NODE_NULL:
        return VG_OK;
    case BASE_NODE_BOOL:
        node->i = json_is_true(json);
        return VG_OK;
    case BASE_NODE_INT:
        node->i = json_integer_value(json);
        node->real = (double)node->i;
        return VG_OK;
    case BASE_NODE_REAL:
        node->real = json_real_value(json);
        return VG_OK;
    case BASE_NODE_TEXT:
        return tree_add_text(t, &node->text, json_string_value(json), json_string_length(json), mem,
                             err);
    case BASE_NODE_LIST:
        return copy_list(t, node, json, mem, err);
    case BASE_NODE_MAP:
        return copy_map(t, node, (json_t *)(uintptr_t)json, mem,
                        err); /* its iterators are not const */
    }
    return VG_OK;
}

vg_status base_tree_from_json(base_tree **out, const char *text, size_t n, const char *source,
                              base_mem *mem, vg_error *err)
{
    *out = NULL;
    base_tree *t = NULL;
    json_t *json = NULL;
    vg_status st = tree_create(&t, source, mem, err);
    if (st != VG_OK)
        goto done;
    st = check_bounds(t, text, n, err);
    if (st != VG_OK)
        goto done;
    st = parse(&json, t, text, n, err);
    if (st != VG_OK)
        goto done;
    st = copy(t, &t->root, json, mem, err);
    if (st != VG_OK)
        goto done;
    *out = t;
    t = NULL;
done:
    json_decref(json);
    base_tree_destroy(&t);
    return st;
}

/* tree.c: the tree itself: its memory, its bounds, walking in it. */
#define BASE_IMPLEMENTATION
#include "tree.h"

#include <string.h>

#include "file.h"
#include "sort.h"
#include "status.h"
#include "text.h"
#include "tree_build.h"

enum { FIRST_BLOCK_BYTES = 4096, LARGEST_BLOCK_BYTES = 256 * 1024 };

struct tree_block {
    tree_block *older;
    size_t n_bytes;
    size_t used_bytes;
    _Alignas(16) char bytes[];
};

/* ---- building ---- */

/* n bytes, aligned for anything a tree holds. */
static void *take(base_tree *t, size_t n, base_mem *mem, vg_error *err)
{
    n = base_round_up(n, 8);
    tree_block *b = t->blocks;
    if (!b || n > b->n_bytes - b->used_bytes) {
        size_t n_bytes = b ? 2 * b->n_bytes : FIRST_BLOCK_BYTES;
        if (n_bytes > LARGEST_BLOCK_BYTES)
            n_bytes = LARGEST_BLOCK_BYTES;
        if (n_bytes < n)
            n_bytes = n;
        b = base_alloc(mem, sizeof *b + n_bytes, err);
        if (!b)
            return NULL;
        *b = (tree_block){.older = t->blocks, .n_bytes = n_bytes};
        t->blocks = b;
    }
    void *p = b->bytes + b->used_bytes;
    b->used_bytes += n;
    return p;
}

vg_status tree_create(base_tree **out, const char *source, base_mem *mem, vg_error *err)
{
    *out = NULL;
    base_tree *t = base_alloc_zero(mem, 1, sizeof *t, err);
    if (!t)
        return VG_ERR_MEMORY;
    size_t n = strlen(source);
    t->source = take(t, n + 1, mem, err);
    if (!t->source) {
        base_tree_destroy(&t);
        return VG_ERR_MEMORY;
    }
    memcpy(t->source, source, n + 1);
    *out = t;
    return VG_OK;
}

vg_status tree_add_node(base_tree *t, base_node **out, base_node_kind kind, int line, base_mem *mem,
                        vg_error *err)
{
    if (t->n_nodes == TREE_MOST_NODES)
        return base_fail(err, VG_ERR_LIMIT, base_where("%s:%d", t->source, line),
                         "check that it is the file you mean", "more than %d values",
                         TREE_MOST_NODES);
    base_node *node = take(t, sizeof *node, mem, err);
    if (!node)
        return VG_ERR_MEMORY;
    *node = (base_node){.kind = kind, .line = line};
    t->n_nodes++;
    *out = node;
    return VG_OK;
}

vg_status tree_add_text(base_tree *t, const char **out, const char *s, size_t n, base_mem *mem,
                        vg_error *err)
{
    char *copy = take(t, n + 1, mem, err);
    if (!copy)
        return VG_ERR_MEMORY;
    memcpy(copy, s, n);
    copy[n] = '\0';
    *out = copy;
    return VG_OK;
}

void tree_link(base_node *parent, base_node *last, base_node *child)
{
    if (last)
        last->next = child;
    else
        parent->first = child;
    parent->n_children++;
}

vg_status tree_check_depth(const base_tree *t, int depth, int line, vg_error *err)
{
    if (depth <= TREE_MOST_DEPTH)
        return VG_OK;
    return base_fail(err, VG_ERR_LIMIT, base_where("%s:%d", t->source, line),
                     "check that it is the file you mean", "lists and maps more than %d deep",
                     TREE_MOST_DEPTH);
}

static vg_status fail_duplicate(const base_tree *t, const base_node *first, const base_node *second,
                                vg_error *err)
{
    return base_fail(err, VG_ERR_FORMAT, base_where("%s:%d", t->source, second->line),
                     "keep one of the two", "key \"%.200s\" again, first given in line %d",
                     second->key, first->line);
}

static int key_before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp((*(base_node *const *)a)->key, (*(base_node *const *)b)->key) < 0;
}

vg_status tree_check_keys(const base_tree *t, const base_node *map, base_mem *mem, vg_error *err)
{
    enum { FEW = 16 }; /* comparing all pairs is quicker than sorting, and needs no scratch */
    if (map->n_children <= FEW) {
        for (const base_node *a = map->first; a; a = a->next)
            for (const base_node *b = a->next; b; b = b->next)
                if (strcmp(a->key, b->key) == 0)
                    return fail_duplicate(t, a, b, err);
        return VG_OK;
    }
    const base_node **sorted = base_alloc_zero(mem, 2 * map->n_children, sizeof *sorted, err);
    if (!sorted)
        return VG_ERR_MEMORY;
    size_t n = 0;
    for (const base_node *a = map->first; a; a = a->next)
        sorted[n++] = a;
    base_sort_stable(sorted, n, sizeof *sorted, key_before, NULL, sorted + n);
    vg_status st = VG_OK;
    for (size_t i = 1; i < n && st == VG_OK; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            st = fail_duplicate(t, sorted[i - 1], sorted[i], err);
    base_free(sorted);
    return st;
}

/* ---- reading ---- */

vg_status base_tree_read(base_tree **out, const char *path, base_mem *mem, vg_error *err)
{
    *out = NULL;
    char *text = NULL;
    size_t n = 0;
    vg_status st = base_file_read(&text, &n, path, TREE_MOST_FILE_BYTES, mem, err);
    if (st != VG_OK)
        return st;
    bool json = base_equal_nocase(base_path_suffix(path), ".json");
    st = (json ? base_tree_from_json : base_tree_from_yaml)(out, text, n, path, mem, err);
    base_free(text);
    return st;
}

void base_tree_destroy(base_tree **tree)
{
    base_tree *t = *tree;
    if (!t)
        return;
    while (t->blocks) {
        tree_block *b = t->blocks;
        t->blocks = b->older;
        base_free(b);
    }
    base_free(t);
    *tree = NULL;
}

const base_node *base_tree_root(const base_tree *t)
{
    return t->root;
}

const char *base_tree_source(const base_tree *t)
{
    return t->source;
}

const base_node *base_node_get(const base_node *map, const char *key)
{
    if (!map || map->kind != BASE_NODE_MAP)
        return NULL;
    for (const base_node *child = map->first; child; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

const base_node *base_node_at(const base_node *list, size_t index)
{
    if (!list || list->kind != BASE_NODE_LIST || index >= list->n_children)
        return NULL;
    const base_node *child = list->first;
    while (index-- > 0)
        child = child->next;
    return child;
}

const char *base_node_kind_name(base_node_kind kind)
{
    static const char *const names[] = {"null",   "true or false", "a whole number", "a number",
                                        "a text", "a list",        "a map"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "?";
}

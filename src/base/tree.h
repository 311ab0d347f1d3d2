/* tree.h: YAML and JSON read into one small kind of tree, with the line of every node for error
 * messages.
 *
 * Reading goes through libyaml and jansson; the tree is ours, so that readers of configuration do
 * not care which it was. Bounds: depth 64, 1,000,000 nodes, the file's size by the caller; YAML
 * aliases are refused past the node limit (no billion laughs), and so are more
 * than 256 anchors. Duplicate keys are an error. Not read, and said so: several documents in a
 * file, merge keys (<<), lists or maps as keys, zero bytes in texts, tags other than YAML's own. */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

typedef enum base_node_kind {
    BASE_NODE_NULL,
    BASE_NODE_BOOL,
    BASE_NODE_INT,
    BASE_NODE_REAL,
    BASE_NODE_TEXT,
    BASE_NODE_LIST,
    BASE_NODE_MAP
} base_node_kind;

typedef struct base_node base_node;
struct base_node {
    base_node_kind kind;
    int line;         /* from 1; JSON: 0 where unknown */
    const char *key;  /* inside a map (YAML integer keys as their text), else NULL */
    const char *text; /* TEXT, and the source text of YAML scalars of every kind */
    int64_t i;        /* INT, BOOL (0, 1) */
    double real;      /* REAL, INT */
    size_t n_children;
    base_node *first; /* children in order */
    base_node *next;  /* sibling */
};

typedef struct base_tree base_tree;

/* text (n bytes) as YAML 1.1 core scalars: null ~ true false yes no on off, ints, floats (also
 * 1e-3), else text; quoted scalars are always text. source names it in errors ("coco.yaml:12").
 * Errors: VG_ERR_FORMAT, VG_ERR_LIMIT, VG_ERR_MEMORY. *out belongs to the caller. */
vg_status base_tree_from_yaml(base_tree **out, const char *text, size_t n, const char *source,
                              base_mem *mem, vg_error *err);
vg_status base_tree_from_json(base_tree **out, const char *text, size_t n, const char *source,
                              base_mem *mem, vg_error *err);
/* Reads the file (at most 16 MiB); .json by suffix, else YAML. */
vg_status base_tree_read(base_tree **out, const char *path, base_mem *mem, vg_error *err);
void base_tree_destroy(base_tree **t);

const base_node *base_tree_root(const base_tree *t);
const char *base_tree_source(const base_tree *t);

/* Child by key or place; NULL when absent or node is NULL or of another kind. */
const base_node *base_node_get(const base_node *map, const char *key);
const base_node *base_node_at(const base_node *list, size_t index);
const char *base_node_kind_name(base_node_kind kind);

#endif

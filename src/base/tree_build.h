/* tree_build.h: base's own: putting a tree together, for the readers of YAML and JSON.
 *
 * Nodes and texts lie in blocks of the tree's own (they die together), taken from the account that
 * is passed along. */
#ifndef BASE_TREE_BUILD_H
#define BASE_TREE_BUILD_H

#include "tree.h"

enum { TREE_MOST_DEPTH = 64, TREE_MOST_NODES = 1000000, TREE_MOST_FILE_BYTES = 16 * 1024 * 1024 };

typedef struct tree_block tree_block;
struct base_tree {
    base_node *root;
    char *source;
    size_t n_nodes;
    tree_block *blocks; /* newest first */
};

/* An empty tree; *out belongs to the caller. */
vg_status tree_create(base_tree **out, const char *source, base_mem *mem, vg_error *err);
/* A node of the tree, counted against TREE_MOST_NODES. */
vg_status tree_add_node(base_tree *t, base_node **out, base_node_kind kind, int line, base_mem *mem,
                        vg_error *err);
/* A copy of n bytes, terminated, that lives as long as the tree. */
vg_status tree_add_text(base_tree *t, const char **out, const char *s, size_t n, base_mem *mem,
                        vg_error *err);
/* Appends a child behind last (NULL: the first). */
void tree_link(base_node *parent, base_node *last, base_node *child);
/* The keys of a finished map must differ: VG_ERR_FORMAT. May take scratch, which it gives back. */
vg_status tree_check_keys(const base_tree *t, const base_node *map, base_mem *mem, vg_error *err);
/* VG_ERR_LIMIT when depth (the root's is 1) is too much. */
vg_status tree_check_depth(const base_tree *t, int depth, int line, vg_error *err);

#endif

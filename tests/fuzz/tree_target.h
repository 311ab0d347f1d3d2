/* tree_target.h: what holds of a tree, or of the refusal, whichever reader it came from. */
#ifndef FUZZ_TREE_TARGET_H
#define FUZZ_TREE_TARGET_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

static inline size_t tree_walk(const base_node *node, int depth)
{
    assert(depth <= 65); /* 64 containers and a scalar */
    assert(!node->text || strlen(node->text) < SIZE_MAX);
    size_t n = 0;
    size_t n_nodes = 1;
    for (const base_node *c = node->first; c; c = c->next, n++) {
        assert((c->key != NULL) == (node->kind == BASE_NODE_MAP));
        n_nodes += tree_walk(c, depth + 1);
    }
    assert(n == node->n_children);
    return n_nodes;
}

typedef vg_status (*tree_reader)(base_tree **out, const char *text, size_t n, const char *source,
                                 base_mem *mem, vg_error *err);

static inline void tree_target(tree_reader read, const uint8_t *data, size_t size)
{
    base_mem mem = {.tag = "fuzz"};
    vg_error err = {0};
    base_tree *t;
    vg_status st = read(&t, (const char *)data, size, "fuzz", &mem, &err);
    assert((st == VG_OK) == (t != NULL));
    assert(st == VG_OK || (err.status == st && err.what[0]));
    if (t)
        assert(tree_walk(base_tree_root(t), 1) <= 1000000);
    base_tree_destroy(&t);
    assert(mem.in_use_bytes == 0);
}

#endif

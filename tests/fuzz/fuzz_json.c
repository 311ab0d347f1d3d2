/* Any bytes as JSON: a tree within its bounds or an error, and every byte given back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

static size_t walk(const base_node *node, int depth)
{
    assert(depth <= 65); /* 64 containers and a scalar */
    assert(!node->text || strlen(node->text) < SIZE_MAX);
    size_t n = 0;
    size_t n_nodes = 1;
    for (const base_node *c = node->first; c; c = c->next, n++) {
        assert((c->key != NULL) == (node->kind == BASE_NODE_MAP));
        n_nodes += walk(c, depth + 1);
    }
    assert(n == node->n_children);
    return n_nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_mem mem = {.tag = "fuzz"};
    vg_error err = {0};
    base_tree *t;
    vg_status st = base_tree_from_json(&t, (const char *)data, size, "fuzz", &mem, &err);
    assert((st == VG_OK) == (t != NULL));
    assert(st == VG_OK || (err.status == st && err.what[0]));
    if (t)
        assert(walk(base_tree_root(t), 1) <= 1000000);
    base_tree_destroy(&t);
    assert(mem.in_use_bytes == 0);
    return 0;
}

/* arguments.c: a file of arguments, handed on one by one to whoever knows their names. */
#include "api.h"
#include "base/base.h"
#include "train/train.h"
#include "vigil/option.h"

static vg_status check_kind(const base_node *root, const char *path, base_mem *mem, vg_error *err)
{
    if (root->kind != BASE_NODE_MAP)
        return base_fail(err, VG_ERR_FORMAT, path, "write one `name: value` a line",
                         "arguments that are not a map");
    if (base_node_get(root, "backbone") || base_node_get(root, "head"))
        return base_fail(err, VG_ERR_ARGUMENT, path, "weights=FILE; cfg= is a file of arguments",
                         "a model's YAML where arguments are wanted");
    if (train_yaml_look(path, mem) == TRAIN_YAML_DATASET)
        return base_fail(err, VG_ERR_ARGUMENT, path, base_mend("data=%.200s", path),
                         "a dataset's YAML where arguments are wanted");
    return VG_OK;
}

vg_status vg_arguments_read(const char *path, vg_argument_seen seen, void *ctx, vg_error *err)
{
    base_mem mem = {.tag = "arguments", .limit_bytes = SIZE_MAX};
    base_tree *tree = NULL;
    vg_status st = base_tree_read(&tree, path, &mem, err);
    if (st != VG_OK)
        return st;
    const base_node *root = base_tree_root(tree);
    st = check_kind(root, path, &mem, err);
    for (const base_node *n = st == VG_OK ? root->first : NULL; n && st == VG_OK; n = n->next) {
        char text[VG_OPTION_TEXT_BYTES];
        if (n->kind == BASE_NODE_NULL)
            continue;
        st = base_node_value(text, sizeof text, n, base_where("%s:%d", path, n->line), err);
        if (st == VG_OK)
            st = seen(ctx, n->key, text, n->line, err);
    }
    base_tree_destroy(&tree);
    return st;
}

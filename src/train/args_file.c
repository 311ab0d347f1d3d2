/* args_file.c: a list of arguments in a file, such as the args.yaml that every run leaves, also one
 * of the Python tool: its names are ours, and what it has beyond them is named, not guessed. */
#include <string.h>

#include "args.h"

/* Of the Python tool's list, what says nothing of training or is what vigil does anyway. */
static const char *const silent[] = {"mode", "save_dir", "verbose"};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static vg_status read_map(base_tree **out, const char *path, base_mem *mem)
{
    const char *suffix = base_path_suffix(path);
    *out = NULL;
    if ((!base_equal_nocase(suffix, ".yaml") && !base_equal_nocase(suffix, ".yml")) ||
        !base_path_exists(path) || base_path_is_dir(path))
        return VG_ERR_ARGUMENT;
    return base_tree_read(out, path, mem, NULL);
}

train_yaml_kind train_yaml_look(const char *path, base_mem *mem)
{
    base_tree *tree = NULL;
    train_yaml_kind kind = TRAIN_YAML_OTHER;
    if (read_map(&tree, path, mem) != VG_OK)
        return kind;
    const base_node *root = base_tree_root(tree);
    int n_known = 0;
    for (const base_node *c = root->kind == BASE_NODE_MAP ? root->first : NULL; c; c = c->next)
        n_known += base_options_find(&train_arg_table, c->key) != NULL;
    if (base_node_get(root, "backbone") || base_node_get(root, "head"))
        kind = TRAIN_YAML_OTHER;
    else if (base_node_get(root, "names") || base_node_get(root, "train"))
        kind = TRAIN_YAML_DATASET;
    else if (n_known > 0)
        kind = TRAIN_YAML_ARGS;
    base_tree_destroy(&tree);
    return kind;
}

/* Nothing is something of its own: the option says what an empty text stands for. */
static bool takes_nothing(const vg_option *arg)
{
    const char *also = arg->also != NULL ? arg->also : "";
    return also[0] == '=' || strstr(also, "|=") != NULL;
}

static vg_status read_all(train_args *args, const bool *given, char *left_out, size_t n,
                          const base_node *root, const char *path, vg_error *err)
{
    size_t length = 0;
    for (const base_node *c = root->first; c != NULL; c = c->next) {
        const vg_option *arg = base_options_find(&train_arg_table, c->key);
        const bool is_off = c->kind == BASE_NODE_NULL || (c->kind == BASE_NODE_BOOL && c->i == 0);
        if (!arg && !is_off && !is_one_of(c->key, silent, sizeof silent / sizeof *silent)) {
            if (base_format(left_out + length, n - length, "%s%.40s", length > 0 ? ", " : "",
                            c->key))
                length += strlen(left_out + length);
            left_out[length] = '\0'; /* whole names */
        }
        if (!arg || (c->kind == BASE_NODE_NULL && !takes_nothing(arg)) ||
            given[arg - train_arg_table.rows] || strcmp(arg->name, "resume") == 0 ||
            strcmp(arg->name, "cfg") == 0 ||
            strcmp(arg->name, "device") == 0) /* the other machine's */
            continue;
        const vg_status st = c->kind == BASE_NODE_NULL ? train_args_set(args, arg->name, "", err)
                                                       : train_args_read_one(args, c, path, err);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

vg_status train_args_read_file(train_args *args, const bool *given, char *left_out, size_t n,
                               const char *path, base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    left_out[0] = '\0';
    vg_status st = base_tree_read(&tree, path, mem, err);
    if (st != VG_OK)
        return st;
    const base_node *root = base_tree_root(tree);
    if (root->kind != BASE_NODE_MAP)
        st = base_fail(err, VG_ERR_FORMAT, path, "write one `name: value` a line",
                       "arguments that are not a map");
    else
        st = read_all(args, given, left_out, n, root, path, err);
    base_tree_destroy(&tree);
    return st;
}

/* dataset.c: a dataset YAML, checked key by key (spec 5.1).
 *
 * Memory: the tree, which everything borrowed points into, and one block. A folder is
 * spec_folder.c's.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "spec.h"

enum { MOST_CLASSES = SPEC_MOST_CLASSES, CLASS_NAME_BYTES = 16 /* "class_65535" */ };

const char *data_split_name(data_split split)
{
    static const char *const names[] = {"train", "val", "test"};
    return (unsigned)split < DATA_N_SPLITS ? names[split] : "?";
}

static vg_status wrong(const data_spec *s, const base_node *at, const char *mend, const char *what,
                       vg_error *err)
{
    const char *source = base_tree_source(s->tree);
    return base_fail(err, VG_ERR_FORMAT, at ? base_where("%s:%d", source, at->line) : source, mend,
                     "%s", what);
}

/* A scalar's text; NULL for lists, maps and null. JSON's numbers have none. */
static const char *scalar(const base_node *n)
{
    bool plain =
        n && n->kind != BASE_NODE_LIST && n->kind != BASE_NODE_MAP && n->kind != BASE_NODE_NULL;
    return plain ? n->text : NULL;
}

/* ---- classes ---- */

static vg_status read_nc(data_spec *s, const base_node *root, vg_error *err)
{
    const base_node *names = base_node_get(root, "names"), *nc = base_node_get(root, "nc");
    if (nc && (nc->kind != BASE_NODE_INT || nc->i < 1 || nc->i > MOST_CLASSES))
        return wrong(s, nc, base_mend("give a whole number from 1 to %d", MOST_CLASSES),
                     "nc is not a number of classes", err);
    if (!names && !nc)
        return wrong(s, NULL, "add a list: names: [person, car]",
                     "neither names nor nc says which classes there are", err);
    if (names && names->kind != BASE_NODE_LIST && names->kind != BASE_NODE_MAP)
        return wrong(s, names, "give a list, or a map from class numbers",
                     base_where("names is %s", base_node_kind_name(names->kind)), err);
    if (names && (names->n_children < 1 || names->n_children > MOST_CLASSES))
        return wrong(s, names, base_mend("name 1 to %d classes", MOST_CLASSES),
                     base_where("names holds %zu classes", names->n_children), err);
    if (names && nc && (uint64_t)nc->i != names->n_children)
        return wrong(
            s, nc, base_mend("set nc: %zu, or leave it out", names->n_children),
            base_where("nc is %lld, but names holds %zu", (long long)nc->i, names->n_children),
            err);
    s->nc = names ? (int)names->n_children : (int)nc->i;
    return VG_OK;
}

static vg_status read_name(data_spec *s, const base_node *names, const base_node *name,
                           int64_t place, vg_error *err)
{
    if (names->kind == BASE_NODE_MAP && !base_parse_i64(&place, name->key, 0, s->nc - 1))
        return wrong(
            s, name, "number classes from 0 without gaps",
            base_where("class number \"%.60s\", where 0..%d are wanted", name->key, s->nc - 1),
            err);
    if (s->names[place])
        return wrong(s, name, "number classes from 0 without gaps",
                     base_where("class %lld is named twice", (long long)place), err);
    s->names[place] = scalar(name);
    if (!s->names[place])
        return wrong(s, name, "put the name in quotes",
                     base_where("the name of class %lld is %s", (long long)place,
                                base_node_kind_name(name->kind)),
                     err);
    return VG_OK;
}

static vg_status read_names(data_spec *s, const base_node *root, base_mem *mem, vg_error *err)
{
    vg_status st = read_nc(s, root, err);
    if (st != VG_OK)
        return st;
    s->names = base_alloc_zero(mem, (size_t)s->nc, sizeof *s->names + CLASS_NAME_BYTES, err);
    if (!s->names)
        return VG_ERR_MEMORY;
    const base_node *names = base_node_get(root, "names");
    int64_t place = 0;
    for (const base_node *n = names ? names->first : NULL; n && st == VG_OK; n = n->next)
        st = read_name(s, names, n, place++, err);
    char *made = (char *)(s->names + s->nc);
    for (int i = 0; i < s->nc && !names; i++, made += CLASS_NAME_BYTES) {
        base_format(made, CLASS_NAME_BYTES, "class_%d", i);
        s->names[i] = made;
    }
    return st;
}

/* ---- splits ---- */

static vg_status check_place(const data_spec *s, const base_node *n, const char *split,
                             vg_error *err)
{
    const char *text = n->kind == BASE_NODE_TEXT ? n->text : NULL;
    if (!text || !*text)
        return wrong(
            s, n, "give a folder, a .txt list of pictures, or a list of those",
            base_where("%s is %s", split, text ? "an empty text" : base_node_kind_name(n->kind)),
            err);
    if (strstr(text, "://"))
        return wrong(s, n, "download it first and give its folder",
                     base_where("%s is a network address", split), err);
    return VG_OK;
}

static vg_status read_split(data_spec *s, const base_node *root, data_split split, vg_error *err)
{
    const char *name = data_split_name(split);
    const base_node *n = base_node_get(root, name);
    if (!n && split == DATA_VAL)
        n = base_node_get(root, "validation");
    if (!n && split == DATA_VAL)
        n = base_node_get(root, "valid");
    if (!n || n->kind == BASE_NODE_NULL) {
        if (split == DATA_TEST)
            return VG_OK;
        return wrong(s, n, base_mend("add, for example, %s: images/%s", name, name),
                     base_where("the dataset has no %s", name), err);
    }
    vg_status st = VG_OK;
    if (n->kind != BASE_NODE_LIST)
        st = check_place(s, n, name, err);
    else if (n->n_children == 0)
        st = wrong(s, n, "give a folder, a .txt list of pictures, or a list of those",
                   base_where("%s is an empty list", name), err);
    for (const base_node *c = n->kind == BASE_NODE_LIST ? n->first : NULL; c && st == VG_OK;
         c = c->next)
        st = check_place(s, c, name, err);
    s->nodes[split] = n;
    return st;
}

/* ---- keypoints: T 4.1 ---- */

static vg_status read_flips(data_spec *s, const base_node *n, vg_error *err)
{
    bool taken[DATA_MOST_KEYPOINTS] = {false};
    int at = 0;
    if (n->kind != BASE_NODE_LIST || n->n_children != (size_t)s->keypoints.n)
        return wrong(s, n, "name for each keypoint the one that it becomes in a mirror, from 0",
                     n->kind == BASE_NODE_LIST
                         ? base_where("flip_idx holds %zu numbers for %d keypoints", n->n_children,
                                      s->keypoints.n)
                         : base_where("flip_idx is %s", base_node_kind_name(n->kind)),
                     err);
    for (const base_node *c = n->first; c; c = c->next, at++) {
        if (c->kind != BASE_NODE_INT || c->i < 0 || c->i >= s->keypoints.n || taken[c->i])
            return wrong(s, c, base_mend("give each of 0..%d once", s->keypoints.n - 1),
                         base_where("number %d of flip_idx is no keypoint, or one that stood there "
                                    "before",
                                    at + 1),
                         err);
        taken[c->i] = true;
        s->flip_idx[at] = (int)c->i;
    }
    s->keypoints.flip_idx = s->flip_idx;
    return VG_OK;
}

static vg_status read_keypoints(data_spec *s, const base_node *root, vg_error *err)
{
    const base_node *shape = base_node_get(root, "kpt_shape"),
                    *flips = base_node_get(root, "flip_idx");
    if (!shape || shape->kind == BASE_NODE_NULL)
        return VG_OK;
    const bool is_pair = shape->kind == BASE_NODE_LIST && shape->n_children == 2;
    const base_node *n = is_pair ? base_node_at(shape, 0) : NULL,
                    *dims = is_pair ? base_node_at(shape, 1) : NULL;
    if (!is_pair || n->kind != BASE_NODE_INT || n->i < 1 || n->i > DATA_MOST_KEYPOINTS ||
        dims->kind != BASE_NODE_INT || dims->i < 2 || dims->i > 3)
        return wrong(s, shape,
                     "give the number of keypoints, and 3 (x y visibility) or 2 (x y): [17, 3]",
                     base_where("kpt_shape is not [1..%d, 2 or 3]", DATA_MOST_KEYPOINTS), err);
    s->keypoints.n = (int)n->i;
    s->keypoints.dims = (int)dims->i;
    return flips && flips->kind != BASE_NODE_NULL ? read_flips(s, flips, err) : VG_OK;
}

static vg_status read_root(data_spec *s, const base_node *root, vg_error *err)
{
    const base_node *n = base_node_get(root, "path");
    const char *text = "";
    if (n && n->kind != BASE_NODE_NULL) {
        text = n->kind == BASE_NODE_TEXT ? n->text : NULL;
        if (!text)
            return wrong(s, n, "give the dataset's folder, in quotes if need be",
                         base_where("path is %s", base_node_kind_name(n->kind)), err);
    }
    if (!base_format(s->root, sizeof s->root, "%s", text))
        return wrong(s, n, "use a shorter path", "path is too long", err);
    return VG_OK;
}

static vg_status read_spec(data_spec *s, base_mem *mem, vg_error *err)
{
    const base_node *root = base_tree_root(s->tree);
    if (!root || root->kind != BASE_NODE_MAP)
        return wrong(s, root, "give a map with path, train, val and names",
                     "the dataset's file is not a map", err);
    vg_status st = read_root(s, root, err);
    for (int i = 0; i < DATA_N_SPLITS && st == VG_OK; i++)
        st = read_split(s, root, (data_split)i, err);
    if (st == VG_OK)
        st = read_keypoints(s, root, err);
    return st == VG_OK ? read_names(s, root, mem, err) : st;
}

/* Takes the tree, also on failure. */
static vg_status from_tree(data_spec **out, base_tree *tree, base_mem *mem, vg_error *err)
{
    data_spec *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (!s) {
        base_tree_destroy(&tree);
        return VG_ERR_MEMORY;
    }
    s->tree = tree;
    vg_status st = read_spec(s, mem, err);
    if (st != VG_OK)
        data_spec_destroy(&s);
    *out = s;
    return st;
}

vg_status data_spec_parse(data_spec **out, const char *text, size_t n, const char *source,
                          base_mem *mem, vg_error *err)
{
    *out = NULL;
    base_tree *tree = NULL;
    vg_status st = base_tree_from_yaml(&tree, text, n, source, mem, err);
    return st == VG_OK ? from_tree(out, tree, mem, err) : st;
}

/* ---- the root ---- */

/* realpath into s->root, if dir/relative is a folder. */
static bool try_root(data_spec *s, const char *dir, const char *relative)
{
    _Static_assert(DATA_PATH_BYTES >= PATH_MAX, "realpath writes so much");
    char path[DATA_PATH_BYTES], real[DATA_PATH_BYTES];
    if (!base_format(path, sizeof path, "%s%s", dir, relative) || !base_path_is_dir(path) ||
        !realpath(path, real))
        return false;
    return base_format(s->root, sizeof s->root, "%s", real);
}

/* The first split's pictures, where path were left out. */
static bool lies_beside(const data_spec *s, const char *beside)
{
    char path[DATA_PATH_BYTES];
    const char *place = data_spec_place(s, DATA_TRAIN, 0);
    return place && place[0] != '/' && base_format(path, sizeof path, "%s%s", beside, place) &&
           base_path_exists(path);
}

static vg_status find_root(data_spec *s, vg_error *err)
{
    const char *source = base_tree_source(s->tree);
    char written[DATA_PATH_BYTES], beside[DATA_PATH_BYTES];
    memcpy(written, s->root, sizeof written);
    size_t n = (size_t)(base_path_name(source) - source);
    if (!base_format(beside, sizeof beside, "%.*s", (int)n, n ? source : ""))
        return wrong(s, NULL, "use a shorter path", "the path of the dataset's file is too long",
                     err);
    if (n == 0)
        base_format(beside, sizeof beside, "./");
    bool found = written[0] == '/' ? try_root(s, "", written)
                                   : try_root(s, beside, written) || try_root(s, "./", written) ||
                                         try_root(s, "./datasets/", written);
    if (found)
        return VG_OK;
    const base_node *at = base_node_get(base_tree_root(s->tree), "path");
    return base_fail(err, VG_ERR_IO, base_where("%s:%d", source, at ? at->line : 1),
                     lies_beside(s, beside)
                         ? "leave path out: the pictures are beside this file"
                         : "give an absolute path on this machine, or one from this file's folder",
                     "no folder \"%.300s\" %s", written,
                     written[0] == '/'
                         ? "is there"
                         : "beside this file, in the working folder, or in ./datasets");
}

static vg_status open_folder(data_spec **out, const char *path, base_mem *mem, vg_error *err)
{
    data_spec *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (!s)
        return VG_ERR_MEMORY;
    vg_status st = try_root(s, "", path) ? VG_OK
                                         : base_fail_errno(err, VG_ERR_IO, path, NULL,
                                                           "the folder's path cannot be resolved");
    if (st == VG_OK)
        st = data_spec_read_folder(s, mem, err);
    if (st != VG_OK)
        data_spec_destroy(&s);
    *out = s;
    return st;
}

vg_status data_spec_open(data_spec **out, const char *path, base_mem *mem, vg_error *err)
{
    *out = NULL;
    if (base_path_is_dir(path))
        return open_folder(out, path, mem, err);
    base_tree *tree = NULL;
    vg_status st = base_tree_read(&tree, path, mem, err);
    if (st == VG_OK)
        st = from_tree(out, tree, mem, err);
    if (st == VG_OK)
        st = find_root(*out, err);
    if (st != VG_OK)
        data_spec_destroy(out);
    return st;
}

void data_spec_destroy(data_spec **spec)
{
    data_spec *s = *spec;
    if (!s)
        return;
    base_tree_destroy(&s->tree);
    base_free(s->names);
    base_free(s);
    *spec = NULL;
}

int data_spec_nc(const data_spec *s)
{
    return s->nc;
}

const char *data_spec_class_name(const data_spec *s, int class_index)
{
    return class_index >= 0 && class_index < s->nc ? s->names[class_index] : "?";
}

vg_status data_spec_names(const char ***out, const data_spec *s, bool is_single, base_mem *mem,
                          vg_error *err)
{
    const int nc = is_single ? 1 : s->nc;
    *out = base_alloc_zero(mem, (size_t)nc, sizeof **out, err);
    if (*out == NULL)
        return VG_ERR_MEMORY;
    for (int c = 0; c < nc; c++)
        (*out)[c] = is_single ? "item" : s->names[c];
    return VG_OK;
}

const char *data_spec_root(const data_spec *s)
{
    return s->root;
}

const char *data_spec_source(const data_spec *s)
{
    return s->tree ? base_tree_source(s->tree) : s->root;
}

bool data_spec_has(const data_spec *s, data_split split)
{
    return (unsigned)split < DATA_N_SPLITS && (s->nodes[split] || s->splits[split]);
}

bool data_spec_is_folder(const data_spec *s)
{
    return !s->tree;
}

data_keypoint_shape data_spec_keypoints(const data_spec *s)
{
    return s->keypoints;
}

const char *data_spec_place(const data_spec *s, data_split split, size_t i)
{
    const base_node *n = s->nodes[split];
    if (!s->tree)
        return i == 0 ? s->splits[split] : NULL;
    if (n && n->kind == BASE_NODE_LIST)
        n = base_node_at(n, i);
    else if (i > 0)
        n = NULL;
    return n ? n->text : NULL;
}

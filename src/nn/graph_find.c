/* graph_find.c: which network a user means: a name, a YAML file, or what a weights file holds. */
#include <string.h>

#include "family.h"
#include "graph.h"
#include "models.h"

static vg_status from_builtin(nn_graph **out, const nn_model *m, const nn_graph_options *o,
                              base_mem *mem, vg_error *err)
{
    base_tree *yaml = NULL;
    char name[32];
    nn_model_name(name, sizeof name, m, NULL);
    vg_status st = base_tree_from_yaml(&yaml, m->yaml, strlen(m->yaml), name, mem, err);
    if (st == VG_OK)
        st = nn_graph_create(out, yaml, o, mem, err);
    if (st == VG_OK)
        (*out)->builtin = m->yaml;
    base_tree_destroy(&yaml);
    return st;
}

/* The scale that the name of a file says: the s of yolo11s.yaml, yolov8s-mine.yaml; NULL: none. */
static const char *scale_in_name(const char *stem)
{
    if (!base_starts_with(stem, "yolo"))
        return NULL;
    const char *rest = stem + 4 + (stem[4] == 'v');
    const size_t digits = strspn(rest, "0123456789");
    for (int i = 0; digits > 0 && i < NN_N_SCALES; i++)
        if (rest[digits] == *nn_model_scales[i])
            return nn_model_scales[i];
    return NULL;
}

vg_status nn_graph_from_name_with(nn_graph **out, const char *name, const nn_graph_options *given,
                                  base_mem *mem, vg_error *err)
{
    nn_graph_options o = *given;
    char stem[64];
    *out = NULL;
    const char *suffix = base_path_suffix(name);
    bool yaml_name = base_equal_nocase(suffix, ".yaml") || base_equal_nocase(suffix, ".yml");
    bool known = base_path_stem(stem, sizeof stem, name);
    if (!base_path_exists(name)) {
        const char *scale = NULL;
        const nn_model *m = known ? nn_model_find(stem, &scale) : NULL;
        o.scale = scale;
        if (m && scale && (yaml_name || !*suffix) && base_path_name(name) == name)
            return from_builtin(out, m, &o, mem, err);
        char family[48];
        const bool is_other = known && nn_family_of_name(family, sizeof family, stem);
        return base_fail(err, VG_ERR_ARGUMENT, base_where("%s", name),
                         "give a model YAML, or a built-in one: yolo11n.yaml, yolo11n-seg.yaml, "
                         "-pose, -obb, -cls, yolov8n.yaml, yolov8n-p2.yaml, yolov5n.yaml, each "
                         "with n, s, m, l or x",
                         "no such model%s%s%s", is_other ? ": " : "", is_other ? family : "",
                         is_other ? " is not run here" : "");
    }
    o.scale = known ? scale_in_name(stem) : NULL;
    base_tree *yaml = NULL;
    vg_status st = base_tree_read(&yaml, name, mem, err);
    if (st == VG_OK)
        st = nn_graph_create(out, yaml, &o, mem, err);
    base_tree_destroy(&yaml);
    return st;
}

vg_status nn_graph_from_name(nn_graph **out, const char *name, int nc, base_mem *mem, vg_error *err)
{
    return nn_graph_from_name_with(out, name, &(nn_graph_options){.nc = nc}, mem, err);
}

/* Whether the file has every parameter of the graph in its shape (BN's may be missing when the file
 * is fused). */
static bool fits(const nn_graph *g, const weights_file *w)
{
    for (size_t i = 0; i < g->n_params; i++) {
        const nn_param *p = &g->params[i];
        if (p->kind != NN_PARAM_WEIGHT)
            continue;
        const weights_tensor *t = weights_find(w, p->key);
        if (!t || t->n_dims != p->n_dims)
            return false;
        for (int d = 0; d < p->n_dims; d++)
            if (t->shape[d] != p->shape[d])
                return false;
    }
    return true;
}

/* How the tensors of the head, row `layer`, have its class branch. */
static nn_class_branch branch_of_tensors(const weights_file *w, int layer)
{
    char key[NN_KEY_BYTES];
    base_format(key, sizeof key, "model.%d.cv3.0.0.conv.weight", layer);
    if (weights_find(w, key))
        return NN_CLASS_PLAIN;
    base_format(key, sizeof key, "model.%d.cv3.0.0.0.conv.weight", layer);
    return weights_find(w, key) ? NN_CLASS_DEPTHWISE : NN_CLASS_BY_MODEL;
}

/* Elements of a vector of the row `layer`; 0: there is none. */
static int length_of(const weights_file *w, int layer, const char *rest)
{
    char key[NN_KEY_BYTES];
    base_format(key, sizeof key, "model.%d.%s", layer, rest);
    const weights_tensor *t = weights_find(w, key);
    return t && t->n_dims == 1 && t->shape[0] > 0 && t->shape[0] <= NN_MAX_CHANNELS
               ? (int)t->shape[0]
               : 0;
}

/* Matrices of the row `layer`, but for the fixed one of the bins. */
static size_t count_weights(const weights_file *w, int layer)
{
    char row[32];
    size_t n = 0;
    base_format(row, sizeof row, "model.%d.", layer);
    for (size_t i = 0; i < weights_count(w); i++) {
        const weights_tensor *t = weights_at(w, i);
        n += base_starts_with(t->name, row) && t->n_dims > 1 && !strstr(t->name, ".dfl.");
    }
    return n;
}

/* Nor has the file's head what the graph's has not: one of another task holds a detector's. */
static bool has_no_more(const nn_graph *g, const weights_file *w, int layer)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_params; i++)
        n += g->params[i].layer == layer && g->params[i].kind == NN_PARAM_WEIGHT;
    return n == count_weights(w, layer);
}

/* As a state dict shows it. *n_extra: numbers of its third branch. */
static nn_graph_options read_head(const nn_model *m, const weights_file *w, int *n_extra)
{
    const int row = m->head_layer, matrix = length_of(w, row, "linear.bias"),
              n = length_of(w, row, "cv4.0.2.bias"), dims = n % 3 == 0 ? 3 : 2;
    *n_extra = n;
    return (nn_graph_options){.nc = matrix > 0 ? matrix : length_of(w, row, "cv3.0.2.bias"),
                              .class_branch = branch_of_tensors(w, row),
                              .keypoints = n / dims,
                              .keypoint_dims = dims};
}

/* No graph was made, as err says: better said by what the model is, if that is known. */
static vg_status refuse_family(const weights_file *w, const base_node *yaml, vg_status st,
                               vg_error *err)
{
    char family[96];
    if (!nn_family_name(family, sizeof family, w, yaml))
        return st;
    return base_fail(err, VG_ERR_UNSUPPORTED, NULL,
                     "vigil runs models of YOLO11, YOLOv8 and YOLOv5u: give such weights, or "
                     "train them on the same dataset: vigil train --model yolo11n.yaml --data YAML",
                     "weights of another model: %s", family);
}

static vg_status from_own_yaml(nn_graph **out, const weights_file *w, base_mem *mem, vg_error *err)
{
    const weights_meta *meta = weights_get_meta(w);
    base_tree *yaml = NULL;
    char source[64];
    vg_status st = base_tree_from_yaml(&yaml, meta->model_yaml, strlen(meta->model_yaml),
                                       "model (in the weights file)", mem, err);
    if (st == VG_OK) {
        const base_node *root = base_tree_root(yaml), *backbone = base_node_get(root, "backbone"),
                        *head = base_node_get(root, "head");
        const size_t rows = (backbone ? backbone->n_children : 0) + (head ? head->n_children : 0);
        const nn_graph_options o = {.scale = meta->scale,
                                    .class_branch = rows > 0 && rows < 4096
                                                        ? branch_of_tensors(w, (int)rows - 1)
                                                        : NN_CLASS_BY_MODEL};
        st = nn_graph_create(out, yaml, &o, mem, err);
        if (st == VG_OK && nn_family_model(source, sizeof source, root))
            nn_graph_rename(*out, source);
    }
    if (st != VG_OK && st != VG_ERR_MEMORY)
        st = refuse_family(w, yaml ? base_tree_root(yaml) : NULL, st, err);
    base_tree_destroy(&yaml);
    return st;
}

/* Points of two numbers and of three may come to as many. */
static vg_status check_points(nn_graph **g, int n_extra, vg_error *err)
{
    if ((*g)->keypoints == 0 || n_extra % 6 != 0)
        return VG_OK;
    nn_graph_destroy(g);
    return base_fail(err, VG_ERR_UNSUPPORTED, NULL,
                     "give a checkpoint of the Python tool, or weights of vigil's",
                     "a pose model's tensors alone, which do not say whether its points are of two "
                     "numbers or of three");
}

/* The built-in model whose tensors these are. *out NULL: none. */
static vg_status from_tensors(nn_graph **out, const weights_file *w, base_mem *mem, vg_error *err)
{
    for (int k = 0; k < NN_N_MODELS; k++) {
        int n_extra;
        const nn_model *m = &nn_models[k];
        nn_graph_options o = read_head(m, w, &n_extra);
        for (int i = 0; o.nc > 0 && i < NN_N_SCALES; i++) {
            o.scale = nn_model_scales[i];
            const vg_status st = from_builtin(out, m, &o, mem, err);
            if (st != VG_OK)
                return st;
            if (fits(*out, w) && has_no_more(*out, w, m->head_layer))
                return check_points(out, n_extra, err);
            nn_graph_destroy(out);
        }
    }
    return VG_OK;
}

/* BN's eps as the file has them: a classifier's may be those of another training. */
static void take_eps(nn_graph *g, const weights_file *w)
{
    for (size_t i = 0; i < g->n_ops; i++) {
        char key[NN_KEY_BYTES];
        double eps;
        nn_op *op = &g->ops[i];
        if (op->kind == NN_CONV && op->conv.bn && base_format(key, sizeof key, "%s.bn", op->key) &&
            weights_bn_eps(w, key, &eps))
            op->conv.eps = eps;
    }
}

vg_status nn_graph_from_weights(nn_graph **out, const weights_file *w, base_mem *mem, vg_error *err)
{
    *out = NULL;
    vg_status st = VG_OK;
    if (*weights_get_meta(w)->model_yaml) {
        st = from_own_yaml(out, w, mem, err);
    } else {
        st = refuse_family(w, NULL, VG_OK, err); /* another family has such tensors, too */
        if (st == VG_OK)
            st = from_tensors(out, w, mem, err);
    }
    if (st == VG_OK && *out)
        take_eps(*out, w);
    if (st != VG_OK || *out)
        return st;
    return base_fail(
        err, VG_ERR_FORMAT, NULL,
        "give weights of a YOLO11, YOLOv8 or YOLOv5u model, or a file that holds its model YAML",
        "a weights file that describes no model, and whose tensors are those of no built-in one");
}

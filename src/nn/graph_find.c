/* graph_find.c: which network a user means: a name, a YAML file, or what a weights file holds. */
#include <string.h>

#include "family.h"
#include "graph.h"

static const char *const scales[] = {"n", "s", "m", "l", "x"};
enum { N_SCALES = sizeof scales / sizeof *scales };

static vg_status from_builtin(nn_graph **out, const char *scale, int nc, base_mem *mem,
                              vg_error *err)
{
    base_tree *yaml = NULL;
    const char *text = nn_builtin_yaml();
    vg_status st = base_tree_from_yaml(&yaml, text, strlen(text), "yolo11.yaml", mem, err);
    if (st == VG_OK)
        st = nn_graph_create(out, yaml, &(nn_graph_options){.scale = scale, .nc = nc}, mem, err);
    base_tree_destroy(&yaml);
    return st;
}

/* The scale letter at the end of names like yolo11s, yolov11s.yaml; 0: none. */
static const char *scale_in_name(const char *stem)
{
    const char *rest = base_starts_with(stem, "yolov11")  ? stem + 7
                       : base_starts_with(stem, "yolo11") ? stem + 6
                                                          : NULL;
    for (int i = 0; rest && i < N_SCALES; i++)
        if (strcmp(rest, scales[i]) == 0)
            return scales[i];
    return NULL;
}

vg_status nn_graph_from_name(nn_graph **out, const char *name, int nc, base_mem *mem, vg_error *err)
{
    char stem[64];
    *out = NULL;
    const char *suffix = base_path_suffix(name);
    bool yaml_name = base_equal_nocase(suffix, ".yaml") || base_equal_nocase(suffix, ".yml");
    bool known = base_path_stem(stem, sizeof stem, name);
    const char *scale = known ? scale_in_name(stem) : NULL;
    if (!base_path_exists(name)) {
        if (scale && (yaml_name || !*suffix) && base_path_name(name) == name)
            return from_builtin(out, scale, nc, mem, err);
        return base_fail(err, VG_ERR_ARGUMENT, base_where("%s", name),
                         "give a model YAML, or one of yolo11n.yaml yolo11s.yaml yolo11m.yaml "
                         "yolo11l.yaml yolo11x.yaml",
                         "no such model");
    }
    base_tree *yaml = NULL;
    vg_status st = base_tree_read(&yaml, name, mem, err);
    if (st == VG_OK)
        st = nn_graph_create(out, yaml, &(nn_graph_options){.scale = scale, .nc = nc}, mem, err);
    base_tree_destroy(&yaml);
    return st;
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

/* YOLO11's class count by its first class bias; 0 when the file is no YOLO11. */
static int class_count(const weights_file *w)
{
    const weights_tensor *t = weights_find(w, "model.23.cv3.0.2.bias");
    return t && t->n_dims == 1 && t->shape[0] > 0 && t->shape[0] <= NN_MAX_CHANNELS
               ? (int)t->shape[0]
               : 0;
}

/* No graph was made, as err says: better said by what the model is, if that is known. */
static vg_status refuse_family(const weights_file *w, const base_node *yaml, vg_status st,
                               vg_error *err)
{
    char family[96];
    if (!nn_family_name(family, sizeof family, w, yaml))
        return st;
    return base_fail(err, VG_ERR_UNSUPPORTED, NULL,
                     "vigil runs YOLO11 detection, scales n to x: give such weights, or train them "
                     "on the same dataset: vigil train --model yolo11n.yaml --data YAML",
                     "weights of another model: %s", family);
}

vg_status nn_graph_from_weights(nn_graph **out, const weights_file *w, base_mem *mem, vg_error *err)
{
    const weights_meta *meta = weights_get_meta(w);
    *out = NULL;
    if (*meta->model_yaml) {
        base_tree *yaml = NULL;
        vg_status st = base_tree_from_yaml(&yaml, meta->model_yaml, strlen(meta->model_yaml),
                                           "yolo11.yaml (in the weights file)", mem, err);
        if (st == VG_OK)
            st = nn_graph_create(out, yaml, &(nn_graph_options){.scale = meta->scale}, mem, err);
        if (st != VG_OK && st != VG_ERR_MEMORY)
            st = refuse_family(w, yaml ? base_tree_root(yaml) : NULL, st, err);
        base_tree_destroy(&yaml);
        return st;
    }
    int nc = class_count(w);
    for (int i = 0; nc > 0 && i < N_SCALES; i++) {
        vg_status st = from_builtin(out, scales[i], nc, mem, err);
        if (st != VG_OK)
            return st;
        if (fits(*out, w))
            return VG_OK;
        nn_graph_destroy(out);
    }
    base_fail(
        err, VG_ERR_FORMAT, NULL,
        "give weights of a YOLO11 detector, or a file that holds its model YAML",
        "a weights file that describes no model, and whose tensors are those of no YOLO11 scale");
    return refuse_family(w, NULL, VG_ERR_FORMAT, err);
}

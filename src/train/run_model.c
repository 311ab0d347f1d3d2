/* run_model.c: the network of a run: its YAML, which says the run's own class count, its graph, and
 * the parameters with what earlier weights give them. */
#include "run_parts.h"

#include <string.h>

#include "task/task.h"

/* Of the table of arguments (args.c), which does not know the task. */
enum { PRESET_IMGSZ = 640 };

static bool is_weights_name(const char *name)
{
    const char *suffix = base_path_suffix(name);
    return base_equal_nocase(suffix, ".pt") || base_equal_nocase(suffix, ".safetensors");
}

/* kpt_shape of the dataset where the model finds keypoints; else none. */
static nn_graph_options shape_of(const train_run *r, const nn_graph_info *info, int nc)
{
    nn_graph_options o = {.nc = nc > 0 ? nc : info->nc};
    if (info->keypoints > 0 && r->spec != NULL) {
        const data_keypoint_shape shape = data_spec_keypoints(r->spec);
        o.keypoints = shape.n;
        o.keypoint_dims = shape.dims;
    }
    return o;
}

static vg_status yaml_of_weights(train_run *r, const char *path, int nc, vg_error *err)
{
    weights_file *f = NULL;
    nn_graph *g = NULL;
    nn_graph_info info;
    vg_status st = weights_open(&f, path, r->mem.work, err);
    if (st != VG_OK)
        goto done;
    st = nn_graph_from_weights(&g, f, r->mem.work, err);
    if (st != VG_OK) {
        base_error_prefix_where(err, path);
        goto done;
    }
    nn_graph_get_info(g, 640, &info);
    base_format(r->info.scale, sizeof r->info.scale, "%s", info.scale);
    const nn_graph_options o = shape_of(r, &info, nc);
    st = nn_model_text_of_weights(&r->model_yaml, g, f, &o, r->mem.work, err);
done:
    nn_graph_destroy(&g);
    weights_close(&f);
    return st;
}

static vg_status yaml_of_name(train_run *r, int nc, vg_error *err)
{
    const char *name = r->args.model;
    nn_graph *g = NULL;
    char *text = NULL;
    vg_status st =
        nn_graph_from_name(&g, name, nc, r->mem.work, err); /* says what is wrong with a name */
    if (st != VG_OK)
        return st;
    nn_graph_get_info(g, 640, &r->info);
    nn_graph_destroy(&g);
    const nn_graph_options o = shape_of(r, &r->info, nc);
    if (base_path_exists(name)) {
        size_t n;
        st = base_file_read(&text, &n, name, 1 << 20, r->mem.work, err);
    }
    if (st == VG_OK)
        st = nn_model_text(&r->model_yaml, text != NULL ? text : nn_builtin_yaml_of(name), &o,
                           r->mem.work, err);
    base_free(text);
    return st;
}

vg_status run_make_graph(const train_run *r, nn_graph **out, vg_error *err)
{
    base_tree *yaml = NULL;
    const char *scale = r->info.scale[0] != '\0' ? r->info.scale : NULL;
    *out = NULL;
    vg_status st = base_tree_from_yaml(&yaml, r->model_yaml, strlen(r->model_yaml), r->args.model,
                                       r->mem.work, err);
    if (st == VG_OK)
        st = nn_graph_create(out, yaml, &(nn_graph_options){.scale = scale}, r->mem.work, err);
    base_tree_destroy(&yaml);
    return st;
}

vg_status run_open_graph(train_run *r, int nc, vg_error *err)
{
    const bool from_weights = is_weights_name(r->args.model);
    if (r->args.model[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "model", "give a model, such as yolo11n.yaml",
                         "no model was given");
    vg_status st =
        from_weights ? yaml_of_weights(r, r->args.model, nc, err) : yaml_of_name(r, nc, err);
    if (st != VG_OK)
        return st;
    st = run_make_graph(r, &r->graph, err);
    if (st != VG_OK)
        return st;
    /* As the reference: pictures of another size than a multiple of the stride are not what is
     * asked for, but the next size that can be. Everything from here on, and args.yaml, has it. */
    nn_graph_get_info(r->graph, 32, &r->info);
    r->task = task_of(r->info.task);
    const int stride = r->info.max_stride;
    if (!r->args.has_imgsz && r->args.imgsz == PRESET_IMGSZ) /* nobody has given one */
        r->args.imgsz = r->task->imgsz;
    r->asked_imgsz = r->args.imgsz;
    r->args.imgsz = (r->args.imgsz + stride - 1) / stride * stride;
    nn_graph_get_info(r->graph, r->args.imgsz, &r->info);
    return task_must_be(r->info.task, r->args.task, r->args.model, err);
}

vg_status run_open_engine(train_run *r, vg_error *err)
{
    const train_engine_options options = {.threads = run_threads(r),
                                          .device = r->device,
                                          .amp = r->args.amp,
                                          .seed = (uint64_t)r->args.seed};
    if (r->device == NULL) /* the network brings one; beside a device validation has this */
        base_pool_destroy(&r->pool);
    const vg_status st =
        train_engine_open(&r->engine, r->graph, r->params, r->n_params, &options, &r->mem, err);
    if (st != VG_OK)
        return st;
    r->graph = NULL; /* the engine's now */
    for (size_t i = 0; i < r->n_params; i++)
        r->needs_grad[i] = train_param_group(&r->params[i]) != TRAIN_GROUP_NONE;
    return VG_OK;
}

/* Whether the network will have a gradient for it. */
static bool is_learnt(const nn_param *p)
{
    return p->kind != NN_PARAM_BN_MEAN && p->kind != NN_PARAM_BN_VAR && p->kind != NN_PARAM_DFL;
}

/* Their values come with the engine; until then a gradient that will be is any address. */
vg_status run_make_params(train_run *r, vg_error *err)
{
    static float later;
    const nn_graph *g = r->graph;
    r->n_params = nn_graph_n_params(g);
    r->params = base_alloc_zero(r->mem.work, r->n_params, sizeof *r->params, err);
    r->needs_grad = base_alloc_zero(r->mem.work, r->n_params, sizeof *r->needs_grad, err);
    if (r->params == NULL || r->needs_grad == NULL)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < r->n_params; i++) {
        const nn_param *info = nn_graph_param(g, i);
        r->params[i] = (train_param){.info = info, .grad = is_learnt(info) ? &later : NULL};
    }
    return train_params_freeze(r->params, r->n_params, r->args.freeze.at, (size_t)r->args.freeze.n,
                               err);
}

/* Names that differ altogether are what fine-tuning is for. */
void run_compare_names(train_run *r, const weights_file *f)
{
    const weights_meta *m = weights_get_meta(f);
    if (r->args.single_cls ||
        train_names_compare(r->names_notice, sizeof r->names_notice, m->names, m->n_classes,
                            r->names, r->info.nc) == TRAIN_NAMES_DIFFERENT)
        r->names_notice[0] = '\0';
}

/* Weights that hardly fit are a slip, such as those of another model: the run would start at almost
 * nothing without a word. */
static void count_transferred(train_run *r, const char *path)
{
    const size_t n = r->n_transferred, of = r->n_params;
    char few[32];
    base_format(few, sizeof few, n == 0 ? "none" : "only %zu", n);
    r->few_notice[0] = '\0';
    if (2 * n < of)
        base_format(r->few_notice, sizeof r->few_notice,
                    "%s of the %zu tensors of %.40s are in %.200s with the same name and shape: "
                    "the rest begins at random, as without weights. Are they of another model or "
                    "scale? vigil info says of which",
                    few, of, r->info.name, path);
}

vg_status run_transfer(train_run *r, vg_error *err)
{
    const char *path = r->args.weights[0] != '\0'       ? r->args.weights
                       : is_weights_name(r->args.model) ? r->args.model
                                                        : NULL;
    if (path == NULL)
        return VG_OK;
    weights_file *f;
    vg_status st = weights_open(&f, path, r->mem.work, err);
    if (st != VG_OK)
        return st;
    r->n_transferred = 0;
    for (size_t i = 0; i < r->n_params && st == VG_OK; i++) {
        const weights_tensor *t = train_param_find(&r->params[i], f);
        if (t == NULL)
            continue;
        st = train_engine_write_tensor(&r->engine, TRAIN_SET_VALUE, i, t, err);
        r->n_transferred++;
    }
    count_transferred(r, path);
    run_compare_names(r, f);
    r->has_transferred = true;
    weights_close(&f);
    return st;
}

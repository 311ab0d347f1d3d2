/* run_setup.c: everything a run is made of, put together in order: first what little the plan needs
 * (dataset, graph); then the plan, which may say no; then network, optimizer, average, loaders,
 * loss, and on resume what the checkpoint says of them. */
#include "run_parts.h"

#include <string.h>

#include "resample.h"

/* ---- the model ---- */

static bool is_weights_name(const char *name)
{
    const char *suffix = base_path_suffix(name);
    return base_equal_nocase(suffix, ".pt") || base_equal_nocase(suffix, ".safetensors");
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
    st = nn_model_text_of_weights(&r->model_yaml, g, f, nc > 0 ? nc : info.nc, r->mem.work, err);
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
    if (base_path_exists(name)) {
        size_t n;
        st = base_file_read(&text, &n, name, 1 << 20, r->mem.work, err);
    }
    if (st == VG_OK)
        st = nn_model_text(&r->model_yaml, text != NULL ? text : nn_builtin_yaml_of(name),
                           nc > 0 ? nc : r->info.nc, r->mem.work, err);
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

static vg_status make_graph(train_run *r, int nc, vg_error *err)
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
    const int stride = r->info.max_stride;
    r->asked_imgsz = r->args.imgsz;
    r->args.imgsz = (r->args.imgsz + stride - 1) / stride * stride;
    nn_graph_get_info(r->graph, r->args.imgsz, &r->info);
    return VG_OK;
}

static vg_status make_net(train_run *r, vg_error *err)
{
    const nn_train_options options = {.threads = r->args.threads};
    const nn_accounts accounts = {
        .weights = r->mem.model, .activations = r->mem.activations, .plans = r->mem.work};
    base_pool_destroy(&r->pool);
    const vg_status st =
        nn_train_create(&r->net, r->graph, &options, (uint64_t)r->args.seed, &accounts, err);
    if (st != VG_OK)
        return st;
    r->graph = NULL; /* the net's now */
    for (size_t i = 0; i < r->n_params; i++) {
        r->params[i].value = nn_train_param(r->net, i);
        r->params[i].grad = nn_train_grad(r->net, i);
    }
    for (size_t i = 0; i < r->n_params; i++)
        r->needs_grad[i] = train_param_group(&r->params[i]) != TRAIN_GROUP_NONE;
    return VG_OK;
}

/* Whether the net will have a gradient for it. */
static bool is_learnt(const nn_param *p)
{
    return p->kind != NN_PARAM_BN_MEAN && p->kind != NN_PARAM_BN_VAR && p->kind != NN_PARAM_DFL;
}

/* Their values come with the net; until then a gradient that will be is any address. */
static vg_status make_params(train_run *r, vg_error *err)
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
static void compare_names(train_run *r, const weights_file *f)
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

static vg_status transfer(train_run *r, vg_error *err)
{
    const char *path = r->args.weights[0] != '\0'       ? r->args.weights
                       : is_weights_name(r->args.model) ? r->args.model
                                                        : NULL;
    if (path == NULL)
        return VG_OK;
    weights_file *f;
    const vg_status st = weights_open(&f, path, r->mem.work, err);
    if (st != VG_OK)
        return st;
    r->n_transferred = train_params_transfer(r->params, r->n_params, f);
    count_transferred(r, path);
    compare_names(r, f);
    r->has_transferred = true;
    weights_close(&f);
    return VG_OK;
}

/* ---- data ---- */

static vg_status read_spec(train_run *r, vg_error *err)
{
    vg_status st = data_spec_open(&r->spec, r->args.data, r->mem.data, err);
    if (st != VG_OK)
        return st;
    const int nc = data_spec_nc(r->spec);
    st = data_spec_names(&r->names, r->spec, r->args.single_cls, r->mem.work, err);
    if (st != VG_OK || r->args.classes.n == 0)
        return st;
    r->wanted_classes = base_alloc_zero(r->mem.work, (size_t)nc, 1, err);
    if (r->wanted_classes == NULL)
        return VG_ERR_MEMORY;
    for (int i = 0; i < r->args.classes.n; i++) {
        const int c = r->args.classes.at[i];
        if (c >= nc)
            return base_fail(err, VG_ERR_ARGUMENT, "classes",
                             base_mend("name classes from 0 to %d", nc - 1),
                             "class %d in a dataset of %d classes", c, nc);
        r->wanted_classes[c] = 1;
    }
    return VG_OK;
}

static vg_status open_sets(train_run *r, vg_error *err)
{
    data_set_options o = {.split = DATA_TRAIN,
                          .fraction = r->args.fraction,
                          .single_cls = r->args.single_cls,
                          .classes = r->wanted_classes};
    const vg_status st = data_set_open(&r->train_set, r->spec, &o, r->pool, r->mem.data, err);
    if (st != VG_OK)
        return st;
    o.split = (data_split)r->args.split;
    o.fraction = 1;
    return data_set_open(&r->val_set, r->spec, &o, r->pool, r->mem.data, err);
}

static int loader_threads(const train_run *r)
{
    const int most = base_cpu_count();
    return r->args.workers < most ? r->args.workers : most;
}

data_augment run_augment(const train_args *a)
{
    return (data_augment){.mosaic = (float)a->mosaic,
                          .mixup = (float)a->mixup,
                          .flipud = (float)a->flipud,
                          .fliplr = (float)a->fliplr,
                          .bgr = (float)a->bgr,
                          .hsv_h = (float)a->hsv_h,
                          .hsv_s = (float)a->hsv_s,
                          .hsv_v = (float)a->hsv_v,
                          .degrees = (float)a->degrees,
                          .shear = (float)a->shear,
                          .translate = (float)a->translate,
                          .scale = (float)a->scale,
                          .perspective = (float)a->perspective};
}

data_loader_options run_loader_options(const train_run *r, int batch)
{
    const train_args *a = &r->args;
    return (data_loader_options){.imgsz = a->imgsz,
                                 .stride = r->info.max_stride,
                                 .batch = batch,
                                 .n_workers = loader_threads(r),
                                 .seed = (uint64_t)a->seed,
                                 .train = true,
                                 .rect = a->rect,
                                 .augment = run_augment(a),
                                 .cache = (data_cache)a->cache,
                                 .cache_bytes = a->cache_limit};
}

static vg_status make_loader(train_run *r, vg_error *err)
{
    const data_loader_options o = run_loader_options(r, r->args.batch);
    return data_loader_create(&r->loader, r->train_set, &o, r->mem.data, err);
}

/* Of cache_limit; validation gets the rest. */
static size_t training_cache_bytes(const train_run *r, int batch)
{
    const data_loader_options o = run_loader_options(r, batch);
    data_loader_bounds bounds;
    if (r->args.cache_limit == 0 || r->train_set == NULL ||
        data_loader_plan(&bounds, r->train_set, &o, NULL) != VG_OK)
        return 0;
    return bounds.cache_bytes;
}

train_validator_options run_validator_options(const train_run *r, int batch)
{
    const train_args *a = &r->args;
    const size_t cache_bytes = a->cache_limit - training_cache_bytes(r, batch);
    return (train_validator_options){
        .set = r->val_set,
        .net = r->net,
        .imgsz = a->imgsz,
        .stride = r->info.max_stride,
        .batch = 2 * batch,
        .workers = loader_threads(r),
        .rect = true,
        .cache = a->cache_limit > 0 && cache_bytes == 0 ? DATA_CACHE_NONE : (data_cache)a->cache,
        .cache_bytes = cache_bytes,
        .nms = {.conf = (float)a->conf,
                .iou = (float)a->iou,
                .max_det = a->max_det,
                .max_nms = DETECT_NMS_PREDICT.max_nms,
                .multi_label = r->info.nc > 1,
                .agnostic = a->single_cls || a->agnostic_nms},
        .gains = {.box = (float)a->box, .cls = (float)a->cls, .dfl = (float)a->dfl},
        .strides = r->info.strides,
        .n_levels = r->info.n_levels};
}

static vg_status make_validator(train_run *r, vg_error *err)
{
    nn_graph *g = NULL;
    const vg_status st = run_make_graph(r, &g, err);
    if (st != VG_OK)
        return st;
    const train_validator_options o = run_validator_options(r, r->args.batch);
    return train_validator_create(&r->validator, &o, &g, nn_train_pool(r->net), &r->mem, err);
}

/* ---- what learns ---- */

static vg_status make_learning(train_run *r, vg_error *err)
{
    const train_args *a = &r->args;
    r->optimizer_options = (train_optimizer_options){
        .kind = (train_optimizer_kind)a->optimizer,
        .lr0 = a->lr0,
        .momentum = a->momentum,
        .weight_decay = train_scaled_decay(a->weight_decay, a->batch, a->nbs),
        .warmup_bias_lr = a->warmup_bias_lr};
    train_optimizer_choose(&r->optimizer_options, (int64_t)data_set_size(r->train_set), a->batch,
                           a->epochs, r->info.nc);
    r->schedule = (train_schedule){.epochs = a->epochs,
                                   .n_batches = (int64_t)data_loader_n_batches(r->loader),
                                   .batch = a->batch,
                                   .nbs = a->nbs,
                                   .lr0 = r->optimizer_options.lr0,
                                   .lrf = a->lrf,
                                   .cos_lr = a->cos_lr,
                                   .warmup_epochs = a->warmup_epochs,
                                   .warmup_momentum = a->warmup_momentum,
                                   .warmup_bias_lr = r->optimizer_options.warmup_bias_lr,
                                   .momentum = a->momentum,
                                   .optimizer_momentum = r->optimizer_options.momentum};
    vg_status st = train_schedule_check(&r->schedule, err);
    if (st == VG_OK)
        st = train_optimizer_create(&r->state.optimizer, r->params, r->n_params,
                                    &r->optimizer_options, r->mem.model, err);
    if (st == VG_OK)
        st = train_ema_create(&r->state.ema, r->params, r->n_params, r->mem.model, err);
    if (st == VG_OK)
        st = train_ema_open_weights(r->state.ema, &r->average, r->mem.work, err);
    r->state.params = r->params;
    r->state.n_params = r->n_params;
    r->state.position = (train_position){.n_batches = r->schedule.n_batches, .last_step = -1};
    r->state.rng = base_rng_make((uint64_t)a->seed);
    return st;
}

void run_enlarge(const train_run *r, int *h, int *w)
{
    if (!r->args.multi_scale)
        return;
    const int longer = *h > *w ? *h : *w, stride = r->info.max_stride;
    const int most = (r->args.imgsz + r->args.imgsz / 2 + stride - 1) / stride * stride;
    *h = train_resample_side(*h, longer, most, stride);
    *w = train_resample_side(*w, longer, most, stride);
}

detect_loss_bounds run_loss_bounds(const train_run *r, int n, int h, int w, size_t most_labels,
                                   int n_threads)
{
    size_t n_anchors = 0;
    for (int l = 0; l < r->info.n_levels; l++)
        n_anchors += (size_t)(h / (int)r->info.strides[l]) * (size_t)(w / (int)r->info.strides[l]);
    return (detect_loss_bounds){.most_batch = (size_t)n,
                                .most_anchors = n_anchors,
                                .most_labels = most_labels > 0 ? most_labels : 1,
                                .n_threads = (size_t)n_threads};
}

/* The largest batch: activations, loss and multi_scale's copy are taken for it. */
static vg_status reserve(train_run *r, vg_error *err)
{
    int n, h, w;
    data_loader_most_shape(r->loader, &n, &h, &w);
    run_enlarge(r, &h, &w);
    if (r->args.multi_scale) {
        r->resized =
            base_alloc_zero(r->mem.data, (size_t)n * (size_t)h * (size_t)w * 3, sizeof(float), err);
        if (r->resized == NULL)
            return VG_ERR_MEMORY;
    }
    const nn_accounts accounts = {
        .weights = r->mem.model, .activations = r->mem.activations, .plans = r->mem.work};
    vg_status st = nn_train_plan(r->net, n, h, w, &accounts, err);
    if (st != VG_OK)
        return st;
    const detect_loss_bounds bounds = run_loss_bounds(
        r, n, h, w, data_loader_most_labels(r->loader), base_pool_threads(nn_train_pool(r->net)));
    return detect_loss_create(&r->loss, &bounds, r->mem.work, err);
}

/* ---- the folder ---- */

static vg_status make_folder(train_run *r, const char *folder, vg_error *err)
{
    char weights[TRAIN_PATH_BYTES];
    if (!base_format(r->folder, sizeof r->folder, "%s", folder) ||
        !base_path_join(weights, sizeof weights, folder, "weights") ||
        !base_path_join(r->last_path, sizeof r->last_path, weights, "last.safetensors") ||
        !base_path_join(r->best_path, sizeof r->best_path, weights, "best.safetensors"))
        return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path",
                         "a path too long for a run's folder");
    const vg_status st = base_make_dirs(weights, err);
    if (st == VG_OK) {
        train_checkpoint_sweep(r->last_path);
        train_checkpoint_sweep(r->best_path);
    }
    return st;
}

static vg_status open_csv(train_run *r, vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    if (!base_path_join(path, sizeof path, r->folder, "results.csv"))
        return base_fail(err, VG_ERR_LIMIT, r->folder, "use a shorter path",
                         "a path too long for a run's folder");
    return report_csv_open(&r->csv, path, (int)r->state.position.epoch, false, r->mem.work, err);
}

/* ---- together ---- */

/* What the plan is made from. nc: where there is no dataset. */
static vg_status make_ground(train_run *r, int nc, vg_error *err)
{
    const bool has_data = r->args.data[0] != '\0';
    const int n_threads = r->args.threads > 0 ? r->args.threads : base_cpu_count();
    const size_t before = r->mem.work->in_use_bytes;
    vg_status st = base_pool_create(&r->pool, n_threads, r->mem.work, err);
    r->passing_bytes += r->mem.work->in_use_bytes - before;
    if (st == VG_OK && has_data)
        st = read_spec(r, err);
    if (st == VG_OK && has_data)
        nc = r->args.single_cls ? 1 : data_spec_nc(r->spec);
    if (st == VG_OK)
        st = make_graph(r, nc, err);
    if (st == VG_OK)
        st = make_params(r, err);
    return st == VG_OK && has_data ? open_sets(r, err) : st;
}

static vg_status make_all(train_run *r, const train_checkpoint *c, vg_error *err)
{
    if (r->args.data[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "data", "give a dataset's YAML",
                         "no dataset was given");
    vg_status st = make_ground(r, 0, err);
    if (st == VG_OK)
        st = run_plan(r, true, err);
    if (st == VG_OK)
        st = make_net(r, err);
    if (st == VG_OK && c == NULL)
        st = transfer(r, err);
    if (st == VG_OK)
        st = make_loader(r, err);
    if (st == VG_OK)
        st = make_learning(r, err);
    if (st == VG_OK)
        st = reserve(r, err);
    if (st == VG_OK)
        st = make_validator(r, err);
    if (st == VG_OK && c != NULL)
        st = train_checkpoint_read(c, &r->state, err);
    if (st == VG_OK && c != NULL)
        compare_names(r, train_checkpoint_weights(c));
    if (st == VG_OK && r->state.position.n_batches != r->schedule.n_batches)
        st = base_fail(err, VG_ERR_FORMAT, r->args.data,
                       "put the pictures back, or start a new run from its weights",
                       "the run had %lld batches an epoch, and the dataset now makes %lld",
                       (long long)r->state.position.n_batches, (long long)r->schedule.n_batches);
    r->seconds_before = r->state.position.seconds;
    if (st == VG_OK)
        st = run_check_room(r, c != NULL, err);
    return st == VG_OK ? open_csv(r, err) : st;
}

static vg_status begin(train_run **out, const train_accounts *mem, vg_error *err)
{
    const base_mem *const accounts[] = {mem->data, mem->model, mem->activations, mem->work};
    size_t before[TRAIN_OWNER_WORK + 1];
    for (int i = 0; i <= TRAIN_OWNER_WORK; i++)
        before[i] = accounts[i]->in_use_bytes;
    train_run *r = base_alloc_zero(mem->work, 1, sizeof *r, err);
    *out = r;
    if (r == NULL)
        return VG_ERR_MEMORY;
    r->mem = *mem;
    memcpy(r->before_bytes, before, sizeof before);
    return VG_OK;
}

static vg_status open_checkpoint(const train_run *r, train_checkpoint **out, vg_error *err)
{
    const vg_status st = train_checkpoint_open(out, r->last_path, r->mem.work, err);
    return st == VG_ERR_ARGUMENT ? run_refuse_finished(r, err) : st;
}

static vg_status make_run(train_run **out, const train_args *args, const char *folder, bool resume,
                          const train_accounts *mem, vg_error *err)
{
    *out = NULL;
    train_checkpoint *c = NULL;
    train_run *r;
    vg_status st = begin(&r, mem, err);
    if (st != VG_OK)
        return st;
    st = make_folder(r, folder, err);
    const size_t before = mem->work->in_use_bytes;
    if (st == VG_OK && resume)
        st = open_checkpoint(r, &c, err);
    r->passing_bytes = mem->work->in_use_bytes - before;
    if (st == VG_OK) {
        const vg_error *why;
        r->args = resume ? *train_checkpoint_args(c) : *args;
        r->fell_back = resume && train_checkpoint_fell_back(c, &why);
        if (r->fell_back)
            r->why = *why;
        st = make_all(r, c, err);
    }
    train_checkpoint_close(&c);
    if (st != VG_OK) {
        train_run_destroy(&r);
        return st;
    }
    *out = r;
    return VG_OK;
}

vg_status train_plan(vg_plan *out, const train_args *args, int nc, const train_accounts *mem,
                     vg_error *err)
{
    train_run *r;
    vg_status st = begin(&r, mem, err);
    if (st != VG_OK)
        return st;
    r->args = *args;
    st = make_ground(r, nc, err);
    if (st == VG_OK)
        st = run_plan(r, false, err);
    if (st == VG_OK)
        *out = r->need;
    train_run_destroy(&r);
    return st;
}

vg_status train_run_create(train_run **out, const train_args *args, const char *folder,
                           const train_accounts *mem, vg_error *err)
{
    return make_run(out, args, folder, false, mem, err);
}

vg_status train_run_resume(train_run **out, const char *folder, const train_accounts *mem,
                           vg_error *err)
{
    return make_run(out, NULL, folder, true, mem, err);
}

void train_run_destroy(train_run **run)
{
    train_run *r = *run;
    if (r == NULL)
        return;
    report_csv_close(&r->csv);
    train_validator_destroy(&r->validator); /* loaders first: their threads read the sets */
    data_loader_destroy(&r->loader);
    data_set_destroy(&r->val_set);
    data_set_destroy(&r->train_set);
    data_spec_destroy(&r->spec);
    detect_loss_destroy(&r->loss);
    train_optimizer_destroy(&r->state.optimizer);
    weights_close(&r->average);
    train_ema_destroy(&r->state.ema);
    nn_train_destroy(&r->net);
    nn_graph_destroy(&r->graph);
    base_pool_destroy(&r->pool);
    base_free(r->resized);
    base_free(r->params);
    base_free(r->needs_grad);
    base_free(r->names);
    base_free(r->wanted_classes);
    base_free(r->model_yaml);
    base_free(r);
    *run = NULL;
}

train_facts run_facts(const train_run *r)
{
    return (train_facts){.model_yaml = r->model_yaml,
                         .scale = r->info.scale[0] != '\0' ? r->info.scale : NULL,
                         .names = r->names,
                         .n_names = r->info.nc,
                         .strides = r->info.strides,
                         .n_strides = r->info.n_levels};
}

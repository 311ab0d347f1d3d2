/* run_setup.c: everything a run is made of, put together in order: first what little the plan needs
 * (dataset, graph); then the plan, which may say no; then network, optimizer, average, loaders,
 * loss, and on resume what the checkpoint says of them. */
#include "run_parts.h"

#include <math.h>
#include <string.h>

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

int run_scaled_side(int side, int longer_side, int size, int stride)
{
    const double factor = (double)size / longer_side;
    return (int)ceil(side * factor / stride) * stride;
}

void run_enlarge(const train_run *r, int *h, int *w)
{
    if (r->args.multi_scale <= 0)
        return;
    const int longer = *h > *w ? *h : *w, stride = r->info.max_stride;
    const int most = train_rng_size_most(r->args.imgsz, stride, r->args.multi_scale);
    *h = run_scaled_side(*h, longer, most, stride);
    *w = run_scaled_side(*w, longer, most, stride);
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
    if (r->args.multi_scale > 0) {
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
        st = run_read_spec(r, err);
    if (st == VG_OK && has_data)
        nc = r->args.single_cls ? 1 : data_spec_nc(r->spec);
    if (st == VG_OK)
        st = run_open_graph(r, nc, err);
    if (st == VG_OK)
        st = run_make_params(r, err);
    return st == VG_OK && has_data ? run_open_sets(r, err) : st;
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
        st = run_make_net(r, err);
    if (st == VG_OK && c == NULL)
        st = run_transfer(r, err);
    if (st == VG_OK)
        st = run_make_loader(r, err);
    if (st == VG_OK)
        st = make_learning(r, err);
    if (st == VG_OK)
        st = reserve(r, err);
    if (st == VG_OK)
        st = run_make_validator(r, err);
    if (st == VG_OK && c != NULL)
        st = train_checkpoint_read(c, &r->state, err);
    if (st == VG_OK && c != NULL)
        run_compare_names(r, train_checkpoint_weights(c));
    if (st == VG_OK && r->state.position.n_batches != r->schedule.n_batches)
        st = base_fail(err, VG_ERR_FORMAT, r->args.data,
                       "put the pictures back, or start a new run from its weights",
                       "the run had %lld batches an epoch, and the dataset now makes %lld",
                       (long long)r->state.position.n_batches, (long long)r->schedule.n_batches);
    r->seconds_before = r->state.position.seconds;
    /* A run that was interrupted behind its last epoch has only to be finished. */
    r->is_late = c != NULL && r->args.hours > 0 && r->state.position.batch == 0 &&
                 r->seconds_before >= r->args.hours * 3600;
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

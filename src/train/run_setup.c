/* run_setup.c: everything a run is made of, put together in order: first what little the plan needs
 * (dataset, graph); then the plan, which may say no; then network, loaders, optimizer, average,
 * loss, and on resume what the checkpoint says of them. */
#include "agree.h"
#include "saver.h"
#include "task/task.h"

#include <math.h>
#include <string.h>

/* ---- what learns ---- */

void run_begin_state(train_run *r)
{
    r->state.position = (train_position){.n_batches = r->schedule.n_batches, .last_step = -1};
    r->state.best = (train_best){0};
    r->state.rng = base_rng_make((uint64_t)r->args.seed);
}

int run_lr_classes(const train_run *r)
{
    return r->task->lr_classes > 0 ? r->task->lr_classes : r->info.nc;
}

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
                           a->epochs, run_lr_classes(r));
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
    const vg_status st = train_schedule_check(&r->schedule, err);
    run_begin_state(r);
    return st;
}

int run_scaled_side(int side, int longer_side, int size, int stride)
{
    const double factor = (double)size / longer_side;
    return (int)ceil(side * factor / stride) * stride;
}

void run_enlarge(const train_run *r, int *h, int *w)
{
    if (r->args.multi_scale <= 0 || r->info.n_levels == 0) /* a classifier's crops have one size */
        return;
    const int longer = *h > *w ? *h : *w, stride = r->info.max_stride;
    const int most = train_rng_size_most(r->args.imgsz, stride, r->args.multi_scale);
    *h = run_scaled_side(*h, longer, most, stride);
    *w = run_scaled_side(*w, longer, most, stride);
}

static detect_loss_bounds loss_bounds(const train_run *r, int n, int h, int w, size_t most_labels,
                                      int n_threads)
{
    size_t n_anchors = 0;
    for (int l = 0; l < r->info.n_levels; l++)
        n_anchors += (size_t)(h / (int)r->info.strides[l]) * (size_t)(w / (int)r->info.strides[l]);
    return (detect_loss_bounds){.most_batch = (size_t)n,
                                .most_anchors = n_anchors,
                                .most_labels = most_labels > 0 ? most_labels : 1,
                                .n_threads = (size_t)n_threads,
                                .kind = r->task->loss};
}

detect_loss_gains run_gains(const train_args *a)
{
    return (detect_loss_gains){.box = (float)a->box,
                               .cls = (float)a->cls,
                               .dfl = (float)a->dfl,
                               .pose = (float)a->pose,
                               .kobj = (float)a->kobj};
}

/* What a batch's pictures may be, and what learns from them. */
train_engine_learning run_learning(const train_run *r, int n, int h, int w, size_t most_labels,
                                   int n_threads)
{
    return (train_engine_learning){.optimizer = &r->optimizer_options,
                                   .needs_grad = r->needs_grad,
                                   .loss = loss_bounds(r, n, h, w, most_labels, n_threads),
                                   .nc = r->info.nc,
                                   .most_n = n,
                                   .most_h = h,
                                   .most_w = w,
                                   .map_floats = nn_graph_output_floats(
                                       r->graph != NULL ? r->graph : train_run_graph(r), n, h, w),
                                   .gains = run_gains(&r->args),
                                   .pool = r->pool};
}

/* The largest batch: activations, loss and multi_scale's copy are taken for it. */
vg_status run_reserve(train_run *r, vg_error *err)
{
    int n, h, w;
    data_loader_most_shape(r->loader, &n, &h, &w);
    run_enlarge(r, &h, &w);
    if (r->args.multi_scale > 0 && r->resized == NULL) {
        r->resized =
            base_alloc_zero(r->mem.data, (size_t)n * (size_t)h * (size_t)w * 3, sizeof(float), err);
        if (r->resized == NULL)
            return VG_ERR_MEMORY;
    }
    const train_engine_learning learning = run_learning(
        r, n, h, w, data_loader_most_labels(r->loader), base_pool_threads(run_pool(r)));
    vg_status st = train_engine_prepare(&r->engine, &learning, err);
    if (st == VG_OK)
        st = together_open(&r->together, r->mem.ranks, &r->engine, r->args.sync_bn, r->mem.work,
                           err);
    if (st != VG_OK)
        return st;
    r->state.params = r->params;
    r->state.n_params = r->n_params;
    r->state.optimizer = r->engine.optimizer;
    r->state.ema = r->engine.average;
    r->state.engine = &r->engine;
    return train_ema_open_weights(r->engine.average, &r->average, r->mem.work, err);
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
    const vg_status st = run_writes(r) ? base_make_dirs(weights, err) : VG_OK;
    if (st == VG_OK && run_writes(r)) {
        train_checkpoint_sweep(r->last_path);
        train_checkpoint_sweep(r->best_path);
    }
    return st;
}

vg_status run_open_csv(train_run *r, vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    if (!run_writes(r))
        return VG_OK;
    if (!base_path_join(path, sizeof path, r->folder, "results.csv"))
        return base_fail(err, VG_ERR_LIMIT, r->folder, "use a shorter path",
                         "a path too long for a run's folder");
    const report_names names = task_report_names(train_run_task(r));
    return report_csv_open(&r->csv, path, &names, (int)r->state.position.epoch, false, r->mem.work,
                           err);
}

/* ---- all of it ---- */

bool run_writes(const train_run *r)
{
    return ranks_me(r->mem.ranks) == 0;
}

/* Of a machine's processors, those that are not another rank's. */
int run_threads(const train_run *r)
{
    const int share = base_cpu_count() / ranks_neighbours(r->mem.ranks);
    return r->args.threads > 0 ? r->args.threads : share > 1 ? share : 1;
}

/* What only one process can. */
static vg_status check_ranks(const train_run *r, vg_error *err)
{
    const int n = ranks_n(r->mem.ranks);
    if (n == 1)
        return VG_OK;
    if (r->args.batch < n)
        return base_fail(err, VG_ERR_ARGUMENT, "batch",
                         base_mend("give the pictures of all ranks together, %d or more", n),
                         r->args.batch < 0
                             ? "a batch by each machine's memory (%d), which %d ranks "
                               "cannot agree on"
                             : "a batch of %d pictures for %d ranks",
                         r->args.batch, n);
    const char *device = r->args.device;
    if (device[0] != '\0' && strcmp(device, "cpu") != 0 && strcmp(device, "auto") != 0)
        return base_fail(err, VG_ERR_UNSUPPORTED, "device", "device=cpu, or one process alone",
                         "training on %s in %d ranks: gradients are added up on the CPU alone",
                         device, n);
    if (r->args.save_json)
        return base_fail(err, VG_ERR_UNSUPPORTED, "save_json",
                         "leave it out, and call vigil val --save-json when training is over",
                         "detections are not brought together from %d ranks", n);
    return VG_OK;
}

/* What is there and will lie idle: processors that the launcher keeps from a rank, and a GPU. */
static void notice_idle(train_run *r)
{
    char name[RANKS_HOST_BYTES + 32];
    int n, n_online;
    nn_device *device = NULL;
    const ranks *all = r->mem.ranks;
    const int bound = ranks_first_bound(all, &n, &n_online);
    const bool is_auto = r->args.device[0] == '\0' || strcmp(r->args.device, "auto") == 0;
    if (ranks_n(all) == 1 || !run_writes(r))
        return;
    if (bound >= 0)
        base_format(r->ranks_notice, sizeof r->ranks_notice,
                    "%s may run on %d of %d processors: mpirun binds processes unless told "
                    "--bind-to none, srun takes --cpus-per-task",
                    ranks_name(name, sizeof name, all, bound), n, n_online);
    else if (r->mem.gpu_model != NULL && is_auto &&
             nn_device_open(&device, NULL, r->mem.work, NULL) == VG_OK && device != NULL)
        base_format(r->ranks_notice, sizeof r->ranks_notice,
                    "several ranks compute on the CPU: %s (%.100s) is not used; one process alone "
                    "trains on it",
                    nn_device_facts(device)->name, nn_device_facts(device)->title);
    nn_device_close(&device);
}

vg_status run_open_device(train_run *r, const char *name, vg_error *err)
{
    if (r->mem.gpu_model == NULL)
        return VG_OK; /* nobody wants one */
    const vg_status st =
        nn_device_open(&r->device, name[0] != '\0' ? name : NULL, r->mem.work, err);
    if (st == VG_OK && r->args.gpu_memory_limit > 0 && r->mem.gpu_model->parent != NULL)
        r->mem.gpu_model->parent->limit_bytes = r->args.gpu_memory_limit;
    return st;
}

/* Ranks are there for boxes alone. */
static vg_status check_task(const train_run *r, vg_error *err)
{
    if (train_saver_check(r->task, r->args.save_json, err) != VG_OK)
        return VG_ERR_UNSUPPORTED;
    if (r->task->loss != &DETECT_LOSS_BOXES && ranks_n(r->mem.ranks) > 1)
        return base_fail(err, VG_ERR_UNSUPPORTED, "model", "one process alone",
                         "training of %s in %d ranks: losses beside boxes are not added up",
                         r->task->name, ranks_n(r->mem.ranks));
    return VG_OK;
}

/* What the plan is made from. nc: where there is no dataset. */
static vg_status make_ground(train_run *r, int nc, vg_error *err)
{
    const bool has_data = r->args.data[0] != '\0';
    const bool is_alone = ranks_n(r->mem.ranks) == 1;
    vg_status st = check_ranks(r, err);
    if (st != VG_OK)
        return st;
    const size_t before = r->mem.work->in_use_bytes;
    notice_idle(r);
    st = base_pool_create(&r->pool, run_threads(r), r->mem.work, err);
    const size_t pool_bytes = r->mem.work->in_use_bytes - before;
    if (st == VG_OK)
        st = run_open_device(r, is_alone ? r->args.device : "cpu", err);
    r->passing_bytes += r->device == NULL ? pool_bytes : 0; /* run_open_engine */
    if (st == VG_OK && has_data)
        st = run_read_spec(r, err);
    if (st == VG_OK && has_data)
        nc = r->args.single_cls ? 1 : data_spec_nc(r->spec);
    if (st == VG_OK)
        st = run_open_graph(r, nc, err);
    if (st == VG_OK)
        st = check_task(r, err);
    if (st == VG_OK)
        st = run_make_params(r, err);
    return st == VG_OK && has_data ? run_open_sets(r, err) : st;
}

/* c: on rank 0; resumes: on all. */
static vg_status make_parts(train_run *r, const train_checkpoint *c, bool resumes, vg_error *err)
{
    if (r->args.data[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "data", "give a dataset's YAML",
                         "no dataset was given");
    vg_status st = make_ground(r, 0, err);
    if (st == VG_OK)
        st = run_plan(r, true, err);
    if (st == VG_OK)
        st = run_open_engine(r, err);
    if (st == VG_OK && !resumes)
        st = run_transfer(r, err);
    if (st == VG_OK)
        st = run_make_loader(r, err);
    if (st == VG_OK)
        st = make_learning(r, err);
    if (st == VG_OK)
        st = run_reserve(r, err);
    if (st == VG_OK)
        st = run_make_validator(r, err);
    if (st == VG_OK && c != NULL)
        st = train_checkpoint_read(c, &r->state, err);
    r->has_saved = st == VG_OK && c != NULL;
    if (st == VG_OK && c != NULL)
        run_compare_names(r, train_checkpoint_weights(c));
    return st;
}

/* The same on all ranks from here on. */
static vg_status join_ranks(train_run *r, vg_error *err)
{
    if (r->mem.ranks == NULL)
        return VG_OK;
    ranks_bear(r->mem.ranks, r->args.rank_timeout);
    const vg_status st = agree_check(r, err);
    return st == VG_OK ? agree_state(r, err) : st;
}

static vg_status make_all(train_run *r, const train_checkpoint *c, bool resumes, vg_error *err)
{
    vg_status st = ranks_settle(r->mem.ranks, make_parts(r, c, resumes, err), err);
    if (st == VG_OK)
        st = join_ranks(r, err);
    if (st == VG_OK && r->state.position.n_batches != r->schedule.n_batches)
        st = base_fail(err, VG_ERR_FORMAT, r->args.data,
                       "put the pictures back, or start a new run from its weights",
                       "the run had %lld batches an epoch, and the dataset now makes %lld",
                       (long long)r->state.position.n_batches, (long long)r->schedule.n_batches);
    r->seconds_before = r->state.position.seconds;
    /* A run that was interrupted behind its last epoch has only to be finished. */
    r->is_late = resumes && r->args.hours > 0 && r->state.position.batch == 0 &&
                 r->seconds_before >= r->args.hours * 3600;
    if (st == VG_OK && run_writes(r))
        st = run_check_room(r, resumes, err);
    if (st == VG_OK)
        st = run_open_csv(r, err);
    return ranks_settle(r->mem.ranks, st, err);
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

/* given NULL: a new run; else one that is resumed, and what was given of args moves it. */
static vg_status make_run(train_run **out, const train_args *args, const train_args_given *given,
                          const char *folder, const train_accounts *mem, vg_error *err)
{
    *out = NULL;
    train_checkpoint *c = NULL;
    train_run *r;
    const bool resume = given != NULL;
    vg_status st = begin(&r, mem, err);
    if (st != VG_OK)
        return st;
    st = make_folder(r, folder, err);
    const size_t before = mem->work->in_use_bytes;
    if (st == VG_OK && resume && run_writes(r))
        st = open_checkpoint(r, &c, err);
    st = ranks_settle(mem->ranks, st, err);
    r->passing_bytes = mem->work->in_use_bytes - before;
    if (st == VG_OK) {
        const vg_error *why;
        r->args = c != NULL ? *train_checkpoint_args(c) : args != NULL ? *args : (train_args){0};
        r->args.has_imgsz = r->args.has_imgsz || resume;
        if (c != NULL)
            train_args_move(&r->args, args, given);
        r->fell_back = c != NULL && train_checkpoint_fell_back(c, &why);
        if (r->fell_back)
            r->why = *why;
        if (resume)
            st = agree_args(r, err);
        if (st == VG_OK)
            st = make_all(r, c, resume, err);
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
    return make_run(out, args, NULL, folder, mem, err);
}

vg_status train_run_resume_on(train_run **out, const char *folder, const train_args *args,
                              const train_args_given *given, const train_accounts *mem,
                              vg_error *err)
{
    return make_run(out, args, given, folder, mem, err);
}

vg_status train_run_resume(train_run **out, const char *folder, const train_accounts *mem,
                           vg_error *err)
{
    static const train_args_given nothing;
    return train_run_resume_on(out, folder, NULL, &nothing, mem, err);
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
    weights_close(&r->average);
    together_close(&r->together);
    train_engine_close(&r->engine);
    nn_device_close(&r->device);
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

base_pool *run_pool(const train_run *r)
{
    return r->pool != NULL ? r->pool : nn_train_pool(r->engine.net);
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

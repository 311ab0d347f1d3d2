/* need.c: the sum is made of what each part says that it will take. Two parts are made for it and
 * dropped: the descriptions of validation's engine and the average's reader, on accounts of their
 * own, without touching a page of weights.
 *
 * The largest batch is found by bisection. The sum rises with the batch but for two places, where
 * an epoch, or a validation, becomes a single batch and the loader needs one buffer instead of two;
 * so each stretch between them is searched on its own, the upper ones first. */
#include "need.h"

#include <assert.h>
#include <string.h>

#include "run_parts.h"

/* Bounds of what is not exact, with their measurements. */
enum {
    /* Headers, texts and lists while a checkpoint is written: 5 sets of tensors, some 1.3 KiB a
     * parameter altogether (tests/train/test_need.c compares with the account's peak). */
    PASSING_PER_PARAM = 2048,
    PASSING_BYTES = 256 << 10,
    /* Events and texts; with plots a page of 1500 x 1500 pixels and the library that draws it, and
     * two pages of a batch's pictures, up to 4 x 4 of them within 1920 pixels, and the encoder's
     * room for one. */
    REPORT_BYTES = 1 << 20,
    PT_BYTES = 4 << 20,
    PLOT_BYTES = 16 << 20,
    MOSAIC_SIDE_PX = 1920,
    MOSAIC_ROW = 4,
    /* Resident outside every account: measured 26 MiB with JPEG and plots; 15 more with the library
     * that other pictures need (docs/training.md). */
    PROGRAM_BYTES = 30 << 20,
    STILLS_BYTES = 18 << 20,
    THREAD_BYTES = 512 << 10,
    /* A driver's libraries and compiler in this process: PoCL's took 140 MiB. */
    DRIVER_BYTES = 192 << 20,
};
/* Of the machine's available memory or the control groups' limit, when batch is -1 and no limit is
 * given: the Python tool's share. */
static const double SHARE = 0.6;

typedef struct planner {
    train_run *r;
    int n_threads;
    size_t held[TRAIN_OWNER_WORK + 1]; /* already */
    size_t gpu_limit;                  /* of the device's memory; SIZE_MAX: none is known */
    base_mem weights, plans, image;    /* for sizes: nothing stays on them */
    nn_engine *engine;                 /* as validation's; NULL on a device */
    nn_graph *graph;                   /* on a device: as validation's */
    size_t graph_bytes, average_bytes;
} planner;

size_t train_need_of(const vg_plan *need, train_owner owner, bool held_only)
{
    size_t sum = 0;
    for (int i = 0; i < need->n_items; i++)
        if (strcmp(need->items[i].owner, train_owner_name(owner)) == 0 &&
            (need->items[i].is_held || !held_only))
            sum += need->items[i].bytes;
    return sum;
}

static void add(vg_plan *need, train_owner owner, const char *what, size_t bytes)
{
    if (bytes == 0)
        return;
    assert(need->n_items < VG_PLAN_ITEMS);
    const bool is_on_gpu = train_owner_is_on_gpu(owner);
    need->items[need->n_items++] = (vg_plan_item){.owner = train_owner_name(owner),
                                                  .what = what,
                                                  .bytes = bytes,
                                                  .is_held = true,
                                                  .is_on_gpu = is_on_gpu};
    need->gpu_bytes += is_on_gpu ? bytes : 0;
    need->held_bytes += is_on_gpu ? 0 : bytes;
    need->total_bytes += is_on_gpu ? 0 : bytes;
}

static void add_passing(vg_plan *need, train_owner owner, const char *what, size_t bytes)
{
    add(need, owner, what, bytes);
    if (bytes == 0)
        return;
    need->items[need->n_items - 1].is_held = false;
    need->held_bytes -= bytes;
}

/* ---- what does not depend on the batch ---- */

static vg_status planner_open(planner *p, train_run *r, int n_threads, vg_error *err)
{
    *p = (planner){.r = r, .n_threads = n_threads};
    base_mem *const accounts[] = {r->mem.data, r->mem.model, r->mem.activations, r->mem.work};
    for (int i = 0; i <= TRAIN_OWNER_WORK; i++) {
        bool is_counted = false; /* accounts may be one and the same */
        for (int k = 0; k < i; k++)
            is_counted = is_counted || accounts[k] == accounts[i];
        p->held[i] = is_counted ? 0 : accounts[i]->in_use_bytes - r->before_bytes[i];
    }
    /* The pool is the network's then, and a checkpoint to resume from is closed. */
    p->held[TRAIN_OWNER_WORK] -= r->passing_bytes;
    base_mem_init(&p->weights, "sizes", NULL, SIZE_MAX);
    base_mem_init(&p->plans, "sizes", NULL, SIZE_MAX);
    base_mem_init(&p->image, "sizes", NULL, SIZE_MAX);
    nn_graph *g = NULL;
    const size_t before = r->mem.work->in_use_bytes;
    vg_status st = run_make_graph(r, &g, err);
    if (st != VG_OK)
        return st;
    p->graph_bytes = r->mem.work->in_use_bytes - before;
    const nn_accounts mem = {
        .weights = &p->weights, .activations = &p->weights, .plans = &p->plans};
    const nn_engine_options o = {.pool = r->pool};
    p->graph = g;
    if (r->device == NULL) {
        st = nn_engine_create(&p->engine, g, NULL, &o, &mem, err);
        p->graph = st == VG_OK ? NULL : g;
    }
    if (st != VG_OK)
        return st;
    return train_ema_reader_bytes(&p->average_bytes, r->params, r->n_params, &p->image, err);
}

static void planner_close(planner *p)
{
    nn_engine_destroy(&p->engine);
    nn_graph_destroy(&p->graph);
}

/* ---- the sum for a batch ---- */

typedef struct shapes {
    data_loader_options loader;
    data_loader_bounds bounds;
    train_validator_options validator;
    train_validator_need validation;
    nn_memory_need remote; /* of validation's engine on a device */
} shapes;

/* Of validation's engine on a device, for batches up to this one: the block is training's. */
static vg_status find_remote(shapes *s, planner *p, int n, int h, int w, vg_error *err)
{
    const nn_accounts mem = {
        .weights = &p->image, .activations = &p->image, .plans = &p->image, .staging = &p->image};
    const nn_engine_options o = {.device = p->r->device};
    return nn_graph_need(p->graph, &o, n, h, w, &s->remote, &mem, err);
}

/* Without a dataset: batches of squares, and validation's a stride larger (spec 5.5). */
static vg_status find_shapes(shapes *s, planner *p, int batch, vg_error *err)
{
    const train_run *r = p->r;
    const nn_accounts mem = {
        .weights = &p->weights, .activations = &p->weights, .plans = &p->plans};
    *s = (shapes){.loader = run_loader_options(r, batch),
                  .validator = run_validator_options(r, batch)};
    if (r->train_set != NULL) {
        vg_status st = data_loader_plan(&s->bounds, r->train_set, &s->loader, err);
        if (st == VG_OK)
            st = train_validator_plan(&s->validation, &s->validator, p->engine, p->n_threads, &mem,
                                      err);
        const data_loader_bounds *b = &s->validation.bounds;
        return st == VG_OK && r->device != NULL ? find_remote(s, p, b->n, b->h, b->w, err) : st;
    }
    const int stride = r->info.max_stride, side = (r->args.imgsz + stride - 1) / stride * stride;
    s->bounds = (data_loader_bounds){.n = batch, .h = side, .w = side};
    if (r->device != NULL)
        return find_remote(s, p, s->validator.batch, side + stride, side + stride, err);
    return nn_engine_need_lent(p->engine, &s->validation.lent_bytes, s->validator.batch,
                               side + stride, side + stride, &mem, err);
}

static size_t values_bytes(const train_run *r, size_t size, size_t align)
{
    size_t sum = 0;
    for (size_t i = 0; i < r->n_params; i++)
        sum += base_round_up(r->params[i].info->n_elements * size, align);
    return sum;
}

static train_optimizer_options choose_optimizer(const train_run *r, int batch)
{
    train_optimizer_options o = {.kind = (train_optimizer_kind)r->args.optimizer};
    const int64_t n = r->train_set != NULL ? (int64_t)data_set_size(r->train_set) : 0;
    train_optimizer_choose(&o, n, batch, r->args.epochs, run_lr_classes(r));
    return o;
}

/* What learns, where it lies. */
static void add_model(vg_plan *need, const planner *p, const shapes *s, size_t weights_bytes,
                      const train_engine_need *engine, train_optimizer_options o)
{
    static const char *const optimizers[] = {[TRAIN_OPTIMIZER_AUTO] = "optimizer",
                                             [TRAIN_OPTIMIZER_SGD] = "optimizer SGD",
                                             [TRAIN_OPTIMIZER_ADAM] = "optimizer Adam",
                                             [TRAIN_OPTIMIZER_ADAMW] = "optimizer AdamW",
                                             [TRAIN_OPTIMIZER_ADAMAX] = "optimizer Adamax",
                                             [TRAIN_OPTIMIZER_NADAM] = "optimizer NAdam",
                                             [TRAIN_OPTIMIZER_RADAM] = "optimizer RAdam",
                                             [TRAIN_OPTIMIZER_RMSPROP] = "optimizer RMSProp"};
    _Static_assert(sizeof optimizers / sizeof *optimizers == TRAIN_N_OPTIMIZERS,
                   "a name for each optimizer");
    const train_run *r = p->r;
    const bool far = r->device != NULL;
    const size_t values = values_bytes(r, sizeof(float), BASE_MEM_ALIGN);
    const train_owner model = far ? TRAIN_OWNER_GPU_MODEL : TRAIN_OWNER_MODEL;
    o.is_far = far;
    add(need, model, "weights", values);
    add(need, model, "gradients", weights_bytes - values);
    add(need, model, optimizers[o.kind],
        far ? engine->optimizer_bytes : train_optimizer_bytes(r->params, r->n_params, &o));
    add(need, model, "average (EMA)",
        far ? engine->average_bytes : train_ema_bytes(r->params, r->n_params));
    add(need, model, "weights packed for validation",
        far ? s->remote.weights_bytes : p->weights.in_use_bytes);
    if (!far)
        return;
    add(need, TRAIN_OWNER_MODEL, "the optimizer's rules",
        train_optimizer_bytes(r->params, r->n_params, &o));
    add(need, TRAIN_OWNER_MODEL, "average (EMA), as files and validation read it",
        train_ema_bytes(r->params, r->n_params));
}

static void add_data(vg_plan *need, const planner *p, const shapes *s)
{
    const train_run *r = p->r;
    add(need, TRAIN_OWNER_DATA, "labels and names of pictures", p->held[TRAIN_OWNER_DATA]);
    if (r->train_set == NULL)
        return;
    add(need, TRAIN_OWNER_DATA, "batches of training", data_loader_bytes(r->train_set, &s->loader));
    add(need, TRAIN_OWNER_DATA, "a batch of another size (multi_scale)",
        r->args.multi_scale > 0
            ? (size_t)s->bounds.n * (size_t)need->height * (size_t)need->width * 3 * sizeof(float)
            : 0);
    add(need, TRAIN_OWNER_DATA, "batches of validation", s->validation.data_bytes);
    const size_t decoders =
        s->bounds.n_decoders * s->bounds.most_picture_bytes +
        s->validation.bounds.n_decoders * s->validation.bounds.most_picture_bytes;
    add_passing(need, TRAIN_OWNER_DATA, "decoders, when pictures are turned or progressive",
                decoders);
}

static size_t report_bytes(const train_run *r)
{
    if (!r->args.plots)
        return REPORT_BYTES;
    const size_t side = (size_t)(r->args.imgsz + 2 * r->info.max_stride);
    const size_t page = MOSAIC_ROW * side < MOSAIC_SIDE_PX ? MOSAIC_ROW * side : MOSAIC_SIDE_PX;
    return REPORT_BYTES + PLOT_BYTES + 3 * 3 * page * page + 2 * 4 * side * side;
}

/* For save_pt: the largest tensor in 32 bits, beside tables of tensors and what was read of the
 * file. */
static size_t pt_bytes(const train_run *r)
{
    size_t most = 0;
    if (!r->args.save_pt)
        return 0;
    for (size_t i = 0; i < nn_graph_n_params(r->graph); i++) {
        const size_t n = nn_graph_param(r->graph, i)->n_elements;
        most = n > most ? n : most;
    }
    return PT_BYTES + most * sizeof(float);
}

static bool is_jpeg(const data_set *set)
{
    for (size_t i = 0; i < data_set_size(set); i++) {
        const char *suffix = base_path_suffix(data_set_picture(set, i)->path);
        if (!base_equal_nocase(suffix, ".jpg") && !base_equal_nocase(suffix, ".jpeg"))
            return false;
    }
    return true;
}

static void add_bounds(vg_plan *need, const planner *p)
{
    const train_run *r = p->r;
    const size_t n_threads = (size_t)p->n_threads + 2 * (size_t)run_loader_options(r, 1).n_workers;
    add_passing(need, TRAIN_OWNER_WORK, "headers of files while they are written",
                PASSING_BYTES + r->n_params * PASSING_PER_PARAM);
    add_passing(need, TRAIN_OWNER_REPORT, "events and plots, at most", report_bytes(r));
    add_passing(need, TRAIN_OWNER_REPORT, "best.pt and last.pt while they are written, at most",
                pt_bytes(r));
    add_passing(need, TRAIN_OWNER_PROGRAM, "the best weights while they are read",
                values_bytes(r, sizeof(uint16_t), 1));
    if (r->train_set != NULL && !(is_jpeg(r->train_set) && is_jpeg(r->val_set)))
        add_passing(need, TRAIN_OWNER_PROGRAM, "the library for pictures other than JPEG",
                    STILLS_BYTES);
    if (r->device != NULL)
        add_passing(need, TRAIN_OWNER_PROGRAM, "the GPU's driver, about", DRIVER_BYTES);
    add_passing(need, TRAIN_OWNER_PROGRAM, "code, libraries, stacks, at most",
                PROGRAM_BYTES + n_threads * THREAD_BYTES);
}

static void add_activations(vg_plan *need, const planner *p, const shapes *s,
                            const nn_memory_need *net, const train_engine_need *engine)
{
    const bool far = p->r->device != NULL;
    const train_owner owner = far ? TRAIN_OWNER_GPU_ACTIVATIONS : TRAIN_OWNER_ACTIVATIONS;
    const size_t validation = far ? s->remote.activation_bytes : s->validation.lent_bytes;
    const bool backward_is_more = net->activation_bytes >= validation;
    add(need, owner,
        backward_is_more ? "kept for the backward pass" : "of validation, more than of training",
        backward_is_more ? net->activation_bytes : validation);
    add(need, owner, "scratch", net->scratch_bytes);
    if (!far)
        return;
    if (p->r->train_set != NULL)
        add(need, owner, "loss", engine->loss_bytes);
    add(need, TRAIN_OWNER_STAGING, "what is copied to the GPU and back",
        net->staging_bytes + engine->staging_bytes + s->remote.staging_bytes);
}

static vg_status make(vg_plan *need, planner *p, int batch, vg_error *err)
{
    train_run *r = p->r;
    shapes s;
    *need = (vg_plan){.batch = batch};
    vg_status st = find_shapes(&s, p, batch, err);
    if (st != VG_OK)
        return st;
    const int n = s.bounds.n; /* fewer than batch, where there are fewer pictures */
    need->height = s.bounds.h;
    need->width = s.bounds.w;
    run_enlarge(r, &need->height, &need->width);
    nn_memory_need net;
    const nn_accounts mem = {
        .weights = &p->image, .activations = &p->image, .plans = &p->image, .staging = &p->image};
    const nn_train_options o = {
        .threads = p->n_threads, .device = r->device, .half = r->args.amp && r->device != NULL};
    st = nn_graph_train_need(r->graph, &o, n, need->height, need->width, &net, &mem, err);
    if (st != VG_OK)
        return st;
    const train_optimizer_options optimizer = choose_optimizer(r, batch);
    train_engine_learning learning =
        run_learning(r, n, need->height, need->width, s.bounds.most_labels, p->n_threads);
    learning.optimizer = &optimizer;
    train_engine_need engine;
    st = train_engine_table_of(r->device)->need(&engine, r->params, r->n_params, &learning,
                                                &p->image, err);
    if (st != VG_OK)
        return st;
    need->naive_bytes = net.naive_bytes;
    add_data(need, p, &s);
    add_model(need, p, &s, net.weights_bytes, &engine, optimizer);
    add_activations(need, p, &s, &net, &engine);
    add(need, TRAIN_OWNER_WORK, "model, arguments, lists of tensors", p->held[TRAIN_OWNER_WORK]);
    add(need, TRAIN_OWNER_WORK, "plans of training", net.engine_bytes);
    add(need, TRAIN_OWNER_WORK, "model and plans of validation",
        p->graph_bytes + (r->device != NULL ? s.remote.engine_bytes : p->plans.in_use_bytes));
    add(need, TRAIN_OWNER_WORK, "the average's table", p->average_bytes);
    if (r->train_set != NULL) {
        add(need, TRAIN_OWNER_WORK, "loss of training", engine.host_bytes);
        add(need, TRAIN_OWNER_WORK, "loss, suppression and metrics of validation",
            s.validation.work_bytes);
        add(need, TRAIN_OWNER_WORK, "results.csv", report_csv_bytes());
        add(need, TRAIN_OWNER_WORK, "tables of gradients' buckets",
            together_bytes(r->mem.ranks, r->n_params));
    }
    add_bounds(need, p);
    return VG_OK;
}

/* ---- the largest batch ---- */

/* Each item of a device is a piece of its memory. */
static const vg_plan_item *most_piece(const vg_plan *need)
{
    const vg_plan_item *most = NULL;
    for (int i = 0; i < need->n_items; i++)
        if (need->items[i].is_on_gpu && (most == NULL || need->items[i].bytes > most->bytes))
            most = &need->items[i];
    return most;
}

/* Also no piece is larger than the device gives. */
static bool fits_gpu(const planner *p, const vg_plan *need)
{
    const vg_device *d = p->r->device != NULL ? nn_device_facts(p->r->device) : NULL;
    return d == NULL ||
           (need->gpu_bytes <= p->gpu_limit &&
            (d->most_block_bytes == 0 || most_piece(need)->bytes <= d->most_block_bytes));
}

static vg_status fits(bool *out, vg_plan *need, planner *p, int batch, size_t limit, vg_error *err)
{
    const vg_status st = make(need, p, batch, err);
    *out = st == VG_OK && need->total_bytes <= limit && fits_gpu(p, need);
    return st;
}

/* *best stays where no batch of first..last fits. */
static vg_status search(int *best, planner *p, int first, int last, size_t limit, vg_error *err)
{
    vg_plan need;
    bool yes;
    vg_status st = fits(&yes, &need, p, first, limit, err);
    if (st != VG_OK || !yes)
        return st;
    *best = first;
    while (first < last) {
        const int middle = first + (last - first + 1) / 2;
        st = fits(&yes, &need, p, middle, limit, err);
        if (st != VG_OK)
            return st;
        if (yes)
            *best = first = middle;
        else
            last = middle - 1;
    }
    return VG_OK;
}

/* *best 0: none fits. */
static vg_status find_best(int *best, planner *p, size_t limit, vg_error *err)
{
    enum { MOST_PICTURES = 1024 }; /* of one input of a network */
    const train_run *r = p->r;
    int begins[3] = {1, 1, 1}; /* of the stretches, upwards */
    int end = MOST_PICTURES / 2 + 1;
    *best = 0;
    if (r->train_set != NULL) {
        const size_t n_train = data_set_size(r->train_set), n_val = data_set_size(r->val_set);
        /* Validation's batches are twice as large. */
        const size_t most = n_val > MOST_PICTURES ? MOST_PICTURES / 2 : MOST_PICTURES;
        const size_t whole = (n_val + 1) / 2;
        begins[2] = (int)(n_train < most ? n_train : most);
        begins[1] = whole < (size_t)begins[2] ? (int)whole : begins[2];
        end = begins[2] + 1; /* more pictures than there are fill no batch */
    }
    vg_status st = VG_OK;
    for (int k = 2; k >= 0 && *best == 0 && st == VG_OK; k--) {
        if (begins[k] < end)
            st = search(best, p, begins[k], end - 1, limit, err);
        end = begins[k];
    }
    return st;
}

/* "data 1 MB + model 2 MB" of one kind of memory. */
static void format_parts(char *parts, size_t n, const vg_plan *need, bool on_gpu)
{
    char part[32];
    parts[0] = '\0';
    for (int i = 0; i < TRAIN_N_OWNERS; i++) {
        const size_t used = strlen(parts), bytes = train_need_of(need, (train_owner)i, false);
        if (train_owner_is_on_gpu((train_owner)i) != on_gpu ||
            (bytes == 0 && i == TRAIN_OWNER_STAGING))
            continue;
        base_format(parts + used, n - used, "%s%s %s", used > 0 ? " + " : "",
                    train_owner_name((train_owner)i),
                    base_format_bytes(part, sizeof part, (double)bytes));
    }
}

static vg_status fail_limit(planner *p, const vg_plan *need, vg_error *err)
{
    char parts[320], total[32], limit[32];
    int best = 0;
    format_parts(parts, sizeof parts, need, false);
    base_format_bytes(total, sizeof total, (double)need->total_bytes);
    base_format_bytes(limit, sizeof limit, (double)need->limit_bytes);
    const vg_status st = need->batch > 1 ? find_best(&best, p, need->limit_bytes, err) : VG_OK;
    if (st != VG_OK)
        return st;
    return base_fail(err, VG_ERR_LIMIT, "memory_limit",
                     best > 0
                         ? base_mend("batch=%d is the most that fits, or raise the limit", best)
                         : "raise the limit, or take a smaller imgsz or model, or fewer workers: "
                           "not even a batch of 1 fits",
                     "a run with batches of %d needs %s (%s), the limit is %s", need->batch, total,
                     parts, limit);
}

/* Of a device: by its limit, its memory, or its largest piece. */
static vg_status fail_gpu(planner *p, const vg_plan *need, size_t host_limit, vg_error *err)
{
    const vg_device *d = nn_device_facts(p->r->device);
    const size_t given = p->r->args.gpu_memory_limit;
    const bool is_limit = given > 0 && p->gpu_limit == given,
               is_piece = need->gpu_bytes <= p->gpu_limit;
    char parts[320], total[32], limit[32], where[64];
    int best = 0;
    format_parts(parts, sizeof parts, need, true);
    const vg_plan_item *piece = most_piece(need);
    base_format_bytes(total, sizeof total, (double)(is_piece ? piece->bytes : need->gpu_bytes));
    base_format_bytes(limit, sizeof limit, (double)(is_piece ? d->most_block_bytes : p->gpu_limit));
    base_format(where, sizeof where, is_limit && !is_piece ? "gpu_memory_limit" : "device %s",
                d->name);
    const vg_status st = need->batch > 1 ? find_best(&best, p, host_limit, err) : VG_OK;
    if (st != VG_OK)
        return st;
    const char *mend =
        best > 0 ? base_mend("batch=%d is the most that fits%s, or device=cpu", best,
                             is_limit && !is_piece ? ", or raise the limit" : "")
                 : base_mend(
                       "%stake a smaller imgsz or model, or device=cpu: not even a batch of 1 fits",
                       is_limit && !is_piece ? "raise the limit, or " : "");
    if (is_piece)
        return base_fail(err, VG_ERR_LIMIT, where, mend,
                         "a run with batches of %d needs a piece of %s (%s), and the GPU gives %s "
                         "at most in one",
                         need->batch, total, piece->what, limit);
    return base_fail(err, VG_ERR_LIMIT, where, mend,
                     "a run with batches of %d needs %s of the GPU (%s), %s %s", need->batch, total,
                     parts, is_limit ? "the limit is" : "which has free", limit);
}

/* What the device has for us: what is free, or all where its driver does not say. */
static size_t gpu_memory(const nn_device *d)
{
    const size_t all = nn_device_facts(d)->memory_bytes, taken = nn_device_taken_bytes(d);
    if (all == 0)
        return SIZE_MAX;
    return taken < all ? all - taken : 0;
}

/* is_chosen: of a batch that is looked for, which leaves others a share. */
static size_t gpu_limit_of(const train_run *r, bool is_chosen)
{
    const size_t given = r->args.gpu_memory_limit > 0 ? r->args.gpu_memory_limit : SIZE_MAX;
    if (r->device == NULL)
        return SIZE_MAX;
    size_t memory = gpu_memory(r->device);
    const double share = r->args.batch_share > 0 ? r->args.batch_share : SHARE;
    if (is_chosen && memory < SIZE_MAX)
        memory = (size_t)(share * (double)memory);
    return given < memory ? given : memory;
}

static vg_status decide(planner *p, bool is_strict, vg_error *err)
{
    train_run *r = p->r;
    vg_plan *need = &r->need;
    size_t limit = r->args.memory_limit;
    const bool is_chosen = r->args.batch < 0;
    int batch = r->args.batch;
    p->gpu_limit = gpu_limit_of(r, is_chosen);
    if (is_chosen) {
        const double share = r->args.batch_share;
        if (limit == 0)
            limit = (size_t)((share > 0 ? share : SHARE) * (double)base_ram_available_bytes());
        else if (share > 0)
            limit = (size_t)(share * (double)limit);
        if (limit == 0)
            return base_fail(err, VG_ERR_SYSTEM, "batch", "give a memory_limit, or a batch",
                             "this system does not say how much memory is available");
        const vg_status st = find_best(&batch, p, limit, err);
        if (st != VG_OK)
            return st;
    }
    const vg_status st = make(need, p, batch > 0 ? batch : 1, err);
    if (st != VG_OK)
        return st;
    need->limit_bytes = limit;
    need->gpu_limit_bytes = p->gpu_limit < SIZE_MAX ? p->gpu_limit : 0;
    need->is_chosen = is_chosen;
    if (limit > 0 && need->total_bytes > limit && (is_strict || batch < 1))
        return fail_limit(p, need, err);
    if (!fits_gpu(p, need) && (is_strict || batch < 1))
        return fail_gpu(p, need, limit > 0 ? limit : SIZE_MAX, err);
    r->args.batch = need->batch;
    /* From here on it cannot be passed, whatever the plan has missed. */
    base_mem *root = r->mem.work->parent;
    if (is_strict && r->args.memory_limit > 0 && root != NULL)
        root->limit_bytes = r->args.memory_limit - train_need_of(need, TRAIN_OWNER_PROGRAM, false);
    return VG_OK;
}

vg_status run_plan(train_run *r, bool is_strict, vg_error *err)
{
    planner p;
    vg_status st = planner_open(&p, r, base_pool_threads(r->pool), err);
    if (st == VG_OK)
        st = decide(&p, is_strict, err);
    planner_close(&p);
    return st;
}

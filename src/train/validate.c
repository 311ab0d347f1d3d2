/* validate.c: batches through the engine; each picture's detections and objects back to the picture
 * as it is in its file, where they are compared. */
#include "validate.h"

#include <assert.h>
#include <string.h>

#include "image/image.h"
#include "task/task.h"
#include "validate_ranks.h"

struct train_validator {
    train_validator_options options;
    base_pool *pool;
    nn_accounts accounts; /* of the engine */
    base_mem *work;
    nn_engine *engine;
    size_t lent_bytes, engine_bytes; /* of the net's block: the engine's, then the inputs */
    data_loader *loader;
    detect_views *views; /* NULL: it does not augment */
    nn_plan *plan;       /* of the last run, where it does not */
    detect_loss *loss;
    task_judge *judge;
    detect_metrics *metrics;
    validate_ranks shares; /* what ranks bring together */
    float strides[NN_MAX_LEVELS];
};

/* Of suppression: candidates past the best 30000 are dropped (spec 2.3). */
enum { MOST_CANDIDATES = 30000 };

/* What the parts are made for. */
typedef struct bounds {
    data_loader_options loader;
    data_loader_bounds batch;
    detect_loss_bounds loss;
    task_judge_options judge;
    detect_metrics_bounds metrics;
} bounds;

static const task *task_of_options(const train_validator_options *o)
{
    return o->task != NULL ? o->task : &task_detect;
}

/* Pictures that have a class are cut to squares; there is nothing to align. */
static bool is_rect(const train_validator_options *o)
{
    return o->rect && task_judge_has_boxes(task_of_options(o)->judge);
}

static detect_views_shape views_shape(const train_validator_options *o, int n, int h, int w)
{
    return (detect_views_shape){.n = n,
                                .h = h,
                                .w = w,
                                .nc = data_set_nc(o->set),
                                .n_levels = o->n_levels,
                                .strides = o->strides};
}

static vg_status find_bounds(bounds *b, const train_validator_options *o, int n_threads,
                             vg_error *err)
{
    *b = (bounds){.loader = {.share = ranks_me(o->ranks),
                             .n_shares = ranks_n(o->ranks),
                             .imgsz = o->imgsz,
                             .stride = o->stride,
                             .batch = o->batch,
                             .n_workers = o->workers,
                             .rect = is_rect(o),
                             .mask_ratio = o->mask_ratio,
                             .separate_masks = o->separate_masks,
                             .input_is_lent = o->net != NULL && o->device == NULL,
                             .cache = o->cache,
                             .cache_bytes = o->cache_bytes}};
    const vg_status st = data_loader_plan(&b->batch, o->set, &b->loader, err);
    if (st != VG_OK)
        return st;
    const task *t = task_of_options(o);
    const int nc = data_set_nc(o->set);
    size_t n_anchors = 0;
    for (int l = 0; l < o->n_levels; l++)
        n_anchors +=
            (size_t)(b->batch.h / (int)o->strides[l]) * (size_t)(b->batch.w / (int)o->strides[l]);
    const detect_views_shape views = views_shape(o, b->batch.n, b->batch.h, b->batch.w);
    const size_t n_cells = o->augment ? detect_views_anchors(&views) : n_anchors;
    const size_t rows = n_cells * (nc > 1 && o->nms.multi_label ? (size_t)nc : 1);
    const size_t most_truths = b->batch.most_labels > 0 ? b->batch.most_labels : 1;
    const bool has_boxes = task_judge_has_boxes(t->judge);
    b->judge = (task_judge_options){.kind = t->judge,
                                    .nms = o->nms,
                                    .most_rows = rows < MOST_CANDIDATES ? rows : MOST_CANDIDATES,
                                    .most_truths = most_truths,
                                    .nc = nc,
                                    .most_h = b->batch.h,
                                    .most_w = b->batch.w,
                                    .whole_masks = o->whole_masks,
                                    .outlines = o->outlines,
                                    .n_keypoints = o->n_keypoints,
                                    .keypoint_dims = o->keypoint_dims,
                                    .cuts_first = o->ap < DETECT_AP_8_3_168};
    b->loss = (detect_loss_bounds){.most_batch = (size_t)b->batch.n,
                                   .most_anchors = n_anchors > 0 ? n_anchors : 1,
                                   .most_labels = most_truths,
                                   .n_threads = (size_t)n_threads,
                                   .kind = t->loss};
    const size_t max_det = has_boxes ? (size_t)o->nms.max_det : 1;
    b->metrics =
        (detect_metrics_bounds){.nc = nc,
                                .most_detections = has_boxes ? data_set_size(o->set) * max_det : 1,
                                .most_picture_detections = max_det,
                                .most_picture_truths = most_truths,
                                .n_figures = task_judge_figures(t->judge),
                                .has_no_boxes = !has_boxes};
    return VG_OK;
}

vg_status train_validator_plan(train_validator_need *out, const train_validator_options *o,
                               nn_engine *engine, int n_threads, const nn_accounts *mem,
                               vg_error *err)
{
    bounds b;
    vg_status st = find_bounds(&b, o, n_threads, err);
    if (st != VG_OK)
        return st;
    b.loader.input_is_lent = o->device == NULL;
    *out = (train_validator_need){
        .bounds = b.batch,
        .data_bytes = data_loader_bytes(o->set, &b.loader),
        .work_bytes = sizeof(train_validator) + detect_loss_bytes(&b.loss) +
                      task_judge_bytes(&b.judge) + detect_metrics_bytes(&b.metrics) +
                      validate_ranks_bytes(o->ranks, b.batch.n_batches)};
    if (o->device != NULL)
        return VG_OK;
    st = nn_engine_need_lent(engine, &out->lent_bytes, b.batch.n, b.batch.h, b.batch.w, mem, err);
    out->lent_bytes =
        base_round_up(out->lent_bytes, BASE_MEM_ALIGN) + data_loader_input_bytes(o->set, &b.loader);
    return st;
}

/* In the net's block, which becomes large enough now. On a device the pictures are this side's. */
static vg_status borrow_block(train_validator *v, vg_error *err)
{
    void *block = NULL;
    const vg_status st = nn_train_borrow(v->options.net, &block, v->lent_bytes, &v->accounts, err);
    if (st != VG_OK)
        return st;
    if (v->options.device != NULL)
        block = (void *)(uintptr_t)nn_train_gpu_block(v->options.net, NN_TRAIN_BLOCK);
    nn_engine_lend(v->engine, block, v->engine_bytes);
    if (v->options.device == NULL)
        data_loader_lend(v->loader, (float *)(void *)((char *)block + v->engine_bytes));
    return VG_OK;
}

static vg_status make_engine(train_validator *v, const bounds *of, nn_graph **graph, vg_error *err)
{
    const data_loader_bounds *b = &of->batch;
    const nn_engine_options options = {.pool = v->pool,
                                       .isa = v->options.isa,
                                       .device = v->options.device,
                                       .half = v->options.half};
    vg_status st = nn_engine_create(&v->engine, *graph, NULL, &options, &v->accounts, err);
    if (st != VG_OK)
        return st;
    *graph = NULL; /* the engine's now */
    if (v->options.net == NULL) {
        for (int i = 0; i < (v->options.augment ? DETECT_N_VIEWS : 1) && st == VG_OK; i++) {
            const detect_view view = detect_view_of(i, b->h, b->w, v->options.stride);
            st = nn_engine_reserve(v->engine, b->n, view.in_h, view.in_w, &v->accounts, err);
        }
        return st;
    }
    assert(!v->options.augment);
    st = nn_engine_need_lent(v->engine, &v->engine_bytes, b->n, b->h, b->w, &v->accounts, err);
    v->engine_bytes = base_round_up(v->engine_bytes, BASE_MEM_ALIGN);
    v->lent_bytes = v->engine_bytes;
    if (v->options.device == NULL)
        v->lent_bytes += data_loader_input_bytes(v->options.set, &of->loader);
    if (st == VG_OK)
        st = borrow_block(v, err);
    if (st == VG_OK && v->options.device != NULL) /* what is copied goes through staging */
        st = nn_engine_reserve(v->engine, b->n, b->h, b->w, &v->accounts, err);
    return st;
}

static vg_status make_parts(train_validator *v, const bounds *b, const train_accounts *mem,
                            vg_error *err)
{
    const train_validator_options *o = &v->options;
    vg_status st = data_loader_create(&v->loader, o->set, &b->loader, mem->data, err);
    if (st == VG_OK)
        st = detect_loss_create(&v->loss, &b->loss, mem->work, err);
    if (st == VG_OK)
        st = task_judge_create(&v->judge, &b->judge, mem->work, err);
    const float confusion_conf = o->nms.conf == 0.001f ? 0.25f : o->nms.conf;
    if (st == VG_OK)
        st = detect_metrics_create(&v->metrics, &b->metrics, confusion_conf, mem->work, err);
    if (st != VG_OK)
        return st;
    detect_metrics_choose_ap(v->metrics, o->ap);
    st = validate_ranks_open(&v->shares, o->ranks, b->batch.n_batches, mem->work, err);
    if (st != VG_OK)
        return st;
    if (!o->augment)
        return VG_OK;
    const detect_views_shape s = views_shape(o, b->batch.n, b->batch.h, b->batch.w);
    return detect_views_fit(&v->views, &s, mem->work, err);
}

/* What ranks add up is of losses that are computed in shares, and views are of boxes. */
static vg_status check_task(const train_validator_options *o, vg_error *err)
{
    const task *t = task_of_options(o);
    if (o->ranks != NULL && !detect_loss_has_shares(t->loss))
        return base_fail(err, VG_ERR_UNSUPPORTED, "ranks", "train it with one process",
                         "%s is not trained by several processes: its loss is of a whole batch",
                         t->name);
    if (o->augment && !t->has_boxes_alone)
        return base_fail(err, VG_ERR_UNSUPPORTED, "augment", "leave it out",
                         "test-time augmentation puts boxes of several views together, and %s has "
                         "more than upright boxes",
                         t->name);
    return VG_OK;
}

vg_status train_validator_create(train_validator **out, const train_validator_options *o,
                                 nn_graph **graph, base_pool *pool, const train_accounts *mem,
                                 vg_error *err)
{
    *out = NULL;
    train_validator *v = base_alloc_zero(mem->work, 1, sizeof *v, err);
    if (v == NULL) {
        nn_graph_destroy(graph);
        return VG_ERR_MEMORY;
    }
    v->options = *o;
    v->pool = pool;
    v->work = mem->work;
    v->accounts = train_accounts_of_net(mem, o->device);
    memcpy(v->strides, o->strides, (size_t)o->n_levels * sizeof *v->strides);
    v->options.strides = v->strides;
    bounds b;
    vg_status st = check_task(&v->options, err);
    if (st == VG_OK)
        st = find_bounds(&b, &v->options, base_pool_threads(pool), err);
    if (st == VG_OK)
        st = make_parts(v, &b, mem, err);
    if (st == VG_OK)
        st = make_engine(v, &b, graph, err);
    nn_graph_destroy(graph);
    if (st != VG_OK) {
        train_validator_destroy(&v);
        return st;
    }
    *out = v;
    return VG_OK;
}

void train_validator_destroy(train_validator **v)
{
    if (*v == NULL)
        return;
    data_loader_destroy(&(*v)->loader);
    nn_engine_destroy(&(*v)->engine);
    detect_loss_destroy(&(*v)->loss);
    task_judge_destroy(&(*v)->judge);
    detect_views_destroy(&(*v)->views);
    detect_metrics_destroy(&(*v)->metrics);
    validate_ranks_close(&(*v)->shares);
    base_free(*v);
    *v = NULL;
}

/* ---- one batch ---- */

static vg_status add_loss(train_validator *v, train_validation *out, const data_batch *b,
                          const task_seen *seen, vg_error *err)
{
    const nn_map *result = NULL; /* a network has one kind of them */
    for (int k = 0; k < NN_N_RESULTS && result == NULL; k++)
        result = seen->results[k].data != NULL ? &seen->results[k] : NULL;
    detect_batch batch = {.levels = seen->levels,
                          .n_levels = seen->n_levels,
                          .nc = data_set_nc(v->options.set),
                          .batch = b->n,
                          .labels = b->labels,
                          .n_labels = b->n_labels,
                          .extras = {.keypoints = b->keypoints,
                                     .n_keypoints = b->n_keypoints,
                                     .keypoint_dims = v->options.keypoint_dims,
                                     .index_maps = b->index_maps,
                                     .masks = b->masks,
                                     .mask_h = b->mask_h,
                                     .mask_w = b->mask_w},
                          .as_validated = true};
    if (result != NULL)
        batch.result = (detect_result){.data = result->data,
                                       .pitch = result->pitch,
                                       .h = result->h,
                                       .w = result->w,
                                       .channels = result->c};
    detect_loss_value value;
    const vg_status st =
        detect_loss_run(v->loss, &value, NULL, &batch, &v->options.gains, v->pool, err);
    if (st != VG_OK)
        return st;
    for (int k = 0; k < value.n_items; k++)
        out->loss[k] += value.items[k];
    out->n_losses = value.n_items;
    validate_ranks_loss(&v->shares, b->index, &value);
    return VG_OK;
}

/* What the network sees of a batch in a view: the batch itself, or made of it. */
static const float *input_of(train_validator *v, const data_batch *b, const detect_view *view,
                             int index)
{
    if (index == 0)
        return b->input;
    const image_resampling r = {.h = view->h,
                                .w = view->w,
                                .out_h = view->in_h,
                                .out_w = view->in_w,
                                .fill = DETECT_VIEW_FILL,
                                .is_flipped = view->is_mirrored};
    image_resample(detect_views_input(v->views), &r, b->input, b->n, b->h, b->w);
    return detect_views_input(v->views);
}

/* Forward, once or in every view, and the loss of the batch as it is. *levels: (NN_MAX_LEVELS)
 * those of seen. */
static vg_status look(train_validator *v, train_validation *out, task_seen *seen,
                      detect_level *levels, const data_batch *b, vg_error *err)
{
    const bool augments = v->options.augment;
    const detect_views_shape s = views_shape(&v->options, b->n, b->h, b->w);
    vg_status st = augments ? detect_views_fit(&v->views, &s, v->work, err) : VG_OK;
    for (int i = 0; i < (augments ? DETECT_N_VIEWS : 1) && st == VG_OK; i++) {
        const detect_view view = detect_view_of(i, b->h, b->w, v->options.stride);
        st = nn_engine_plan(v->engine, &v->plan, b->n, view.in_h, view.in_w, &v->accounts, err);
        if (st == VG_OK)
            st = nn_engine_run(v->engine, v->plan, input_of(v, b, &view, i), err);
        if (st != VG_OK)
            break;
        *seen = (task_seen){.batch = b,
                            .levels = levels,
                            .n_levels = nn_plan_levels(v->plan, levels),
                            .views = augments ? v->views : NULL};
        for (int k = 0; k < NN_N_RESULTS; k++)
            if (!nn_plan_result(v->plan, (nn_result)k, &seen->results[k]))
                seen->results[k] = (nn_map){0};
        if (i == 0)
            st = add_loss(v, out, b, seen, err);
        if (augments)
            detect_views_add(v->views, i, levels, seen->n_levels);
    }
    return st;
}

static vg_status add_batch(train_validator *v, train_validation *out, const data_batch *b,
                           const train_validate_watch *watch, vg_error *err)
{
    detect_level levels[NN_MAX_LEVELS];
    task_seen seen = {.batch = b};
    vg_status st = b->n > 0 ? look(v, out, &seen, levels, b, err) : VG_OK;
    size_t label = 0;
    for (int i = 0; i < b->n && st == VG_OK; i++) {
        const data_item *item = &b->items[i];
        const size_t first_label = label;
        task_judged judged;
        st = task_judge_picture(v->judge, &judged, v->metrics, &seen, i, &label, err);
        if (st == VG_OK)
            validate_ranks_rows(&v->shares, b->index, judged.n_boxes);
        if (st == VG_OK && watch != NULL && watch->picture != NULL) {
            task_judge_cut(v->judge, item);
            const train_validated p = {.batch = b,
                                       .i = i,
                                       .item = item,
                                       .first_label = first_label,
                                       .boxes = judged.boxes,
                                       .n_boxes = judged.n_boxes,
                                       .truths = judged.truths,
                                       .n_truths = judged.n_truths,
                                       .found = judged.found,
                                       .there = judged.there};
            st = watch->picture(watch->ctx, &p, err);
        }
    }
    return st;
}

/* ---- the split ---- */

static vg_status run_batches(train_validator *v, train_validation *out,
                             const train_validate_watch *watch, vg_error *err)
{
    size_t n_batches = 0;
    vg_status st = data_loader_start(v->loader, 0, 0, err);
    for (; st == VG_OK; n_batches++) {
        const data_batch *b;
        st = data_loader_next(v->loader, &b, err);
        if (st != VG_OK || b == NULL)
            break;
        st = add_batch(v, out, b, watch, err);
        double stops = watch != NULL && watch->wants_stop != NULL && watch->wants_stop(watch->ctx);
        if (st == VG_OK)
            st = ranks_sum(v->options.ranks, &stops, 1, err);
        if (stops > 0) {
            out->stopped = true;
            break;
        }
    }
    for (int k = 0; k < out->n_losses && n_batches > 0; k++)
        out->loss[k] /= (double)n_batches;
    if (st == VG_OK && !out->stopped)
        st = validate_ranks_merge(&v->shares, v->metrics, out->loss, err);
    return st;
}

vg_status train_validate(train_validator *v, train_validation *out, const weights_file *weights,
                         const train_validate_watch *watch, vg_error *err)
{
    *out = (train_validation){0};
    vg_status st = v->options.net != NULL ? borrow_block(v, err) : VG_OK;
    if (st == VG_OK)
        st = nn_engine_load(v->engine, weights, err);
    if (st != VG_OK)
        return st;
    detect_metrics_reset(v->metrics);
    validate_ranks_begin(&v->shares);
    st = run_batches(v, out, watch, err);
    if (st == VG_OK && ranks_me(v->options.ranks) == 0)
        detect_metrics_make_result(v->metrics, &out->metrics);
    return st;
}

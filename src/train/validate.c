/* validate.c: batches through the engine; each picture's detections and objects back to the picture
 * as it is in its file, where they are compared. */
#include "validate.h"

#include <assert.h>
#include <string.h>

#include "image/image.h"
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
    detect_nms *nms;
    detect_metrics *metrics;
    vg_detection *boxes;  /* (max_det) */
    detect_truth *truths; /* (most_truths) */
    size_t most_truths;
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
    size_t most_rows; /* of suppression */
    detect_metrics_bounds metrics;
} bounds;

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
                             .rect = o->rect,
                             .input_is_lent = o->net != NULL && o->device == NULL,
                             .cache = o->cache,
                             .cache_bytes = o->cache_bytes}};
    const vg_status st = data_loader_plan(&b->batch, o->set, &b->loader, err);
    if (st != VG_OK)
        return st;
    const int nc = data_set_nc(o->set);
    size_t n_anchors = 0;
    for (int l = 0; l < o->n_levels; l++)
        n_anchors +=
            (size_t)(b->batch.h / (int)o->strides[l]) * (size_t)(b->batch.w / (int)o->strides[l]);
    const detect_views_shape views = views_shape(o, b->batch.n, b->batch.h, b->batch.w);
    const size_t n_cells = o->augment ? detect_views_anchors(&views) : n_anchors;
    const size_t rows = n_cells * (nc > 1 && o->nms.multi_label ? (size_t)nc : 1);
    b->most_rows = rows < MOST_CANDIDATES ? rows : MOST_CANDIDATES;
    const size_t most_truths = b->batch.most_labels > 0 ? b->batch.most_labels : 1;
    b->loss = (detect_loss_bounds){.most_batch = (size_t)b->batch.n,
                                   .most_anchors = n_anchors,
                                   .most_labels = most_truths,
                                   .n_threads = (size_t)n_threads};
    b->metrics =
        (detect_metrics_bounds){.nc = nc,
                                .most_detections = data_set_size(o->set) * (size_t)o->nms.max_det,
                                .most_picture_detections = (size_t)o->nms.max_det,
                                .most_picture_truths = most_truths};
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
    *out =
        (train_validator_need){.bounds = b.batch,
                               .data_bytes = data_loader_bytes(o->set, &b.loader),
                               .work_bytes = sizeof(train_validator) + detect_loss_bytes(&b.loss) +
                                             detect_nms_bytes(b.most_rows, o->nms.max_det) +
                                             detect_metrics_bytes(&b.metrics) +
                                             validate_ranks_bytes(o->ranks, b.batch.n_batches) +
                                             (size_t)o->nms.max_det * sizeof(vg_detection) +
                                             b.metrics.most_picture_truths * sizeof(detect_truth)};
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
        st = detect_nms_create(&v->nms, b->most_rows, o->nms.max_det, mem->work, err);
    const float confusion_conf = o->nms.conf == 0.001f ? 0.25f : o->nms.conf;
    if (st == VG_OK)
        st = detect_metrics_create(&v->metrics, &b->metrics, confusion_conf, mem->work, err);
    if (st != VG_OK)
        return st;
    detect_metrics_choose_ap(v->metrics, o->ap);
    st = validate_ranks_open(&v->shares, o->ranks, b->batch.n_batches, mem->work, err);
    if (st != VG_OK)
        return st;
    if (o->augment) {
        const detect_views_shape s = views_shape(o, b->batch.n, b->batch.h, b->batch.w);
        st = detect_views_fit(&v->views, &s, mem->work, err);
        if (st != VG_OK)
            return st;
    }
    v->most_truths = b->metrics.most_picture_truths;
    v->boxes = base_alloc_zero(mem->work, (size_t)o->nms.max_det, sizeof *v->boxes, err);
    v->truths = base_alloc_zero(mem->work, v->most_truths, sizeof *v->truths, err);
    return v->boxes != NULL && v->truths != NULL ? VG_OK : VG_ERR_MEMORY;
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
    vg_status st = find_bounds(&b, &v->options, base_pool_threads(pool), err);
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
    detect_nms_destroy(&(*v)->nms);
    detect_views_destroy(&(*v)->views);
    detect_metrics_destroy(&(*v)->metrics);
    validate_ranks_close(&(*v)->shares);
    base_free((*v)->boxes);
    base_free((*v)->truths);
    base_free(*v);
    *v = NULL;
}

/* ---- one batch ---- */

/* Whether boxes are cut at the edges of their picture before they are compared. */
static bool cuts_first(const train_validator *v)
{
    return v->options.ap < DETECT_AP_8_3_168;
}

/* The objects of picture i in pixels of its file; *label moves on behind them. */
static size_t take_truths(train_validator *v, const data_batch *b, int i, size_t *label)
{
    const data_item *item = &b->items[i];
    size_t n = 0;
    for (; *label < b->n_labels && b->labels[*label].picture == i; ++*label) {
        const detect_label *l = &b->labels[*label];
        const float cx = l->xywh_norm[0] * (float)b->w, cy = l->xywh_norm[1] * (float)b->h;
        const float half_w = l->xywh_norm[2] * (float)b->w / 2,
                    half_h = l->xywh_norm[3] * (float)b->h / 2;
        vg_detection box = {
            .x1 = cx - half_w, .y1 = cy - half_h, .x2 = cx + half_w, .y2 = cy + half_h};
        detect_unpad_boxes(&box, 1, item->gain, (float)item->left, (float)item->top);
        if (cuts_first(v))
            detect_cut_boxes(&box, 1, item->h0, item->w0);
        v->truths[n++] =
            (detect_truth){.xyxy = {box.x1, box.y1, box.x2, box.y2}, .class_index = l->class_index};
    }
    return n;
}

static void cut_truths(detect_truth *truths, size_t n, const data_item *item)
{
    for (size_t i = 0; i < n; i++) {
        float *box = truths[i].xyxy;
        vg_detection cut = {.x1 = box[0], .y1 = box[1], .x2 = box[2], .y2 = box[3]};
        detect_cut_boxes(&cut, 1, item->h0, item->w0);
        memcpy(box, (float[]){cut.x1, cut.y1, cut.x2, cut.y2}, sizeof truths->xyxy);
    }
}

static vg_status add_loss(train_validator *v, train_validation *out, const data_batch *b,
                          const detect_level *levels, int n_levels, vg_error *err)
{
    const detect_batch batch = {.levels = levels,
                                .n_levels = n_levels,
                                .nc = data_set_nc(v->options.set),
                                .batch = b->n,
                                .labels = b->labels,
                                .n_labels = b->n_labels};
    detect_loss_value value;
    const vg_status st =
        detect_loss_run(v->loss, &value, NULL, &batch, &v->options.gains, v->pool, err);
    if (st != VG_OK)
        return st;
    for (int k = 0; k < value.n_items; k++)
        out->loss[k] += value.items[k];
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

/* Forward, once or in every view, and the loss of the batch as it is. */
static vg_status look(train_validator *v, train_validation *out, const data_batch *b, vg_error *err)
{
    const bool augments = v->options.augment;
    const detect_views_shape s = views_shape(&v->options, b->n, b->h, b->w);
    vg_status st = augments ? detect_views_fit(&v->views, &s, v->work, err) : VG_OK;
    for (int i = 0; i < (augments ? DETECT_N_VIEWS : 1) && st == VG_OK; i++) {
        const detect_view view = detect_view_of(i, b->h, b->w, v->options.stride);
        detect_level levels[NN_MAX_LEVELS];
        st = nn_engine_plan(v->engine, &v->plan, b->n, view.in_h, view.in_w, &v->accounts, err);
        if (st == VG_OK)
            st = nn_engine_run(v->engine, v->plan, input_of(v, b, &view, i), err);
        if (st != VG_OK)
            break;
        const int n_levels = nn_plan_levels(v->plan, levels);
        if (i == 0)
            st = add_loss(v, out, b, levels, n_levels, err);
        if (augments)
            detect_views_add(v->views, i, levels, n_levels);
    }
    return st;
}

static size_t find_boxes(train_validator *v, int picture)
{
    detect_level levels[NN_MAX_LEVELS];
    if (v->options.augment)
        return detect_views_run(v->views, v->nms, v->boxes, picture, &v->options.nms);
    const int n_levels = nn_plan_levels(v->plan, levels);
    return detect_run(v->nms, v->boxes, NULL, levels, n_levels, data_set_nc(v->options.set),
                      picture, &v->options.nms);
}

static vg_status add_batch(train_validator *v, train_validation *out, const data_batch *b,
                           const train_validate_watch *watch, vg_error *err)
{
    vg_status st = b->n > 0 ? look(v, out, b, err) : VG_OK;
    size_t label = 0;
    for (int i = 0; i < b->n && st == VG_OK; i++) {
        const data_item *item = &b->items[i];
        const size_t n = find_boxes(v, i);
        detect_unpad_boxes(v->boxes, n, item->gain, (float)item->left, (float)item->top);
        if (cuts_first(v))
            detect_cut_boxes(v->boxes, n, item->h0, item->w0);
        const size_t n_truths = take_truths(v, b, i, &label);
        st = detect_metrics_add(v->metrics, v->boxes, n, v->truths, n_truths, err);
        if (st == VG_OK)
            validate_ranks_rows(&v->shares, b->index, n);
        if (st == VG_OK && watch != NULL && watch->picture != NULL) {
            detect_cut_boxes(v->boxes, n, item->h0, item->w0);
            cut_truths(v->truths, n_truths, item);
            const train_validated p = {.batch = b,
                                       .i = i,
                                       .item = item,
                                       .boxes = v->boxes,
                                       .n_boxes = n,
                                       .truths = v->truths,
                                       .n_truths = n_truths};
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
    for (int k = 0; k < 3 && n_batches > 0; k++)
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

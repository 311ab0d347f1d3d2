/* loss.c: the detect loss: memory, labels, the passes over pictures. The arithmetic of one anchor
 * is in terms.c.
 *
 * assign (per picture) finds each anchor's object and weight; the sum of weights over the batch
 * scales everything; terms (per picture) then makes one pass over the maps that adds up the loss
 * and writes the gradient. */
#include "loss.h"

#include <assert.h>

#include "terms.h"

struct detect_loss {
    const detect_loss_kind *kind;
    detect_loss_bounds bounds;
    size_t n_anchors;               /* of the last assign */
    detect_truth *truths;           /* (most_batch, most_labels) */
    size_t *n_truths;               /* (most_batch) */
    int32_t *truth_index;           /* (most_batch, n_anchors) */
    float *weight;                  /* (most_batch, n_anchors) */
    double *weight_sum;             /* (most_batch) */
    terms_sum *sums;                /* (most_batch) */
    detect_assign_scratch *scratch; /* (n_threads) */
};

static const detect_loss_kind *kind_of(const detect_loss_bounds *b)
{
    return b->kind != NULL ? b->kind : &DETECT_LOSS_BOXES;
}

/* Terms that are divided by other numbers than the sum of scores would need those of all shares. */
bool detect_loss_has_shares(const detect_loss_kind *kind)
{
    for (int i = 0; i < kind->n_items; i++)
        if (kind->items[i] > DETECT_TERM_DFL)
            return false;
    return true;
}

/* ---- memory ---- */

typedef struct loss_layout {
    size_t truths, n_truths, truth_index, weight, weight_sum, sums, scratch, scratch_block,
        scratch_bytes, total;
} loss_layout;

/* The end of a part of n * m * size bytes that begins at *total, which moves on. False: overflow.
 */
static bool part(size_t *at, size_t *total, size_t n, size_t m, size_t size)
{
    size_t bytes;
    *at = *total;
    return base_mul_size(&bytes, n, m) && base_mul_size(&bytes, bytes, size) &&
           bytes <= SIZE_MAX / 2 &&
           base_add_size(total, *total, base_round_up(bytes, BASE_MEM_ALIGN));
}

static bool layout_plan(loss_layout *l, const detect_loss_bounds *bounds)
{
    detect_loss_bounds fit = *bounds;
    const detect_loss_bounds *b = &fit;
    if (kind_of(b)->shape == NULL) /* without anchors; the parts have to be somewhere */
        fit.most_anchors = 1;
    /* Beyond these no machine has the memory; anchors are numbered by 31 bits. */
    const size_t most = (size_t)1 << 31;
    if (b->most_batch - 1 >= most || b->most_anchors - 1 >= most ||
        b->most_labels - 1 >= most / DETECT_TOPK || b->n_threads - 1 >= most)
        return false;
    l->total = 0;
    const detect_assign_shape *shape = kind_of(b)->shape;
    l->scratch_bytes =
        shape ? detect_assign_scratch_bytes(shape, b->most_anchors, b->most_labels) : 0;
    size_t head;
    return part(&head, &l->total, 1, 1, sizeof(detect_loss)) &&
           part(&l->truths, &l->total, b->most_batch, b->most_labels, sizeof(detect_truth)) &&
           part(&l->n_truths, &l->total, b->most_batch, 1, sizeof(size_t)) &&
           part(&l->truth_index, &l->total, b->most_batch, b->most_anchors, sizeof(int32_t)) &&
           part(&l->weight, &l->total, b->most_batch, b->most_anchors, sizeof(float)) &&
           part(&l->weight_sum, &l->total, b->most_batch, 1, sizeof(double)) &&
           part(&l->sums, &l->total, b->most_batch, 1, sizeof(terms_sum)) &&
           part(&l->scratch, &l->total, b->n_threads, 1, sizeof(detect_assign_scratch)) &&
           part(&l->scratch_block, &l->total, b->n_threads, 1, l->scratch_bytes);
}

size_t detect_loss_bytes(const detect_loss_bounds *bounds)
{
    loss_layout l;
    return layout_plan(&l, bounds) ? l.total : 0;
}

vg_status detect_loss_create(detect_loss **out, const detect_loss_bounds *bounds, base_mem *mem,
                             vg_error *err)
{
    const detect_loss_bounds *b = bounds;
    loss_layout at;
    *out = NULL;
    if (!layout_plan(&at, b))
        return base_fail(err, VG_ERR_ARGUMENT, "bounds of the loss",
                         "every bound must be at least 1, and their products "
                         "must fit in memory",
                         "batch %zu, %zu anchors, %zu labels a picture, %zu threads", b->most_batch,
                         b->most_anchors, b->most_labels, b->n_threads);
    char *block = base_alloc(mem, at.total, err);
    if (!block)
        return VG_ERR_MEMORY;
    detect_loss *l = (detect_loss *)(void *)block;
    *l = (detect_loss){.kind = kind_of(b), .bounds = *b};
    l->truths = (detect_truth *)(void *)(block + at.truths);
    l->n_truths = (size_t *)(void *)(block + at.n_truths);
    l->truth_index = (int32_t *)(void *)(block + at.truth_index);
    l->weight = (float *)(void *)(block + at.weight);
    l->weight_sum = (double *)(void *)(block + at.weight_sum);
    l->sums = (terms_sum *)(void *)(block + at.sums);
    l->scratch = (detect_assign_scratch *)(void *)(block + at.scratch);
    for (size_t i = 0; i < b->n_threads && l->kind->shape != NULL; i++)
        l->scratch[i] = detect_assign_scratch_make(l->kind->shape,
                                                   block + at.scratch_block + i * at.scratch_bytes,
                                                   b->most_anchors, b->most_labels);
    *out = l;
    return VG_OK;
}

void detect_loss_destroy(detect_loss **l)
{
    base_free(*l);
    *l = NULL;
}

/* ---- labels ---- */

vg_status detect_label_check(const detect_batch *b, size_t i, vg_error *err)
{
    const detect_label *label = &b->labels[i];
    if (label->picture < 0 || label->picture >= b->batch)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("label %zu", i),
                         "number pictures within the batch", "picture %d in a batch of %d",
                         label->picture, b->batch);
    if (label->class_index < 0 || label->class_index >= b->nc)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("label %zu", i), "number classes from 0",
                         "class %d in a model of %d classes", label->class_index, b->nc);
    return VG_OK;
}

detect_truth detect_label_truth(const detect_batch *b, size_t i)
{
    float w_px = 0, h_px = 0;
    if (b->n_levels > 0) {
        w_px = (float)b->levels[0].w * b->levels[0].stride;
        h_px = (float)b->levels[0].h * b->levels[0].stride;
    }
    const float *n = b->labels[i].xywh_norm;
    float x = n[0] * w_px, y = n[1] * h_px, w = n[2] * w_px, h = n[3] * h_px;
    return (detect_truth){.xyxy = {x - w / 2, y - h / 2, x + w / 2, y + h / 2},
                          .class_index = b->labels[i].class_index,
                          .label = (uint32_t)i};
}

vg_status detect_labels_too_many(int picture, size_t most_labels, vg_error *err)
{
    return base_fail(err, VG_ERR_LIMIT, base_where("picture %d of the batch", picture),
                     "raise most_labels", "more than %zu labels", most_labels);
}

static vg_status sort_labels(detect_loss *l, const detect_batch *b, vg_error *err)
{
    memset(l->n_truths, 0, (size_t)b->batch * sizeof *l->n_truths);
    for (size_t i = 0; i < b->n_labels; i++) {
        const vg_status st = detect_label_check(b, i, err);
        if (st != VG_OK)
            return st;
        const int picture = b->labels[i].picture;
        size_t *n = &l->n_truths[picture];
        if (*n == l->bounds.most_labels)
            return detect_labels_too_many(picture, l->bounds.most_labels, err);
        detect_truth *t = &l->truths[(size_t)picture * l->bounds.most_labels + *n];
        *n += l->kind->truth(t, b, i);
    }
    return VG_OK;
}

/* ---- passes ---- */

typedef struct loss_pass {
    detect_loss *l;
    terms_job job;
} loss_pass;

static void pass_run(base_pool *pool, size_t n_pictures, base_pool_fn fn, loss_pass *pass)
{
    if (pool) {
        assert((size_t)base_pool_threads(pool) <= pass->l->bounds.n_threads);
        base_pool_run(pool, n_pictures, 1, fn, pass);
    } else {
        fn(pass, 0, n_pictures, 0);
    }
}

static void assign_pictures(void *ctx, size_t begin, size_t end, int worker)
{
    loss_pass *pass = ctx;
    detect_loss *l = pass->l;
    const detect_batch *b = pass->job.batch;
    for (size_t i = begin; i < end; i++)
        l->weight_sum[i] = detect_assign(l->kind->shape, l->truth_index + i * l->n_anchors,
                                         l->weight + i * l->n_anchors, b->levels, b->n_levels,
                                         (int)i, l->truths + i * l->bounds.most_labels,
                                         l->n_truths[i], &l->scratch[worker]);
}

vg_status detect_loss_assign(detect_loss *l, const detect_batch *batch, base_pool *pool,
                             vg_error *err)
{
    size_t n_anchors = detect_n_anchors(batch->levels, batch->n_levels);
    if (batch->batch < 0 || (size_t)batch->batch > l->bounds.most_batch ||
        n_anchors > l->bounds.most_anchors)
        return base_fail(err, VG_ERR_LIMIT, "the batch given to the loss",
                         "make the loss for larger bounds",
                         "%d pictures of %zu anchors where %zu of %zu were planned", batch->batch,
                         n_anchors, l->bounds.most_batch, l->bounds.most_anchors);
    vg_status st = l->kind->check != NULL ? l->kind->check(batch, err) : VG_OK;
    if (st == VG_OK)
        st = sort_labels(l, batch, err);
    if (st != VG_OK)
        return st;
    l->n_anchors = n_anchors;
    loss_pass pass = {.l = l, .job.batch = batch};
    if (l->kind->shape != NULL)
        pass_run(pool, (size_t)batch->batch, assign_pictures, &pass);
    else
        memset(l->weight_sum, 0, (size_t)batch->batch * sizeof *l->weight_sum);
    return VG_OK;
}

detect_targets detect_loss_targets(const detect_loss *l, int picture)
{
    size_t i = (size_t)picture;
    return (detect_targets){l->truths + i * l->bounds.most_labels, l->n_truths[i],
                            l->truth_index + i * l->n_anchors, l->weight + i * l->n_anchors};
}

static void sum_pictures(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    loss_pass *pass = ctx;
    for (size_t i = begin; i < end; i++) {
        const detect_targets targets = detect_loss_targets(pass->l, (int)i);
        pass->l->sums[i] = terms_picture(&pass->job, (int)i, &targets);
    }
}

double detect_loss_scores(const detect_loss *l, int n_pictures)
{
    double sum = 0;
    for (int i = 0; i < n_pictures; i++)
        sum += l->weight_sum[i];
    return sum;
}

static size_t count_foreground(const detect_loss *l, int n_pictures)
{
    size_t n = 0;
    for (size_t i = 0; i < (size_t)n_pictures * l->n_anchors; i++)
        n += l->truth_index[i] >= 0;
    return n;
}

/* What a term's sum over the batch is divided by. */
static double divisor_of(detect_term term, const detect_batch *b, double scores,
                         double n_foreground, int n_pictures)
{
    const double n = n_foreground > 1 ? n_foreground : 1;
    switch (term) {
    case DETECT_TERM_SEG:
        return n;
    case DETECT_TERM_POSE:
    case DETECT_TERM_KOBJ:
        return n * (b->extras.n_keypoints > 0 ? b->extras.n_keypoints : 1);
    case DETECT_TERM_ENTROPY:
        return n_pictures > 0 ? n_pictures : 1;
    default:
        return scores > 1 ? scores : 1;
    }
}

static double gain_of(detect_term term, const detect_loss_gains *g)
{
    const double gains[DETECT_N_TERMS] = {
        [DETECT_TERM_BOX] = g->box, [DETECT_TERM_CLS] = g->cls,   [DETECT_TERM_DFL] = g->dfl,
        [DETECT_TERM_SEG] = g->box, [DETECT_TERM_POSE] = g->pose, [DETECT_TERM_KOBJ] = g->kobj,
        [DETECT_TERM_ENTROPY] = 1};
    return gains[term];
}

void detect_loss_terms(detect_loss *l, detect_loss_value *out, const detect_gradient *gradients,
                       const detect_batch *batch, const detect_loss_gains *gains, base_pool *pool)
{
    const detect_loss_kind *kind = l->kind;
    const bool is_share = batch->n_all > 0;
    assert(!is_share || detect_loss_has_shares(kind));
    const int n_pictures = is_share ? batch->n_all : batch->batch;
    *out = (detect_loss_value){.n_items = kind->n_items,
                               .scores_sum = is_share ? batch->all_scores
                                                      : detect_loss_scores(l, batch->batch)};
    const double n_foreground = kind->shape != NULL ? (double)count_foreground(l, batch->batch) : 0;
    double divisor[DETECT_MOST_ITEMS];
    loss_pass pass = {.l = l, .job = {.kind = kind, .batch = batch, .gradients = gradients}};
    for (int k = 0; k < kind->n_items; k++) {
        const detect_term term = kind->items[k];
        divisor[k] = divisor_of(term, batch, out->scores_sum, n_foreground, n_pictures);
        pass.job.scale[term] =
            gain_of(term, gains) * (kind->is_mean ? 1 / divisor[k] : n_pictures / divisor[k]);
    }
    pass_run(pool, (size_t)batch->batch, sum_pictures, &pass);

    for (int i = 0; i < batch->batch; i++) {
        for (int k = 0; k < kind->n_items; k++)
            out->items[k] +=
                l->sums[i].term[kind->items[k]] * gain_of(kind->items[k], gains) / divisor[k];
        out->n_foreground += l->sums[i].n_foreground;
    }
    /* The reference steps on the sum over the batch, not its mean: spec 9, trap 1. */
    for (int k = 0; k < kind->n_items; k++)
        out->total += out->items[k];
    if (!kind->is_mean)
        out->total *= n_pictures;
}

vg_status detect_loss_run(detect_loss *l, detect_loss_value *out, const detect_gradient *gradients,
                          const detect_batch *batch, const detect_loss_gains *gains,
                          base_pool *pool, vg_error *err)
{
    vg_status st = detect_loss_assign(l, batch, pool, err);
    if (st != VG_OK)
        return st;
    detect_loss_terms(l, out, gradients, batch, gains, pool);
    return VG_OK;
}

/* loss.c: labels by picture, and the order of the launches. What is computed stands in
 * nn/gpu/kernels/loss_assign.cl and loss_terms.cl. */
#include "loss.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

_Static_assert(GPU_TOPK == DETECT_TOPK && GPU_LOSS_LEVELS >= DETECT_MAX_LEVELS &&
                   GPU_BINS == DETECT_REG_MAX && GPU_BOX_CHANNELS == DETECT_BOX_CHANNELS,
               "the kernels' numbers are the loss's");

enum { SUM_BYTES = 8, MOST_GROUPS_Y = 65535, RESULTS_BYTES = GPU_N_RESULTS * 2 * sizeof(float) };

/* Bytes into the device's memory; what goes up is its beginning, as it lies in staging. */
typedef struct loss_layout {
    size_t first, truths, boxes, top, index, weight, truth_sums, class_sums, box_sums, divisor,
        results, bytes;
    size_t down, staging_bytes; /* of staging: where the numbers come down */
} loss_layout;

struct gpu_loss {
    const nn_device *device;
    detect_loss_bounds bounds;
    int nc;
    loss_layout at;
    gpu_memory own, staging;
    int batch, n_anchors; /* of the last run */
};

static size_t groups_of(size_t n, size_t each)
{
    return (n + each - 1) / each;
}

static bool lay_out(loss_layout *l, const detect_loss_bounds *b, int nc)
{
    size_t anchors, truths, logits, end = 0;
    if (b->most_batch < 1 || b->most_anchors < 1 || b->most_labels < 1 || nc < 1 ||
        b->most_batch > MOST_GROUPS_Y || !base_mul_size(&anchors, b->most_batch, b->most_anchors) ||
        !base_mul_size(&truths, b->most_batch, b->most_labels) || anchors > INT_MAX / 4 ||
        truths > INT_MAX / GPU_TOPK || !base_mul_size(&logits, anchors, (size_t)nc))
        return false;
    *l = (loss_layout){0};
    const bool fits =
        gpu_part(&l->first, &end, b->most_batch + 1, sizeof(int32_t)) &&
        gpu_part(&l->truths, &end, truths, sizeof(gpu_truth)) &&
        gpu_part(&l->boxes, &end, anchors, 4 * sizeof(float)) &&
        gpu_part(&l->top, &end, truths, GPU_TOPK * sizeof(int32_t)) &&
        gpu_part(&l->index, &end, anchors, sizeof(int32_t)) &&
        gpu_part(&l->weight, &end, anchors, sizeof(float)) &&
        gpu_part(&l->truth_sums, &end, 2 * truths, SUM_BYTES) &&
        gpu_part(&l->class_sums, &end, groups_of(logits, (size_t)GPU_ITEMS * GPU_CLASS_EACH),
                 SUM_BYTES) &&
        gpu_part(&l->box_sums, &end, 2 * groups_of(anchors, GPU_BOX_ANCHORS), SUM_BYTES) &&
        gpu_part(&l->divisor, &end, 1, SUM_BYTES) && gpu_part(&l->results, &end, RESULTS_BYTES, 1);
    l->bytes = end;
    l->down = l->boxes;
    l->staging_bytes = l->down + RESULTS_BYTES;
    return fits && groups_of(logits, (size_t)GPU_ITEMS * GPU_CLASS_EACH) <= INT_MAX / 2;
}

bool gpu_loss_bytes(size_t *device_bytes, size_t *staging_bytes, const detect_loss_bounds *bounds,
                    int nc)
{
    loss_layout l;
    *device_bytes = *staging_bytes = 0;
    if (!lay_out(&l, bounds, nc))
        return false;
    *device_bytes = l.bytes;
    *staging_bytes = l.staging_bytes;
    return true;
}

size_t gpu_loss_host_bytes(void)
{
    return sizeof(gpu_loss);
}

vg_status gpu_loss_create(gpu_loss **out, const nn_device *d, const detect_loss_bounds *b, int nc,
                          base_mem *on_device, base_mem *staging, base_mem *mem, vg_error *err)
{
    loss_layout at;
    *out = NULL;
    if (!lay_out(&at, b, nc))
        return base_fail(err, VG_ERR_ARGUMENT, "bounds of the loss",
                         "take a smaller batch or imgsz, or --device cpu",
                         "batch %zu, %zu anchors, %zu labels a picture, %d classes: more than the "
                         "device's kernels count, or none",
                         b->most_batch, b->most_anchors, b->most_labels, nc);
    gpu_loss *l = base_alloc_zero(mem, 1, sizeof *l, err);
    if (l == NULL)
        return VG_ERR_MEMORY;
    *l = (gpu_loss){.device = d, .bounds = *b, .nc = nc, .at = at};
    vg_status st = d->host->program(d->driver, GPU_LEARN, mem, err);
    if (st == VG_OK)
        st = gpu_memory_take(&l->own, d, at.bytes, on_device, err);
    if (st == VG_OK)
        st = gpu_memory_take_staging(&l->staging, d, at.staging_bytes, staging, err);
    *out = l;
    if (st != VG_OK)
        gpu_loss_destroy(out);
    return st;
}

void gpu_loss_destroy(gpu_loss **l)
{
    if (*l != NULL) {
        const nn_device *d = (*l)->device;
        d->host->finish(d->driver, NULL); /* after a failure, work may be under way */
        gpu_memory_give(&(*l)->own, d);
        gpu_memory_give(&(*l)->staging, d);
        base_free(*l);
    }
    *l = NULL;
}

/* ---- labels ---- */

static int32_t *first_of(const gpu_loss *l)
{
    return (int32_t *)(void *)((char *)l->staging.host + l->at.first);
}

/* Objects by picture, those of a picture in the labels' order, one behind the other: a count, the
 * places, and the objects; then the places are moved back to where a picture begins. */
static vg_status lay_labels(const gpu_loss *l, const detect_batch *b, vg_error *err)
{
    int32_t *first = first_of(l);
    gpu_truth *truths = (gpu_truth *)(void *)((char *)l->staging.host + l->at.truths);
    memset(first, 0, ((size_t)b->batch + 1) * sizeof *first);
    for (size_t i = 0; i < b->n_labels; i++) {
        const vg_status st = detect_label_check(b, i, err);
        if (st != VG_OK)
            return st;
        const int picture = b->labels[i].picture;
        if ((size_t)first[picture + 1] == l->bounds.most_labels)
            return detect_labels_too_many(picture, l->bounds.most_labels, err);
        first[picture + 1]++;
    }
    for (int i = 0; i < b->batch; i++)
        first[i + 1] += first[i];
    for (size_t i = 0; i < b->n_labels; i++) {
        const detect_truth t = detect_label_truth(b, i);
        const int picture = b->labels[i].picture;
        gpu_truth *to = &truths[first[picture]++];
        memcpy(to->xyxy, t.xyxy, sizeof to->xyxy);
        to->class_index = t.class_index;
        to->picture = picture;
    }
    memmove(first + 1, first, (size_t)b->batch * sizeof *first);
    first[0] = 0;
    return VG_OK;
}

/* ---- the launches ---- */

static vg_status check_batch(const gpu_loss *l, const detect_batch *b, size_t n_anchors,
                             vg_error *err)
{
    if (b->batch >= 1 && (size_t)b->batch <= l->bounds.most_batch && b->nc == l->nc &&
        n_anchors >= 1 && n_anchors <= l->bounds.most_anchors)
        return VG_OK;
    return base_fail(
        err, VG_ERR_LIMIT, "the batch given to the loss", "make the loss for larger bounds",
        "%d pictures of %zu anchors and %d classes where %zu of %zu and %d were "
        "planned",
        b->batch, n_anchors, b->nc, l->bounds.most_batch, l->bounds.most_anchors, l->nc);
}

static void fill_args(gpu_loss_args *a, const gpu_loss *l, const gpu_loss_maps *maps,
                      const detect_batch *b, const detect_loss_gains *gains, float scale)
{
    const size_t anchors = (size_t)b->batch * (size_t)l->n_anchors;
    *a = (gpu_loss_args){.first_at = l->at.first,
                         .truths_at = l->at.truths,
                         .boxes_at = l->at.boxes,
                         .top_at = l->at.top,
                         .index_at = l->at.index,
                         .weight_at = l->at.weight,
                         .truth_sums_at = l->at.truth_sums,
                         .class_sums_at = l->at.class_sums,
                         .box_sums_at = l->at.box_sums,
                         .divisor_at = l->at.divisor,
                         .results_at = l->at.results,
                         .n_levels = b->n_levels,
                         .nc = b->nc,
                         .batch = b->batch,
                         .n_anchors = l->n_anchors,
                         .n_truths = (int)b->n_labels,
                         .n_class_groups = (int)groups_of(anchors * (size_t)b->nc,
                                                          (size_t)GPU_ITEMS * GPU_CLASS_EACH),
                         .n_box_groups = (int)groups_of(anchors, GPU_BOX_ANCHORS),
                         .gain_box = gains->box,
                         .gain_cls = gains->cls,
                         .gain_dfl = gains->dfl,
                         .scale = scale};
    int first = 0;
    for (int i = 0; i < GPU_LOSS_LEVELS; i++) {
        gpu_loss_level *to = &a->level[i];
        if (i >= b->n_levels) {
            to->first = INT_MAX;
            continue;
        }
        *to = maps->level[i];
        to->first = first;
        to->h = b->levels[i].h;
        to->w = b->levels[i].w;
        to->stride = b->levels[i].stride;
        first += to->h * to->w;
    }
}

vg_status gpu_loss_run(gpu_loss *l, const gpu_loss_maps *maps, const detect_batch *b,
                       const detect_loss_gains *gains, float scale, vg_error *err)
{
    const gpu_host *host = l->device->host;
    void *driver = l->device->driver;
    gpu_loss_args args;
    const size_t n_anchors = detect_n_anchors(b->levels, b->n_levels);
    vg_status st = check_batch(l, b, n_anchors, err);
    if (st == VG_OK)
        st = lay_labels(l, b, err);
    if (st != VG_OK)
        return st;
    l->batch = b->batch;
    l->n_anchors = (int)n_anchors;
    fill_args(&args, l, maps, b, gains, scale);
    const unsigned by_anchor = (unsigned)groups_of(n_anchors, GPU_ITEMS);
    const unsigned n_truths = (unsigned)b->n_labels, n_pictures = (unsigned)b->batch;
    const struct {
        gpu_kernel kernel;
        unsigned groups[2];
    } passes[] = {{GPU_loss_decode, {n_truths > 0 ? by_anchor : 0, n_pictures}},
                  {GPU_loss_top, {n_truths, 1}},
                  {GPU_loss_settle, {by_anchor, n_pictures}},
                  {GPU_loss_weigh, {n_truths, 1}},
                  {GPU_loss_divide, {1, 1}},
                  {GPU_loss_class, {(unsigned)args.n_class_groups, 1}},
                  {GPU_loss_box, {(unsigned)args.n_box_groups, 1}},
                  {GPU_loss_sum, {1, 1}}};
    st = host->upload(driver, &l->own.block, 0, l->staging.host,
                      l->at.truths + b->n_labels * sizeof(gpu_truth), err);
    for (size_t i = 0; i < sizeof passes / sizeof *passes && st == VG_OK; i++) {
        const gpu_launch launch = {.kernel = passes[i].kernel,
                                   .groups = {passes[i].groups[0], passes[i].groups[1], 1},
                                   .items = GPU_ITEMS,
                                   .n_buffers = 3,
                                   .buffers = {maps->maps, maps->d_maps, &l->own.block},
                                   .args = &args,
                                   .args_bytes = sizeof args};
        if (launch.groups[0] > 0)
            st = host->launch(driver, &launch, err);
    }
    if (st == VG_OK)
        st = host->download(driver, (char *)l->staging.host + l->at.down, &l->own.block,
                            l->at.results, RESULTS_BYTES, err);
    return st;
}

detect_loss_value gpu_loss_value(const gpu_loss *l)
{
    const float *r = (const float *)(const void *)((const char *)l->staging.host + l->at.down);
    detect_loss_value v = {.items = {gpu_result(r, GPU_RESULT_BOX), gpu_result(r, GPU_RESULT_CLS),
                                     gpu_result(r, GPU_RESULT_DFL)},
                           .n_items = 3,
                           .scores_sum = gpu_result(r, GPU_RESULT_SCORES),
                           .n_foreground = (size_t)gpu_result(r, GPU_RESULT_FOREGROUND)};
    v.total = (v.items[0] + v.items[1] + v.items[2]) * l->batch;
    return v;
}

vg_status gpu_loss_targets(gpu_loss *l, int32_t *truth_index, float *weight, vg_error *err)
{
    const gpu_host *host = l->device->host;
    const size_t n = (size_t)l->batch * (size_t)l->n_anchors;
    vg_status st = host->download(l->device->driver, truth_index, &l->own.block, l->at.index,
                                  n * sizeof *truth_index, err);
    if (st == VG_OK)
        st = host->download(l->device->driver, weight, &l->own.block, l->at.weight,
                            n * sizeof *weight, err);
    if (st == VG_OK)
        st = host->finish(l->device->driver, err);
    for (size_t i = 0; i < n && st == VG_OK; i++)
        if (truth_index[i] >= 0)
            truth_index[i] -= first_of(l)[i / (size_t)l->n_anchors];
    return st;
}

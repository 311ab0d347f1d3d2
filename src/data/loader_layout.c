/* loader_layout.c: options checked, defaults filled in, sizes summed, before anything is taken. */
#include "loader_layout.h"

#include "batch.h"
#include "kind.h"

enum {
    MOST_BATCH = 65536,
    MOST_WORKERS = 256,
    MOST_BUFFERS = 1024,
    MOST_IMGSZ = 16384,
    DEFAULT_STRIDE = 32,
    DEFAULT_BUFFERS = 2,
    DEFAULT_RECENT_BYTES = 256 << 20
};

static vg_status bad(const char *field, const char *mend, vg_error *err, const char *what)
{
    return base_fail(err, VG_ERR_ARGUMENT, field, mend, "%s", what);
}

static bool is_part(float v)
{
    return v >= 0 && v <= 1;
}

vg_status loader_check_augment(const data_augment *a, vg_error *err)
{
    if (!is_part(a->mosaic) || !is_part(a->mixup) || !is_part(a->flipud) || !is_part(a->fliplr) ||
        !is_part(a->bgr) || !is_part(a->hsv_h) || !is_part(a->hsv_s) || !is_part(a->hsv_v) ||
        !is_part(a->translate) || !is_part(a->copy_paste) || !is_part(a->erasing))
        return bad(
            "augmentation",
            "see mosaic, mixup, copy_paste, erasing, flipud, fliplr, bgr, hsv_* and translate", err,
            "a probability, gain or part that is not in 0..1");
    if (!(a->scale >= 0 && a->scale < 1) || !(a->degrees >= 0 && a->degrees <= 180) ||
        !(a->shear >= 0 && a->shear < 90) || !(a->perspective >= 0 && a->perspective <= 0.1f))
        return bad("augmentation",
                   "give scale in [0, 1), degrees in [0, 180], shear in [0, 90), perspective in "
                   "[0, 0.1]",
                   err, "scale, degrees, shear or perspective out of range");
    if ((a->auto_augment != DATA_AUTO_NONE && a->auto_augment != DATA_AUTO_RANDAUGMENT) ||
        (a->copy_paste_mode != DATA_PASTE_FLIP && a->copy_paste_mode != DATA_PASTE_MIXUP))
        return bad("augmentation", NULL, err, "an auto_augment or copy_paste_mode that is none");
    return VG_OK;
}

static vg_status check_options(const data_loader_options *o, vg_error *err)
{
    if (o->imgsz < 1 || o->imgsz > MOST_IMGSZ)
        return bad("imgsz", base_mend("give 1..%d pixels", MOST_IMGSZ), err,
                   base_where("an image size of %d pixels", o->imgsz));
    if (o->stride < 0 || o->stride > 1024)
        return bad("stride", "give the network's, 32", err, base_where("stride %d", o->stride));
    if (o->batch < 1 || o->batch > MOST_BATCH)
        return bad("batch", base_mend("give 1..%d pictures", MOST_BATCH), err,
                   base_where("a batch of %d pictures", o->batch));
    if (o->n_shares < 0 || o->share < 0 || (o->n_shares > 0 && o->share >= o->n_shares))
        return bad("shares", NULL, err, base_where("share %d of %d", o->share, o->n_shares));
    if (o->n_workers < 0 || o->n_workers > MOST_WORKERS)
        return bad("workers", base_mend("give 0..%d threads", MOST_WORKERS), err,
                   base_where("%d worker threads", o->n_workers));
    if (o->n_batches < 0 || o->n_batches > MOST_BUFFERS)
        return bad("n_batches", base_mend("give 1..%d", MOST_BUFFERS), err,
                   base_where("%d batches at a time", o->n_batches));
    return o->train ? loader_check_augment(&o->augment, err) : VG_OK;
}

static bool add_part(size_t *part, size_t *total, size_t n, size_t size)
{
    if (!base_mul_size(part, n, size) || *part > SIZE_MAX / 2)
        return false;
    *part = base_round_up(*part, BASE_MEM_ALIGN);
    return base_add_size(total, *total, *part);
}

static bool has_outlines(const data_set *set)
{
    for (size_t i = 0; i < data_set_size(set); i++) {
        const data_picture *p = data_set_picture(set, i);
        if (p->n_labels > 0)
            return !data_set_kind(set)->has_keypoints && p->labels[0].n_points > 0;
    }
    return false;
}

void loader_settle_augment(data_augment *a, const data_set *set)
{
    if (data_set_kind(set)->is_folders)
        a->mosaic = a->mixup = a->copy_paste = 0; /* what needs boxes does nothing (T 4.7) */
    if (data_set_kind(set)->has_keypoints && !data_set_keypoint_shape(set).flip_idx)
        a->fliplr = 0; /* the set's messages say so */
}

/* What the set's kind makes of the options. */
static vg_status settle_kind(loader_layout *l, const data_set *set, vg_error *err)
{
    data_loader_options *o = &l->o;
    const data_kind *kind = data_set_kind(set);
    enum { OUTLINE_OF_BOXES = 1000, DEFAULT_MASK_RATIO = 4 };
    loader_settle_augment(&o->augment, set);
    if (kind->is_folders) {
        /* Square, whatever the pictures. */
        o->rect = false;
        o->crop_fraction = o->crop_fraction > 0 ? o->crop_fraction : 1;
        if (!(o->crop_fraction <= 1))
            return bad("crop_fraction", "give a part in (0, 1]", err,
                       base_where("crop_fraction %g", (double)o->crop_fraction));
        return VG_OK;
    }
    l->recipe.keypoints = data_set_keypoint_shape(set);
    const bool paste = o->train && o->augment.copy_paste > 0;
    if (paste && !has_outlines(set))
        return bad(
            "copy_paste", "set copy_paste=0, or give the objects as polygons", err,
            base_where("copy_paste cuts objects out along their outlines, which labels of %s "
                       "have not",
                       kind->name));
    l->recipe.n_outline = (uint32_t)(kind->n_outline > 0 ? kind->n_outline
                                     : paste             ? OUTLINE_OF_BOXES
                                                         : 0);
    if (!kind->has_masks)
        return VG_OK;
    const int q = o->mask_ratio > 0 ? o->mask_ratio : DEFAULT_MASK_RATIO;
    if (o->mask_ratio < 0 || (q & (q - 1)) != 0 || o->stride % q != 0)
        return bad("mask_ratio",
                   base_mend("give 1, 2 or 4: a power of 2 that divides %d", o->stride), err,
                   base_where("mask_ratio %d", o->mask_ratio));
    o->mask_ratio = l->recipe.mask_ratio = q;
    l->recipe.separate_masks = o->separate_masks;
    return VG_OK;
}

static size_t most_labels(const data_set *set, const data_loader_options *o)
{
    size_t n = data_set_most_labels(set);
    if (o->train && o->augment.copy_paste > 0)
        n *= 2;
    if (o->train && !o->rect && o->augment.mosaic > 0)
        n *= 4;
    if (o->train && o->augment.mixup > 0)
        n *= 2;
    return n > 0 ? n : 1;
}

vg_status loader_lay_out(loader_layout *l, const data_set *set, const data_loader_options *options,
                         const loader_sizes *sizes, vg_error *err)
{
    *l = (loader_layout){.o = *options};
    data_loader_options *o = &l->o;
    vg_status st = check_options(o, err);
    if (st != VG_OK)
        return st;
    o->stride = o->stride > 0 ? o->stride : DEFAULT_STRIDE;
    o->imgsz = (o->imgsz + o->stride - 1) / o->stride * o->stride;
    o->n_batches = o->n_batches > 0 ? o->n_batches : DEFAULT_BUFFERS;
    st = settle_kind(l, set, err);
    if (st != VG_OK)
        return st;
    o->recent_bytes = o->recent_bytes > 0 ? o->recent_bytes : DEFAULT_RECENT_BYTES;
    l->n_pictures = data_set_size(set);
    if (l->n_pictures > UINT32_MAX / 2)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "%zu pictures", l->n_pictures);
    o->n_shares = o->n_shares > 0 ? o->n_shares : 1;
    const size_t batch = (size_t)o->batch, n_shares = (size_t)o->n_shares;
    l->most_own = (batch + n_shares - 1) / n_shares;
    l->n_batches = (l->n_pictures + batch - 1) / batch;
    l->n_buffers = (size_t)o->n_batches < l->n_batches ? (size_t)o->n_batches : l->n_batches;
    l->most_labels = most_labels(set, o);
    /* Validation's rect batches are half a stride larger, rounded up (spec 5.5). */
    l->most_h = l->most_w = o->imgsz + (o->rect && !o->train ? o->stride : 0);

    bool mosaic = o->train && !o->rect && o->augment.mosaic > 0;
    size_t first, window = batch_window(&first, 0, l->n_pictures, o->batch);
    size_t readers = (size_t)o->n_workers + 1;
    l->store = (store_options){.imgsz = store_side(set, o->imgsz),
                               .cache = o->cache,
                               .cache_bytes = o->cache_bytes,
                               /* Threads run ahead of one another by some samples. */
                               .n_recent = mosaic ? window + 4 * readers : 0,
                               .recent_bytes = o->recent_bytes};
    sample_recipe *r = &l->recipe;
    r->set = set;
    r->imgsz = o->imgsz;
    r->batch = o->batch;
    r->stride = o->stride;
    r->train = o->train;
    r->rect = o->rect;
    r->augment = o->augment;
    r->seed = o->seed;
    r->most_labels = l->most_labels;
    r->crop_fraction = (double)o->crop_fraction;
    size_t pixels = 3 * (size_t)l->most_w * (size_t)l->most_h, items = l->most_own * l->n_buffers;
    const size_t q = (size_t)(r->mask_ratio > 0 ? r->mask_ratio : 1),
                 mask = r->mask_ratio > 0 ? pixels / 3 / (q * q) : 0;
    size_t n_labels, n_floats, n_masks, lent = 0;
    bool fits = base_mul_size(&n_labels, items, l->most_labels) &&
                base_mul_size(&n_floats, items, pixels) &&
                base_mul_size(&n_masks, r->separate_masks ? n_labels : 0, mask);
    l->total = base_round_up(sizes->loader, BASE_MEM_ALIGN);
    fits =
        fits && add_part(&l->workers, &l->total, readers, sizes->worker) &&
        add_part(&l->order, &l->total, l->n_pictures, sizeof(uint32_t)) &&
        add_part(&l->shapes, &l->total, o->rect ? l->n_batches : 0, sizeof(batch_shape)) &&
        add_part(&l->buffers, &l->total, l->n_buffers, sizes->buffer) &&
        add_part(&l->counts, &l->total, items, sizeof(size_t)) &&
        add_part(&l->items, &l->total, items, sizeof(data_item)) &&
        add_part(&l->labels, &l->total, n_labels, sizeof(detect_label)) &&
        add_part(&l->keypoints, &l->total, n_labels, (size_t)r->keypoints.n * 3 * sizeof(float)) &&
        add_part(&l->index_maps, &l->total, items,
                 r->separate_masks ? 0 : mask * sizeof(int32_t)) &&
        add_part(&l->masks, &l->total, n_masks, 1) &&
        add_part(&l->input, o->input_is_lent ? &lent : &l->total, n_floats, sizeof(float));
    if (!fits)
        return base_fail(err, VG_ERR_LIMIT, "batch", "choose a smaller batch or imgsz",
                         "%zu batches of %d pictures of %d x %d pixels", l->n_buffers, o->batch,
                         l->most_w, l->most_h);
    return VG_OK;
}

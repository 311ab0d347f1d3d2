/* sample_objects.c: a sample with boxes: the order of the steps (spec 5.4, T 4.6), drawing and
 * doing.
 *
 * All that is random is drawn from the sample's own stream. A step with probability p is left out
 * when a draw from [0, 1) is above p, or p is 0. */
#include <string.h>

#include "batch.h"
#include "kind.h"

enum { N_MOSAIC = 4 };

/* The set's outlines, or keypoints. */
static const float *points_of(const data_set *set)
{
    return data_set_keypoint_shape(set).n > 0 ? data_set_keypoints(set) : data_set_points(set);
}

/* ---- letterbox ---- */

/* Objects of the picture at (left, top) of dst copied within it. */
static size_t paste_within(sample_maker *m, const sample_recipe *r, const image_view *dst,
                           const image_letterbox_fit *fit, augment_box *boxes, size_t n)
{
    const image_view v = {dst->data + (size_t)fit->top * dst->stride + 3 * (size_t)fit->left,
                          fit->new_w, fit->new_h, dst->stride};
    return augment_paste_mirrored(&v, boxes, n, r->augment.copy_paste, &m->extras, &m->paste);
}

static bool pastes(const sample_recipe *r, data_copy_paste mode)
{
    return r->train && r->augment.copy_paste > 0 && r->augment.copy_paste_mode == mode;
}

/* The picture into dst; its boxes are appended, moved with it by the unrounded pads (spec 2.1). */
static vg_status letterbox(sample_maker *m, const sample_recipe *r, const image_view *dst,
                           size_t index, augment_box *boxes, size_t *n_boxes, data_item *item,
                           base_mem *mem, vg_error *err)
{
    store_loan loan;
    vg_status st = store_get(r->store, &m->io, &loan, index, true, mem, err);
    if (st != VG_OK)
        return st;
    image_letterbox_rule rule = {.target_w = dst->w,
                                 .target_h = dst->h,
                                 .scale_up = r->train,
                                 .center = true,
                                 .stride = r->stride};
    image_letterbox_fit fit;
    st = image_letterbox_plan(&fit, loan.view.w, loan.view.h, &rule, err);
    if (st == VG_OK)
        st = image_letterbox(dst, &loan.view, &fit, &m->scratch, mem, err);
    int w = loan.view.w, h = loan.view.h;
    store_give_back(r->store, &loan);
    if (st != VG_OK)
        return st;
    /* Pasting comes before the padding, whose sides may differ by a pixel. */
    const bool paste = pastes(r, DATA_PASTE_FLIP);
    const float pad_w = paste ? 0 : (float)fit.pad_w, pad_h = paste ? 0 : (float)fit.pad_h;
    const data_picture *p = data_set_picture(r->set, index);
    *n_boxes = augment_boxes_place(boxes, p, data_set_points(r->set), (float)(w * fit.ratio_w),
                                   (float)(h * fit.ratio_h), pad_w, pad_h);
    augment_extras_place(&m->extras, boxes, p, points_of(r->set), (float)w, (float)h,
                         (float)fit.ratio_w, (float)fit.ratio_h, pad_w, pad_h);
    if (paste) {
        *n_boxes = paste_within(m, r, dst, &fit, boxes, *n_boxes);
        augment_boxes_move(boxes, *n_boxes, (float)fit.pad_w, (float)fit.pad_h);
    }
    if (item) {
        item->gain = (float)h / (float)item->h0;
        item->left = fit.left;
        item->top = fit.top;
    }
    return VG_OK;
}

/* ---- mosaic and warp ---- */

bool sample_happens(base_rng *rng, float probability)
{
    return probability > 0 && base_rng_unit(rng) <= probability;
}

static vg_status mosaic(sample_maker *m, const sample_recipe *r, const image_view *canvas,
                        size_t place, size_t index, bool keep, augment_box *boxes, size_t *n_boxes,
                        base_rng *rng, base_mem *mem, vg_error *err)
{
    size_t first, n = batch_window(&first, place, data_set_size(r->set), r->batch);
    size_t chosen[N_MOSAIC] = {index};
    for (int i = 1; i < N_MOSAIC; i++)
        chosen[i] = r->order[first + base_rng_below(rng, n)];
    int s = r->imgsz;
    int center_y = (int)data_rng_uniform(rng, s / 2, 2 * s - s / 2);
    int center_x = (int)data_rng_uniform(rng, s / 2, 2 * s - s / 2);
    canvas_fill(canvas);
    *n_boxes = 0;
    for (int i = 0; i < N_MOSAIC; i++) {
        store_loan loan;
        int pad_x, pad_y;
        vg_status st = store_get(r->store, &m->io, &loan, chosen[i], keep || i > 0, mem, err);
        if (st != VG_OK)
            return st;
        augment_mosaic_place(canvas, &loan.view, i, center_x, center_y, &pad_x, &pad_y);
        const data_picture *p = data_set_picture(r->set, chosen[i]);
        const float w = (float)loan.view.w, h = (float)loan.view.h;
        const size_t n_more = augment_boxes_place(boxes + *n_boxes, p, data_set_points(r->set), w,
                                                  h, (float)pad_x, (float)pad_y);
        augment_extras_place(&m->extras, boxes + *n_boxes, p, points_of(r->set), w, h, 1, 1,
                             (float)pad_x, (float)pad_y);
        *n_boxes += n_more;
        store_give_back(r->store, &loan);
    }
    *n_boxes = augment_boxes_clip(boxes, *n_boxes, (float)(2 * s));
    if (pastes(r, DATA_PASTE_FLIP))
        *n_boxes = augment_paste_mirrored(canvas, boxes, *n_boxes, r->augment.copy_paste,
                                          &m->extras, &m->paste);
    return VG_OK;
}

/* Steps 1 to 3 of a picture into dst. keep: whether the picture may push others from the ring. */
static vg_status compose(sample_maker *m, const sample_recipe *r, const image_view *dst,
                         size_t place, size_t index, bool keep, augment_box *boxes, size_t *n_boxes,
                         base_rng *rng, base_mem *mem, vg_error *err)
{
    const data_augment *a = &r->augment;
    bool four = !r->rect && sample_happens(rng, a->mosaic);
    image_view canvas =
        canvas_init(m->canvas, four ? 2 * dst->w : dst->w, four ? 2 * dst->h : dst->h);
    vg_status st = four ? mosaic(m, r, &canvas, place, index, keep, boxes, n_boxes, rng, mem, err)
                        : letterbox(m, r, &canvas, index, boxes, n_boxes, NULL, mem, err);
    if (st != VG_OK)
        return st;
    float matrix[9];
    double gain;
    bool perspective = a->perspective > 0;
    augment_matrix_draw(matrix, &gain, rng, a, canvas.w, canvas.h, dst->w, dst->h);
    if (!four && augment_matrix_is_identity(matrix)) {
        for (int y = 0; y < dst->h; y++)
            memcpy(dst->data + (size_t)y * dst->stride, canvas.data + (size_t)y * canvas.stride,
                   3 * (size_t)dst->w);
    } else {
        augment_warp(dst, &canvas, matrix, perspective, m->table, warp_kernels_get());
    }
    *n_boxes = augment_boxes_warp(boxes, *n_boxes, matrix, perspective, gain, dst->w, dst->h, NULL);
    return VG_OK;
}

/* Steps 1 to 3, and what is pasted from another picture behind them, into pixels[to]. */
static vg_status compose_and_paste(sample_maker *m, const sample_recipe *r, int to, size_t place,
                                   size_t index, bool keep, const sample_out *out,
                                   augment_box *boxes, size_t *n_boxes, base_rng *rng,
                                   base_mem *mem, vg_error *err)
{
    const image_view v = {m->pixels[to], out->w, out->h, 3 * (size_t)out->w};
    vg_status st = compose(m, r, &v, place, index, keep, boxes, n_boxes, rng, mem, err);
    if (st != VG_OK || !pastes(r, DATA_PASTE_MIXUP) || *n_boxes == 0)
        return st;
    const image_view other = {m->pixels[to + 1], out->w, out->h, v.stride};
    const size_t from = (size_t)base_rng_below(rng, data_set_size(r->set));
    size_t n_other;
    st = compose(m, r, &other, place, from, false, boxes + *n_boxes, &n_other, rng, mem, err);
    if (st == VG_OK)
        *n_boxes = augment_paste_other(&v, &other, boxes, *n_boxes, n_other, r->augment.copy_paste,
                                       &m->paste);
    return st;
}

/* ---- the two pipelines ---- */

static vg_status make_training(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                               sample_out *out, base_mem *mem, vg_error *err)
{
    const data_augment *a = &r->augment;
    base_rng rng = data_rng_make(r->seed, r->epoch, DATA_RNG_SAMPLE, place);
    image_view v = {m->pixels[0], out->w, out->h, 3 * (size_t)out->w};
    augment_box *boxes = m->boxes;
    size_t n, n_other;
    vg_status st =
        compose_and_paste(m, r, 0, place, out->item.picture, true, out, boxes, &n, &rng, mem, err);
    if (st != VG_OK)
        return st;
    if (sample_happens(&rng, a->mixup)) {
        image_view other = {m->pixels[1], v.w, v.h, v.stride};
        size_t index = (size_t)base_rng_below(&rng, data_set_size(r->set));
        st = compose_and_paste(m, r, 1, place, index, false, out, boxes + n, &n_other, &rng, mem,
                               err);
        if (st != VG_OK)
            return st;
        augment_mix(&v, &other, data_rng_beta(&rng, 32));
        n += n_other;
    }
    if (a->hsv_h > 0 || a->hsv_s > 0 || a->hsv_v > 0) {
        const float most[3] = {a->hsv_h, a->hsv_s, a->hsv_v};
        double gains[3];
        hsv_tables tables;
        for (int i = 0; i < 3; i++)
            gains[i] = data_rng_uniform(&rng, -1, 1) * most[i] + 1;
        augment_hsv_tables(&tables, gains);
        augment_hsv(&v, &tables);
    }
    bool up_down = sample_happens(&rng, a->flipud), left_right = sample_happens(&rng, a->fliplr);
    bool swap = sample_happens(&rng, a->bgr);
    augment_boxes_flip(boxes, n, up_down, left_right, v.w, v.h);
    if (left_right && r->keypoints.n > 0)
        augment_keypoints_exchange(boxes, n, r->keypoints.flip_idx);
    data_set_kind(r->set)->format(m, r, n, picture, out);
    augment_to_float(out->input, &v, up_down, left_right, swap, m->line);
    return VG_OK;
}

static vg_status make_validation(sample_maker *m, const sample_recipe *r, int picture,
                                 sample_out *out, base_mem *mem, vg_error *err)
{
    image_view v = {m->pixels[0], out->w, out->h, 3 * (size_t)out->w};
    size_t n;
    vg_status st = letterbox(m, r, &v, out->item.picture, m->boxes, &n, &out->item, mem, err);
    if (st != VG_OK)
        return st;
    data_set_kind(r->set)->format(m, r, n, picture, out);
    augment_to_float(out->input, &v, false, false, false, m->line);
    return VG_OK;
}

vg_status sample_make_objects(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                              sample_out *out, base_mem *mem, vg_error *err)
{
    int w, h;
    store_size(&w, &h, out->item.w0, out->item.h0, r->imgsz);
    out->item.gain = (float)h / (float)out->item.h0;
    return r->train ? make_training(m, r, place, picture, out, mem, err)
                    : make_validation(m, r, picture, out, mem, err);
}

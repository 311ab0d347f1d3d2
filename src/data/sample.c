/* sample.c: the order of the steps (spec 5.4), drawing and doing.
 *
 * All that is random is drawn from the sample's own stream. A step with probability p is left out
 * when a draw from [0, 1) is above p, or p is 0. */
#include "sample.h"

#include <string.h>

#include "batch.h"

enum { N_MOSAIC = 4 };

/* ---- memory ---- */

typedef struct parts {
    size_t canvas, pixels, line, table, boxes, total;
    bool fits;
} parts;

static parts plan(const sample_recipe *r, int most_w, int most_h)
{
    parts p = {0};
    size_t n = 3 * (size_t)most_w * (size_t)most_h;
    bool mosaic = r->train && !r->rect && r->augment.mosaic > 0,
         mix = r->train && r->augment.mixup > 0;
    if (r->train)
        p.canvas = canvas_bytes(mosaic ? 2 * most_w : most_w, mosaic ? 2 * most_h : most_h);
    p.fits = !r->train || p.canvas > 0;
    p.canvas = base_round_up(p.canvas, BASE_MEM_ALIGN);
    p.pixels = base_round_up(n, BASE_MEM_ALIGN);
    p.line = base_round_up(3 * (size_t)most_w, BASE_MEM_ALIGN);
    p.table = base_round_up(2 * sizeof(int32_t) * (size_t)most_w, BASE_MEM_ALIGN);
    p.boxes = base_round_up(r->most_labels * sizeof(augment_box), BASE_MEM_ALIGN);
    p.total = p.canvas + (mix ? 2 : 1) * p.pixels + p.line + p.table + p.boxes;
    return p;
}

size_t sample_maker_bytes(const sample_recipe *r, int most_w, int most_h)
{
    parts p = plan(r, most_w, most_h);
    return p.fits
               ? p.total + image_letterbox_bytes(most_w, most_h) + store_io_bytes(r->set, r->imgsz)
               : 0;
}

vg_status sample_maker_create(sample_maker *m, const sample_recipe *r, int most_w, int most_h,
                              base_mem *mem, vg_error *err)
{
    *m = (sample_maker){0};
    parts p = plan(r, most_w, most_h);
    if (!p.fits)
        return base_fail(err, VG_ERR_ARGUMENT, "imgsz", "choose a smaller one",
                         "samples of %d x %d pixels are too large", most_w, most_h);
    vg_status st = store_io_create(&m->io, r->set, r->imgsz, mem, err);
    if (st != VG_OK)
        return st;
    m->block = base_alloc(mem, p.total, err);
    if (!m->block)
        return VG_ERR_MEMORY;
    uint8_t *at = m->block;
    m->canvas = at;
    at += p.canvas;
    m->boxes = (augment_box *)(void *)at;
    at += p.boxes;
    m->table = (int32_t *)(void *)at;
    at += p.table;
    m->line = at;
    at += p.line;
    m->pixels[0] = at;
    m->pixels[1] = at + p.pixels; /* only there, and only used, with mixup */
    /* As in store.c: the scratch at its largest, into one line. */
    uint8_t from[12] = {0};
    image_view dst = {m->line, most_w, most_h, 0}, src = {from, 2, 2, 6};
    return image_resize(&dst, &src, &m->scratch, mem, err);
}

void sample_maker_fini(sample_maker *m)
{
    store_io_fini(&m->io);
    image_scratch_fini(&m->scratch);
    base_free(m->block);
    *m = (sample_maker){0};
}

/* ---- letterbox ---- */

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
    *n_boxes = augment_boxes_place(boxes, data_set_picture(r->set, index), data_set_points(r->set),
                                   (float)(w * fit.ratio_w), (float)(h * fit.ratio_h),
                                   (float)fit.pad_w, (float)fit.pad_h);
    if (item) {
        item->gain = (float)h / (float)item->h0;
        item->left = fit.left;
        item->top = fit.top;
    }
    return VG_OK;
}

/* ---- mosaic and warp ---- */

static bool happens(base_rng *rng, float probability)
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
        *n_boxes += augment_boxes_place(boxes + *n_boxes, data_set_picture(r->set, chosen[i]),
                                        data_set_points(r->set), (float)loan.view.w,
                                        (float)loan.view.h, (float)pad_x, (float)pad_y);
        store_give_back(r->store, &loan);
    }
    *n_boxes = augment_boxes_clip(boxes, *n_boxes, (float)(2 * s));
    return VG_OK;
}

/* Steps 1 to 3 of a picture into dst. keep: whether the picture may push others from the ring. */
static vg_status compose(sample_maker *m, const sample_recipe *r, const image_view *dst,
                         size_t place, size_t index, bool keep, augment_box *boxes, size_t *n_boxes,
                         base_rng *rng, base_mem *mem, vg_error *err)
{
    const data_augment *a = &r->augment;
    bool four = !r->rect && happens(rng, a->mosaic);
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

/* ---- the two pipelines ---- */

static vg_status make_training(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                               sample_out *out, base_mem *mem, vg_error *err)
{
    const data_augment *a = &r->augment;
    base_rng rng = data_rng_make(r->seed, r->epoch, DATA_RNG_SAMPLE, place);
    image_view v = {m->pixels[0], out->w, out->h, 3 * (size_t)out->w};
    augment_box *boxes = m->boxes;
    size_t n, n_other;
    vg_status st = compose(m, r, &v, place, out->item.picture, true, boxes, &n, &rng, mem, err);
    if (st != VG_OK)
        return st;
    if (happens(&rng, a->mixup)) {
        image_view other = {m->pixels[1], v.w, v.h, v.stride};
        size_t index = (size_t)base_rng_below(&rng, data_set_size(r->set));
        st = compose(m, r, &other, place, index, false, boxes + n, &n_other, &rng, mem, err);
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
    bool up_down = happens(&rng, a->flipud), left_right = happens(&rng, a->fliplr);
    bool swap = happens(&rng, a->bgr);
    augment_boxes_flip(boxes, n, up_down, left_right, v.w, v.h);
    augment_boxes_format(out->labels, boxes, n, picture, v.w, v.h);
    out->n_labels = n;
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
    augment_boxes_format(out->labels, m->boxes, n, picture, v.w, v.h);
    out->n_labels = n;
    augment_to_float(out->input, &v, false, false, false, m->line);
    return VG_OK;
}

vg_status sample_make(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                      sample_out *out, base_mem *mem, vg_error *err)
{
    size_t index = r->order[place];
    const data_picture *p = data_set_picture(r->set, index);
    int w, h;
    store_size(&w, &h, p->w, p->h, r->imgsz);
    out->item =
        (data_item){.picture = index, .w0 = p->w, .h0 = p->h, .gain = (float)h / (float)p->h};
    return r->train ? make_training(m, r, place, picture, out, mem, err)
                    : make_validation(m, r, picture, out, mem, err);
}

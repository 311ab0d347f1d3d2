/* sample_class.c: a picture and its class (T 2.4, T 4.5, T 4.7). In training a crop, flips,
 * operations on its colours and shape, and a hole; in validation the middle. */
#include <string.h>

#include "augment_class.h"
#include "kind.h"

size_t sample_class_scratch_bytes(const data_set *set, int size)
{
    int most = 1;
    for (size_t i = 0; i < data_set_size(set); i++) {
        const data_picture *p = data_set_picture(set, i);
        most = p->w > most ? p->w : most;
        most = p->h > most ? p->h : most;
    }
    const size_t crop = image_resize_smooth_bytes(most, most, size, size),
                 middle = image_middle_most_bytes(most, size);
    return crop > middle ? crop : middle;
}

/* A window of the picture, resized into pixels[0]. */
static vg_status crop(sample_maker *m, const image_view *picture, const image_view *to,
                      double least, base_rng *rng, base_mem *mem, vg_error *err)
{
    const class_window c = class_draw_crop(picture->w, picture->h, least, rng);
    const image_view from = {picture->data + (size_t)c.y * picture->stride + 3 * (size_t)c.x, c.w,
                             c.h, picture->stride};
    return image_resize_smooth(to, &from, &m->scratch, mem, err);
}

static void flip(sample_maker *m, const image_view *v, bool up_down, bool left_right)
{
    const size_t n = 3 * (size_t)v->w;
    for (int y = 0; up_down && 2 * y < v->h; y++) {
        uint8_t *a = v->data + (size_t)y * v->stride,
                *b = v->data + (size_t)(v->h - 1 - y) * v->stride;
        memcpy(m->line, a, n);
        memmove(a, b, n);
        memcpy(b, m->line, n);
    }
    for (int y = 0; left_right && y < v->h; y++) {
        uint8_t *row = v->data + (size_t)y * v->stride;
        memcpy(m->line, row, n);
        for (size_t x = 0; x < (size_t)v->w; x++)
            memcpy(row + 3 * x, m->line + n - 3 * (x + 1), 3);
    }
}

static void erase(const sample_out *out, const class_window *hole)
{
    for (int y = hole->y; y < hole->y + hole->h; y++)
        memset(out->input + 3 * ((size_t)y * (size_t)out->w + (size_t)hole->x), 0,
               3 * (size_t)hole->w * sizeof *out->input);
}

static vg_status make_training(sample_maker *m, const sample_recipe *r, const image_view *picture,
                               size_t place, sample_out *out, base_mem *mem, vg_error *err)
{
    const data_augment *a = &r->augment;
    const image_view v = {m->pixels[0], out->w, out->h, 3 * (size_t)out->w},
                     spare = {m->pixels[1], v.w, v.h, v.stride};
    base_rng rng = data_rng_make(r->seed, r->epoch, DATA_RNG_SAMPLE, place);
    vg_status st = crop(m, picture, &v, 1 - (double)a->scale, &rng, mem, err);
    if (st != VG_OK)
        return st;
    const bool left_right = sample_happens(&rng, a->fliplr),
               up_down = sample_happens(&rng, a->flipud);
    flip(m, &v, up_down, left_right);
    if (a->auto_augment == DATA_AUTO_RANDAUGMENT)
        class_randaugment(&v, &spare, &rng);
    else
        class_jitter(&v, (double)a->hsv_v, (double)a->hsv_v, (double)a->hsv_s, (double)a->hsv_h,
                     &rng);
    augment_to_float(out->input, &v, false, false, false, m->line);
    if (sample_happens(&rng, a->erasing)) {
        const class_window hole = class_draw_hole(v.w, v.h, &rng);
        erase(out, &hole);
    }
    return VG_OK;
}

static vg_status make_validation(sample_maker *m, const sample_recipe *r, const image_view *picture,
                                 sample_out *out, base_mem *mem, vg_error *err)
{
    image_middle middle;
    vg_status st =
        image_middle_plan(&middle, picture->w, picture->h, out->w, r->crop_fraction, err);
    if (st != VG_OK)
        return st;
    out->item.gain = (float)middle.new_h / (float)picture->h;
    return image_middle_crop_to_float(out->input, picture, &middle, &m->scratch, mem, err);
}

vg_status sample_make_class(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                            sample_out *out, base_mem *mem, vg_error *err)
{
    store_loan loan;
    vg_status st = store_get(r->store, &m->io, &loan, out->item.picture, false, mem, err);
    if (st != VG_OK)
        return st;
    out->item.gain = 1;
    st = r->train ? make_training(m, r, &loan.view, place, out, mem, err)
                  : make_validation(m, r, &loan.view, out, mem, err);
    store_give_back(r->store, &loan);
    const data_picture *p = data_set_picture(r->set, out->item.picture);
    out->n_labels = 0;
    if (p->n_labels > 0) /* none: its class was not chosen */
        out->labels[out->n_labels++] = (detect_label){.picture = picture,
                                                      .class_index = p->labels[0].class_index,
                                                      .xywh_norm = {0.5f, 0.5f, 1, 1}};
    return st;
}

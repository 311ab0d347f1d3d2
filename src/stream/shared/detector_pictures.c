/* detector_pictures.c: batches of pictures and frames as they are, for a device that makes the
 * network's input of them; each finds here how it must go up. */
#include "detector_parts.h"

vg_status stream_detector_is_free(stream_detector *d, bool *out, int n, int h, int w,
                                  stream_accounts *mem, vg_error *err)
{
    const nn_accounts accounts = stream_accounts_of_engine(mem);
    return nn_engine_is_free(d->engine, out, n, h, w, &accounts, err);
}

vg_status stream_detector_begin_batch(stream_detector *d, int n, int h, int w, stream_accounts *mem,
                                      vg_error *err)
{
    const nn_accounts accounts = stream_accounts_of_engine(mem);
    const vg_status st = nn_engine_plan(d->engine, &d->plan, n, h, w, &accounts, err);
    d->inputs[(d->oldest + d->n_begun) % NN_MOST_PENDING] = (base_size){.w = w, .h = h};
    return st;
}

static nn_fit fit_of(const image_letterbox_fit *f, nn_sampling how)
{
    return (nn_fit){.out_w = f->out_w,
                    .out_h = f->out_h,
                    .left = f->left,
                    .top = f->top,
                    .new_w = f->new_w,
                    .new_h = f->new_h,
                    .how = how};
}

static vg_status reserve_small(stream_detector *d, size_t bytes, base_mem *mem, vg_error *err)
{
    if (bytes <= d->small_bytes)
        return VG_OK;
    uint8_t *more = base_realloc(mem, d->small, bytes, err);
    if (!more)
        return VG_ERR_MEMORY;
    d->small = more;
    d->small_bytes = bytes;
    return VG_OK;
}

/* Brought to the input's size here; it goes up so, with nothing left to do there. */
static vg_status put_small(stream_detector *d, int i, const image_view *picture,
                           const image_letterbox_fit *fit, base_mem *mem, vg_error *err)
{
    const size_t row_bytes = 3 * (size_t)fit->out_w, bytes = row_bytes * (size_t)fit->out_h;
    const image_view small = {.w = fit->out_w, .h = fit->out_h, .stride = row_bytes};
    vg_status st = reserve_small(d, bytes, mem, err);
    image_view to = small;
    to.data = d->small;
    if (st == VG_OK)
        st = image_letterbox(&to, picture, fit, &d->letterbox, mem, err);
    if (st != VG_OK)
        return st;
    const nn_picture x = {.data = d->small,
                          .row_bytes = row_bytes,
                          .w = fit->out_w,
                          .h = fit->out_h,
                          .fit = {.out_w = fit->out_w,
                                  .out_h = fit->out_h,
                                  .new_w = fit->out_w,
                                  .new_h = fit->out_h,
                                  .how = NN_COPIES}};
    return nn_engine_put(d->engine, d->plan, i, &x, err);
}

vg_status stream_detector_put(stream_detector *d, int i, const image_view *picture,
                              const image_letterbox_fit *fit, stream_accounts *mem, vg_error *err)
{
    base_mem *frames = &mem->owner[STREAM_FRAMES];
    image_taps t;
    if (!nn_engine_fits(d->engine, d->plan, picture->w, picture->h))
        return put_small(d, i, picture, fit, frames, err);
    const vg_status st =
        image_letterbox_taps(&t, picture->w, picture->h, fit, &d->letterbox, frames, err);
    if (st != VG_OK)
        return st;
    const nn_picture x = {.data = picture->data,
                          .row_bytes = picture->stride,
                          .w = picture->w,
                          .h = picture->h,
                          .fit = fit_of(fit, t.copies   ? NN_COPIES
                                             : t.halves ? NN_HALVES
                                                        : NN_TAPS),
                          .x_from = t.x_from,
                          .y_from = t.y_from,
                          .x_weight = t.x_weight,
                          .y_weight = t.y_weight};
    return nn_engine_put(d->engine, d->plan, i, &x, err);
}

static nn_taps taps_of(const video_plane_taps *t)
{
    return (nn_taps){.from = t->from, .weight = t->weight};
}

static nn_planes planes_of(const video_view *v, const image_letterbox_fit *fit)
{
    return (nn_planes){.y = v->y,
                       .u = v->u,
                       .v = v->v,
                       .y_row_bytes = v->y_row_bytes,
                       .chroma_row_bytes = v->chroma_row_bytes,
                       .chroma_pitch = v->chroma_pitch,
                       .w = v->w,
                       .h = v->h,
                       .is_swapped = v->is_swapped,
                       .fit = fit_of(fit, NN_TAPS),
                       .luma_x = taps_of(&v->luma_x),
                       .luma_y = taps_of(&v->luma_y),
                       .chroma_x = taps_of(&v->chroma_x),
                       .chroma_y = taps_of(&v->chroma_y),
                       .matrix = {.y_scale = v->y_scale,
                                  .offset = {v->offset[0], v->offset[1], v->offset[2]},
                                  .r_v = v->r_v,
                                  .g_u = v->g_u,
                                  .g_v = v->g_v,
                                  .b_u = v->b_u}};
}

/* In the small picture's room, which is made large enough for floats. */
static vg_status put_floats(stream_detector *d, int i, const video_frame *frame,
                            const image_letterbox_fit *fit, video_scaler *scaler, base_mem *mem,
                            vg_error *err)
{
    vg_status st =
        reserve_small(d, (size_t)fit->out_h * (size_t)fit->out_w * 3 * sizeof(float), mem, err);
    float *floats = (float *)(void *)d->small;
    if (st == VG_OK)
        st = video_frame_to_float(scaler, floats, frame, fit, mem, err);
    return st == VG_OK ? nn_engine_put_floats(d->engine, d->plan, i, floats, err) : st;
}

vg_status stream_detector_put_frame(stream_detector *d, int i, const video_frame *frame,
                                    const image_letterbox_fit *fit, video_scaler *scaler,
                                    stream_accounts *mem, vg_error *err)
{
    base_mem *frames = &mem->owner[STREAM_FRAMES];
    video_view v;
    const vg_status st = video_frame_view(scaler, &v, frame, fit, frames, err);
    if (st != VG_OK)
        return st;
    if (v.is_rgb)
        return stream_detector_put(d, i, &v.rgb, fit, mem, err);
    if (!nn_engine_fits_planes(d->engine, d->plan, v.w, v.h))
        return put_floats(d, i, frame, fit, scaler, frames, err);
    const nn_planes x = planes_of(&v, fit);
    return nn_engine_put_planes(d->engine, d->plan, i, &x, err);
}

vg_status stream_detector_submit(stream_detector *d, float conf, vg_error *err)
{
    const vg_status st = nn_engine_submit(d->engine, d->plan, detect_logit_floor(conf), err);
    d->n_begun += st == VG_OK;
    return st;
}

vg_status stream_detector_collect(stream_detector *d, vg_error *err)
{
    const base_size in = d->inputs[d->oldest];
    d->in_h = in.h;
    d->in_w = in.w;
    d->oldest = (d->oldest + 1) % NN_MOST_PENDING;
    d->n_begun--;
    return nn_engine_collect(d->engine, &d->picks, err);
}

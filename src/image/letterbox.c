/* letterbox.c: a picture fitted into a network's input with borders of grey (spec 2.1). */
#include <math.h>
#include <string.h>

#include "buffer.h"
#include "resize.h"

enum { PAD = 114 };

vg_status image_letterbox_plan(image_letterbox_fit *out, int w, int h,
                               const image_letterbox_rule *rule, vg_error *err)
{
    enum { MOST = 1 << 24 };
    *out = (image_letterbox_fit){0};
    if (w < 1 || h < 1 || rule->target_w < 1 || rule->target_h < 1 || rule->stride < 1 ||
        w > MOST || h > MOST || rule->target_w > MOST || rule->target_h > MOST)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL,
                         "cannot fit %d x %d pixels into %d x %d, stride %d", w, h, rule->target_w,
                         rule->target_h, rule->stride);

    double ratio = fmin((double)rule->target_h / h, (double)rule->target_w / w);
    if (!rule->scale_up)
        ratio = fmin(ratio, 1.0);
    /* rint: ties to even, as Python's round. At least one pixel, which a thread of 1 x 2000 needs.
     */
    int new_w = (int)fmax(rint(w * ratio), 1), new_h = (int)fmax(rint(h * ratio), 1);
    double ratio_w = ratio, ratio_h = ratio;
    double dw = rule->target_w - new_w, dh = rule->target_h - new_h;
    if (rule->autosize) {
        dw = fmod(dw, rule->stride);
        dh = fmod(dh, rule->stride);
    } else if (rule->scale_fill) {
        dw = dh = 0;
        new_w = rule->target_w;
        new_h = rule->target_h;
        ratio_w = (double)rule->target_w / w;
        ratio_h = (double)rule->target_h / h;
    }
    if (rule->center) {
        dw /= 2;
        dh /= 2;
    }
    out->new_w = new_w;
    out->new_h = new_h;
    out->left = rule->center ? (int)rint(dw - 0.1) : 0;
    out->top = rule->center ? (int)rint(dh - 0.1) : 0;
    out->right = (int)rint(dw + 0.1);
    out->bottom = (int)rint(dh + 0.1);
    out->out_w = new_w + out->left + out->right;
    out->out_h = new_h + out->top + out->bottom;
    out->ratio_w = ratio_w;
    out->ratio_h = ratio_h;
    out->pad_w = dw;
    out->pad_h = dh;
    return VG_OK;
}

vg_status image_letterbox(const image_view *dst, const image_view *src,
                          const image_letterbox_fit *fit, image_scratch *scratch, base_mem *mem,
                          vg_error *err)
{
    if (dst->w != fit->out_w || dst->h != fit->out_h)
        return base_fail(err, VG_ERR_ARGUMENT, "dst", NULL,
                         "%d x %d pixels for a letterbox of %d x %d", dst->w, dst->h, fit->out_w,
                         fit->out_h);
    image_resizer r;
    vg_status st = image_resizer_init(&r, src, fit->new_w, fit->new_h, scratch, mem, err);
    if (st != VG_OK)
        return st;

    size_t before = 3 * (size_t)fit->left, inside = 3 * (size_t)fit->new_w,
           after = 3 * (size_t)fit->right;
    for (int y = 0; y < dst->h; y++) {
        uint8_t *row = dst->data + (size_t)y * dst->stride;
        if (y < fit->top || y >= fit->top + fit->new_h) {
            memset(row, PAD, before + inside + after);
            continue;
        }
        memset(row, PAD, before);
        image_resizer_row(&r, row + before, y - fit->top);
        memset(row + before + inside, PAD, after);
    }
    return VG_OK;
}

static float *fill_pad(float *dst, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = PAD / 255.0f;
    return dst + n;
}

static void write_rows(float *dst, image_resizer *r, const image_letterbox_fit *fit)
{
    size_t row = 3 * (size_t)fit->out_w, inside = 3 * (size_t)fit->new_w;
    dst = fill_pad(dst, (size_t)fit->top * row);
    for (int y = 0; y < fit->new_h; y++) {
        dst = fill_pad(dst, 3 * (size_t)fit->left);
        image_resizer_row(r, r->line, y);
        r->kernels->to_float(dst, r->line, inside);
        dst = fill_pad(dst + inside, 3 * (size_t)fit->right);
    }
    fill_pad(dst, (size_t)fit->bottom * row);
}

vg_status image_letterbox_to_float(float *dst, const image_view *src,
                                   const image_letterbox_fit *fit, image_scratch *scratch,
                                   base_mem *mem, vg_error *err)
{
    image_resizer r;
    vg_status st = image_resizer_init(&r, src, fit->new_w, fit->new_h, scratch, mem, err);
    if (st == VG_OK)
        write_rows(dst, &r, fit);
    return st;
}

vg_status image_letterbox_taps(image_taps *out, int w, int h, const image_letterbox_fit *fit,
                               image_scratch *scratch, base_mem *mem, vg_error *err)
{
    const image_view sizes_alone = {.w = w, .h = h};
    image_resizer r;
    const vg_status st =
        image_resizer_init(&r, &sizes_alone, fit->new_w, fit->new_h, scratch, mem, err);
    if (st != VG_OK)
        return st;
    *out = (image_taps){.x_from = r.x_from,
                        .y_from = r.y_from,
                        .x_weight = r.x_weight,
                        .y_weight = r.y_weight,
                        .copies = r.copies,
                        .halves = r.halves};
    return VG_OK;
}

/* ---- pixels of others ---- */

/* Two rows of the source at the new width, and where its columns are. */
typedef struct float_rows {
    const image_pixels *src;
    const image_letterbox_fit *fit;
    float *rows[2]; /* (3 new_w) */
    int held[2];    /* -1: none */
    int32_t *from;  /* (new_w) */
    float *weight;  /* (new_w) of the right neighbour */
} float_rows;

static size_t float_bytes(int out_w)
{
    return BASE_MEM_ALIGN + (size_t)out_w * (6 * sizeof(float) + sizeof(int32_t) + sizeof(float));
}

static void init_float_rows(float_rows *r, const image_pixels *src, const image_letterbox_fit *fit,
                            void *block)
{
    const size_t n = (size_t)fit->new_w;
    float *at = (float *)(void *)((uint8_t *)block + BASE_MEM_ALIGN); /* behind the tables' head */
    *r = (float_rows){.src = src, .fit = fit, .rows = {at, at + 3 * n}, .held = {-1, -1}};
    r->weight = at + 6 * n;
    r->from = (int32_t *)(void *)(at + 7 * n);
    for (int x = 0; x < fit->new_w; x++) {
        int from;
        const float f = image_resizer_place(&from, x, src->w, fit->new_w);
        const bool inside = from >= 0 && from < src->w - 1;
        r->from[x] = from < 0 ? 0 : inside ? from : src->w - 1;
        r->weight[x] = inside ? f : 0;
    }
}

static void float_across(float *dst, const float_rows *r, int row)
{
    const image_pixels *p = r->src;
    for (int c = 0; c < 3; c++) {
        const uint8_t *line =
            (const uint8_t *)p->data + (size_t)row * p->row_bytes + p->channel_bytes[c];
        for (int x = 0; x < r->fit->new_w; x++) {
            const uint8_t *at = line + (size_t)r->from[x] * p->pixel_bytes;
            const float left = *(const float *)(const void *)at;
            const float right =
                r->weight[x] > 0 ? *(const float *)(const void *)(at + p->pixel_bytes) : left;
            dst[3 * x + c] = left + (right - left) * r->weight[x];
        }
    }
}

static const float *float_row(float_rows *r, int row, int keep)
{
    row = row < 0 ? 0 : row >= r->src->h ? r->src->h - 1 : row;
    for (int i = 0; i < 2; i++)
        if (r->held[i] == row)
            return r->rows[i];
    const int i = r->held[0] == keep ? 1 : 0;
    float_across(r->rows[i], r, row);
    r->held[i] = row;
    return r->rows[i];
}

static void write_float_rows(float *dst, float_rows *r, const image_letterbox_fit *fit)
{
    const size_t row = 3 * (size_t)fit->out_w, inside = 3 * (size_t)fit->new_w;
    dst = fill_pad(dst, (size_t)fit->top * row);
    for (int y = 0; y < fit->new_h; y++) {
        int from;
        const float f = image_resizer_place(&from, y, r->src->h, fit->new_h);
        const float *upper = float_row(r, from, from + 1);
        const float *lower = f > 0 ? float_row(r, from + 1, from) : upper;
        dst = fill_pad(dst, 3 * (size_t)fit->left);
        for (size_t i = 0; i < inside; i++)
            dst[i] = upper[i] + (lower[i] - upper[i]) * f;
        dst = fill_pad(dst + inside, 3 * (size_t)fit->right);
    }
    fill_pad(dst, (size_t)fit->bottom * row);
}

size_t image_letterbox_pixels_bytes(int out_w, int out_h)
{
    const size_t bytes = image_letterbox_bytes(out_w, out_h), floats = float_bytes(out_w);
    return bytes > floats ? bytes : floats;
}

vg_status image_letterbox_pixels_reserve(image_scratch *scratch, int out_w, int out_h,
                                         base_mem *mem, vg_error *err)
{
    /* At once: growing would hold the smaller block beside the larger for a moment. */
    return image_scratch_reserve(scratch, image_letterbox_pixels_bytes(out_w, out_h), mem, err);
}

/* Bytes that the kernels of RGB read: then red and blue are exchanged afterwards, if at all, where
 * there is less to exchange. */
static bool is_rgb_or_bgr(const image_pixels *p)
{
    return !p->is_float && p->pixel_bytes == 3 && p->channel_bytes[1] == 1 &&
           p->channel_bytes[0] + p->channel_bytes[2] == 2;
}

static void exchange_red_blue(float *dst, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels; i++, dst += 3) {
        const float red = dst[2];
        dst[2] = dst[0];
        dst[0] = red;
    }
}

vg_status image_letterbox_pixels(float *dst, const image_pixels *src,
                                 const image_letterbox_fit *fit, image_scratch *scratch,
                                 base_mem *mem, vg_error *err)
{
    /* The pixels are only read: image_view has no const twin. */
    const image_view view = {.data = (uint8_t *)(uintptr_t)src->data,
                             .w = src->w,
                             .h = src->h,
                             .stride = src->row_bytes};
    vg_status st;
    if (src->is_float) {
        float_rows r;
        st = image_letterbox_pixels_reserve(scratch, fit->out_w, fit->out_h, mem, err);
        if (st != VG_OK)
            return st;
        image_scratch_forget(scratch);
        init_float_rows(&r, src, fit, scratch->block);
        write_float_rows(dst, &r, fit);
        return VG_OK;
    }
    image_resizer r;
    st = image_resizer_init(&r, &view, fit->new_w, fit->new_h, scratch, mem, err);
    if (st != VG_OK)
        return st;
    const bool is_plain = is_rgb_or_bgr(src);
    r.pixels = is_plain ? NULL : src;
    write_rows(dst, &r, fit);
    if (is_plain && src->channel_bytes[0] == 2)
        exchange_red_blue(dst, (size_t)fit->out_w * (size_t)fit->out_h);
    return VG_OK;
}

void image_swap_red_blue(const image_view *dst, const image_view *src)
{
    for (int row = 0; row < src->h; row++) {
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        const uint8_t *from = src->data + (size_t)row * src->stride;
        for (int x = 0; x < src->w; x++, to += 3, from += 3) {
            uint8_t first = from[0], last = from[2];
            to[1] = from[1];
            to[0] = last;
            to[2] = first;
        }
    }
}

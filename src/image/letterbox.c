/* letterbox.c: a picture fitted into a network's input with borders of grey (spec 2.1). */
#include <math.h>
#include <string.h>

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

vg_status image_letterbox_to_float(float *dst, const image_view *src,
                                   const image_letterbox_fit *fit, image_scratch *scratch,
                                   base_mem *mem, vg_error *err)
{
    image_resizer r;
    vg_status st = image_resizer_init(&r, src, fit->new_w, fit->new_h, scratch, mem, err);
    if (st != VG_OK)
        return st;

    size_t row = 3 * (size_t)fit->out_w, inside = 3 * (size_t)fit->new_w;
    dst = fill_pad(dst, (size_t)fit->top * row);
    for (int y = 0; y < fit->new_h; y++) {
        dst = fill_pad(dst, 3 * (size_t)fit->left);
        image_resizer_row(&r, r.line, y);
        r.kernels->to_float(dst, r.line, inside);
        dst = fill_pad(dst + inside, 3 * (size_t)fit->right);
    }
    fill_pad(dst, (size_t)fit->bottom * row);
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

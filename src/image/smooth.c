/* smooth.c: Pillow's 8-bit bilinear resize, which smooths before it makes smaller: each result is a
 * weighted mean of all source pixels within one of its own (T 2.4).
 *
 * Across first, then down, each rounded to 8 bits. Only the window that is asked for is made, and
 * of the source only what it needs; rows brought to the new width wait in a ring as long as a later
 * row may need them. Weights are whole numbers of 22 bits, so the result does not depend on the
 * machine. */
#include <math.h>
#include <string.h>

#include "resize.h"

enum { RESIZER_HEAD = 64 /* where image_resize keeps what it knows */ };

typedef struct smoother {
    const image_row_kernels *kernels;
    const image_view *src;
    image_spans x;
    const image_span *y;      /* (n_y) */
    const int32_t *y_weights; /* (n_y, most_y) */
    int n_y, most_y;
    uint8_t *ring; /* (most_y, 3 x.w) */
    int32_t *sums; /* (3 x.w) */
    uint8_t *line; /* (3 x.w) for who needs a row of bytes */
    int next_row;  /* the source row that enters the ring next */
} smoother;

/* Most source pixels of a result, with those that weigh nothing. */
static int most_taps(int n_in, int n_out)
{
    const double scale = (double)n_in / n_out;
    const int most = (int)ceil(scale > 1 ? scale : 1) * 2 + 1;
    return (most + IMAGE_TAPS - 1) / IMAGE_TAPS * IMAGE_TAPS;
}

typedef struct layout {
    size_t x_taps, x_low, x_high, y_taps, y_weights, ring, sums, line, total;
    bool fits;
} layout;

static void add(layout *l, size_t *at, size_t n, size_t each, size_t size)
{
    size_t bytes;
    *at = l->total;
    l->fits = l->fits && base_mul_size(&bytes, n, each) && base_mul_size(&bytes, bytes, size) &&
              bytes < SIZE_MAX / 4 && base_add_size(&l->total, l->total, base_round_up(bytes, 64));
}

/* n_w, n_h: of the window. */
static layout lay_out(int most_x, int most_y, int n_w, int n_h)
{
    layout l = {.total = RESIZER_HEAD, .fits = true};
    add(&l, &l.x_taps, (size_t)n_w, 1, sizeof(image_span));
    add(&l, &l.x_low, (size_t)n_w, (size_t)most_x, sizeof(int16_t));
    add(&l, &l.x_high, (size_t)n_w, (size_t)most_x, sizeof(int16_t));
    add(&l, &l.y_taps, (size_t)n_h, 1, sizeof(image_span));
    add(&l, &l.y_weights, (size_t)n_h, (size_t)most_y, sizeof(int32_t));
    add(&l, &l.ring, (size_t)most_y, (size_t)n_w, 3);
    add(&l, &l.sums, (size_t)n_w, 3, sizeof(int32_t));
    add(&l, &l.line, (size_t)n_w, 3, 1);
    return l;
}

/* The source pixels of result d, and their weights, which a sum of theirs is divided by. */
static image_span tap_of(int d, int n_in, int n_out, double *center, double *support, double *sum)
{
    const double scale = (double)n_in / n_out;
    *support = scale > 1 ? scale : 1;
    *center = (d + 0.5) * scale;
    int low = (int)(*center - *support + 0.5), high = (int)(*center + *support + 0.5);
    low = low > 0 ? low : 0;
    high = high < n_in ? high : n_in;
    *sum = 0;
    for (int i = low; i < high; i++)
        *sum += fmax(0, 1 - fabs((i - *center + 0.5) / *support));
    return (image_span){low, high - low};
}

static int32_t weight_of(int i, double center, double support, double sum)
{
    const double w = fmax(0, 1 - fabs((i - center + 0.5) / support)) / sum;
    return (int32_t)(w * (1 << IMAGE_WEIGHT_BITS) + 0.5);
}

static void fill_across(image_span *taps, int16_t *low, int16_t *high, const image_spans *t,
                        int n_in, int n_out, int first)
{
    double center, support, sum;
    for (int d = 0; d < t->w; d++) {
        const size_t at = (size_t)d * (size_t)t->most;
        taps[d] = tap_of(d + first, n_in, n_out, &center, &support, &sum);
        for (int i = 0; i < t->most; i++) {
            const int32_t w =
                i < taps[d].n ? weight_of(taps[d].first + i, center, support, sum) : 0;
            low[at + (size_t)i] = (int16_t)(w & ((1 << IMAGE_HALF_BITS) - 1));
            high[at + (size_t)i] = (int16_t)(w >> IMAGE_HALF_BITS);
        }
    }
}

static void fill_down(image_span *taps, int32_t *weights, int n, int most, int n_in, int n_out,
                      int first)
{
    double center, support, sum;
    for (int d = 0; d < n; d++) {
        taps[d] = tap_of(d + first, n_in, n_out, &center, &support, &sum);
        for (int i = 0; i < taps[d].n; i++)
            weights[(size_t)d * (size_t)most + (size_t)i] =
                weight_of(taps[d].first + i, center, support, sum);
    }
}

/* src -> w x h, of which the window of n_w x n_h from (left, top) is wanted. */
static vg_status smoother_init(smoother *s, const image_view *src, int w, int h, int left, int top,
                               int n_w, int n_h, image_scratch *scratch, base_mem *mem,
                               vg_error *err)
{
    if (src->w < 1 || src->h < 1 || w < 1 || h < 1)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL,
                         "a resize from %d x %d to %d x %d pixels", src->w, src->h, w, h);
    const int most_x = most_taps(src->w, w), most_y = most_taps(src->h, h);
    const layout l = lay_out(most_x, most_y, n_w, n_h);
    if (!l.fits)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "%d x %d pixels are too many", n_w, n_h);
    vg_status st = image_scratch_reserve(scratch, l.total, mem, err);
    if (st != VG_OK)
        return st;
    image_scratch_forget(scratch);
    uint8_t *block = scratch->block;
    image_span *x_taps = (image_span *)(void *)(block + l.x_taps),
               *y_taps = (image_span *)(void *)(block + l.y_taps);
    int16_t *low = (int16_t *)(void *)(block + l.x_low),
            *high = (int16_t *)(void *)(block + l.x_high);
    int32_t *y_weights = (int32_t *)(void *)(block + l.y_weights);
    *s = (smoother){.kernels = image_row_kernels_get(),
                    .src = src,
                    .x = {x_taps, low, high, n_w, most_x},
                    .y = y_taps,
                    .y_weights = y_weights,
                    .n_y = n_h,
                    .most_y = most_y,
                    .ring = block + l.ring,
                    .sums = (int32_t *)(void *)(block + l.sums),
                    .line = block + l.line};
    fill_across(x_taps, low, high, &s->x, src->w, w, left);
    fill_down(y_taps, y_weights, n_h, most_y, src->h, h, top);
    return VG_OK;
}

static uint8_t *ring_row(const smoother *s, int row)
{
    return s->ring + (size_t)(row % s->most_y) * 3 * (size_t)s->x.w;
}

/* Row y of the window (3 x.w bytes); y rises. */
static void make_row(smoother *s, uint8_t *dst, int y)
{
    const image_span t = s->y[y];
    const size_t n = 3 * (size_t)s->x.w;
    const int32_t *weights = s->y_weights + (size_t)y * (size_t)s->most_y;
    if (s->next_row < t.first)
        s->next_row = t.first;
    for (; s->next_row < t.first + t.n; s->next_row++)
        s->kernels->smooth_across(ring_row(s, s->next_row),
                                  s->src->data + (size_t)s->next_row * s->src->stride, s->src->w,
                                  &s->x);
    memset(s->sums, 0, n * sizeof *s->sums);
    for (int i = 0; i < t.n; i++)
        s->kernels->smooth_add(s->sums, ring_row(s, t.first + i), weights[i], n);
    s->kernels->smooth_round(dst, s->sums, n);
}

vg_status image_resize_smooth(const image_view *dst, const image_view *src, image_scratch *scratch,
                              base_mem *mem, vg_error *err)
{
    smoother s;
    vg_status st = smoother_init(&s, src, dst->w, dst->h, 0, 0, dst->w, dst->h, scratch, mem, err);
    for (int y = 0; st == VG_OK && y < dst->h; y++)
        make_row(&s, dst->data + (size_t)y * dst->stride, y);
    return st;
}

size_t image_resize_smooth_bytes(int src_w, int src_h, int w, int h)
{
    const layout l = lay_out(most_taps(src_w, w), most_taps(src_h, h), w, h);
    return l.fits ? l.total : 0;
}

/* ---- the middle of a picture: T 2.4 ---- */

vg_status image_middle_plan(image_middle *out, int w, int h, int size, double crop_fraction,
                            vg_error *err)
{
    if (w < 1 || h < 1 || size < 1 || !(crop_fraction > 0 && crop_fraction <= 1))
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL,
                         "the middle of %d x %d pixels, %d with a part of %g", w, h, size,
                         crop_fraction);
    const double shorter = floor(size / crop_fraction);
    const int least = w < h ? w : h, most = w < h ? h : w;
    const double longer = trunc(shorter * most / least);
    if (!(longer < INT32_MAX / 4))
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "a side of %g pixels", longer);
    const bool stays = least == (int)shorter;
    *out = (image_middle){.size = size,
                          .new_w = stays ? w : (int)(w < h ? shorter : longer),
                          .new_h = stays ? h : (int)(w < h ? longer : shorter)};
    const int pad_w = size > out->new_w ? size - out->new_w : 0,
              pad_h = size > out->new_h ? size - out->new_h : 0;
    out->pad_left = pad_w / 2;
    out->pad_top = pad_h / 2;
    out->left = pad_w > 0 ? 0 : (int)rint((out->new_w - size) / 2.0);
    out->top = pad_h > 0 ? 0 : (int)rint((out->new_h - size) / 2.0);
    out->w = size - pad_w;
    out->h = size - pad_h;
    return VG_OK;
}

static vg_status middle_init(smoother *s, const image_middle *m, const image_view *src,
                             image_scratch *scratch, base_mem *mem, vg_error *err)
{
    return smoother_init(s, src, m->new_w, m->new_h, m->left, m->top, m->w, m->h, scratch, mem,
                         err);
}

vg_status image_middle_crop(const image_view *dst, const image_view *src, const image_middle *m,
                            image_scratch *scratch, base_mem *mem, vg_error *err)
{
    smoother s;
    vg_status st = middle_init(&s, m, src, scratch, mem, err);
    if (st != VG_OK)
        return st;
    for (int y = 0; y < m->size; y++) {
        uint8_t *row = dst->data + (size_t)y * dst->stride;
        if (m->w < m->size || m->h < m->size)
            memset(row, 0, 3 * (size_t)m->size);
        if (y >= m->pad_top && y < m->pad_top + m->h)
            make_row(&s, row + 3 * (size_t)m->pad_left, y - m->pad_top);
    }
    return VG_OK;
}

vg_status image_middle_crop_to_float(float *dst, const image_view *src, const image_middle *m,
                                     image_scratch *scratch, base_mem *mem, vg_error *err)
{
    smoother s;
    vg_status st = middle_init(&s, m, src, scratch, mem, err);
    if (st != VG_OK)
        return st;
    const size_t n = 3 * (size_t)m->size;
    for (int y = 0; y < m->size; y++, dst += n) {
        if (m->w < m->size || m->h < m->size)
            memset(dst, 0, n * sizeof *dst);
        if (y < m->pad_top || y >= m->pad_top + m->h)
            continue;
        make_row(&s, s.line, y - m->pad_top);
        s.kernels->to_float(dst + 3 * (size_t)m->pad_left, s.line, 3 * (size_t)m->w);
    }
    return VG_OK;
}

size_t image_middle_bytes(const image_middle *m, int w, int h)
{
    const layout l = lay_out(most_taps(w, m->new_w), most_taps(h, m->new_h), m->w, m->h);
    return l.fits ? l.total : 0;
}

size_t image_middle_most_bytes(int most_side, int size)
{
    /* Taps are most where a side shrinks most: S is at least size, and shorter sides shrink as
     * much. */
    const int most = most_taps(most_side > size ? most_side : size, size);
    const layout l = lay_out(most, most, size, size);
    return l.fits ? l.total : 0;
}

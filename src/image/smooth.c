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

enum { WEIGHT_BITS = 22, RESIZER_HEAD = 64 /* where image_resize keeps what it knows */ };

/* The source pixels of one destination index: first .. first + n - 1, and where their weights are.
 */
typedef struct tap {
    int32_t first, n;
} tap;

typedef struct axis {
    tap *taps;        /* (n) */
    int32_t *weights; /* (n, most) */
    int n, most;
} axis;

typedef struct smoother {
    const image_view *src;
    axis x, y;
    uint8_t *ring; /* (y.most, 3 x.n) */
    int32_t *sums; /* (3 x.n) */
    uint8_t *line; /* (3 x.n) for who needs a row of bytes */
    int next_row;  /* the source row that enters the ring next */
} smoother;

/* Most source pixels of a result. */
static int most_taps(int n_in, int n_out)
{
    const double scale = (double)n_in / n_out;
    return (int)ceil(scale > 1 ? scale : 1) * 2 + 1;
}

typedef struct layout {
    size_t x_taps, x_weights, y_taps, y_weights, ring, sums, line, total;
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
    add(&l, &l.x_taps, (size_t)n_w, 1, sizeof(tap));
    add(&l, &l.x_weights, (size_t)n_w, (size_t)most_x, sizeof(int32_t));
    add(&l, &l.y_taps, (size_t)n_h, 1, sizeof(tap));
    add(&l, &l.y_weights, (size_t)n_h, (size_t)most_y, sizeof(int32_t));
    add(&l, &l.ring, (size_t)most_y, (size_t)n_w, 3);
    add(&l, &l.sums, (size_t)n_w, 3, sizeof(int32_t));
    add(&l, &l.line, (size_t)n_w, 3, 1);
    return l;
}

static void fill_axis(axis *a, int n_in, int n_out, int first)
{
    const double scale = (double)n_in / n_out, support = scale > 1 ? scale : 1;
    for (int d = 0; d < a->n; d++) {
        const double center = (d + first + 0.5) * scale;
        int low = (int)(center - support + 0.5), high = (int)(center + support + 0.5);
        low = low > 0 ? low : 0;
        high = high < n_in ? high : n_in;
        int32_t *weights = a->weights + (size_t)d * (size_t)a->most;
        double sum = 0;
        for (int i = low; i < high; i++)
            sum += fmax(0, 1 - fabs((i - center + 0.5) / support));
        for (int i = low; i < high; i++) {
            const double w = fmax(0, 1 - fabs((i - center + 0.5) / support)) / sum;
            weights[i - low] = (int32_t)(w * (1 << WEIGHT_BITS) + 0.5);
        }
        a->taps[d] = (tap){low, high - low};
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
    *s = (smoother){.src = src,
                    .x = {(tap *)(void *)(block + l.x_taps),
                          (int32_t *)(void *)(block + l.x_weights), n_w, most_x},
                    .y = {(tap *)(void *)(block + l.y_taps),
                          (int32_t *)(void *)(block + l.y_weights), n_h, most_y},
                    .ring = block + l.ring,
                    .sums = (int32_t *)(void *)(block + l.sums),
                    .line = block + l.line};
    fill_axis(&s->x, src->w, w, left);
    fill_axis(&s->y, src->h, h, top);
    return VG_OK;
}

static uint8_t rounded(int32_t sum)
{
    const int32_t v = (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static uint8_t *ring_row(const smoother *s, int row)
{
    return s->ring + (size_t)(row % s->y.most) * 3 * (size_t)s->x.n;
}

static void make_across(const smoother *s, int row)
{
    const uint8_t *src = s->src->data + (size_t)row * s->src->stride;
    uint8_t *dst = ring_row(s, row);
    for (int x = 0; x < s->x.n; x++) {
        const tap t = s->x.taps[x];
        const int32_t *weights = s->x.weights + (size_t)x * (size_t)s->x.most;
        const uint8_t *p = src + 3 * (size_t)t.first;
        int32_t sum[3] = {0};
        for (int i = 0; i < t.n; i++, p += 3) {
            sum[0] += weights[i] * p[0];
            sum[1] += weights[i] * p[1];
            sum[2] += weights[i] * p[2];
        }
        for (int c = 0; c < 3; c++)
            *dst++ = rounded(sum[c]);
    }
}

/* Row y of the window (3 x.n bytes); y rises. */
static void make_row(smoother *s, uint8_t *dst, int y)
{
    const tap t = s->y.taps[y];
    const size_t n = 3 * (size_t)s->x.n;
    if (s->next_row < t.first)
        s->next_row = t.first;
    while (s->next_row < t.first + t.n)
        make_across(s, s->next_row++);
    memset(s->sums, 0, n * sizeof *s->sums);
    for (int i = 0; i < t.n; i++) {
        const int32_t weight = s->y.weights[(size_t)y * (size_t)s->y.most + (size_t)i];
        const uint8_t *restrict p = ring_row(s, t.first + i);
        int32_t *restrict sums = s->sums;
        for (size_t k = 0; k < n; k++)
            sums[k] += weight * p[k];
    }
    for (size_t k = 0; k < n; k++)
        dst[k] = rounded(s->sums[k]);
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
    const image_row_kernels *kernels = image_row_kernels_get();
    const size_t n = 3 * (size_t)m->size;
    for (int y = 0; y < m->size; y++, dst += n) {
        if (m->w < m->size || m->h < m->size)
            memset(dst, 0, n * sizeof *dst);
        if (y < m->pad_top || y >= m->pad_top + m->h)
            continue;
        make_row(&s, s.line, y - m->pad_top);
        kernels->to_float(dst + 3 * (size_t)m->pad_left, s.line, 3 * (size_t)m->w);
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

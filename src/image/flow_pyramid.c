/* flow_pyramid.c: a grey picture by its brightness, halved and halved again. */
#include <string.h>

#include "flow.h"

static int most_int(int a, int b)
{
    return a > b ? a : b;
}

static int least_int(int a, int b)
{
    return a < b ? a : b;
}

/* ---- sizes ---- */

static size_t level_bytes(int w, int h)
{
    return (size_t)(w + 2 * FLOW_MARGIN) * (size_t)(h + 2 * FLOW_MARGIN);
}

/* Levels of a picture of that factor; bytes: of all. */
static int count_levels(size_t *bytes, int w, int h)
{
    int n = 0;
    for (*bytes = 0; n < FLOW_LEVELS && w >= FLOW_LEAST_SIDE && h >= FLOW_LEAST_SIDE; n++) {
        *bytes += level_bytes(w, h);
        w = (w + 1) / 2;
        h = (h + 1) / 2;
    }
    return n;
}

static void lay_out(flow_pyramid *p, uint8_t *block, int w, int h)
{
    size_t bytes;
    for (p->factor = least_int(w, h) < FLOW_SMALL_SIDE ? 1 : 2;; p->factor++) {
        p->n_levels = count_levels(&bytes, w / p->factor, h / p->factor);
        if (bytes <= FLOW_MOST_BYTES && most_int(w, h) / p->factor <= FLOW_MOST_SIDE)
            break;
    }
    w /= p->factor;
    h /= p->factor;
    for (int i = 0; i < p->n_levels; i++) {
        flow_level *l = &p->levels[i];
        *l = (flow_level){.w = w, .h = h, .stride = w + 2 * FLOW_MARGIN};
        l->at = block + FLOW_MARGIN * l->stride + FLOW_MARGIN;
        block += level_bytes(w, h);
        w = (w + 1) / 2;
        h = (h + 1) / 2;
    }
}

/* ---- pixels ---- */

static void halve_row(uint8_t *restrict dst, const uint8_t *restrict r0, const uint8_t *restrict r1,
                      int w)
{
    for (int x = 0; x < w; x++)
        dst[x] = (uint8_t)((r0[2 * x] + r0[2 * x + 1] + r1[2 * x] + r1[2 * x + 1] + 2) >> 2);
}

static unsigned pixel(const image_luma *l, int x, int y)
{
    const uint8_t *p = l->at + x * l->across + y * l->down;
    const unsigned v = l->bits > 8 ? (unsigned)(p[0] | p[1] << 8) >> l->shift : p[0];
    return l->bits > 8 ? (v >> (l->bits - 8)) & 255 : v;
}

/* Means of squares of pixels. */
static void shrink(flow_level *l, const image_luma *luma, int factor)
{
    const unsigned n = (unsigned)(factor * factor);
    for (int y = 0; y < l->h; y++) {
        uint8_t *dst = l->at + y * l->stride;
        const uint8_t *src = luma->at + factor * y * luma->down;
        if (factor == 2 && luma->bits == 8 && luma->across == 1) {
            halve_row(dst, src, src + luma->down, l->w);
            continue;
        }
        for (int x = 0; x < l->w; x++) {
            unsigned sum = n / 2;
            for (int k = 0; k < factor * factor; k++)
                sum += pixel(luma, factor * x + k % factor, factor * y + k / factor);
            dst[x] = (uint8_t)(sum / n);
        }
    }
}

static void add_margin(const flow_level *l)
{
    const size_t whole = (size_t)l->stride;
    for (int y = 0; y < l->h; y++) {
        uint8_t *row = l->at + y * l->stride;
        memset(row - FLOW_MARGIN, row[0], FLOW_MARGIN);
        memset(row + l->w, row[l->w - 1], FLOW_MARGIN);
    }
    for (int y = 1; y <= FLOW_MARGIN; y++) {
        memcpy(l->at - y * l->stride - FLOW_MARGIN, l->at - FLOW_MARGIN, whole);
        memcpy(l->at + (l->h - 1 + y) * l->stride - FLOW_MARGIN,
               l->at + (l->h - 1) * l->stride - FLOW_MARGIN, whole);
    }
}

/* Smoothed by 1 4 6 4 1 each way, every second pixel kept. src has its margin. */
static void reduce(const flow_level *dst, const flow_level *src)
{
    uint16_t row[FLOW_MOST_SIDE + 4];
    const int n = least_int(src->w, FLOW_MOST_SIDE) + 4;
    for (int y = 0; y < dst->h; y++) {
        const uint8_t *r = src->at + 2 * y * src->stride - 2;
        const ptrdiff_t s = src->stride;
        uint8_t *out = dst->at + y * dst->stride;
        for (int x = 0; x < n; x++)
            row[x] = (uint16_t)(r[x - 2 * s] + r[x + 2 * s] + 4 * (r[x - s] + r[x + s]) + 6 * r[x]);
        for (int x = 0; x < dst->w; x++) {
            const uint16_t *v = row + 2 * x;
            out[x] = (uint8_t)((v[0] + v[4] + 4 * (v[1] + v[3]) + 6 * v[2] + 128) >> 8);
        }
    }
}

void flow_pyramid_make(flow_pyramid *out, uint8_t *block, const image_luma *luma)
{
    lay_out(out, block, luma->w, luma->h);
    for (int i = 0; i < out->n_levels; i++) {
        if (i == 0)
            shrink(&out->levels[0], luma, out->factor);
        else
            reduce(&out->levels[i], &out->levels[i - 1]);
        add_margin(&out->levels[i]);
    }
}

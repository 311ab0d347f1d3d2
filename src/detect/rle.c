/* rle.c: a column of the picture lies between two columns of the grid, a pixel of it between two
 * rows; so runs are made without a picture in memory. */
#include "rle.h"

#include <math.h>

enum {
    ONE = 2048, /* of weights: 11 bits (spec 2.2) */
    PIECE_BYTES = 256,
    MOST_RUN_BYTES = 14 /* of a difference of two 64-bit lengths, 5 bits each */
};

detect_rle_frame detect_rle_frame_make(int grid_h, int grid_w, int top, int left, int h, int w)
{
    detect_rle_frame f = {top, left, grid_h - top, grid_w - left, h, w};
    if (f.bottom <= f.top)
        f.top = 0, f.bottom = grid_h;
    if (f.right <= f.left)
        f.left = 0, f.right = grid_w;
    return f;
}

/* ---- runs to text ---- */

typedef struct runs {
    detect_rle_put put;
    void *to;
    int64_t last[2]; /* the run before the last, the last */
    int64_t n, length;
    bool is_set; /* the run in the making is of ones */
    char piece[PIECE_BYTES];
    size_t n_bytes;
} runs;

static vg_status flush(runs *r, vg_error *err)
{
    r->piece[r->n_bytes] = '\0';
    r->n_bytes = 0;
    return r->piece[0] != '\0' ? r->put(r->to, r->piece, err) : VG_OK;
}

static vg_status end_run(runs *r, vg_error *err)
{
    int64_t x = r->length - (r->n > 2 ? r->last[0] : 0);
    const vg_status st = r->n_bytes + MOST_RUN_BYTES >= PIECE_BYTES ? flush(r, err) : VG_OK;
    for (bool more = true; more;) {
        const int low = (int)(x & 0x1f);
        x = (x - low) / 32; /* as an arithmetic shift */
        more = (low & 0x10) != 0 ? x != -1 : x != 0;
        r->piece[r->n_bytes++] = (char)(48 + low + (more ? 0x20 : 0));
    }
    r->last[0] = r->last[1];
    r->last[1] = r->length;
    r->n++;
    r->length = 0;
    r->is_set = !r->is_set;
    return st;
}

static vg_status add(runs *r, bool is_set, int64_t length, vg_error *err)
{
    vg_status st = VG_OK;
    if (length > 0 && is_set != r->is_set)
        st = end_run(r, err);
    r->length += length;
    return st;
}

/* ---- pixels ---- */

/* The two samples that an output lies between, and their weights. */
typedef struct tap {
    int from, to, a, b;
} tap;

/* stays: the weights are those of the nearest sample at the ends; else samples are kept within and
 * weights are not touched, which comes to the same but for rounding. */
static tap tap_of(int i, int n, int n_from, bool stays)
{
    float at = (float)((i + 0.5) * ((double)n_from / n) - 0.5);
    int s = (int)floorf(at);
    at -= (float)s;
    if (stays && (s < 0 || s >= n_from - 1)) {
        s = s < 0 ? 0 : n_from - 1;
        at = 0;
    }
    const int last = n_from - 1;
    return (tap){.from = s < 0      ? 0
                         : s > last ? last
                                    : s,
                 .to = s + 1 < 0      ? 0
                       : s + 1 > last ? last
                                      : s + 1,
                 .a = (int)rintf((1 - at) * ONE),
                 .b = (int)rintf(at * ONE)};
}

static int bit(const vg_mask *m, int x, int y)
{
    x -= m->x;
    y -= m->y;
    if (x < 0 || y < 0 || x >= m->width || y >= m->height)
        return 0;
    return m->bits[(size_t)y * m->row_bytes + (size_t)(x >> 3)] >> (7 - (x & 7)) & 1;
}

typedef struct range {
    int begin, end;
} range;

/* Outputs that a sample of from <= s < to may have a part in, and one more on either side. */
static range reached(int from, int to, int n, int n_from)
{
    const double scale = (double)n / n_from;
    const double begin = floor((from - 1) * scale) - 1, end = ceil((to + 1) * scale) + 1;
    const range r = {begin > 0 ? (begin < n ? (int)begin : n) : 0,
                     end < n ? (end > 0 ? (int)end : 0) : n};
    return to > from && r.end > r.begin ? r : (range){0, 0};
}

static bool is_set(const vg_mask *m, const detect_rle_frame *f, const tap *x, const tap *y)
{
    const int left = f->left + x->from, right = f->left + x->to;
    const int above = f->top + y->from, below = f->top + y->to;
    const int r0 = bit(m, left, above) * x->a + bit(m, right, above) * x->b;
    const int r1 = bit(m, left, below) * x->a + bit(m, right, below) * x->b;
    return (((y->a * (r0 >> 4)) >> 16) + ((y->b * (r1 >> 4)) >> 16) + 2) >> 2 != 0;
}

vg_status detect_rle_write(const vg_mask *m, const detect_rle_frame *f, detect_rle_put put,
                           void *to, vg_error *err)
{
    runs r = {.put = put, .to = to};
    const int in_h = f->bottom - f->top, in_w = f->right - f->left;
    const bool is_empty = m->bits == NULL || m->width < 1 || m->height < 1;
    const range ys =
        is_empty ? (range){0, 0} : reached(m->y - f->top, m->y + m->height - f->top, f->h, in_h);
    const range xs =
        is_empty ? (range){0, 0} : reached(m->x - f->left, m->x + m->width - f->left, f->w, in_w);
    vg_status st = add(&r, false, (int64_t)xs.begin * f->h, err);
    for (int x = xs.begin; x < xs.end && st == VG_OK; x++) {
        const tap column = tap_of(x, f->w, in_w, true);
        st = add(&r, false, ys.begin, err);
        for (int y = ys.begin; y < ys.end && st == VG_OK; y++) {
            const tap row = tap_of(y, f->h, in_h, false);
            st = add(&r, is_set(m, f, &column, &row), 1, err);
        }
        if (st == VG_OK)
            st = add(&r, false, f->h - ys.end, err);
    }
    if (st == VG_OK)
        st = add(&r, false, (int64_t)(f->w - xs.end) * f->h, err);
    if (st == VG_OK && (r.length > 0 || r.n == 0))
        st = end_run(&r, err);
    return st == VG_OK ? flush(&r, err) : st;
}

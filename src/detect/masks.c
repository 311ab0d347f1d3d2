/* masks.c: prototypes times coefficients, in the window of a box, into bits (T 2.1).
 *
 * A row of the grid lies between two rows of the prototypes. Each of these is combined once for the
 * columns that the window needs, grown to the window's columns, and kept until the rows of the grid
 * have passed it; so a mask needs two rows of floats and no picture of them. The order of the sums
 * is that of the common bilinear resize: across, then down. */
#include "masks.h"

#include <math.h>
#include <string.h>

#include "extras.h"
#include "maths.h"

/* Of a column or a row of the grid: the two samples it lies between, and the second one's weight.
 */
typedef struct tap {
    int32_t from, to;
    float weight;
} tap;

struct detect_masker {
    int grid_h, grid_w; /* the largest */
    tap *x, *y;         /* (grid_w), (grid_h) */
    float *low;         /* (grid_w) a row at the prototypes' size */
    float *row[2];      /* (grid_w) grown ones */
    int row_of[2];      /* which they are; -1: none */
    uint8_t *marks;     /* of borders */
};

struct detect_masks {
    size_t most;
    int grid_h, grid_w;
    vg_mask *masks; /* (most) */
    uint8_t *bits;  /* (most, grid) */
    float *points;  /* (most_points, 2) */
    size_t bits_bytes, most_points;
};

/* ---- memory ---- */

static size_t row_bytes_of(int w)
{
    return ((size_t)w + 7) / 8;
}

typedef struct masker_layout {
    size_t y, low, row[2], marks, total;
} masker_layout;

static masker_layout masker_plan(int grid_h, int grid_w)
{
    const size_t row = base_round_up((size_t)grid_w * sizeof(float), BASE_MEM_ALIGN);
    masker_layout l = {.y = base_round_up(sizeof(detect_masker), BASE_MEM_ALIGN) +
                            base_round_up((size_t)grid_w * sizeof(tap), BASE_MEM_ALIGN)};
    l.low = l.y + base_round_up((size_t)grid_h * sizeof(tap), BASE_MEM_ALIGN);
    l.row[0] = l.low + row;
    l.row[1] = l.row[0] + row;
    l.marks = l.row[1] + row;
    l.total = l.marks + 2 * row_bytes_of(grid_w) * (size_t)grid_h;
    return l;
}

static vg_status check_grid(int grid_h, int grid_w, vg_error *err)
{
    if (grid_h >= 1 && grid_w >= 1 && grid_h <= 1 << 16 && grid_w <= 1 << 16)
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, "masks", "pass sides of 1 to 65536",
                     "a grid of %d x %d pixels", grid_w, grid_h);
}

size_t detect_masker_bytes(int grid_h, int grid_w)
{
    return masker_plan(grid_h, grid_w).total;
}

vg_status detect_masker_create(detect_masker **out, int grid_h, int grid_w, base_mem *mem,
                               vg_error *err)
{
    *out = NULL;
    if (check_grid(grid_h, grid_w, err) != VG_OK)
        return VG_ERR_ARGUMENT;
    const masker_layout l = masker_plan(grid_h, grid_w);
    char *block = base_alloc(mem, l.total, err);
    if (!block)
        return VG_ERR_MEMORY;
    detect_masker *k = (detect_masker *)(void *)block;
    *k = (detect_masker){
        .grid_h = grid_h,
        .grid_w = grid_w,
        .x = (tap *)(void *)(block + base_round_up(sizeof *k, BASE_MEM_ALIGN)),
        .y = (tap *)(void *)(block + l.y),
        .low = (float *)(void *)(block + l.low),
        .row = {(float *)(void *)(block + l.row[0]), (float *)(void *)(block + l.row[1])},
        .marks = (uint8_t *)block + l.marks};
    *out = k;
    return VG_OK;
}

vg_status detect_masker_reserve(detect_masker **k, int grid_h, int grid_w, base_mem *mem,
                                vg_error *err)
{
    detect_masker *more = NULL;
    if (*k && grid_h <= (*k)->grid_h && grid_w <= (*k)->grid_w)
        return VG_OK;
    if (*k) {
        grid_h = grid_h > (*k)->grid_h ? grid_h : (*k)->grid_h;
        grid_w = grid_w > (*k)->grid_w ? grid_w : (*k)->grid_w;
    }
    const vg_status st = detect_masker_create(&more, grid_h, grid_w, mem, err);
    if (st != VG_OK)
        return st;
    base_free(*k);
    *k = more;
    return VG_OK;
}

void detect_masker_destroy(detect_masker **k)
{
    base_free(*k);
    *k = NULL;
}

typedef struct masks_layout {
    size_t points, bits, bits_bytes, most_points, total;
} masks_layout;

static bool masks_plan(masks_layout *l, size_t most, int grid_h, int grid_w)
{
    size_t points_bytes, masks_bytes;
    *l = (masks_layout){.points = base_round_up(sizeof(detect_masks), BASE_MEM_ALIGN)};
    if (!base_mul_size(&masks_bytes, most, sizeof(vg_mask)) ||
        !base_mul_size(&l->bits_bytes, most, row_bytes_of(grid_w) * (size_t)grid_h) ||
        !base_mul_size(&l->most_points, most, 2 * ((size_t)grid_h + (size_t)grid_w)) ||
        !base_mul_size(&points_bytes, l->most_points, 2 * sizeof(float)))
        return false;
    l->points += base_round_up(masks_bytes, BASE_MEM_ALIGN);
    l->bits = l->points + base_round_up(points_bytes, BASE_MEM_ALIGN);
    l->total = l->bits + l->bits_bytes;
    return l->bits >= points_bytes && l->total >= l->bits;
}

size_t detect_masks_bytes(size_t most, int grid_h, int grid_w)
{
    masks_layout l;
    return masks_plan(&l, most, grid_h, grid_w) ? l.total : SIZE_MAX;
}

vg_status detect_masks_create(detect_masks **out, size_t most, int grid_h, int grid_w,
                              base_mem *mem, vg_error *err)
{
    masks_layout l;
    *out = NULL;
    if (check_grid(grid_h, grid_w, err) != VG_OK)
        return VG_ERR_ARGUMENT;
    if (!masks_plan(&l, most, grid_h, grid_w))
        return base_fail(err, VG_ERR_LIMIT, "masks", "lower max_det",
                         "%zu masks of %d x %d pixels have no room in an address", most, grid_w,
                         grid_h);
    char *block = base_alloc(mem, l.total, err);
    if (!block)
        return VG_ERR_MEMORY;
    detect_masks *m = (detect_masks *)(void *)block;
    *m = (detect_masks){.most = most,
                        .grid_h = grid_h,
                        .grid_w = grid_w,
                        .masks =
                            (vg_mask *)(void *)(block + base_round_up(sizeof *m, BASE_MEM_ALIGN)),
                        .bits = (uint8_t *)block + l.bits,
                        .points = (float *)(void *)(block + l.points),
                        .bits_bytes = l.bits_bytes,
                        .most_points = l.most_points};
    *out = m;
    return VG_OK;
}

vg_status detect_masks_reserve(detect_masks **m, size_t most, int grid_h, int grid_w, base_mem *mem,
                               vg_error *err)
{
    detect_masks *more = NULL;
    if (*m && most <= (*m)->most && grid_h <= (*m)->grid_h && grid_w <= (*m)->grid_w)
        return VG_OK;
    if (*m) {
        grid_h = grid_h > (*m)->grid_h ? grid_h : (*m)->grid_h;
        grid_w = grid_w > (*m)->grid_w ? grid_w : (*m)->grid_w;
    }
    const vg_status st = detect_masks_create(&more, most, grid_h, grid_w, mem, err);
    if (st != VG_OK)
        return st;
    base_free(*m);
    *m = more;
    return VG_OK;
}

void detect_masks_destroy(detect_masks **m)
{
    base_free(*m);
    *m = NULL;
}

vg_mask *detect_masks_at(detect_masks *m)
{
    return m->masks;
}

/* ---- where pixels of the grid come from ---- */

typedef struct range {
    int begin, end;
} range;

/* What is the same for all masks of a picture. */
typedef struct job {
    const detect_mask_source *s;
    detect_masker *k;
    int grid_h, grid_w;
    int top, left, h, w; /* the part of the prototypes that is looked at */
    bool cuts_first;     /* to the box at the prototypes' size */
} job;

/* Half-pixel centres, kept within the samples. */
static void fill_taps(tap *out, int n, int n_from, int first)
{
    const float scale = (float)n_from / (float)n;
    for (int i = 0; i < n; i++) {
        const float at = detect_max(((float)i + 0.5f) * scale - 0.5f, 0);
        const int from = (int)at < n_from - 1 ? (int)at : n_from - 1;
        const int to = from + 1 < n_from ? from + 1 : from;
        out[i] = (tap){.from = first + from, .to = first + to, .weight = at - (float)from};
    }
}

static job job_make(const detect_mask_source *s, detect_masker *k, detect_mask_grid grid)
{
    job j = {.s = s, .k = k, .h = s->h, .w = s->w, .cuts_first = grid != DETECT_GRID_PICTURE};
    j.grid_h = grid == DETECT_GRID_INPUT ? s->in_h : s->h;
    j.grid_w = grid == DETECT_GRID_INPUT ? s->in_w : s->w;
    if (grid == DETECT_GRID_PICTURE) { /* without the border, whose ends are cut to whole samples */
        const double gain = fmin((double)s->h / s->orig_h, (double)s->w / s->orig_w);
        const double pad_x = (s->w - s->orig_w * gain) / 2, pad_y = (s->h - s->orig_h * gain) / 2;
        j.top = (int)pad_y;
        j.left = (int)pad_x;
        j.h = (int)(s->h - pad_y) - j.top;
        j.w = (int)(s->w - pad_x) - j.left;
        j.grid_h = s->orig_h;
        j.grid_w = s->orig_w;
        if (j.h < 1 || j.w < 1) /* a strip thinner than a sample */
            j.top = j.left = 0, j.h = s->h, j.w = s->w;
    }
    fill_taps(k->x, j.grid_w, j.w, j.left);
    fill_taps(k->y, j.grid_h, j.h, j.top);
    return j;
}

/* The whole numbers i of 0 .. n - 1 with i >= begin and i < end. */
static range cut(float begin, float end, int n)
{
    const float b = ceilf(detect_min(detect_max(begin, 0), (float)n));
    const float e = ceilf(detect_min(detect_max(end, 0), (float)n));
    return (range){(int)b, e > b ? (int)e : (int)b}; /* also of what is no number */
}

/* Pixels of the grid that a sample within r has a part in. */
static range reached(const tap *taps, int n, range r)
{
    range out = {0, n};
    if (r.begin >= r.end)
        return (range){0, 0};
    while (out.begin < n && taps[out.begin].to < r.begin)
        out.begin++;
    while (out.end > out.begin && taps[out.end - 1].from >= r.end)
        out.end--;
    return out;
}

/* ---- one mask ---- */

typedef struct window {
    const job *j;
    const float *coefficients;
    range x, y;       /* of the grid */
    range in_x, in_y; /* samples within the box; all where it is cut later */
    int first, last;  /* samples of a row that the window needs */
} window;

static inline __attribute__((always_inline)) float dot(const float *a, const float *b, int n)
{
    float sum[8] = {0}, rest = 0;
    int i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        rest += a[i] * b[i];
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7])) + rest;
}

DETECT_WIDE static void combine_row(float *low, const float *proto, size_t pitch,
                                    const float *coefficients, int n_coefficients, int n)
{
    for (int i = 0; i < n; i++)
        low[i] = dot(coefficients, proto + (size_t)i * pitch, n_coefficients);
}

/* low: its first element is sample `first`. */
DETECT_WIDE static void grow_row(float *out, const float *low, int first, const tap *taps, int n)
{
    for (int i = 0; i < n; i++) {
        const tap t = taps[i];
        out[i] = (1 - t.weight) * low[t.from - first] + t.weight * low[t.to - first];
    }
}

/* Row y of the prototypes, grown to the window's columns: from those kept, or made. */
static const float *window_row(const window *w, int y)
{
    const job *j = w->j;
    const detect_mask_source *s = j->s;
    detect_masker *k = j->k;
    const int slot = y & 1; /* of two neighbours each has its own */
    if (k->row_of[slot] == y)
        return k->row[slot];
    k->row_of[slot] = y;
    const int n = w->x.end - w->x.begin;
    if (y < w->in_y.begin || y >= w->in_y.end) {
        memset(k->row[slot], 0, (size_t)n * sizeof(float));
        return k->row[slot];
    }
    const int begin = w->in_x.begin > w->first ? w->in_x.begin : w->first;
    const int end = w->in_x.end < w->last + 1 ? w->in_x.end : w->last + 1;
    memset(k->low, 0, (size_t)(w->last - w->first + 1) * sizeof(float));
    if (begin < end)
        combine_row(k->low + (begin - w->first),
                    s->proto + ((size_t)y * (size_t)s->w + (size_t)begin) * s->pitch, s->pitch,
                    w->coefficients, s->n, end - begin);
    grow_row(k->row[slot], k->low, w->first, k->x + w->x.begin, n);
    return k->row[slot];
}

DETECT_WIDE static void threshold_row(uint8_t *bits, const float *a, const float *b, float weight,
                                      int n)
{
    const float rest = 1 - weight;
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        unsigned byte = 0;
        for (int k = 0; k < 8; k++)
            byte |= (unsigned)(rest * a[i + k] + weight * b[i + k] > 0) << (7 - k);
        bits[i >> 3] = (uint8_t)byte;
    }
    if (i == n)
        return;
    unsigned byte = 0;
    for (int k = 0; i + k < n; k++)
        byte |= (unsigned)(rest * a[i + k] + weight * b[i + k] > 0) << (7 - k);
    bits[i >> 3] = (uint8_t)byte;
}

static window window_make(const job *j, const vg_detection *b, const float *coefficients)
{
    const detect_mask_source *s = j->s;
    window w = {.j = j, .coefficients = coefficients, .in_x = {0, s->w}, .in_y = {0, s->h}};
    if (j->cuts_first) {
        const float fx = (float)s->w / (float)s->in_w, fy = (float)s->h / (float)s->in_h;
        w.in_x = cut(b->x1 * fx, b->x2 * fx, s->w);
        w.in_y = cut(b->y1 * fy, b->y2 * fy, s->h);
        w.x = reached(j->k->x, j->grid_w, w.in_x);
        w.y = reached(j->k->y, j->grid_h, w.in_y);
    } else {
        w.x = cut(b->x1, b->x2, j->grid_w);
        w.y = cut(b->y1, b->y2, j->grid_h);
    }
    if (w.x.begin >= w.x.end || w.y.begin >= w.y.end)
        w.x = w.y = (range){0, 0};
    else {
        w.first = j->k->x[w.x.begin].from;
        w.last = j->k->x[w.x.end - 1].to;
    }
    return w;
}

static void make_bits(uint8_t *bits, size_t row_bytes, const window *w)
{
    const detect_masker *k = w->j->k;
    w->j->k->row_of[0] = w->j->k->row_of[1] = -1;
    for (int y = w->y.begin; y < w->y.end; y++) {
        const tap t = k->y[y];
        const float *a = window_row(w, t.from), *b = window_row(w, t.to);
        threshold_row(bits + (size_t)(y - w->y.begin) * row_bytes, a, b, t.weight,
                      w->x.end - w->x.begin);
    }
}

/* From the grid to the picture, with padding that is not rounded. */
static void scale_points(float *xy, size_t n, const detect_mask_source *s)
{
    const double gain = fmin((double)s->in_h / s->orig_h, (double)s->in_w / s->orig_w);
    const float pad_x = (float)((s->in_w - s->orig_w * gain) / 2),
                pad_y = (float)((s->in_h - s->orig_h * gain) / 2), g = (float)gain;
    for (size_t i = 0; i < n; i++) {
        xy[2 * i] = detect_min(detect_max((xy[2 * i] - pad_x) / g, 0), (float)s->orig_w);
        xy[2 * i + 1] = detect_min(detect_max((xy[2 * i + 1] - pad_y) / g, 0), (float)s->orig_h);
    }
}

size_t detect_masks_make(detect_masks *m, detect_masker *k, const detect_mask_source *s,
                         detect_mask_grid grid, const vg_detection *boxes, const uint32_t *cells,
                         size_t n, bool with_outlines)
{
    const job j = job_make(s, k, grid);
    size_t n_thinned = 0, bytes = 0, n_points = 0;
    for (size_t i = 0; i < n; i++) {
        const detect_cell cell = detect_cell_at(s->levels, s->n_levels, s->picture, cells[i]);
        const window w = window_make(&j, &boxes[i], cell.extra);
        vg_mask *out = &m->masks[i];
        *out = (vg_mask){.grid_width = j.grid_w,
                         .grid_height = j.grid_h,
                         .x = w.x.begin,
                         .y = w.y.begin,
                         .width = w.x.end - w.x.begin,
                         .height = w.y.end - w.y.begin,
                         .row_bytes = row_bytes_of(w.x.end - w.x.begin)};
        if (out->width == 0)
            continue;
        make_bits(m->bits + bytes, out->row_bytes, &w);
        out->bits = m->bits + bytes;
        bytes += out->row_bytes * (size_t)out->height;
        if (!with_outlines)
            continue;
        float *xy = m->points + 2 * n_points;
        bool is_thinned = false;
        out->n_points =
            detect_mask_outline(xy, m->most_points - n_points, &is_thinned, out, k->marks);
        out->outline = xy;
        n_thinned += is_thinned;
        if (grid == DETECT_GRID_INPUT)
            scale_points(xy, out->n_points, s);
        n_points += out->n_points;
    }
    return n_thinned;
}

void detect_masks_unpad(detect_masks *m, size_t n, float gain, float pad_x, float pad_y, int h,
                        int w)
{
    for (size_t i = 0; i < n; i++) {
        const vg_mask *mask = &m->masks[i];
        if (mask->n_points == 0)
            continue;
        float *xy = m->points + (mask->outline - m->points);
        for (size_t p = 0; p < mask->n_points; p++) {
            xy[2 * p] = detect_min(detect_max((xy[2 * p] - pad_x) / gain, 0), (float)w);
            xy[2 * p + 1] = detect_min(detect_max((xy[2 * p + 1] - pad_y) / gain, 0), (float)h);
        }
    }
}

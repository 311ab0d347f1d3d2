/* resize.c: OpenCV's 8-bit bilinear resize, bit for bit (spec 2.2).
 *
 * Two passes: a source row is brought to the new width once and kept (two are live at a time), then
 * destination rows are mixed from pairs. Memory: one block in the caller's scratch: the tables of
 * the last sizes, which a stream of equal pictures finds again, and the two rows. */
#include "resize.h"

#include <math.h>
#include <string.h>

#include "buffer.h"

/* At the head of the scratch's block; the arrays follow. */
typedef struct resize_tables {
    uint64_t magic; /* this block holds tables */
    int src_w, src_h, w, h;
} resize_tables;
#define TABLES_MAGIC UINT64_C(0x7369675f7a697273)

enum { ONE = 2048 /* 1.0 in OpenCV's 11 bits */ };

float image_resizer_place(int *from, int d, int n_in, int n_out)
{
    float f = (float)((d + 0.5) * ((double)n_in / n_out) - 0.5);
    *from = (int)floorf(f);
    return f - (float)*from;
}

static void weigh(int16_t weight[2], float f)
{
    weight[0] = (int16_t)lrintf((1.0f - f) * ONE);
    weight[1] = (int16_t)lrintf(f * ONE);
}

static void make_x_table(int32_t *from, int16_t *weight, int n_in, int n_out)
{
    for (int d = 0; d < n_out; d++) {
        int s;
        float f = image_resizer_place(&s, d, n_in, n_out);
        if (s < 0) {
            s = 0;
            f = 0;
        }
        if (s >= n_in - 1) {
            s = n_in - 1;
            f = 0;
        }
        from[d] = s;
        weigh(weight + 2 * d, f);
    }
}

/* Down the picture the weight stays and the rows are clamped: not the same in the last bit. */
static void make_y_table(int32_t *from, int16_t *weight, int n_in, int n_out)
{
    for (int d = 0; d < n_out; d++) {
        int s;
        float f = image_resizer_place(&s, d, n_in, n_out);
        from[d] = s;
        weigh(weight + 2 * d, f);
    }
}

/* Takes `bytes` of the block from *at on, aligned for vectors. */
static size_t carve(size_t *at, size_t bytes)
{
    size_t start = *at;
    *at = base_round_up(start + bytes, BASE_MEM_ALIGN);
    return start;
}

/* Where the arrays lie behind the tables' head. */
typedef struct layout {
    size_t x_from, x_weight, y_from, y_weight, row0, row1, line, bytes;
} layout;

static layout layout_plan(int w, int h)
{
    enum { SLACK = 64 /* kernels store whole vectors */ };
    size_t n_w = (size_t)w, n_h = (size_t)h, bytes = sizeof(resize_tables);
    layout l;
    l.x_from = carve(&bytes, n_w * sizeof(int32_t));
    l.x_weight = carve(&bytes, 2 * n_w * sizeof(int16_t));
    l.y_from = carve(&bytes, n_h * sizeof(int32_t));
    l.y_weight = carve(&bytes, 2 * n_h * sizeof(int16_t));
    l.row0 = carve(&bytes, 3 * n_w * sizeof(int16_t) + SLACK);
    l.row1 = carve(&bytes, 3 * n_w * sizeof(int16_t) + SLACK);
    l.line = carve(&bytes, 3 * n_w + SLACK);
    l.bytes = bytes;
    return l;
}

/* A fresh block holds no tables. */
static vg_status reserve(image_scratch *scratch, const layout *l, base_mem *mem, vg_error *err)
{
    bool fresh = scratch->block == NULL;
    vg_status st = image_scratch_reserve(scratch, l->bytes, mem, err);
    if (st == VG_OK && fresh)
        memset(scratch->block, 0, sizeof(resize_tables));
    return st;
}

vg_status image_letterbox_reserve(image_scratch *scratch, int out_w, int out_h, base_mem *mem,
                                  vg_error *err)
{
    layout l = layout_plan(out_w, out_h);
    return reserve(scratch, &l, mem, err);
}

void image_scratch_forget(image_scratch *s)
{
    if (s->capacity_bytes >= sizeof(resize_tables))
        ((resize_tables *)s->block)->magic = 0;
}

size_t image_letterbox_bytes(int out_w, int out_h)
{
    return layout_plan(out_w, out_h).bytes;
}

vg_status image_resizer_init(image_resizer *out, const image_view *src, int w, int h,
                             image_scratch *scratch, base_mem *mem, vg_error *err)
{
    enum { MOST = 1 << 24 };
    if (src->w < 1 || src->h < 1 || w < 1 || h < 1 || src->w > MOST || src->h > MOST || w > MOST ||
        h > MOST)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL,
                         "cannot resize %d x %d pixels to %d x %d", src->w, src->h, w, h);

    layout l = layout_plan(w, h);
    vg_status st = reserve(scratch, &l, mem, err);
    if (st != VG_OK)
        return st;
    uint8_t *block = scratch->block;
    resize_tables *tables = scratch->block;
    int32_t *xf = (int32_t *)(void *)(block + l.x_from),
            *yf = (int32_t *)(void *)(block + l.y_from);
    int16_t *xw = (int16_t *)(void *)(block + l.x_weight),
            *yw = (int16_t *)(void *)(block + l.y_weight);
    if (tables->magic != TABLES_MAGIC || tables->src_w != src->w || tables->src_h != src->h ||
        tables->w != w || tables->h != h) {
        make_x_table(xf, xw, src->w, w);
        make_y_table(yf, yw, src->h, h);
        *tables = (resize_tables){
            .magic = TABLES_MAGIC, .src_w = src->w, .src_h = src->h, .w = w, .h = h};
    }
    *out = (image_resizer){
        .kernels = image_row_kernels_get(),
        .src = src,
        .w = w,
        .h = h,
        .copies = src->w == w && src->h == h,
        .halves = src->w == 2 * w && src->h == 2 * h,
        .x_from = xf,
        .x_weight = xw,
        .y_from = yf,
        .y_weight = yw,
        .rows = {(int16_t *)(void *)(block + l.row0), (int16_t *)(void *)(block + l.row1)},
        .held = {-1, -1},
        .line = block + l.line,
    };
    return VG_OK;
}

static const uint8_t *source_row(const image_resizer *r, int row)
{
    return r->src->data + (size_t)row * r->src->stride;
}

static void copy_row(const image_resizer *r, uint8_t *dst, int row)
{
    if (r->pixels != NULL)
        image_pixels_copy(dst, r->pixels, row);
    else
        memcpy(dst, source_row(r, row), 3 * (size_t)r->w);
}

static void halve_rows(const image_resizer *r, uint8_t *dst, int row)
{
    if (r->pixels != NULL)
        image_pixels_halve(dst, r->pixels, row, r->w);
    else
        r->kernels->halve(dst, source_row(r, row), source_row(r, row + 1), r->w);
}

static void make_across(const image_resizer *r, int16_t *dst, int row)
{
    if (r->pixels != NULL)
        image_pixels_across(dst, r, row);
    else
        r->kernels->across(dst, source_row(r, row), r->src->w, r->x_from, r->x_weight, r->w);
}

/* The source row at the new width, from the two that are held, but never in place of `keep`. */
static const int16_t *row_across(image_resizer *r, int row, int keep)
{
    for (int i = 0; i < 2; i++)
        if (r->held[i] == row)
            return r->rows[i];
    int i = r->held[0] == keep ? 1 : 0;
    make_across(r, r->rows[i], row);
    r->held[i] = row;
    return r->rows[i];
}

static int clamp_row(const image_resizer *r, int row)
{
    return row < 0 ? 0 : row >= r->src->h ? r->src->h - 1 : row;
}

void image_resizer_row(image_resizer *r, uint8_t *dst, int y)
{
    size_t n = 3 * (size_t)r->w;
    if (r->copies) {
        copy_row(r, dst, y);
        return;
    }
    if (r->halves) {
        halve_rows(r, dst, 2 * y);
        return;
    }
    int upper = clamp_row(r, r->y_from[y]), lower = clamp_row(r, r->y_from[y] + 1);
    int b0 = r->y_weight[2 * y], b1 = r->y_weight[2 * y + 1];
    if (b1 == 0)
        lower =
            upper; /* a row that counts for nothing is not worth making: a third of 1080p to 640 */
    const int16_t *r0 = row_across(r, upper, lower);
    const int16_t *r1 = row_across(r, lower, upper);
    r->kernels->down(dst, r0, r1, b0, b1, n);
}

vg_status image_resize(const image_view *dst, const image_view *src, image_scratch *scratch,
                       base_mem *mem, vg_error *err)
{
    image_resizer r;
    vg_status st = image_resizer_init(&r, src, dst->w, dst->h, scratch, mem, err);
    if (st != VG_OK)
        return st;
    for (int y = 0; y < dst->h; y++)
        image_resizer_row(&r, dst->data + (size_t)y * dst->stride, y);
    return VG_OK;
}

/* sample.c: tables, the loop over rows, and the inner loops in plain C: the truth that the others
 * are tested against. */
#include "sample.h"

#include <math.h>
#include <string.h>

/* ---- the inner loops ---- */

static void mix_c(int16_t *restrict row, const uint8_t *restrict r0, const uint8_t *restrict r1,
                  int b0, int b1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        row[i] = (int16_t)(r0[i] * b0 + r1[i] * b1);
}

static float at_taps(const int16_t *row, const video_taps *t, int x, int pitch)
{
    const int16_t *p = row + (size_t)t->from[x] * (size_t)pitch;
    int sum = p[0] * t->weight[2 * x] + p[pitch] * t->weight[2 * x + 1];
    return (float)sum;
}

static float clip(float v)
{
    return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
}

/* The matrix is given for samples; sums are larger by both weights. */
static const float SUM_TO_SAMPLE = 1.0f / (VIDEO_ROW_ONE * VIDEO_COLUMN_ONE);

static void convert_c(float *dst, const int16_t *y, const int16_t *u, const int16_t *v,
                      int chroma_pitch, const video_taps *luma, const video_taps *chroma,
                      const video_matrix *m, int w)
{
    for (int x = 0; x < w; x++, dst += 3) {
        float l = at_taps(y, luma, x, 1) * SUM_TO_SAMPLE * m->y_scale;
        float cb = at_taps(u, chroma, x, chroma_pitch) * SUM_TO_SAMPLE - 128.0f;
        float cr = at_taps(v, chroma, x, chroma_pitch) * SUM_TO_SAMPLE - 128.0f;
        dst[0] = clip(l + m->offset[0] + cr * m->r_v);
        dst[1] = clip(l + m->offset[1] + (cb * m->g_u + cr * m->g_v));
        dst[2] = clip(l + m->offset[2] + cb * m->b_u);
    }
}

const video_sample_kernels VIDEO_SAMPLE_KERNELS_C = {
    .name = "c", .mix = mix_c, .convert = convert_c};

const video_sample_kernels *video_sample_kernels_get(void)
{
    const video_sample_kernels *k = video_sample_kernels_x86("avx2");
    return k != NULL ? k : &VIDEO_SAMPLE_KERNELS_C;
}

/* ---- tables ---- */

/* Result index d of n_out falls on the plane of `whole` luma samples divided by `shrink`, which has
 * n_in samples. Mirrored: counted from the plane's far end. The pair never leaves the plane. */
static void make_taps(video_taps *t, int n_out, int whole, int shrink, int n_in, bool is_mirrored,
                      int one)
{
    for (int d = 0; d < n_out; d++) {
        int slot = is_mirrored ? n_out - 1 - d : d;
        double at = (d + 0.5) * ((double)whole / n_out / shrink) - 0.5;
        /* The rounding of image_resize, so that luma is sampled exactly where it does. */
        float f = (float)at;
        int from = (int)floorf(f);
        f -= (float)from;
        if (from < 0) {
            from = 0;
            f = 0;
        }
        if (from >= n_in - 1) {
            f = n_in > 1 ? 1.0f : 0.0f;
            from = n_in > 1 ? n_in - 2 : 0;
        }
        int far = (int)lrintf(f * (float)one);
        t->from[slot] = from;
        t->weight[2 * slot] = (int16_t)(one - far);
        t->weight[2 * slot + 1] = (int16_t)far;
    }
}

typedef struct layout {
    size_t luma_x, luma_y, chroma_x, chroma_y; /* from; the weights follow */
    size_t rows[3], line, bytes;
} layout;

static size_t carve(size_t *at, size_t bytes)
{
    size_t start = *at;
    *at = base_round_up(start + bytes, BASE_MEM_ALIGN);
    return start;
}

enum { TAP_BYTES = sizeof(int32_t) + 2 * sizeof(int16_t), SLACK = 128 };

/* n_x, n_y: of the result, along the stored picture's columns and rows. */
static layout layout_plan(int w, int n_x, int n_y)
{
    size_t bytes = 0, x_bytes = (size_t)n_x * TAP_BYTES, y_bytes = (size_t)n_y * TAP_BYTES;
    layout l;
    l.luma_x = carve(&bytes, x_bytes);
    l.chroma_x = carve(&bytes, x_bytes);
    l.luma_y = carve(&bytes, y_bytes);
    l.chroma_y = carve(&bytes, y_bytes);
    l.rows[0] = carve(&bytes, (size_t)w * sizeof(int16_t) + SLACK);
    /* u and v beside each other in one row, or a row each */
    l.rows[1] = carve(&bytes, ((size_t)w + 2) * sizeof(int16_t) + SLACK);
    l.rows[2] = carve(&bytes, ((size_t)w + 2) / 2 * sizeof(int16_t) + SLACK);
    l.line = carve(&bytes, 3 * (size_t)n_x * sizeof(float) + SLACK);
    l.bytes = bytes;
    return l;
}

size_t video_sampler_bytes(int w, int h, const image_letterbox_fit *fit)
{
    /* As stored, and turned: whichever is larger. */
    size_t upright = layout_plan(w, fit->new_w, fit->new_h).bytes,
           turned = layout_plan(h, fit->new_h, fit->new_w).bytes;
    return upright > turned ? upright : turned;
}

static video_taps taps_at(uint8_t *block, size_t at, int n)
{
    return (video_taps){.from = (int32_t *)(void *)(block + at),
                        .weight = (int16_t *)(void *)(block + at + (size_t)n * sizeof(int32_t))};
}

vg_status video_sampler_plan(video_sampler *s, int w, int h, bool is_swapped, bool mirrors_columns,
                             bool mirrors_rows, const image_letterbox_fit *fit, base_mem *mem,
                             vg_error *err)
{
    if (s->scratch.block != NULL && s->w == w && s->h == h && s->is_swapped == is_swapped &&
        s->mirrors_columns == mirrors_columns && s->mirrors_rows == mirrors_rows &&
        s->fit.new_w == fit->new_w && s->fit.new_h == fit->new_h) {
        s->fit = *fit;
        return VG_OK;
    }
    int n_x = is_swapped ? fit->new_h : fit->new_w, n_y = is_swapped ? fit->new_w : fit->new_h;
    layout l = layout_plan(w, n_x, n_y);
    s->w = 0; /* no tables, should this fail */
    if (l.bytes > s->scratch.capacity_bytes) {
        void *block = base_realloc(mem, s->scratch.block, l.bytes, err);
        if (block == NULL)
            return VG_ERR_MEMORY;
        s->scratch = (image_scratch){.block = block, .capacity_bytes = l.bytes};
    }
    uint8_t *block = s->scratch.block;
    s->luma_x = taps_at(block, l.luma_x, n_x);
    s->chroma_x = taps_at(block, l.chroma_x, n_x);
    s->luma_y = taps_at(block, l.luma_y, n_y);
    s->chroma_y = taps_at(block, l.chroma_y, n_y);
    for (int i = 0; i < 3; i++)
        s->rows[i] = (int16_t *)(void *)(block + l.rows[i]);
    s->line = (float *)(void *)(block + l.line);
    make_taps(&s->luma_x, n_x, w, 1, w, mirrors_columns, VIDEO_COLUMN_ONE);
    make_taps(&s->chroma_x, n_x, w, 2, (w + 1) / 2, mirrors_columns, VIDEO_COLUMN_ONE);
    make_taps(&s->luma_y, n_y, h, 1, h, mirrors_rows, VIDEO_ROW_ONE);
    make_taps(&s->chroma_y, n_y, h, 2, (h + 1) / 2, mirrors_rows, VIDEO_ROW_ONE);
    s->w = w;
    s->h = h;
    s->is_swapped = is_swapped;
    s->mirrors_columns = mirrors_columns;
    s->mirrors_rows = mirrors_rows;
    s->fit = *fit;
    return VG_OK;
}

void video_sampler_fini(video_sampler *s)
{
    image_scratch_fini(&s->scratch);
    *s = (video_sampler){0};
}

/* ---- the loop ---- */

static const float PAD = 114 / 255.0f;

static float *fill_pad(float *dst, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = PAD;
    return dst + n;
}

static void mix_plane(const video_sample_kernels *k, int16_t *row, const uint8_t *plane,
                      size_t stride, const video_taps *taps, int d, int n_rows, size_t n)
{
    const uint8_t *r0 = plane + (size_t)taps->from[d] * stride;
    /* A plane of one row has no second; it weighs nothing. */
    const uint8_t *r1 = taps->from[d] + 1 < n_rows ? r0 + stride : r0;
    k->mix(row, r0, r1, taps->weight[2 * d], taps->weight[2 * d + 1], n);
    /* The same for the last column's neighbour in a plane of one column. */
    row[n] = row[n + 1] = 0;
}

static void make_row(video_sampler *s, const video_sample_kernels *k, float *to,
                     const video_yuv *src, const video_matrix *m, int d, int n_x)
{
    size_t n_chroma = (size_t)(src->w + 1) / 2;
    int chroma_h = (src->h + 1) / 2;
    mix_plane(k, s->rows[0], src->y, src->y_stride, &s->luma_y, d, src->h, (size_t)src->w);
    if (src->chroma_pitch == 2) {
        mix_plane(k, s->rows[1], src->u, src->u_stride, &s->chroma_y, d, chroma_h, 2 * n_chroma);
        k->convert(to, s->rows[0], s->rows[1], s->rows[1] + 1, 2, &s->luma_x, &s->chroma_x, m, n_x);
        return;
    }
    mix_plane(k, s->rows[1], src->u, src->u_stride, &s->chroma_y, d, chroma_h, n_chroma);
    mix_plane(k, s->rows[2], src->v, src->u_stride, &s->chroma_y, d, chroma_h, n_chroma);
    k->convert(to, s->rows[0], s->rows[1], s->rows[2], 1, &s->luma_x, &s->chroma_x, m, n_x);
}

/* Stored rows are the result's columns. */
static void run_swapped(video_sampler *s, const video_sample_kernels *k, float *dst,
                        const video_yuv *src, const video_matrix *m)
{
    const image_letterbox_fit *fit = &s->fit;
    size_t row = 3 * (size_t)fit->out_w;
    float *inside = dst + (size_t)fit->top * row + 3 * (size_t)fit->left;
    fill_pad(dst, (size_t)fit->top * row);
    for (int x = 0; x < fit->new_w; x++) {
        make_row(s, k, s->line, src, m, x, fit->new_h);
        float *to = inside + 3 * (size_t)x;
        for (int y = 0; y < fit->new_h; y++, to += row)
            memcpy(to, s->line + 3 * (size_t)y, 3 * sizeof(float));
    }
    for (int y = 0; y < fit->new_h; y++) {
        float *start = dst + (size_t)(fit->top + y) * row;
        fill_pad(start, 3 * (size_t)fit->left);
        fill_pad(start + 3 * (size_t)(fit->left + fit->new_w), 3 * (size_t)fit->right);
    }
    fill_pad(dst + (size_t)(fit->top + fit->new_h) * row, (size_t)fit->bottom * row);
}

void video_sampler_run(video_sampler *s, const video_sample_kernels *k, float *dst,
                       const video_yuv *src, const video_matrix *m)
{
    const image_letterbox_fit *fit = &s->fit;
    size_t row = 3 * (size_t)fit->out_w;
    if (s->is_swapped) {
        run_swapped(s, k, dst, src, m);
        return;
    }
    dst = fill_pad(dst, (size_t)fit->top * row);
    for (int y = 0; y < fit->new_h; y++) {
        dst = fill_pad(dst, 3 * (size_t)fit->left);
        make_row(s, k, dst, src, m, y, fit->new_w);
        dst = fill_pad(dst + 3 * (size_t)fit->new_w, 3 * (size_t)fit->right);
    }
    fill_pad(dst, (size_t)fit->bottom * row);
}

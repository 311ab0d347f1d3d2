/* sample.h: planes of YUV 4:2:0 sampled straight into a letterboxed network input; and the inner
 * loops by instruction set. For this folder.
 *
 * Bilinear, at image_letterbox's sample positions for luma; chroma at its own, taken to lie in the
 * middle of its four pixels, as swscale's plain converter has it. A row is first mixed from two
 * rows of the source over its whole width (contiguous, 7 bits of weight: it fits 15 bits), then
 * gathered at the columns of the result with 11 bits of weight, then converted to RGB as floats. */
#ifndef VIDEO_SAMPLE_H
#define VIDEO_SAMPLE_H

#include "image/image.h"

/* One plane's share of the columns (or rows): from[i] is the left (upper) sample, weights of it and
 * of its right neighbour beside each other. */
typedef struct video_taps {
    int32_t *from;
    int16_t *weight; /* (n, 2), of 2048 for columns, of 128 for rows */
} video_taps;

enum { VIDEO_ROW_ONE = 128, VIDEO_COLUMN_ONE = 2048 };

/* rgb = clip(y * luma + offset + u, v shares), in units of the float result. */
typedef struct video_matrix {
    float y_scale;            /* of a sample 0..255 */
    float offset[3];          /* of red, green and blue */
    float r_v, g_u, g_v, b_u; /* of a sample less 128 */
} video_matrix;

typedef struct video_sample_kernels {
    const char *name;
    /* row = r0 * b0 + r1 * b1 (b0 + b1 = 128), n samples; may write up to 32 samples past. */
    void (*mix)(int16_t *row, const uint8_t *r0, const uint8_t *r1, int b0, int b1, size_t n);
    /* dst (w pixels of 3 floats) from mixed rows of luma and chroma; chroma_pitch 1: planes, 2:
     * u and v interleaved (v = u + 1). May read up to 4 bytes past a row's last tap. */
    void (*convert)(float *dst, const int16_t *y, const int16_t *u, const int16_t *v,
                    int chroma_pitch, const video_taps *luma, const video_taps *chroma,
                    const video_matrix *m, int w);
} video_sample_kernels;

extern const video_sample_kernels VIDEO_SAMPLE_KERNELS_C;
const video_sample_kernels *video_sample_kernels_get(void);
/* "avx2"; NULL when this processor or build has it not. */
const video_sample_kernels *video_sample_kernels_x86(const char *name);

typedef struct video_yuv {
    const uint8_t *y, *u, *v;
    size_t y_stride, u_stride;
    int chroma_pitch;
    int w, h; /* stored */
} video_yuv;

/* Tables and rows of the last shapes; zeroed is valid and empty. */
typedef struct video_sampler {
    image_scratch scratch;
    int w, h;
    bool is_swapped, mirrors_columns, mirrors_rows;
    image_letterbox_fit fit;
    video_taps luma_x, luma_y, chroma_x, chroma_y; /* in stored coordinates */
    int16_t *rows[3];
    float *line; /* a row of the result, where columns are scattered */
} video_sampler;

/* Makes the tables for a stored picture of w x h, turned so, into fit. Allocates when they are
 * larger than ever. */
vg_status video_sampler_plan(video_sampler *s, int w, int h, bool is_swapped, bool mirrors_columns,
                             bool mirrors_rows, const image_letterbox_fit *fit, base_mem *mem,
                             vg_error *err);
/* dst: all of fit->out_w x fit->out_h, padding too. */
void video_sampler_run(video_sampler *s, const video_sample_kernels *k, float *dst,
                       const video_yuv *src, const video_matrix *m);
size_t video_sampler_bytes(int w, int h, const image_letterbox_fit *fit);
void video_sampler_fini(video_sampler *s);

#endif

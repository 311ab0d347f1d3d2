/* resize.h: a bilinear resize in steps, for resize and letterbox; and its inner loops by
 * instruction set. For this folder.
 *
 * Letters: x, y destination column and row; r a row of the source brought to the destination's
 * width: (3 * w) samples of 11 bits of fraction less 4, which is 0..32640 and fits int16_t. */
#ifndef IMAGE_RESIZE_H
#define IMAGE_RESIZE_H

#include "image/image.h"

/* Of a resize that smooths (smooth.c): weights are whole numbers of 22 bits, which add up to 2^22.
 * Across they lie in two halves, weight = 2048 * high + low, each of which 16 bits hold, and behind
 * the last of a column are zeros up to a multiple of IMAGE_TAPS. */
enum { IMAGE_WEIGHT_BITS = 22, IMAGE_HALF_BITS = 11, IMAGE_TAPS = 4 };
typedef struct image_span {
    int32_t first, n; /* source pixels */
} image_span;
typedef struct image_spans {
    const image_span *of;      /* (w) */
    const int16_t *low, *high; /* (w, most), most a multiple of IMAGE_TAPS */
    int w, most;
} image_spans;

/* The inner loops of one instruction set. */
typedef struct image_row_kernels {
    const char *name;
    /* r = one source row (src_w pixels) at the w columns of the table: from[x] is the left pixel,
     * weight[2x], weight[2x+1] those of it and its right neighbour. */
    void (*across)(int16_t *r, const uint8_t *src, int src_w, const int32_t *from,
                   const int16_t *weight, int w);
    /* dst = n samples between two rows r0, r1 with weights b0, b1. */
    void (*down)(uint8_t *dst, const int16_t *r0, const int16_t *r1, int b0, int b1, size_t n);
    /* Exactly halved: dst (w pixels) = means of the 2 x 2 pixels of s0, s1. */
    void (*halve)(uint8_t *dst, const uint8_t *s0, const uint8_t *s1, int w);
    /* dst = n samples / 255. */
    void (*to_float)(float *dst, const uint8_t *src, size_t n);
    /* Smoothing: dst (w pixels) = a row of src_w pixels at its taps. */
    void (*smooth_across)(uint8_t *dst, const uint8_t *src, int src_w, const image_spans *taps);
    /* n sums += weight times a row's samples; and sums as bytes. */
    void (*smooth_add)(int32_t *sums, const uint8_t *row, int32_t weight, size_t n);
    void (*smooth_round)(uint8_t *dst, const int32_t *sums, size_t n);
} image_row_kernels;

extern const image_row_kernels IMAGE_ROW_KERNELS_C;
/* The best this processor has; never NULL. */
const image_row_kernels *image_row_kernels_get(void);
/* By name for tests ("avx2", "sse4.1"); NULL when this processor or build has it not. */
const image_row_kernels *image_row_kernels_x86(const char *name);

/* A resize under way: tables in the scratch, rows on demand. */
typedef struct image_resizer {
    const image_row_kernels *kernels;
    const image_view *src;
    const image_pixels *pixels; /* NULL: src is RGB; else of 8 bits, and only src's size counts */
    int w, h;                   /* the destination */
    bool copies, halves;        /* sizes are equal; exactly half */
    const int32_t *x_from;      /* (w) */
    const int16_t *x_weight;    /* (w, 2) */
    const int32_t *y_from;      /* (h), -1 .. src->h - 1 */
    const int16_t *y_weight;    /* (h, 2) */
    int16_t *rows[2];           /* (3 w) each */
    int held[2];                /* which source row is in rows[i]; -1: none */
    uint8_t *line;              /* (3 w) for a caller that needs a row of bytes */
} image_resizer;

/* Makes or finds the tables for src -> w x h. src and scratch are borrowed while rows are made.
 * Errors: VG_ERR_ARGUMENT, VG_ERR_MEMORY. */
vg_status image_resizer_init(image_resizer *out, const image_view *src, int w, int h,
                             image_scratch *scratch, base_mem *mem, vg_error *err);
/* Where destination index d falls in the source: *from and the rest. */
float image_resizer_place(int *from, int d, int n_in, int n_out);
/* The rows of a resizer that has pixels: what its kernels do, of any layout. */
void image_pixels_copy(uint8_t *dst, const image_pixels *p, int row);
void image_pixels_across(int16_t *r, const image_resizer *of, int row);
void image_pixels_halve(uint8_t *dst, const image_pixels *p, int row, int w);
/* Forgets the tables, as something else is going to be written over them. */
void image_scratch_forget(image_scratch *s);
/* Row y of the result into dst (3 w bytes); quickest with y rising. */
void image_resizer_row(image_resizer *r, uint8_t *dst, int y);

#endif

/* augment.h: the steps of spec 5.4, each on pixels or boxes it is given: no files, no threads, no
 * memory. For this folder.
 *
 * Pictures are RGB here; the reference's are BGR, which matters to none of the steps but HSV. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "data/data.h"
#include "image/image.h"
#include "rng.h"

enum { AUGMENT_GREY = 114 };

/* ---- canvas: a picture with two grey pixels around it ---- */

/* So that a warp may read beside the picture: what lies outside is grey after clamping, and the
 * inner loop has no branch. */
enum { CANVAS_BORDER = 2, CANVAS_SLACK_BYTES = 16 };
/* 0: too large for 31 bits. */
size_t canvas_bytes(int w, int h);
/* Lays a w x h canvas into block; the border is grey, the inside undefined. */
image_view canvas_init(uint8_t *block, int w, int h);
void canvas_fill(const image_view *inside);

/* ---- boxes ---- */

typedef struct augment_box {
    float x1, y1, x2, y2; /* pixels */
    int class_index;
    /* Of a polygon: its normalised points, and how they came onto the canvas: x = clamp(x * scale_x
     * + pad_x, 0, most_x). */
    const float *points; /* (n_points, 2); NULL: a box */
    uint32_t n_points;
    float scale_x, scale_y, pad_x, pad_y, most_x, most_y;
    /* What goes with it where the set's kind has it, in pixels, each in a place of its own. */
    float *outline;   /* (n_outline, 2): the polygon walked by as many points; NULL: none */
    float *keypoints; /* (n_keypoints, 3): x y, visibility; NULL: none */
    uint32_t n_outline, n_keypoints;
} augment_box;

/* Appends a picture's labels, scaled by w x h (its size on the canvas) and moved by the pads.
 * Returns their number. */
size_t augment_boxes_place(augment_box *out, const data_picture *p, const float *points, float w,
                           float h, float pad_x, float pad_y);
/* Moved as they are, with what goes with them. */
void augment_boxes_move(augment_box *boxes, size_t n, float dx, float dy);
/* Mosaic: clips to most x most and drops those of no area; returns how many stay. */
size_t augment_boxes_clip(augment_box *boxes, size_t n, float most);
/* Random perspective: boxes through m, clipped to w x h, filtered by size, area and aspect; gain is
 * the matrix's scale. Returns how many stay. clipped: (n) all before the filter, NULL: unwanted. */
size_t augment_boxes_warp(augment_box *boxes, size_t n, const float m[9], bool perspective,
                          double gain, int w, int h, float (*clipped)[4]);
/* Without exchanging keypoints. */
void augment_boxes_flip(augment_box *boxes, size_t n, bool up_down, bool left_right, int w, int h);
/* Rows for the loss. */
void augment_boxes_format(detect_label *out, const augment_box *boxes, size_t n, int picture, int w,
                          int h);

/* ---- outlines and keypoints: T 4.6 ---- */

/* Places for what goes with the boxes of a sample, taken in turn. */
typedef struct augment_room {
    float *outlines;  /* (most, n_outline, 2); NULL: n_outline is 0 */
    float *keypoints; /* (most, n_keypoints, 3); NULL: n_keypoints is 0 */
    uint32_t n_outline, n_keypoints;
    size_t most, n_taken;
} augment_room;
/* Gives the boxes that augment_boxes_place has placed for p what goes with them; points: the set's
 * outlines or keypoints. w, h: the picture's size before ratio_w and ratio_h. */
void augment_extras_place(augment_room *room, augment_box *boxes, const data_picture *p,
                          const float *points, float w, float h, float ratio_w, float ratio_h,
                          float pad_x, float pad_y);
/* A place for a copy of b, which gets b's points. */
void augment_extras_copy(augment_room *room, augment_box *b);
/* Random perspective, for augment_boxes_warp: the points through m, and the outline's bounds
 * (0 0 0 0: none of it is inside), to which it is clipped. */
void augment_outline_warp(augment_box *b, const float m[9], int w, int h, float xyxy[4]);
void augment_keypoints_warp(augment_box *b, const float m[9], int w, int h);
/* After a flip to the other side: new[k] = old[flip_idx[k]]. */
void augment_keypoints_exchange(augment_box *boxes, size_t n, const int *flip_idx);

/* ---- copy and paste ---- */

typedef struct augment_paste_room {
    uint8_t *fill;    /* outline_room_bytes(w, h) of the largest picture */
    uint8_t *stencil; /* (h, w) */
    float *overlaps;  /* (most boxes) */
    uint32_t *order;  /* (most boxes) */
} augment_paste_room;
/* Objects of the picture, mirrored, onto it: of those that lie on less than 0.3 of any other, that
 * part which overlaps least. The copies are appended; returns how many boxes there are now. */
size_t augment_paste_mirrored(const image_view *picture, augment_box *boxes, size_t n, double part,
                              augment_room *extras, const augment_paste_room *room);
/* The same with another picture's objects, which stand behind the n: boxes[n .. n + n_other). Of
 * those pasted the boxes stay. */
size_t augment_paste_other(const image_view *picture, const image_view *other, augment_box *boxes,
                           size_t n, size_t n_other, double part, const augment_paste_room *room);

/* ---- mosaic ---- */

/* Copies picture `place` (0 top left, 1 top right, 2 bottom left, 3 bottom right) onto the canvas
 * (2s x 2s) at the centre; *pad_x, *pad_y is where its corner came to lie, maybe outside. */
void augment_mosaic_place(const image_view *canvas, const image_view *picture, int place,
                          int center_x, int center_y, int *pad_x, int *pad_y);

/* ---- random perspective ---- */

/* Draws M = T S R P C for an in_w x in_h canvas and an out_w x out_h result; *gain its scale. */
void augment_matrix_draw(float m[9], double *gain, base_rng *rng, const data_augment *a, int in_w,
                         int in_h, int out_w, int out_h);
bool augment_matrix_is_identity(const float m[9]);

/* The inner loop of one instruction set: a row of w pixels (exactly 3 w bytes) from the canvas,
 * where pixel x comes from ((ax[x] + x0) >> 5, (bx[x] + y0) >> 5) in 1/32 pixels. */
typedef struct warp_kernels {
    const char *name;
    void (*row)(uint8_t *dst, const image_view *canvas, const int32_t *ax, const int32_t *bx,
                int32_t x0, int32_t y0, int w);
} warp_kernels;
extern const warp_kernels WARP_KERNELS_C;
const warp_kernels *warp_kernels_get(void);
/* NULL when this processor or build has it not. */
const warp_kernels *warp_kernels_x86(const char *name);

/* dst from a canvas through m (forward; inverted here). table: (2 * dst->w) scratch. Bit for bit
 * OpenCV's 8-bit bilinear warpAffine; with perspective within 2 of warpPerspective. */
void augment_warp(const image_view *dst, const image_view *canvas, const float m[9],
                  bool perspective, int32_t *table, const warp_kernels *kernels);

/* ---- colours ---- */

typedef struct hsv_tables {
    float sector[256], saturation[256], value[256];
} hsv_tables;
/* gains: of hue, saturation, value: 1 leaves as it is. */
void augment_hsv_tables(hsv_tables *t, const double gains[3]);
/* In place. */
void augment_hsv(const image_view *v, const hsv_tables *t);
/* OpenCV's 8-bit conversion: n pixels RGB -> H 0..179, S, V. */
void augment_rgb_to_hsv(uint8_t *hsv, const uint8_t *rgb, size_t n);
/* a = trunc(a * r + b * (1 - r)). Equal sizes. */
void augment_mix(const image_view *a, const image_view *b, double r);
/* Flips, reversal of channels, / 255: u8 -> (h, w, 3) floats. line: (3 w) bytes. */
void augment_to_float(float *dst, const image_view *src, bool up_down, bool left_right, bool swap,
                      uint8_t *line);

#endif

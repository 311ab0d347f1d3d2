/* masks.h: masks of the boxes that were kept, from prototypes and coefficients (T 2.1), a bit a
 * pixel in the window of each box; and their outlines.
 *
 * A mask is sum_k coefficient[k] * prototype[k], brought to a grid of pixels bilinearly, where it
 * is above 0. Combined only within the box, so the cost goes with the boxes' areas. */
#ifndef DETECT_MASKS_H
#define DETECT_MASKS_H

#include "boxes.h"

/* What the grid of pixels is. */
typedef enum detect_mask_grid {
    DETECT_GRID_INPUT, /* the network's input: cut to the box at the prototypes' size, then grown */
    DETECT_GRID_PICTURE, /* the picture (retina masks): grown without the letterbox's border, then
                            cut */
    DETECT_GRID_PROTO    /* the prototypes: cut and not grown, as validation does */
} detect_mask_grid;

typedef struct detect_mask_source {
    const float *proto; /* (h, w, n) of this picture; from pixel to pixel `pitch` floats */
    size_t pitch;
    int h, w, n;
    int in_h, in_w, orig_h, orig_w; /* of the network's input, of the picture */
    const detect_level *levels;     /* coefficients: the first n of a cell's extra */
    int n_levels, picture;
} detect_mask_source;

/* What one thread needs to make masks: tables, rows, marks of borders. */
typedef struct detect_masker detect_masker;
/* For grids up to grid_h x grid_w. */
size_t detect_masker_bytes(int grid_h, int grid_w);
vg_status detect_masker_create(detect_masker **out, int grid_h, int grid_w, base_mem *mem,
                               vg_error *err);
/* Makes it anew where it is too small. On failure it is as it was. */
vg_status detect_masker_reserve(detect_masker **k, int grid_h, int grid_w, base_mem *mem,
                                vg_error *err);
void detect_masker_destroy(detect_masker **k);

/* The masks of one picture: up to `most`, each of them as large as the grid, packed one behind the
 * other, so that small ones touch little memory. Outlines of all of them have room for
 * most * 2 (grid_h + grid_w) points; one that finds too little left is thinned out. */
typedef struct detect_masks detect_masks;
size_t detect_masks_bytes(size_t most, int grid_h, int grid_w);
vg_status detect_masks_create(detect_masks **out, size_t most, int grid_h, int grid_w,
                              base_mem *mem, vg_error *err);
vg_status detect_masks_reserve(detect_masks **m, size_t most, int grid_h, int grid_w, base_mem *mem,
                               vg_error *err);
void detect_masks_destroy(detect_masks **m);
/* (most) of which those of the last make are valid until the next. Writable, so that rows that go
 * take their masks with them. */
vg_mask *detect_masks_at(detect_masks *m);

/* Makes the masks of n <= most boxes, which are in pixels of the input, or of the picture where
 * that is the grid; cells: as suppression gives them. with_outlines: else they have none. Returns
 * how many outlines were thinned out. Allocates nothing. */
size_t detect_masks_make(detect_masks *m, detect_masker *k, const detect_mask_source *s,
                         detect_mask_grid grid, const vg_detection *boxes, const uint32_t *cells,
                         size_t n, bool with_outlines);

/* Outlines of the first n masks from pixels of their grid to those of a picture of h x w that lies
 * in it: (x - pad) / gain, cut at its edges. Once. */
void detect_masks_unpad(detect_masks *m, size_t n, float gain, float pad_x, float pad_y, int h,
                        int w);

/* Whether the pixel of the grid is in the mask. */
static inline bool detect_mask_has(const vg_mask *m, int x, int y)
{
    x -= m->x;
    y -= m->y;
    return x >= 0 && y >= 0 && x < m->width && y < m->height &&
           (m->bits[(size_t)y * m->row_bytes + (size_t)(x >> 3)] >> (7 - (x & 7)) & 1) != 0;
}

/* The outer border of the 8-connected part whose border has most points, of equals the last; parts
 * in holes of others are not looked at. xy (most, 2): corners in pixels of the grid, y downwards,
 * anticlockwise as seen. Returns how many are in xy; where there are more than `most`, these are
 * every second, third, ... of them, and *is_thinned is set. marks: 2 * row_bytes * height of the
 * mask. Source: S. Suzuki, K. Abe, "Topological structural analysis of digitized binary images by
 * border following", 1985. */
size_t detect_mask_outline(float *xy, size_t most, bool *is_thinned, const vg_mask *m,
                           uint8_t *marks);

#endif

/* rle.h: masks as the run lengths that COCO's tools read: column by column, zeros first, in the
 * text form of pycocotools (5 bits a character, differences to the run before the last). */
#ifndef DETECT_RLE_H
#define DETECT_RLE_H

#include "base/base.h"
#include "vigil/types.h"

/* Where the picture lies in the grid of a mask: rows top <= y < bottom, columns left <= x < right,
 * brought to h x w pixels. */
typedef struct detect_rle_frame {
    int top, left, bottom, right;
    int h, w;
} detect_rle_frame;
/* Of a grid that holds a picture of h x w, letterboxed with so many rows above and columns to the
 * left: as many are below and to the right. Where that leaves nothing, the whole grid. */
detect_rle_frame detect_rle_frame_make(int grid_h, int grid_w, int top, int left, int h, int w);

/* Where the text goes, piece by piece; a piece ends in a 0 byte. */
typedef vg_status (*detect_rle_put)(void *to, const char *piece, vg_error *err);

/* The mask's bits within the frame are resized as bytes of 0 and 1, bilinearly in whole numbers
 * (spec 2.2), and what comes out as 1 is in a run. Allocates nothing; time goes with the box.
 * Errors: put's. */
vg_status detect_rle_write(const vg_mask *m, const detect_rle_frame *f, detect_rle_put put,
                           void *to, vg_error *err);

#endif

/* likeness.h: how much a detection and an object are the same, where boxes do not say it all: masks
 * by their pixels, keypoints by OKS, turned boxes by probIoU (T 6). Each is what detect_likeness
 * points to. No function allocates. */
#ifndef DETECT_LIKENESS_H
#define DETECT_LIKENESS_H

#include "metrics.h"
#include "rotated.h"

/* ---- masks ---- */

/* Masks of one size as bits: rows of whole words, pixel x of a row at bit x % 64 of word x / 64.
 * Carved from a block for the largest size; then of any size that fits. */
typedef struct detect_bitmaps {
    size_t most, most_words; /* masks; words of all */
    int h, w;                /* pixels */
    size_t row_words;
    uint64_t *words; /* (most, h, row_words) */
    struct detect_bitmap_facts {
        uint32_t area; /* pixels that are set */
        int y0, y1;    /* they are in these rows: y0 <= y < y1 */
    } * facts;         /* (most) */
} detect_bitmaps;

/* 0: too many, or larger than 65535 pixels a side. */
size_t detect_bitmaps_bytes(size_t most, int most_h, int most_w);
/* block: of that many bytes, aligned to 64. */
detect_bitmaps detect_bitmaps_make(void *block, size_t most, int most_h, int most_w);
/* From now on of this size, at most the largest. */
void detect_bitmaps_resize(detect_bitmaps *b, int h, int w);
/* Empties mask i. */
void detect_bitmaps_clear(detect_bitmaps *b, size_t i);
static inline uint64_t *detect_bitmaps_row(const detect_bitmaps *b, size_t i, int y)
{
    return b->words + (i * (size_t)b->h + (size_t)y) * b->row_words;
}
/* Pixels x0 <= x < x1 of row y are set where values[x - x0] > above. */
void detect_bitmaps_add_row(detect_bitmaps *b, size_t i, int y, int x0, int x1, const float *values,
                            float above);
/* When all its pixels are in. */
void detect_bitmaps_count(detect_bitmaps *b, size_t i);
/* Masks 0..n-1 of an index map (map_h, map_w), in which pixels of mask i have the number i + 1:
 * sets and counts them. Numbers past n belong to nobody. A map of another size is brought to this
 * one bilinearly, where each mask is what is above a half (T 6). */
void detect_bitmaps_split(detect_bitmaps *b, size_t n, const int32_t *map, int map_h, int map_w);
/* Mask i of a map of 0 and 1, likewise. */
void detect_bitmaps_take(detect_bitmaps *b, size_t i, const uint8_t *map, int map_h, int map_w);
/* Mask i, which is of this grid. */
void detect_bitmaps_unpack(detect_bitmaps *b, size_t i, const vg_mask *mask);

/* IoU of two masks of one size: common pixels / (all of both + 1e-7). */
float detect_bitmaps_iou(const detect_bitmaps *a, size_t i, const detect_bitmaps *b, size_t j);

typedef struct detect_mask_pairs {
    const detect_bitmaps *dets, *truths;
} detect_mask_pairs;
detect_likeness detect_likeness_of_masks(const detect_mask_pairs *p);

/* ---- keypoints ---- */

enum { DETECT_MOST_KEYPOINTS = 1024 };

/* Of n_keypoints points with so many values each: those of COCO's 17 where there are 17 of 3, else
 * 1 / n_keypoints for each. out: (n_keypoints). */
void detect_keypoint_sigmas(float *out, int n_keypoints, int dims);

typedef struct detect_keypoint_pairs {
    int n_keypoints, dims;
    const float *sigmas; /* (n_keypoints) */
    const float *dets;   /* (n_dets, n_keypoints, dims) x, y, ...: visibility is not looked at */
    const float *truths; /* (n_truths, n_keypoints, 3) x, y, visibility: 0: not labelled */
    const detect_truth *boxes; /* (n_truths) whose area is the scale; all in the same pixels */
} detect_keypoint_pairs;
/* Object keypoint similarity: of the object's labelled points the mean of
 * exp(-d^2 / (2 (2 sigma)^2 (0.53 w h + 1e-7))); 0 where it has none. */
detect_likeness detect_likeness_of_keypoints(const detect_keypoint_pairs *p);

/* ---- turned boxes ---- */

typedef struct detect_rotated_pairs {
    const float *dets, *truths; /* (n, 5) as rotated.h has them */
} detect_rotated_pairs;
/* probIoU. */
detect_likeness detect_likeness_of_rotated(const detect_rotated_pairs *p);

#endif

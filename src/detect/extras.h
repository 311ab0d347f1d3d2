/* extras.h: what tasks add to a box, for the rows that are kept: keypoints, the upright box around
 * a rotated one, and the best classes of a whole picture. Masks: masks.h. */
#ifndef DETECT_EXTRAS_H
#define DETECT_EXTRAS_H

#include "boxes.h"

/* A cell of the head's maps, by the number that suppression gives. */
typedef struct detect_cell {
    const float *extra; /* (n_extra) of that cell */
    int x, y;           /* its column and row in its level */
    float stride;
} detect_cell;
detect_cell detect_cell_at(const detect_level *levels, int n_levels, int picture, uint32_t cell);

/* The n points of a cell, in pixels of the input (T 1.3). dims 3: each with its visibility; 2: it
 * is 1. */
void detect_keypoints_decode(vg_keypoint *out, const detect_cell *cell, size_t n, int dims);
/* Back to the picture: x = (x - pad) / gain. */
void detect_keypoints_unpad(vg_keypoint *points, size_t n, float gain, float pad_x, float pad_y);
/* Cut at the edges of the picture. */
void detect_keypoints_cut(vg_keypoint *points, size_t n, int orig_h, int orig_w);
/* Both, with the letterbox's gain and its padding, which is not rounded (T 2.2). */
void detect_keypoints_scale(vg_keypoint *points, size_t n, int in_h, int in_w, int orig_h,
                            int orig_w);
/* Those of a visibility below 0.5 are at 0, 0 from here on. */
void detect_keypoints_hide(vg_keypoint *points, size_t n);

/* To whole pixels, ties to even: pose's boxes in the picture. */
void detect_round_boxes(vg_detection *boxes, size_t n);

/* The upright box around a rotated one (rotated.h), into x1 to y2. Not cut at any edge. */
void detect_rotated_bounds(vg_detection *out, const float xywhr[5]);

enum { DETECT_TOP = 5 };
/* Softmax of logits (nc) into scores (nc), which may be the same, and the best of them, best first,
 * of equals the first; returns how many: the smaller of DETECT_TOP and nc. */
size_t detect_top(vg_class_score out[DETECT_TOP], float *scores, const float *logits, int nc);

#endif

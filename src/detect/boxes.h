/* boxes.h: decode, non-maximum suppression, back to the picture. */
#ifndef DETECT_BOXES_H
#define DETECT_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "vigil/types.h"

/* ---- decode: spec 1.4 ---- */

enum {
    DETECT_REG_MAX = 16,
    DETECT_BOX_CHANNELS = 4 * DETECT_REG_MAX,
    DETECT_MAX_LEVELS = BASE_MAX_LEVELS
};

typedef base_level detect_level;

/* The whole decoded tensor of one picture as the reference's output: (4 + nc, A) row major, x y w h
 * in pixels, scores. */
void detect_decode_all(float *out, const detect_level *levels, int n_levels, int nc, int picture);
/* Anchors over all levels. */
size_t detect_n_anchors(const detect_level *levels, int n_levels);

/* ---- non-maximum suppression: spec 2.3 ---- */

typedef struct detect_nms_options {
    float conf; /* keep score > conf */
    float iou;  /* drop a box whose IoU with a kept one is > iou */
    int max_det;
    int max_nms; /* 30000 */
    bool multi_label;
    bool agnostic;
    const uint8_t *classes; /* (nc) 1: wanted; NULL: all */
} detect_nms_options;
#define DETECT_NMS_PREDICT                                                                         \
    ((detect_nms_options){.conf = 0.25f, .iou = 0.7f, .max_det = 300, .max_nms = 30000})

/* Scratch for up to most_rows candidate rows (anchors, or anchors * nc with multi_label, never more
 * than needed: candidates past most_rows are kept by score). Made once, before the loop. */
typedef struct detect_nms detect_nms;
vg_status detect_nms_create(detect_nms **out, size_t most_rows, int max_det, base_mem *mem,
                            vg_error *err);
/* The bytes that create would take: for the plan. */
size_t detect_nms_bytes(size_t most_rows, int max_det);
/* The same for rotated boxes, and for no others. */
vg_status detect_nms_create_rotated(detect_nms **out, size_t most_rows, int max_det, base_mem *mem,
                                    vg_error *err);
size_t detect_nms_rotated_bytes(size_t most_rows, int max_det);
void detect_nms_destroy(detect_nms **n);

/* From a decoded tensor (4 + nc, A). Writes at most max_det rows, best first; returns their number.
 * cells: for each of them the cell (anchor) that it is of, over all levels; NULL: unwanted. */
size_t detect_nms_run(detect_nms *n, vg_detection *out, uint32_t *cells, const float *pred, int nc,
                      size_t n_anchors, const detect_nms_options *o);
/* The same straight from the head's logits: decodes only the anchors whose best class passes, which
 * gives the same rows as detect_decode_all and detect_nms_run and is many times faster. */
size_t detect_run(detect_nms *n, vg_detection *out, uint32_t *cells, const detect_level *levels,
                  int n_levels, int nc, int picture, const detect_nms_options *o);

/* Rotated boxes: T 2.3. xywhr (max_det, 5): the rows' boxes as rotated.h has them, in pixels of the
 * input and not regularised; out holds the upright boxes around them. Of a pair of boxes with a
 * probIoU of iou or more the worse one goes, also where the better one is gone already. pred: (4 +
 * nc + 1, A), angles in radians last. Levels: the first of extra is the angle's logit. */
size_t detect_nms_run_rotated(detect_nms *n, vg_detection *out, float *xywhr, uint32_t *cells,
                              const float *pred, int nc, size_t n_anchors,
                              const detect_nms_options *o);
size_t detect_run_rotated(detect_nms *n, vg_detection *out, float *xywhr, uint32_t *cells,
                          const detect_level *levels, int n_levels, int nc, int picture,
                          const detect_nms_options *o);

/* Cells of one picture that may pass, which others have picked by detect_logit_floor. */
typedef struct detect_picks {
    const float *rows; /* (n, pitch): the cell's number as the bits of a uint32_t, its box logits,
                        * its class logits; by rising cells */
    size_t n, pitch;
    const detect_level *levels; /* h, w and stride alone */
    int n_levels;
} detect_picks;
/* A logit below this cannot have a score > conf. -inf: every logit may. */
float detect_logit_floor(float conf);
/* What detect_run finds in all cells, to the bit, where the picks' floor was o->conf's or lower. */
size_t detect_run_picks(detect_nms *n, vg_detection *out, uint32_t *cells,
                        const detect_picks *picks, int nc, const detect_nms_options *o);

/* ---- back to the original picture: spec 2.4 ---- */
void detect_scale_boxes(vg_detection *boxes, size_t n_boxes, int in_h, int in_w, int orig_h,
                        int orig_w);

/* The same with the gain and padding that a loader noted (validation's ratio_pad), in two parts:
 * x = (x - pad) / gain, and cut at the edges of the picture. */
void detect_unpad_boxes(vg_detection *boxes, size_t n_boxes, float gain, float pad_x, float pad_y);
void detect_cut_boxes(vg_detection *boxes, size_t n_boxes, int orig_h, int orig_w);

/* inter / (a + b - inter + 1e-7). */
float detect_iou(const float a_xyxy[4], const float b_xyxy[4]);

#endif

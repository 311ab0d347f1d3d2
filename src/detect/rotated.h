/* rotated.h: boxes that are turned: corners, how much two of them overlap, back to the picture, and
 * the smallest one around points (T 2.3, T 4.6).
 *
 * A rotated box is five floats: x y of the centre, w, h, and theta in radians, from the x axis
 * towards the y axis (which points down); w lies along (cos theta, sin theta). vg_rotated has them
 * in this order, so &r.x will do. */
#ifndef DETECT_ROTATED_H
#define DETECT_ROTATED_H

#include <stddef.h>

/* p1 p2 p3 p4, x and y each; neighbours are next to each other. Not cut at any edge. */
void detect_rotated_corners(float corners[8], const float xywhr[5]);

/* A box as a normal distribution: what probIoU compares. Made once for a box that meets many. */
typedef struct detect_gaussian {
    double x, y;
    double a, b, c; /* covariance: of x, of y, of both */
} detect_gaussian;
detect_gaussian detect_gaussian_make(const float xywhr[5]);
/* Source: Llerena et al., "Gaussian Bounding Boxes and Probabilistic Intersection-over-Union for
 * Object Detection", 2021, with the reference's epsilons of 1e-7. In 0..1; identical boxes give
 * 0.99955. */
double detect_gaussian_iou(const detect_gaussian *a, const detect_gaussian *b);

/* detect_gaussian_iou of two boxes. */
double detect_probiou(const float a_xywhr[5], const float b_xywhr[5]);
/* The same in single precision, step by step as the reference computes it: near 1 and for thin
 * boxes it is off by up to 5e-5, and where a threshold decides it decides as there. */
float detect_probiou_float(const float a_xywhr[5], const float b_xywhr[5]);
/* detect_probiou and its gradient by pred's x y w h theta; 0 where the reference clamps. */
double detect_probiou_gradient(double gradient[5], const float pred_xywhr[5],
                               const float target_xywhr[5]);

/* The same rectangle with w >= h and theta in [0, pi). */
void detect_rotated_regularise(float xywhr[5]);

/* Back to the original picture: x y less the padding, all four lengths / gain; then x and w cut to
 * [0, orig_w], y and h to [0, orig_h], lengths as if they were coordinates (T 2.3, order after NMS,
 * 2). */
void detect_rotated_unpad(float xywhr[5], float gain, float pad_x, float pad_y);
void detect_rotated_cut(float xywhr[5], int orig_h, int orig_w);
/* Both, with the letterbox's gain and rounded padding, as detect_scale_boxes. */
void detect_rotated_scale(float xywhr[5], int in_h, int in_w, int orig_h, int orig_w);

/* The rectangle of smallest area around n points (n, 2), theta in (0, pi/2]; axis-parallel ones
 * have theta pi/2 and w is their height. Of equal areas the first edge's along the hull. No points:
 * all 0 but theta. scratch: DETECT_AROUND_FLOATS(n). */
#define DETECT_AROUND_FLOATS(n) (4 * (size_t)(n) + 2)
void detect_rotated_around(float xywhr[5], const float *points, size_t n, float *scratch);

#endif

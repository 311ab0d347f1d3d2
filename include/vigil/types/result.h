/* SPDX-License-Identifier: Apache-2.0 */
/* types/result.h: what is found in a picture: boxes, and what the other tasks find beside or
 * instead of them. */
#ifndef VIGIL_TYPES_RESULT_H
#define VIGIL_TYPES_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a box ---- */

typedef struct vg_detection {
    float x1, y1, x2, y2; /* corners, pixels of the picture; x to the right, y downwards */
    float confidence;     /* 0..1 */
    int class_index;      /* from 0 */
} vg_detection;

/* ---- what a model is made for ---- */

typedef enum vg_task {
    VG_TASK_DETECT,
    VG_TASK_SEGMENT, /* boxes with masks */
    VG_TASK_POSE,    /* boxes with keypoints */
    VG_TASK_OBB,     /* boxes that are turned */
    VG_TASK_CLASSIFY /* one class for the whole picture */
} vg_task;
enum { VG_N_TASKS = 5 };

/* A point of an object. Outside the picture it is cut at its edges; where the model gives
 * visibility and it is below 0.5, x and y are 0. */
typedef struct vg_keypoint {
    float x, y;       /* pixels of the picture */
    float visibility; /* 0..1; 1 of models that do not give it */
} vg_keypoint;

/* A box that is turned about its centre. Corners are centre + u + v, + u - v, - u - v, - u + v,
 * with u = (w / 2 cos, w / 2 sin) and v = (-h / 2 sin, h / 2 cos). */
typedef struct vg_rotated {
    float x, y, w, h; /* centre and sides, pixels of the picture; w >= h */
    float angle;      /* radians, 0..pi, from x towards y: clockwise as one sees it */
} vg_rotated;

/* Where an object is, pixel by pixel: a window of a grid of grid_width x grid_height pixels, which
 * is the network's input, or the picture with retina masks. */
typedef struct vg_mask {
    int grid_width, grid_height;
    int x, y, width, height; /* the window; outside it there is nothing */
    const uint8_t *bits;     /* (height, row_bytes) one a pixel, the leftmost the most significant;
                                NULL where width or height is 0 */
    size_t row_bytes;
    const float *outline; /* (n_points, 2) x, y in pixels of the picture: the border of the part
                             with the longest one, holes left out */
    size_t n_points;
} vg_mask;

typedef struct vg_class_score {
    int class_index;
    float confidence; /* 0..1; those of all classes add up to 1 */
} vg_class_score;

/* What a task adds to the boxes of a result; NULL where it does not. */
typedef struct vg_extras {
    vg_task task;
    const vg_mask *masks;         /* (n_detections) */
    const vg_keypoint *keypoints; /* (n_detections, n_keypoints) */
    size_t n_keypoints;
    int keypoint_dims;         /* 3: with visibility; 2 */
    const vg_rotated *rotated; /* (n_detections); detections hold the upright box around it */
    const vg_class_score *top; /* (n_top) best first, at most five; there are no detections */
    size_t n_top;
    const float *probabilities; /* (n_probabilities) of all classes, 0..1, together 1: those that
                                   top is of; NULL where the task has none */
    size_t n_probabilities;
} vg_extras;

/* ---- results of pictures ---- */

/* Of one picture. Stages of different pictures overlap, so the sum is more than the job's time. */
typedef struct vg_predict_times {
    double decode_ms, preprocess_ms, inference_ms, postprocess_ms, save_ms;
} vg_predict_times;

typedef struct vg_predict_result {
    size_t index, total; /* from 0; pictures of the job, as far as known */
    const char *source;  /* the picture's path */
    vg_status status;    /* not VG_OK: the picture was skipped, and error says why */
    vg_error error;
    int width, height;              /* of the picture, pixels */
    int input_width, input_height;  /* of the network's input, pixels */
    const vg_detection *detections; /* (n_detections) best first */
    size_t n_detections;
    vg_extras extras;
    vg_predict_times times;
} vg_predict_result;

#ifdef __cplusplus
}
#endif
#endif

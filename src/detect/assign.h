/* assign.h: which anchor answers for which object: the task-aligned assigner (spec 3.2).
 * Source: Feng et al., "TOOD: Task-aligned One-stage Object Detection", ICCV 2021.
 *
 * One picture at a time. It looks only at anchors inside an object and decodes only those; what the
 * reference keeps in matrices of objects x anchors is here a list of ten anchors an object. Anchors
 * whose metric is 0 are never chosen (the reference may choose them, in no defined order; their
 * weight would be 0). */
#ifndef DETECT_ASSIGN_H
#define DETECT_ASSIGN_H

#include "boxes.h"

enum { DETECT_TOPK = 10 };

/* An object of a picture. Pixels of the network's input. One whose numbers' sum (x1 + y1 + x2 + y2;
 * of a turned one x + y + w + h + theta) is not > 0 gets no anchors. */
typedef struct detect_truth {
    float xyxy[4]; /* of a turned one: as if it were not */
    int class_index;
    uint32_t label; /* the batch's row it comes from */
    float xywhr[5]; /* of a turned one (rotated.h); else 0 */
} detect_truth;

/* What is an object's place, and how well an anchor's box fits it. */
typedef struct detect_assign_shape {
    size_t box_floats; /* of an anchor's box, <= 5 */
    bool (*is_valid)(const detect_truth *t);
    /* The object's edge, for is_inside; and bounds that no anchor outside of is inside it. */
    void (*outline)(float outline[8], float bounds_xyxy[4], const detect_truth *t);
    bool (*is_inside)(const float outline[8], float x, float y);
    void (*decode)(float *box, const detect_level *l, size_t pixel, int x, int y);
    float (*overlap)(const detect_truth *t, const float *box); /* 0: not at all; never NaN */
} detect_assign_shape;
/* By CIoU; by probIoU of turned boxes, whose levels' extra is the angle (T 3.3). */
extern const detect_assign_shape DETECT_ASSIGN_UPRIGHT, DETECT_ASSIGN_ROTATED;

/* Working memory for one picture at a time; carved from a block by its owner. */
typedef struct detect_assign_scratch {
    float *boxes;     /* (n_anchors, box_floats) pixels, of anchors whose byte in decoded is set */
    uint8_t *decoded; /* (n_anchors) */
    int32_t *top;     /* (n_truths, DETECT_TOPK) anchors, best first; -1: none */
    float *most;      /* (n_truths, 2) largest metric and overlap among an object's anchors */
} detect_assign_scratch;

/* Bytes of the above for the bounds, and its carving from a block of that many bytes aligned to 64.
 */
size_t detect_assign_scratch_bytes(const detect_assign_shape *shape, size_t most_anchors,
                                   size_t most_truths);
detect_assign_scratch detect_assign_scratch_make(const detect_assign_shape *shape, void *block,
                                                 size_t most_anchors, size_t most_truths);

/* truth_index: (n_anchors) the anchor's object, or -1: background. weight: (n_anchors) its target
 * score in 0..1 for the object's class; 0 for background. Returns the sum of weights. */
double detect_assign(const detect_assign_shape *shape, int32_t *truth_index, float *weight,
                     const detect_level *levels, int n_levels, int picture,
                     const detect_truth *truths, size_t n_truths, detect_assign_scratch *scratch);

#endif

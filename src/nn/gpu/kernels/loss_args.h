/* loss_args.h: what the kernels of the loss are told, in the words of C and of OpenCL C. */
#ifndef NN_GPU_LOSS_ARGS_H
#define NN_GPU_LOSS_ARGS_H

#ifndef __OPENCL_C_VERSION__
#include "args.h"
#endif

#define GPU_LOSS_LEVELS 8
/* Anchors an object may choose: detect/assign.h's DETECT_TOPK. */
#define GPU_TOPK 10
/* Of a side of a box, and of all four. */
#define GPU_BINS         16
#define GPU_BOX_CHANNELS 64
/* Anchors whose boxes one group looks at, and class logits that one item does. */
#define GPU_BOX_ANCHORS 16
#define GPU_CLASS_EACH  16

/* An object of a picture: detect_truth. */
typedef struct gpu_truth {
    float xyxy[4];
    int class_index, picture;
} gpu_truth;

/* Places and pitches in floats. Levels that are not there begin past every anchor. */
typedef struct gpu_loss_level {
    gpu_u64 box_at, cls_at, d_box_at, d_cls_at;
    int box_pitch, cls_pitch, d_box_pitch, d_cls_pitch;
    int first, h, w; /* first: of the level's anchors among all of a picture */
    float stride;
} gpu_loss_level;

/* Numbers that come down, each as two floats whose sum it is: 48 bits of it, whether or not the
 * device knows double. */
enum {
    GPU_RESULT_BOX,
    GPU_RESULT_CLS,
    GPU_RESULT_DFL,
    GPU_RESULT_SCORES,
    GPU_RESULT_FOREGROUND,
    GPU_N_RESULTS
};

/* Places *_at of the loss's own memory are in bytes. */
typedef struct gpu_loss_args {
    gpu_loss_level level[GPU_LOSS_LEVELS];
    gpu_u64 first_at;  /* (batch + 1) int: the first object of a picture */
    gpu_u64 truths_at; /* (n_truths) gpu_truth */
    gpu_u64 boxes_at;  /* (batch, n_anchors, 4) float: predicted, pixels */
    gpu_u64 top_at;    /* (n_truths, GPU_TOPK) int: anchors, best first; -1: none */
    gpu_u64 index_at;  /* (batch, n_anchors) int: the anchor's object among all; -1: none */
    gpu_u64 weight_at; /* (batch, n_anchors) float: its target score */
    /* Sums by group, 8 bytes each: of an object's weights and its anchors (2 n_truths); of class
     * logits (n_class_groups); of boxes and distances (2 n_box_groups); the divisor (1). */
    gpu_u64 truth_sums_at, class_sums_at, box_sums_at, divisor_at;
    gpu_u64 results_at; /* (GPU_N_RESULTS, 2) float */
    int n_levels, nc, batch, n_anchors, n_truths, n_class_groups, n_box_groups;
    float gain_box, gain_cls, gain_dfl;
    float scale; /* of the gradient, beside the gains: loss scaling */
} gpu_loss_args;

#endif

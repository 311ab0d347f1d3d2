/* level.h: one level of a detector's head, where a network leaves its logits, and where a loss
 * leaves their gradients. Plain values for two folders that do not know each other. */
#ifndef BASE_LEVEL_H
#define BASE_LEVEL_H

#include <stddef.h>

enum { BASE_MAX_LEVELS = 8 };

/* nhwc: pixel (y, x) of picture i has its 64 box logits at box + ((i * h + y) * w + x) * box_pitch
 * and its nc class logits likewise at cls. */
typedef struct base_level {
    const float *box, *cls;
    size_t box_pitch, cls_pitch; /* floats */
    int h, w;
    float stride; /* input pixels a cell */
    /* What a task has beside boxes (mask coefficients, keypoints, the angle): n_extra numbers a
     * cell as they leave the network; 0: none. */
    const float *extra;
    size_t extra_pitch;
    int n_extra;
} base_level;

/* Channels as in base_level, which gives h and w. */
typedef struct base_level_gradient {
    float *box, *cls;
    size_t box_pitch, cls_pitch;
    float *extra;
    size_t extra_pitch;
} base_level_gradient;

#endif

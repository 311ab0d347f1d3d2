/* resample.h: a batch at another size, for multi_scale (spec 4.5): bilinear, half-pixel centres. */
#ifndef TRAIN_RESAMPLE_H
#define TRAIN_RESAMPLE_H

#include <stddef.h>

/* The size that one side takes when the longer side becomes about size: multiples of stride. */
int train_resample_side(int side, int longer_side, int size, int stride);

/* dst: (n, dst_h, dst_w, 3), src: (n, h, w, 3). */
void train_resample(float *dst, int dst_h, int dst_w, const float *src, int n, int h, int w);

#endif

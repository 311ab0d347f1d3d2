/* resample.h: pictures of a network's input at another size: bilinear, half-pixel centres, without
 * smoothing before a reduction. For multi_scale (spec 4.5) and test-time augmentation. */
#ifndef IMAGE_RESAMPLE_H
#define IMAGE_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct image_resampling {
    int h, w;         /* of what is resized */
    int out_h, out_w; /* of the result, at least h and w: the rest is below and on the right */
    float fill;       /* of that rest */
    bool is_flipped;  /* left and right change places first */
} image_resampling;

/* dst: (n, out_h, out_w, 3), src: (n, src_h, src_w, 3). */
void image_resample(float *dst, const image_resampling *r, const float *src, int n, int src_h,
                    int src_w);

#endif

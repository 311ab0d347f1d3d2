/* yuv.h: 4:2:0 pictures to RGB as libwebp brings them to RGB. For this folder. */
#ifndef IMAGE_YUV_H
#define IMAGE_YUV_H

#include "image/image.h"

typedef struct image_yuv420 {
    const uint8_t *y, *u, *v;
    size_t y_stride, u_stride, v_stride;
} image_yuv420;

/* dst has the luma's size; BT.601, studio range. */
void image_yuv420_to_rgb(const image_view *dst, const image_yuv420 *src);

#endif

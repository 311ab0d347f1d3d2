/* stroke.h: pixels that are blended, and lines of them. For this folder. */
#ifndef IMAGE_STROKE_H
#define IMAGE_STROKE_H

#include "image.h"

static inline void image_blend(uint8_t *rgb, image_color color, int alpha)
{
    rgb[0] = (uint8_t)((rgb[0] * (255 - alpha) + color.r * alpha + 127) / 255);
    rgb[1] = (uint8_t)((rgb[1] * (255 - alpha) + color.g * alpha + 127) / 255);
    rgb[2] = (uint8_t)((rgb[2] * (255 - alpha) + color.b * alpha + 127) / 255);
}

static inline uint8_t *image_pixel(const image_view *picture, int x, int y)
{
    return picture->data + (size_t)y * picture->stride + 3 * (size_t)x;
}

/* From a to b (x, y), `width` pixels wide, with round ends. They must be finite. */
void image_stroke(const image_view *picture, const float a[2], const float b[2], double width,
                  image_color color);

#endif

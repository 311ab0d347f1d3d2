/* crop.c: a box, cut to the picture's edges. */
#include "crop.h"

#include <math.h>

static int clamp(float v, int most)
{
    return v > 0 ? v > (float)most ? most : (int)v : 0; /* also what is no number */
}

bool stream_crop(image_view *out, const image_view *picture, const vg_detection *box)
{
    const int x1 = clamp(floorf(box->x1), picture->w), y1 = clamp(floorf(box->y1), picture->h);
    const int x2 = clamp(ceilf(box->x2), picture->w), y2 = clamp(ceilf(box->y2), picture->h);
    if (x2 <= x1 || y2 <= y1)
        return false;
    *out = (image_view){.data = picture->data + (size_t)y1 * picture->stride + (size_t)x1 * 3,
                        .w = x2 - x1,
                        .h = y2 - y1,
                        .stride = picture->stride};
    return true;
}

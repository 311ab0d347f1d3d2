/* crop.c: a box, cut to the picture's edges. */
#include "crop.h"

#include <math.h>

static int clamp(float v, int most)
{
    return v > 0 ? v > (float)most ? most : (int)v : 0; /* also what is no number */
}

bool stream_crop_place(stream_part *out, int picture_w, int picture_h, const vg_detection *box)
{
    const int x1 = clamp(floorf(box->x1), picture_w), y1 = clamp(floorf(box->y1), picture_h);
    const int x2 = clamp(ceilf(box->x2), picture_w), y2 = clamp(ceilf(box->y2), picture_h);
    *out = (stream_part){.x = x1, .y = y1, .w = x2 - x1, .h = y2 - y1};
    return x2 > x1 && y2 > y1;
}

bool stream_crop(image_view *out, const image_view *picture, const vg_detection *box)
{
    stream_part p;
    if (!stream_crop_place(&p, picture->w, picture->h, box))
        return false;
    *out = (image_view){.data = picture->data + (size_t)p.y * picture->stride + (size_t)p.x * 3,
                        .w = p.w,
                        .h = p.h,
                        .stride = picture->stride};
    return true;
}

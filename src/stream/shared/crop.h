/* crop.h: a box cut out of its picture. */
#ifndef STREAM_CROP_H
#define STREAM_CROP_H

#include "image/image.h"
#include "vigil/types.h"

/* A part of a picture, pixels. */
typedef struct stream_part {
    int x, y, w, h;
} stream_part;

/* Where the pixels are that the box touches. False: there are none. */
bool stream_crop_place(stream_part *out, int picture_w, int picture_h, const vg_detection *box);
/* The pixels that the box touches, as a view into the picture. False: there are none. */
bool stream_crop(image_view *out, const image_view *picture, const vg_detection *box);

#endif

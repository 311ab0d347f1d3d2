/* crop.h: a box cut out of its picture. */
#ifndef STREAM_CROP_H
#define STREAM_CROP_H

#include "image/image.h"
#include "vigil/types.h"

/* The pixels that the box touches, as a view into the picture. False: there are none. */
bool stream_crop(image_view *out, const image_view *picture, const vg_detection *box);

#endif

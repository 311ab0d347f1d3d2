/* buffer.h: growing blocks, and the sizes of pictures. For this folder. */
#ifndef IMAGE_BUFFER_H
#define IMAGE_BUFFER_H

#include "image/image.h"

/* The side JPEG can hold, less a little: libjpeg-turbo's own bound. */
enum { IMAGE_MOST_SIDE_PX = 65500 };
#define IMAGE_MOST_PIXELS (INT64_C(256) << 20)

/* Makes s->block hold at least `bytes`; contents are kept. On failure it is as it was. */
vg_status image_scratch_reserve(image_scratch *s, size_t bytes, base_mem *mem, vg_error *err);

#endif

/* buffer.h: the sizes of pictures. For this folder. */
#ifndef IMAGE_BUFFER_H
#define IMAGE_BUFFER_H

#include "image/image.h"

/* The side JPEG can hold, less a little: libjpeg-turbo's own bound. */
enum { IMAGE_MOST_SIDE_PX = 65500 };
#define IMAGE_MOST_PIXELS (INT64_C(256) << 20)

#endif

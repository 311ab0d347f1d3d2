/* orient.h: turns a picture upright. For this folder. */
#ifndef IMAGE_ORIENT_H
#define IMAGE_ORIENT_H

#include "image/image.h"

/* Whether EXIF's orientation 1..8 exchanges width and height. */
static inline bool image_orientation_turns(int orientation)
{
    return orientation >= 5;
}

/* dst = src, upright. dst has src's size, exchanged where the orientation turns; they do not
 * overlap. */
void image_orient(const image_view *dst, const image_view *src, int orientation);

#endif

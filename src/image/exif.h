/* exif.h: one tag of a TIFF directory, which is also what EXIF is. For this folder. */
#ifndef IMAGE_EXIF_H
#define IMAGE_EXIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIFF_TAG_WIDTH = 256, TIFF_TAG_HEIGHT = 257, TIFF_TAG_ORIENTATION = 274 };

/* The first value of an integer tag (BYTE, SHORT, LONG) in the first directory of a TIFF file or
 * EXIF block (n bytes from its "II*" or "MM" on). False when it is not there or anything about it
 * is out of bounds. */
bool image_tiff_tag(uint32_t *value, const uint8_t *bytes, size_t n, unsigned tag);

/* EXIF's orientation, 1..8; 1 when there is none or it makes no sense. */
int image_exif_orientation(const uint8_t *bytes, size_t n);

#endif

/* header.h: what the head of an encoded picture says, read without a codec and without memory. For
 * this folder. */
#ifndef IMAGE_HEADER_H
#define IMAGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vigil/error.h"

typedef enum image_format {
    IMAGE_FORMAT_NONE,
    IMAGE_FORMAT_JPEG,
    IMAGE_FORMAT_PNG,
    IMAGE_FORMAT_BMP,
    IMAGE_FORMAT_WEBP,
    IMAGE_FORMAT_TIFF,
    IMAGE_FORMAT_GIF
} image_format;

typedef struct image_header {
    image_format format;
    int w, h;         /* as stored */
    int orientation;  /* EXIF's, 1..8 */
    int n_components; /* JPEG: 1, 3, 4 */

    /* Of an animated WebP and of a GIF: its first frame, inside the picture, and the chunks or
     * blocks it is made of. */
    bool animated; /* WebP */
    int frame_x, frame_y, frame_w, frame_h;
    size_t frame_at, n_frame_bytes;
} image_header;

/* Of the first bytes alone. */
image_format image_format_of(const uint8_t *bytes, size_t n);

/* Errors: VG_ERR_FORMAT (none of our formats, damaged, cut short), VG_ERR_UNSUPPORTED. */
vg_status image_header_read(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                            vg_error *err);

#endif

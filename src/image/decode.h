/* decode.h: the ways of decoding, a library each, behind image_decode. For this folder.
 *
 * All bring the picture, as stored, into a buffer that they reserve; limits have been judged by
 * the header before. */
#ifndef IMAGE_DECODE_H
#define IMAGE_DECODE_H

#include "header.h"
#include "image/image.h"
#include "tiff_load.h"

typedef struct image_source {
    const uint8_t *bytes;
    size_t n_bytes;
    const char *name; /* for errors */
    const image_header *header;
} image_source;

/* JPEG: libjpeg-turbo. It, libpng and libwebp keep nothing from picture to picture. */
vg_status image_jpeg_decode(image_buffer *out, const image_source *source, image_scratch *scratch,
                            base_mem *mem, vg_error *err);
size_t image_jpeg_scratch_bytes(const image_header *header); /* of the caller's scratch */

/* TIFF. *t (zeroed at first) keeps libtiff's table. */
vg_status image_tiff_decode(image_tiff *t, image_buffer *out, const image_source *source,
                            image_scratch *scratch, base_mem *mem, vg_error *err);
size_t image_tiff_scratch_bytes(int w, int h); /* of the caller's scratch */

/* PNG: libpng. */
vg_status image_png_decode(image_buffer *out, const image_source *source, base_mem *mem,
                           vg_error *err);

/* WebP: libwebp. */
vg_status image_webp_decode(image_buffer *out, const image_source *source, image_scratch *scratch,
                            base_mem *mem, vg_error *err);
size_t image_webp_scratch_bytes(const image_header *header); /* of the caller's scratch */

/* BMP and GIF. *stills (NULL at first) keeps FFmpeg's table, packet and frame. */
typedef struct image_stills image_stills;
vg_status image_still_decode(image_stills **stills, image_buffer *out, const image_source *source,
                             image_scratch *scratch, int64_t most_pixels, base_mem *mem,
                             vg_error *err);
/* Loads FFmpeg and takes what all stills share. */
vg_status image_still_reserve(image_stills **stills, base_mem *mem, vg_error *err);
size_t image_still_bytes(void);
/* Of the caller's scratch, for one row of w pixels (convert.c). */
size_t image_convert_scratch_bytes(int w);
void image_still_fini(image_stills **stills);

#endif

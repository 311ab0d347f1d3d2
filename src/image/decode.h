/* decode.h: the three ways of decoding behind image_decode. For this folder.
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

/* JPEG. *handle (libjpeg-turbo's, NULL at first) is kept from picture to picture. */
vg_status image_jpeg_decode(void **handle, image_buffer *out, const image_source *source,
                            image_scratch *scratch, base_mem *mem, vg_error *err);
void image_jpeg_fini(void **handle);

/* TIFF. *t (zeroed at first) keeps libtiff's table. */
vg_status image_tiff_decode(image_tiff *t, image_buffer *out, const image_source *source,
                            image_scratch *scratch, base_mem *mem, vg_error *err);
size_t image_tiff_scratch_bytes(int w, int h); /* of the caller's scratch */

/* The others. *stills (NULL at first) keeps FFmpeg's table, packet and frame. */
typedef struct image_stills image_stills;
vg_status image_still_decode(image_stills **stills, image_buffer *out, const image_source *source,
                             image_scratch *scratch, int64_t most_pixels, base_mem *mem,
                             vg_error *err);
/* Loads FFmpeg and takes what all stills share, and animation_bytes for the first frame of a WebP.
 */
vg_status image_still_reserve(image_stills **stills, size_t animation_bytes, base_mem *mem,
                              vg_error *err);
size_t image_still_bytes(size_t animation_bytes);
size_t image_still_animation_bytes(const image_header *header);
/* Of the caller's scratch, for one row of w pixels (convert.c). */
size_t image_convert_scratch_bytes(int w);
void image_still_fini(image_stills **stills);

#endif

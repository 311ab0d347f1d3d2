/* encode_png.h: RGB pictures as PNG. For this folder. */
#ifndef IMAGE_ENCODE_PNG_H
#define IMAGE_ENCODE_PNG_H

#include "image/image.h"

typedef struct image_png_writer image_png_writer;

/* Where the bytes go, as they come. */
typedef struct image_png_target {
    vg_status (*write)(void *ctx, const void *bytes, size_t n, vg_error *err);
    void *ctx;
} image_png_target;

/* *writer (NULL at first) keeps zlib's state and the rows' block from picture to picture. */
vg_status image_png_write(image_png_writer **writer, const image_png_target *target,
                          const image_view *picture, base_mem *mem, vg_error *err);
/* All that rows of so many bytes take. */
vg_status image_png_reserve(image_png_writer **writer, size_t row_bytes, base_mem *mem,
                            vg_error *err);
size_t image_png_bytes(size_t row_bytes);
void image_png_fini(image_png_writer **writer);

#endif

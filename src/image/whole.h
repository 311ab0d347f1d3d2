/* whole.h: whether a file holds the data of all its pixels, where the codec would not say. For this
 * folder. */
#ifndef IMAGE_WHOLE_H
#define IMAGE_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A JPEG whose end marker is missing: whether every coefficient of every component has been told,
 * to its last bit, by some scan (a progressive file that ends between two scans shows a blurred
 * picture, and libjpeg sees nothing wrong with that). Not whether the scans are whole. */
bool image_jpeg_has_all_scans(const uint8_t *bytes, size_t n);
/* A BMP of w x h: plain rows, or runs up to an end. What is compressed another way: true. */
bool image_bmp_is_whole(const uint8_t *bytes, size_t n, int w, int h);
/* LZW codes in GIF's blocks, the first of them the code size: whether they tell n_pixels. */
bool image_gif_is_whole(const uint8_t *blocks, size_t n, uint64_t n_pixels);

#endif

/* augment_mosaic.c: the canvas, and four pictures on it (spec 5.4, step 1). */
#include <limits.h>
#include <string.h>

#include "augment.h"

static size_t canvas_stride(int w)
{
    return 3 * ((size_t)w + 2 * CANVAS_BORDER);
}

size_t canvas_bytes(int w, int h)
{
    size_t bytes;
    if (w < 1 || h < 1 || w > INT_MAX / 16 || h > INT_MAX / 16 ||
        !base_mul_size(&bytes, canvas_stride(w), (size_t)h + 2 * CANVAS_BORDER) ||
        bytes > INT_MAX - CANVAS_SLACK_BYTES)
        return 0;
    return bytes + CANVAS_SLACK_BYTES;
}

image_view canvas_init(uint8_t *block, int w, int h)
{
    size_t stride = canvas_stride(w), edge = 3 * CANVAS_BORDER;
    uint8_t *end = block + canvas_bytes(w, h), *inside = block + CANVAS_BORDER * stride + edge;
    memset(block, AUGMENT_GREY, CANVAS_BORDER * stride);
    for (int y = 0; y < h; y++) {
        uint8_t *row = block + ((size_t)y + CANVAS_BORDER) * stride;
        memset(row, AUGMENT_GREY, edge);
        memset(row + stride - edge, AUGMENT_GREY, edge);
    }
    uint8_t *below = block + ((size_t)h + CANVAS_BORDER) * stride;
    memset(below, AUGMENT_GREY, (size_t)(end - below));
    return (image_view){.data = inside, .w = w, .h = h, .stride = stride};
}

void canvas_fill(const image_view *inside)
{
    for (int y = 0; y < inside->h; y++)
        memset(inside->data + (size_t)y * inside->stride, AUGMENT_GREY, 3 * (size_t)inside->w);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

void augment_mosaic_place(const image_view *canvas, const image_view *picture, int place,
                          int center_x, int center_y, int *pad_x, int *pad_y)
{
    int x = place % 2 == 0 ? center_x - picture->w : center_x;
    int y = place < 2 ? center_y - picture->h : center_y;
    int left = most(x, 0), right = least(x + picture->w, canvas->w);
    int top = most(y, 0), bottom = least(y + picture->h, canvas->h);
    for (int row = top; row < bottom && left < right; row++)
        memcpy(canvas->data + (size_t)row * canvas->stride + 3 * (size_t)left,
               picture->data + (size_t)(row - y) * picture->stride + 3 * (size_t)(left - x),
               3 * (size_t)(right - left));
    *pad_x = x;
    *pad_y = y;
}

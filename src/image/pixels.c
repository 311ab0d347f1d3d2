/* pixels.c: pixels of others, of any layout, as the rows that a resize is made of. Plain C: what
 * most callers have, bytes of RGB or BGR, goes through the kernels. */
#include <math.h>

#include "resize.h"

static const uint8_t *pixel_at(const image_pixels *p, int row, int x)
{
    return (const uint8_t *)p->data + (size_t)row * p->row_bytes + (size_t)x * p->pixel_bytes;
}

void image_pixels_copy(uint8_t *dst, const image_pixels *p, int row)
{
    const uint8_t *from = pixel_at(p, row, 0);
    for (int x = 0; x < p->w; x++, dst += 3, from += p->pixel_bytes)
        for (int c = 0; c < 3; c++)
            dst[c] = from[p->channel_bytes[c]];
}

void image_pixels_across(int16_t *r, const image_resizer *of, int row)
{
    const image_pixels *p = of->pixels;
    for (int x = 0; x < of->w; x++, r += 3) {
        const uint8_t *left = pixel_at(p, row, of->x_from[x]);
        const uint8_t *right = of->x_from[x] + 1 < p->w ? left + p->pixel_bytes : left;
        const int a0 = of->x_weight[2 * x], a1 = of->x_weight[2 * x + 1];
        for (int c = 0; c < 3; c++)
            r[c] =
                (int16_t)((left[p->channel_bytes[c]] * a0 + right[p->channel_bytes[c]] * a1) >> 4);
    }
}

void image_pixels_halve(uint8_t *dst, const image_pixels *p, int row, int w)
{
    for (int x = 0; x < w; x++, dst += 3)
        for (int c = 0; c < 3; c++) {
            const size_t at = p->channel_bytes[c], next = at + p->pixel_bytes;
            const uint8_t *s0 = pixel_at(p, row, 2 * x), *s1 = pixel_at(p, row + 1, 2 * x);
            dst[c] = (uint8_t)((s0[at] + s0[next] + s1[at] + s1[next] + 2) >> 2);
        }
}

static uint8_t to_byte(float v)
{
    return v >= 1 ? 255 : v > 0 ? (uint8_t)lrintf(v * 255) : 0; /* 0 of what is no number, too */
}

static void copy_floats(uint8_t *dst, const image_pixels *p, int row)
{
    const uint8_t *from = pixel_at(p, row, 0);
    for (int x = 0; x < p->w; x++, dst += 3, from += p->pixel_bytes)
        for (int c = 0; c < 3; c++)
            dst[c] = to_byte(*(const float *)(const void *)(from + p->channel_bytes[c]));
}

void image_pixels_to_rgb(const image_view *dst, const image_pixels *src)
{
    for (int row = 0; row < src->h; row++) {
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        if (src->is_float)
            copy_floats(to, src, row);
        else
            image_pixels_copy(to, src, row);
    }
}

void image_pixels_to_grey(uint8_t *dst, const image_pixels *src)
{
    for (int row = 0; row < src->h; row++) {
        const uint8_t *from = pixel_at(src, row, 0) + src->channel_bytes[1];
        for (int x = 0; x < src->w; x++, from += src->pixel_bytes)
            *dst++ = src->is_float ? to_byte(*(const float *)(const void *)from) : *from;
    }
}

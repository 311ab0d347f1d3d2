/* augment_color.c: HSV, mixing two pictures, and the last step to floats (spec 5.4, steps 4, 6, 8).
 *
 * HSV goes in blocks of pixels that stay in the first cache: channels apart, to HSV in integers
 * (OpenCV's tables are a rounded quotient, which a float division gives just as well, and in
 * vectors), through the gains' tables, back by the sector formula without branches. The loops are
 * plain C, compiled twice: for any processor and for AVX2. */
#include <math.h>
#include <string.h>

#include "augment.h"

enum { BLOCK = 256 };

#define INLINE static inline __attribute__((always_inline))

/* ---- RGB to HSV ---- */

/* rint(n / d) for whole n < 2^24 and 1 <= d <= 1530, as OpenCV's table has it: the quotient's
 * distance from a half is at least 1 / (2 d), above the float's error. 0 where d is 0. */
INLINE int quotient(int n, int d)
{
    return d == 0 ? 0 : (int)rintf((float)n / (float)d);
}

INLINE void hsv_of(int *restrict h, int *restrict s, int *restrict v, const int *restrict r,
                   const int *restrict g, const int *restrict b)
{
    for (int i = 0; i < BLOCK; i++) {
        int most = r[i] > g[i] ? r[i] : g[i], least = r[i] < g[i] ? r[i] : g[i];
        most = most > b[i] ? most : b[i];
        least = least < b[i] ? least : b[i];
        int diff = most - least;
        int from_red = g[i] - b[i], from_green = b[i] - r[i] + 2 * diff,
            from_blue = r[i] - g[i] + 4 * diff;
        int hue = most == r[i] ? from_red : most == g[i] ? from_green : from_blue;
        hue = (hue * quotient(180 << 12, 6 * diff) + 2048) >> 12;
        h[i] = hue + (hue < 0 ? 180 : 0);
        s[i] = (diff * quotient(255 << 12, most) + 2048) >> 12;
        v[i] = most;
    }
}

INLINE void split(int *restrict r, int *restrict g, int *restrict b, const uint8_t *restrict rgb,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r[i] = rgb[3 * i];
        g[i] = rgb[3 * i + 1];
        b[i] = rgb[3 * i + 2];
    }
}

void augment_rgb_to_hsv(uint8_t *hsv, const uint8_t *rgb, size_t n)
{
    int r[BLOCK] = {0}, g[BLOCK] = {0}, b[BLOCK] = {0}, h[BLOCK], s[BLOCK], v[BLOCK];
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t some = n - at < BLOCK ? n - at : BLOCK;
        split(r, g, b, rgb + 3 * at, some);
        hsv_of(h, s, v, r, g, b);
        for (size_t i = 0; i < some; i++) {
            hsv[3 * (at + i)] = (uint8_t)h[i];
            hsv[3 * (at + i) + 1] = (uint8_t)s[i];
            hsv[3 * (at + i) + 2] = (uint8_t)v[i];
        }
    }
}

/* ---- gains, and back ---- */

void augment_hsv_tables(hsv_tables *t, const double gains[3])
{
    for (int i = 0; i < 256; i++) {
        int h = (int)fmod(i * gains[0], 180), s = (int)fmin(fmax(i * gains[1], 0), 255),
            v = (int)fmin(fmax(i * gains[2], 0), 255);
        /* Python's remainder has the divisor's sign. Gains are above 0, but for wild options. */
        h = h < 0 ? h + 180 : h;
        t->sector[i] = (float)h * 6.0f / 180.0f;
        t->saturation[i] = (float)s / 255.0f;
        t->value[i] = (float)v / 255.0f;
    }
}

/* h 0..6, s, v 0..1 -> whole 0..255, by value. */
INLINE void rgb_of(int *restrict r, int *restrict g, int *restrict b, const float *restrict h,
                   const float *restrict s, const float *restrict v)
{
    for (int i = 0; i < BLOCK; i++) {
        float sector = floorf(h[i]), f = h[i] - sector;
        float p = v[i] * (1 - s[i]), q = v[i] * (1 - s[i] * f), t = v[i] * (1 - s[i] * (1 - f));
        float red = sector == 1 ? q : sector == 4 ? t : sector == 2 || sector == 3 ? p : v[i];
        float green = sector == 0 ? t : sector == 3 ? q : sector == 1 || sector == 2 ? v[i] : p;
        float blue = sector == 2 ? t : sector == 5 ? q : sector == 3 || sector == 4 ? v[i] : p;
        r[i] = (int)(red * 255);
        g[i] = (int)(green * 255);
        b[i] = (int)(blue * 255);
    }
}

INLINE void hsv_pixels(uint8_t *rgb, size_t n, const hsv_tables *t)
{
    int r[BLOCK] = {0}, g[BLOCK] = {0}, b[BLOCK] = {0}, h[BLOCK], s[BLOCK], v[BLOCK];
    float fh[BLOCK], fs[BLOCK], fv[BLOCK];
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t some = n - at < BLOCK ? n - at : BLOCK;
        uint8_t *p = rgb + 3 * at;
        split(r, g, b, p, some);
        hsv_of(h, s, v, r, g, b);
        for (int i = 0; i < BLOCK; i++) {
            fh[i] = t->sector[h[i]];
            fs[i] = t->saturation[s[i]];
            fv[i] = t->value[v[i]];
        }
        rgb_of(r, g, b, fh, fs, fv);
        for (size_t i = 0; i < some; i++) {
            p[3 * i] = (uint8_t)r[i];
            p[3 * i + 1] = (uint8_t)g[i];
            p[3 * i + 2] = (uint8_t)b[i];
        }
    }
}

static void hsv_row_plain(uint8_t *rgb, size_t n, const hsv_tables *t)
{
    hsv_pixels(rgb, n, t);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void hsv_row_avx2(uint8_t *rgb, size_t n,
                                                         const hsv_tables *t)
{
    hsv_pixels(rgb, n, t);
}
#endif

void augment_hsv(const image_view *view, const hsv_tables *t)
{
    void (*row)(uint8_t *, size_t, const hsv_tables *) = hsv_row_plain;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        row = hsv_row_avx2;
#endif
    for (int y = 0; y < view->h; y++)
        row(view->data + (size_t)y * view->stride, (size_t)view->w, t);
}

/* ---- the others ---- */

void augment_mix(const image_view *a, const image_view *b, double r)
{
    size_t n = 3 * (size_t)a->w;
    for (int y = 0; y < a->h; y++) {
        uint8_t *restrict p = a->data + (size_t)y * a->stride;
        const uint8_t *restrict q = b->data + (size_t)y * b->stride;
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)(int)(p[i] * r + q[i] * (1 - r));
    }
}

static void mirror(uint8_t *restrict dst, const uint8_t *restrict src, size_t w)
{
    for (size_t x = 0; x < w; x++) {
        const uint8_t *p = src + 3 * (w - 1 - x);
        dst[3 * x] = p[0];
        dst[3 * x + 1] = p[1];
        dst[3 * x + 2] = p[2];
    }
}

/* A division, as in the image floor: a product with 1/255 is off in the last bit for half of the
 * values. */
static void row_to_float(float *restrict dst, const uint8_t *restrict src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)src[i] / 255.0f;
}

void augment_to_float(float *dst, const image_view *src, bool up_down, bool left_right, bool swap,
                      uint8_t *line)
{
    size_t w = (size_t)src->w;
    for (int y = 0; y < src->h; y++, dst += 3 * w) {
        int from = up_down ? src->h - 1 - y : y;
        const uint8_t *row = src->data + (size_t)from * src->stride;
        if (left_right) {
            mirror(line, row, w);
            row = line;
        }
        if (swap) {
            image_view to = {line, src->w, 1, 3 * w},
                       of = {(uint8_t *)(uintptr_t)row, src->w, 1, 3 * w};
            image_swap_red_blue(&to, &of);
            row = line;
        }
        row_to_float(dst, row, 3 * w);
    }
}

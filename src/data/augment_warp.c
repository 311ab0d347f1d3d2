/* augment_warp.c: OpenCV's 8-bit bilinear warp (spec 5.4, "warp arithmetic"): plain C, and the
 * choice of an inner loop.
 *
 * Coordinates are in 1/32 pixel, so the four weights are products of 0..32 and every sum is exact
 * in integers: (sum + 512) >> 10 equals OpenCV's (32 * sum + 16384) >> 15. */
#include <limits.h>
#include <math.h>

#include "augment.h"

enum { ONE = 1 << 10, HALF_STEP = 16 /* of 1/32 in 1/1024 */ };

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* One pixel at (x, y) in 1/32. */
static void tap(uint8_t *dst, const image_view *canvas, int x, int y)
{
    int fx = x & 31, fy = y & 31;
    /* -CANVAS_BORDER and w are wholly grey, whatever the fraction. */
    int ix = clamp(x >> 5, -CANVAS_BORDER, canvas->w),
        iy = clamp(y >> 5, -CANVAS_BORDER, canvas->h);
    const uint8_t *p = canvas->data + (ptrdiff_t)iy * (ptrdiff_t)canvas->stride + 3 * (ptrdiff_t)ix;
    const uint8_t *q = p + canvas->stride;
    for (int c = 0; c < 3; c++) {
        int upper = p[c] * (32 - fx) + p[c + 3] * fx, lower = q[c] * (32 - fx) + q[c + 3] * fx;
        dst[c] = (uint8_t)((upper * (32 - fy) + lower * fy + 512) >> 10);
    }
}

static void row_c(uint8_t *dst, const image_view *canvas, const int32_t *ax, const int32_t *bx,
                  int32_t x0, int32_t y0, int w)
{
    for (int x = 0; x < w; x++)
        tap(dst + 3 * (size_t)x, canvas, (ax[x] + x0) >> 5, (bx[x] + y0) >> 5);
}

const warp_kernels WARP_KERNELS_C = {.name = "c", .row = row_c};

const warp_kernels *warp_kernels_get(void)
{
    const warp_kernels *k = warp_kernels_x86("avx2");
    return k ? k : &WARP_KERNELS_C;
}

/* Rounded; far outside stays far outside, and a sum of two does not overflow. */
static int32_t fixed(double v)
{
    const double most = 1 << 29;
    v = v * ONE;
    return (int32_t)lrint(v < -most ? -most : v > most ? most : v);
}

static void warp_affine(const image_view *dst, const image_view *canvas, const float m[9],
                        int32_t *table, const warp_kernels *kernels)
{
    /* OpenCV's invertAffineTransform, operation for operation. */
    double det = (double)m[0] * m[4] - (double)m[1] * m[3];
    det = det != 0 ? 1 / det : 0;
    double a = m[4] * det, b = m[1] * -det, c = m[3] * -det, d = m[0] * det;
    double e = -a * m[2] - b * m[5], f = -c * m[2] - d * m[5];
    int32_t *ax = table, *bx = table + dst->w;
    for (int x = 0; x < dst->w; x++) {
        ax[x] = fixed(a * x);
        bx[x] = fixed(c * x);
    }
    for (int y = 0; y < dst->h; y++)
        kernels->row(dst->data + (size_t)y * dst->stride, canvas, ax, bx,
                     fixed(b * y + e) + HALF_STEP, fixed(d * y + f) + HALF_STEP, dst->w);
}

static void invert(double out[9], const float m[9])
{
    double a[9];
    for (int i = 0; i < 9; i++)
        a[i] = m[i];
    out[0] = a[4] * a[8] - a[5] * a[7];
    out[1] = a[2] * a[7] - a[1] * a[8];
    out[2] = a[1] * a[5] - a[2] * a[4];
    out[3] = a[5] * a[6] - a[3] * a[8];
    out[4] = a[0] * a[8] - a[2] * a[6];
    out[5] = a[2] * a[3] - a[0] * a[5];
    out[6] = a[3] * a[7] - a[4] * a[6];
    out[7] = a[1] * a[6] - a[0] * a[7];
    out[8] = a[0] * a[4] - a[1] * a[3];
    double det = a[0] * out[0] + a[1] * out[3] + a[2] * out[6];
    for (int i = 0; i < 9; i++)
        out[i] = det != 0 ? out[i] / det : 0;
}

static int to_steps(double v)
{
    const double most = 1 << 29;
    return (int)lrint(v < -most ? -most : v > most ? most : v);
}

static void warp_perspective(const image_view *dst, const image_view *canvas, const float m[9])
{
    double n[9];
    invert(n, m);
    for (int y = 0; y < dst->h; y++)
        for (int x = 0; x < dst->w; x++) {
            double d = n[6] * x + n[7] * y + n[8], k = d != 0 ? 32 / d : 0;
            tap(dst->data + (size_t)y * dst->stride + 3 * (size_t)x, canvas,
                to_steps((n[0] * x + n[1] * y + n[2]) * k),
                to_steps((n[3] * x + n[4] * y + n[5]) * k));
        }
}

void augment_warp(const image_view *dst, const image_view *canvas, const float m[9],
                  bool perspective, int32_t *table, const warp_kernels *kernels)
{
    if (perspective)
        warp_perspective(dst, canvas, m);
    else
        warp_affine(dst, canvas, m, table, kernels);
}

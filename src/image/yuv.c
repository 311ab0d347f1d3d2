/* yuv.c: WebP's lossy pictures to RGB, bit for bit as libwebp and so OpenCV show them.
 *
 * Chroma is interpolated with weights 9 3 3 1 by way of the two diagonals, then BT.601 in 14-bit
 * fixed point: the arithmetic of the WebP lossy specification's reference decoder. General
 * converters repeat chroma samples or round otherwise. */
#include "yuv.h"

static uint8_t clip(int v) /* v has 6 bits of fraction */
{
    if ((v & ~0x3fff) == 0)
        return (uint8_t)(v >> 6);
    return v < 0 ? 0 : 255;
}

static void put(uint8_t *rgb, int y, int u, int v)
{
    int luma = y * 19077 >> 8;
    rgb[0] = clip(luma + (v * 26149 >> 8) - 14234);
    rgb[1] = clip(luma - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708);
    rgb[2] = clip(luma + (u * 33050 >> 8) - 17685);
}

/* One output sample between the chroma samples a (nearest), b and c (its row's and its column's
 * other one) and d (across). */
static int between(int a, int b, int c, int d)
{
    return (((a + 3 * b + 3 * c + d + 8) >> 3) + a) >> 1;
}

/* near and far: chroma rows beside this row of luma, the nearer one first. */
static void convert_row(uint8_t *rgb, const uint8_t *y, const uint8_t *u_near, const uint8_t *u_far,
                        const uint8_t *v_near, const uint8_t *v_far, int w)
{
    put(rgb, y[0], (3 * u_near[0] + u_far[0] + 2) >> 2, (3 * v_near[0] + v_far[0] + 2) >> 2);
    for (int i = 1; i <= (w - 1) / 2; i++) {
        int u0 = u_near[i - 1], u1 = u_near[i], s0 = u_far[i - 1], s1 = u_far[i];
        int v0 = v_near[i - 1], v1 = v_near[i], t0 = v_far[i - 1], t1 = v_far[i];
        int x = 2 * i - 1;
        put(rgb + 3 * x, y[x], between(u0, u1, s0, s1), between(v0, v1, t0, t1));
        put(rgb + 3 * x + 3, y[x + 1], between(u1, u0, s1, s0), between(v1, v0, t1, t0));
    }
    if (w % 2 == 0) {
        int i = w / 2 - 1, x = w - 1;
        put(rgb + 3 * x, y[x], (3 * u_near[i] + u_far[i] + 2) >> 2,
            (3 * v_near[i] + v_far[i] + 2) >> 2);
    }
}

void image_yuv420_to_rgb(const image_view *dst, const image_yuv420 *src)
{
    int n_chroma_rows = (dst->h + 1) / 2;
    for (int row = 0; row < dst->h; row++) {
        int near = row / 2, far = row % 2 == 0 ? near - 1 : near + 1;
        if (far < 0 || far >= n_chroma_rows)
            far = near;
        convert_row(dst->data + (size_t)row * dst->stride, src->y + (size_t)row * src->y_stride,
                    src->u + (size_t)near * src->u_stride, src->u + (size_t)far * src->u_stride,
                    src->v + (size_t)near * src->v_stride, src->v + (size_t)far * src->v_stride,
                    dst->w);
    }
}

/* flow_corners.c: where a picture holds in both directions: the smaller eigenvalue of the
 * gradients' products over 3 x 3 pixels (J. Shi, C. Tomasi, Good Features to Track, CVPR 1994).
 *
 * The best of each tile, so that they lie all over the picture: many on one lively object would say
 * what that did, not what the camera did. */
#include <math.h>
#include <string.h>

#include "flow.h"

static const float LEAST_SHARE = 0.01f; /* of the strongest: weaker ones are noise */
enum { EDGE = 4 }; /* pixels at the picture's edge that are left out: gradients and sums reach 2 */

/* Of Sobel's gradients of a row. */
static void products_of_row(int32_t p[3][FLOW_MOST_SIDE], const flow_level *l, int y)
{
    const uint8_t *r = l->at + y * l->stride;
    const ptrdiff_t s = l->stride;
    for (int x = 0; x < l->w; x++) {
        const int right = r[x + 1 - s] + 2 * r[x + 1] + r[x + 1 + s],
                  left = r[x - 1 - s] + 2 * r[x - 1] + r[x - 1 + s],
                  below = r[x - 1 + s] + 2 * r[x + s] + r[x + 1 + s],
                  above = r[x - 1 - s] + 2 * r[x - s] + r[x + 1 - s];
        const int32_t dx = right - left, dy = below - above;
        p[0][x] = dx * dx;
        p[1][x] = dx * dy;
        p[2][x] = dy * dy;
    }
}

/* Of row y, whose products and those above and below it are there. Only 1..w-2 are made. */
static void strengths_of_row(float *out, int32_t (*p)[3][FLOW_MOST_SIDE], int w)
{
    int32_t sums[3][FLOW_MOST_SIDE];
    for (int k = 0; k < 3; k++)
        for (int x = 0; x < w; x++)
            sums[k][x] = p[0][k][x] + p[1][k][x] + p[2][k][x];
    for (int x = 1; x < w - 1; x++) {
        const float xx = (float)(sums[0][x - 1] + sums[0][x] + sums[0][x + 1]),
                    xy = (float)(sums[1][x - 1] + sums[1][x] + sums[1][x + 1]),
                    yy = (float)(sums[2][x - 1] + sums[2][x] + sums[2][x + 1]);
        const float mean = (xx + yy) * 0.5f, half = (xx - yy) * 0.5f;
        out[x] = mean - sqrtf(half * half + xy * xy);
    }
}

static int tile_side(const flow_level *l)
{
    int side = FLOW_LEAST_TILE;
    while (side * side * FLOW_TILES < l->w * l->h)
        side++;
    return side;
}

size_t flow_corners(flow_point *out, const flow_level *l, flow_corner_scratch *c)
{
    const int side = tile_side(l);
    const size_t n_across = (size_t)(l->w + side - 1) / (size_t)side,
                 n_down = (size_t)(l->h + side - 1) / (size_t)side,
                 n_tiles =
                     n_across * n_down < FLOW_MOST_CORNERS ? n_across * n_down : FLOW_MOST_CORNERS;
    float strongest = 0;
    size_t n = 0;
    memset(c->best, 0, sizeof c->best);
    for (int y = EDGE - 1; y <= l->h - EDGE; y++) {
        products_of_row(c->products[y % 3], l, y);
        if (y < EDGE + 1)
            continue;
        strengths_of_row(c->strengths, c->products, l->w); /* of y - 1 */
        const size_t tiles = (size_t)((y - 1) / side) * n_across;
        for (int x = EDGE; x < l->w - EDGE; x++) {
            const size_t tile = tiles + (size_t)(x / side);
            if (tile < n_tiles && c->strengths[x] > c->best[tile].strength)
                c->best[tile] = (flow_corner){c->strengths[x], x, y - 1};
        }
    }
    for (size_t i = 0; i < n_tiles; i++)
        strongest = c->best[i].strength > strongest ? c->best[i].strength : strongest;
    for (size_t i = 0; i < n_tiles; i++)
        if (c->best[i].strength > LEAST_SHARE * strongest)
            out[n++] = (flow_point){(float)c->best[i].x, (float)c->best[i].y};
    return n;
}

/* outline.c: polygons to pixels.
 *
 * A row's crossings need no sorting: a pixel is inside when an odd number of them is left of it, or
 * when one falls on it. So a crossing flips a bit at its pixel and sets another, in a room of a
 * byte a pixel, and one walk along the row reads them. Column -1 of the room takes what is left of
 * the picture. */
#include "outline.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { ON = 1, FLIP = 2 };
enum { FARTHEST = 1 << 20 /* pixels: what an outline may be off, before it is cut there */ };

void outline_resample(float *out, size_t n, const float *points, size_t n_points)
{
    const double step = (double)n_points / (double)(n - 1);
    for (size_t i = 0; i < n; i++) {
        const double at = i + 1 < n ? (double)i * step : (double)n_points;
        size_t corner = (size_t)at;
        if (corner >= n_points)
            corner = n_points - 1;
        const float *a = points + 2 * corner,
                    *b = points + 2 * (corner + 1 < n_points ? corner + 1 : 0);
        const double f = at - (double)corner;
        for (int axis = 0; axis < 2; axis++)
            out[2 * i + (size_t)axis] =
                (float)(((double)b[axis] - (double)a[axis]) * f + (double)a[axis]);
    }
}

/* ---- filling ---- */

size_t outline_room_bytes(int w, int h)
{
    size_t bytes;
    return base_mul_size(&bytes, (size_t)w + 1, (size_t)h) ? bytes : 0;
}

typedef struct canvas {
    uint8_t *room;
    int w, h;
} canvas;

static uint8_t *cell(const canvas *c, int x, int y)
{
    return c->room + (size_t)y * ((size_t)c->w + 1) + (size_t)(x + 1);
}

static int whole(float v)
{
    return v >= FARTHEST ? FARTHEST : v > -FARTHEST ? (int)v : v <= -FARTHEST ? -FARTHEST : 0;
}

/* An 8-connected line, from the end with the smaller x. */
static void draw_line(const canvas *c, int x0, int y0, int x1, int y1)
{
    if (x1 < x0) {
        const int x = x0, y = y0;
        x0 = x1;
        y0 = y1;
        x1 = x;
        y1 = y;
    }
    int dx = x1 - x0, dy = abs(y1 - y0);
    const int down = y1 < y0 ? -1 : 1;
    const bool steep = dy > dx;
    if (steep) {
        const int d = dx;
        dx = dy;
        dy = d;
    }
    int error = dx - 2 * dy;
    for (int i = 0; i <= dx; i++) {
        if (x0 >= 0 && x0 < c->w && y0 >= 0 && y0 < c->h)
            *cell(c, x0, y0) |= ON;
        const bool aside = error < 0;
        error += -2 * dy + (aside ? 2 * dx : 0);
        x0 += steep ? aside : 1;
        y0 += !steep ? (aside ? down : 0) : down;
    }
}

/* An edge's crossings of the rows' upper borders, in 1 / 65536 of a pixel. */
static void cross_rows(const canvas *c, int x0, int y0, int x1, int y1)
{
    if (y1 < y0) {
        const int x = x0, y = y0;
        x0 = x1;
        y0 = y1;
        x1 = x;
        y1 = y;
    }
    if (y0 == y1)
        return;
    const int64_t slope = ((int64_t)(x1 - x0) * 65536) / (y1 - y0);
    const int last = y1 < c->h ? y1 : c->h;
    for (int y = y0 > 0 ? y0 : 0; y < last; y++) {
        const int64_t at = ((int64_t)x0 * 65536 + (y - y0) * slope + 32768) >> 16;
        if (at >= c->w)
            continue;
        if (at >= 0)
            *cell(c, (int)at, y) |= ON;
        *cell(c, at >= 0 ? (int)at : -1, y) ^= FLIP;
    }
}

/* What the points cover of the picture, in multiples of q. */
static outline_window window_of(const float *points, size_t n, int w, int h, int q)
{
    int low[2] = {FARTHEST, FARTHEST}, high[2] = {-FARTHEST, -FARTHEST};
    const int size[2] = {w, h};
    for (size_t i = 0; i < 2 * n; i++) {
        const int v = whole(points[i]), axis = (int)(i & 1);
        low[axis] = v < low[axis] ? v : low[axis];
        high[axis] = v > high[axis] ? v : high[axis];
    }
    for (int axis = 0; axis < 2; axis++) {
        if (n == 0 || high[axis] < 0 || low[axis] >= size[axis])
            return (outline_window){0};
        low[axis] = (low[axis] > 0 ? low[axis] : 0) / q * q;
        high[axis] = (high[axis] < size[axis] ? high[axis] : size[axis] - 1) / q * q + q;
        high[axis] = high[axis] < size[axis] ? high[axis] : size[axis];
    }
    return (outline_window){low[0], low[1], high[0], high[1]};
}

outline_window outline_fill(uint8_t *room, const float *points, size_t n, int w, int h, int q)
{
    const canvas c = {room, w, h};
    const outline_window win = window_of(points, n, w, h, q);
    if (win.x1 == 0)
        return win;
    const size_t n_columns = (size_t)(win.x1 - win.x0);
    for (int y = win.y0; y < win.y1; y++) {
        *cell(&c, -1, y) = 0;
        memset(cell(&c, win.x0, y), 0, n_columns);
    }
    for (size_t i = 0; i < n; i++) {
        const float *a = points + 2 * i, *b = points + 2 * (i + 1 < n ? i + 1 : 0);
        const int x0 = whole(a[0]), y0 = whole(a[1]), x1 = whole(b[0]), y1 = whole(b[1]);
        draw_line(&c, x0, y0, x1, y1);
        cross_rows(&c, x0, y0, x1, y1);
    }
    for (int y = win.y0; y < win.y1; y++) {
        uint8_t inside = *cell(&c, -1, y) >> 1, *p = cell(&c, win.x0, y);
        for (size_t x = 0; x < n_columns; x++) {
            const uint8_t bits = p[x];
            p[x] = inside | (bits & ON);
            inside ^= bits >> 1;
        }
    }
    return win;
}

/* ---- masks ---- */

/* A pixel of the mask: bilinear at its centre, which is a pixel's or lies between four. */
static uint8_t mask_pixel(const canvas *c, int x, int y, int q)
{
    if (q == 1)
        return *cell(c, x, y);
    x = x * q + q / 2 - 1;
    y = y * q + q / 2 - 1;
    const uint8_t *upper = cell(c, x, y), *lower = cell(c, x, y + 1);
    return upper[0] + upper[1] + lower[0] + lower[1] >= 2;
}

uint32_t outline_mask(uint8_t *mask, uint8_t *room, const float *points, size_t n, int w, int h,
                      int q)
{
    const canvas c = {room, w, h};
    const int mask_w = w / q, mask_h = h / q;
    const outline_window win = outline_fill(room, points, n, w, h, q);
    uint32_t area = 0;
    memset(mask, 0, (size_t)mask_w * (size_t)mask_h);
    for (int y = win.y0 / q; y < win.y1 / q; y++)
        for (int x = win.x0 / q; x < win.x1 / q; x++)
            area += mask[(size_t)y * (size_t)mask_w + (size_t)x] = mask_pixel(&c, x, y, q);
    return area;
}

void outline_map_begin(int32_t *map, int w, int h, int q)
{
    memset(map, 0, (size_t)(w / q) * (size_t)(h / q) * sizeof *map);
}

void outline_map_paint(int32_t *map, uint32_t *areas, uint32_t object, uint8_t *room,
                       const float *points, size_t n, int w, int h, int q)
{
    const canvas c = {room, w, h};
    const outline_window win = outline_fill(room, points, n, w, h, q);
    uint32_t area = 0;
    for (int y = win.y0 / q; y < win.y1 / q; y++)
        for (int x = win.x0 / q; x < win.x1 / q; x++)
            area += mask_pixel(&c, x, y, q);
    areas[object] = area;
    for (int y = win.y0 / q; y < win.y1 / q; y++) {
        int32_t *row = map + (size_t)y * (size_t)(w / q);
        for (int x = win.x0 / q; x < win.x1 / q; x++)
            if (mask_pixel(&c, x, y, q) && (row[x] == 0 || area <= areas[row[x] - 1]))
                row[x] = (int32_t)object + 1;
    }
}

static int comes_first(const void *a, const void *b, void *ctx)
{
    const uint32_t *areas = ctx, i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    /* 0 - 1 is the largest number: what has no pixel comes first. */
    return areas[i] != areas[k] ? areas[i] - 1 > areas[k] - 1 : i < k;
}

void outline_map_end(int32_t *map, uint32_t *order, uint32_t *ranks, const uint32_t *areas,
                     size_t n, int w, int h, int q)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    base_sort(order, n, sizeof *order, comes_first, (void *)(uintptr_t)areas);
    for (size_t i = 0; i < n; i++)
        ranks[order[i]] = (uint32_t)i;
    const size_t n_pixels = (size_t)(w / q) * (size_t)(h / q);
    for (size_t i = 0; i < n_pixels; i++)
        if (map[i] > 0)
            map[i] = (int32_t)ranks[map[i] - 1] + 1;
}

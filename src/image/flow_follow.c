/* flow_follow.c: where a point's surroundings went: B. Lucas, T. Kanade, IJCAI 1981, coarse to fine
 * as in J.-Y. Bouguet, Pyramidal Implementation of the Lucas Kanade Feature Tracker, 2000.
 *
 * A window of 16 x 16: a row is one register of the wide instruction sets, and two of SSE2. Samples
 * are between pixels in 1/128ths, times 32; gradients are Scharr's. All sums are whole numbers, so
 * their order does not matter. */
#include <math.h>
#include <string.h>

#include "flow.h"

enum {
    SIDE = 16,       /* of the window */
    RING = SIDE + 2, /* with a ring, for gradients */
    PARTS = 128,     /* of a pixel */
    MOST_STEPS = 20, /* at a level */
};
static const float CLOSE_ENOUGH = 0.03f; /* pixels of a step, after which it stands */
/* The smaller eigenvalue of the window's gradients, in squared grey levels a pixel, below which
 * there is nothing to hold on to. */
static const double LEAST_HOLD = 1.0;

typedef struct window {
    int16_t grey[SIDE][SIDE]; /* times 32 */
    int16_t dx[SIDE][SIDE], dy[SIDE][SIDE];
    double xx, xy, yy;
} window;

/* Where a sample's four pixels are, and its share of the right and the lower ones. */
typedef struct place {
    const uint8_t *at;
    int right, below;
} place;

/* The upper left of n x n samples about (x, y); false where they leave the margin. */
static bool find(place *out, const flow_level *l, float x, float y, int n)
{
    const float half = 0.5f * (float)(n - 1), left = x - half, top = y - half;
    if (!(left >= -FLOW_MARGIN && top >= -FLOW_MARGIN &&
          left + (float)n < (float)(l->w + FLOW_MARGIN - 1) &&
          top + (float)n < (float)(l->h + FLOW_MARGIN - 1)))
        return false;
    const int column = (int)floorf(left * PARTS + 0.5f), row = (int)floorf(top * PARTS + 0.5f);
    out->right = column & (PARTS - 1);
    out->below = row & (PARTS - 1);
    out->at = l->at + (row >> 7) * l->stride + (column >> 7);
    return true;
}

static inline void mix_across(int32_t *restrict out, const uint8_t *restrict row, int right, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = row[i] * (PARTS - right) + row[i + 1] * right;
}

static void take(int16_t *restrict out, int n, const place *p, ptrdiff_t stride)
{
    int32_t rows[2][RING];
    mix_across(rows[0], p->at, p->right, n);
    for (int y = 0; y < n; y++) {
        const int32_t *above = rows[y & 1];
        int32_t *next = rows[~y & 1];
        mix_across(next, p->at + (y + 1) * stride, p->right, n);
        for (int x = 0; x < n; x++)
            out[y * n + x] =
                (int16_t)((above[x] * (PARTS - p->below) + next[x] * p->below + 256) >> 9);
    }
}

static bool make_window(window *w, const flow_level *l, float x, float y)
{
    int16_t s[RING][RING];
    place p;
    if (!find(&p, l, x, y, RING))
        return false;
    take(&s[0][0], RING, &p, l->stride);
    int64_t xx = 0, xy = 0, yy = 0;
    for (int i = 0; i < SIDE; i++) {
        int32_t row_xx = 0, row_xy = 0, row_yy = 0;
        for (int j = 0; j < SIDE; j++) {
            const int16_t *a = &s[i][j], *b = &s[i + 1][j], *c = &s[i + 2][j];
            const int dx = (3 * (a[2] - a[0] + c[2] - c[0]) + 10 * (b[2] - b[0])) >> 5,
                      dy = (3 * (c[0] - a[0] + c[2] - a[2]) + 10 * (c[1] - a[1])) >> 5;
            w->grey[i][j] = b[1];
            w->dx[i][j] = (int16_t)dx;
            w->dy[i][j] = (int16_t)dy;
            row_xx += dx * dx;
            row_xy += dx * dy;
            row_yy += dy * dy;
        }
        xx += row_xx;
        xy += row_xy;
        yy += row_yy;
    }
    w->xx = (double)xx;
    w->xy = (double)xy;
    w->yy = (double)yy;
    return true;
}

static bool can_hold(const window *w)
{
    const double mean = (w->xx + w->yy) / 2, half = (w->xx - w->yy) / 2;
    /* gradients are times 32 */
    return mean - sqrt(half * half + w->xy * w->xy) > LEAST_HOLD * 1024 * SIDE * SIDE;
}

/* Sums of what is missing times the gradients. Of 16 rows each lane's sum fits 31 bits. */
static void miss(double *x, double *y, const window *w, const place *p, ptrdiff_t stride)
{
    int16_t now[SIDE][SIDE];
    int32_t sum_x[SIDE] = {0}, sum_y[SIDE] = {0};
    int64_t all_x = 0, all_y = 0;
    take(&now[0][0], SIDE, p, stride);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            const int16_t less = (int16_t)(w->grey[i][j] - now[i][j]);
            sum_x[j] += less * w->dx[i][j];
            sum_y[j] += less * w->dy[i][j];
        }
    for (int j = 0; j < SIDE; j++) {
        all_x += sum_x[j];
        all_y += sum_y[j];
    }
    *x = (double)all_x;
    *y = (double)all_y;
}

/* From a guess at (x, y) to where the window fits; false when it leaves the picture. */
static bool settle(float *x, float *y, const window *w, const flow_level *l)
{
    const double by = 1 / (w->xx * w->yy - w->xy * w->xy);
    float last_x = 0, last_y = 0;
    for (int step = 0; step < MOST_STEPS; step++) {
        place p;
        double mx, my;
        if (!find(&p, l, *x, *y, SIDE))
            return false;
        miss(&mx, &my, w, &p, l->stride);
        const float dx = (float)((w->yy * mx - w->xy * my) * by),
                    dy = (float)((w->xx * my - w->xy * mx) * by);
        *x += dx;
        *y += dy;
        if (dx * dx + dy * dy < CLOSE_ENOUGH * CLOSE_ENOUGH)
            break;
        if (step > 0 && fabsf(dx + last_x) < 0.01f && fabsf(dy + last_y) < 0.01f) {
            *x -= dx / 2; /* to and fro: it lies between */
            *y -= dy / 2;
            break;
        }
        last_x = dx;
        last_y = dy;
    }
    return true;
}

bool flow_follow(flow_point *out, flow_point at, const flow_pyramid *from, const flow_pyramid *to)
{
    float shift_x = 0, shift_y = 0; /* in pixels of the level */
    window w;
    for (int i = from->n_levels - 1; i >= 0; i--) {
        const float scale = 1 / (float)(1 << i), x = at.x * scale, y = at.y * scale;
        const bool is_held = make_window(&w, &from->levels[i], x, y) && can_hold(&w);
        float to_x = x + shift_x, to_y = y + shift_y;
        if (is_held && !settle(&to_x, &to_y, &w, &to->levels[i]))
            return false;
        if (i == 0) {
            *out = (flow_point){to_x, to_y};
            return is_held && to_x >= 0 && to_y >= 0 && to_x <= (float)(to->levels[0].w - 1) &&
                   to_y <= (float)(to->levels[0].h - 1);
        }
        shift_x = 2 * (to_x - x);
        shift_y = 2 * (to_y - y);
    }
    return false;
}

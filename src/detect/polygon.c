/* polygon.c: sums over edges. */
#include "polygon.h"

#include <math.h>

typedef struct edge {
    double ax, ay, bx, by;
} edge;

static edge edge_at(const float *xy, size_t n, size_t i)
{
    const float *a = &xy[2 * i], *b = &xy[2 * (i + 1 == n ? 0 : i + 1)];
    return (edge){(double)a[0], (double)a[1], (double)b[0], (double)b[1]};
}

/* Above 0: (x, y) is to one side of the edge, below: to the other, 0: on its line. */
static double side(const edge *e, double x, double y)
{
    return (e->bx - e->ax) * (y - e->ay) - (e->by - e->ay) * (x - e->ax);
}

static bool is_within(double v, double a, double b)
{
    return v >= fmin(a, b) && v <= fmax(a, b);
}

static bool is_on(const edge *e, double x, double y)
{
    return side(e, x, y) == 0 && is_within(x, e->ax, e->bx) && is_within(y, e->ay, e->by);
}

/* The edge goes through the height y: from above it, or from below. */
static bool goes_through(const edge *e, double y)
{
    return (e->ay > y) != (e->by > y);
}

static double x_at(const edge *e, double y)
{
    return e->ax + (e->bx - e->ax) * (y - e->ay) / (e->by - e->ay);
}

bool detect_polygon_holds(const float *xy, size_t n, double x, double y)
{
    bool is_inside = false;
    for (size_t i = 0; i < n; i++) {
        const edge e = edge_at(xy, n, i);
        if (is_on(&e, x, y))
            return true;
        if (goes_through(&e, y) && x < x_at(&e, y))
            is_inside = !is_inside;
    }
    return is_inside;
}

/* The integral of y held in 0..most, from 0 to y. */
static double integral_held(double y, double most)
{
    if (y <= 0)
        return 0;
    return y < most ? y * y / 2 : most * most / 2 + most * (y - most);
}

static double mean_held(double from, double to, double most)
{
    if (fabs(to - from) < 1e-9 * most)
        return fmin(fmax((from + to) / 2, 0), most);
    return (integral_held(to, most) - integral_held(from, most)) / (to - from);
}

/* By Green's theorem the area of polygon and box is the integral along the edges of their height
 * above the box's first side, held within the box, over the part of x that is the box's: no clipped
 * polygon has to be made. */
double detect_polygon_share(const float *xy, size_t n, const vg_detection *box)
{
    const double x1 = (double)box->x1, w = (double)box->x2 - x1;
    const double y1 = (double)box->y1, h = (double)box->y2 - y1;
    double sum = 0;
    if (!(w > 0 && h > 0))
        return 0;
    for (size_t i = 0; i < n; i++) {
        const edge e = edge_at(xy, n, i);
        const double dx = e.bx - e.ax, dy = e.by - e.ay;
        if (dx == 0)
            continue;
        const double p = (x1 - e.ax) / dx, q = (x1 + w - e.ax) / dx;
        const double from = fmin(fmax(fmin(p, q), 0), 1), to = fmin(fmax(fmax(p, q), 0), 1);
        sum += (to - from) * dx * mean_held(e.ay + from * dy - y1, e.ay + to * dy - y1, h);
    }
    return fmin(fabs(sum) / (w * h), 1);
}

/* How many of the row's first n bits are set. */
static int64_t count_bits(const uint8_t *row, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n / 8; i++)
        sum += __builtin_popcount(row[i]);
    return n % 8 == 0 ? sum : sum + __builtin_popcount((unsigned)row[n / 8] >> (8 - n % 8));
}

/* Row by row, and as for boxes: what is left of an edge counts for it or against it, by the side
 * from which the edge comes, so that what is outside of the polygon cancels out. */
double detect_polygon_mask_share(const float *xy, size_t n, const detect_polygon_place *at,
                                 const vg_mask *mask)
{
    int64_t sum = 0, all = 0;
    for (int row = 0; row < mask->height && mask->bits != NULL; row++) {
        const uint8_t *bits = mask->bits + (size_t)row * mask->row_bytes;
        const double y = (mask->y + row + 0.5 - at->top) / at->step_y;
        all += count_bits(bits, mask->width);
        for (size_t i = 0; i < n; i++) {
            const edge e = edge_at(xy, n, i);
            if (!goes_through(&e, y))
                continue;
            const double x = ceil(at->left + x_at(&e, y) * at->step_x - mask->x - 0.5);
            const int64_t left = count_bits(bits, (int)fmin(fmax(x, 0), mask->width));
            sum += e.by > y ? left : -left;
        }
    }
    return all > 0 ? fabs((double)sum) / (double)all : 0;
}

static bool do_meet(const edge *a, const edge *b)
{
    const double p = side(a, b->ax, b->ay), q = side(a, b->bx, b->by);
    const double r = side(b, a->ax, a->ay), s = side(b, a->bx, a->by);
    if (((p > 0 && q < 0) || (p < 0 && q > 0)) && ((r > 0 && s < 0) || (r < 0 && s > 0)))
        return true;
    return is_on(a, b->ax, b->ay) || is_on(a, b->bx, b->by) || is_on(b, a->ax, a->ay) ||
           is_on(b, a->bx, a->by);
}

/* Neighbours share a corner; more than that is an edge that goes back on the one before. */
static bool folds_back(const edge *a, const edge *b)
{
    return is_on(a, b->bx, b->by) || is_on(b, a->ax, a->ay);
}

bool detect_polygon_is_simple(const float *xy, size_t n, size_t *a, size_t *b)
{
    for (*a = 0; *a < n; ++*a)
        for (*b = *a + 1; *b < n; ++*b) {
            const edge e = edge_at(xy, n, *a), f = edge_at(xy, n, *b);
            const bool is_last_pair = *a == 0 && *b == n - 1;
            if (*b == *a + 1   ? folds_back(&e, &f)
                : is_last_pair ? folds_back(&f, &e)
                               : do_meet(&e, &f))
                return false;
        }
    return true;
}

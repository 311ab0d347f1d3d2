/* outline.c: from the pixels of an item to a polygon.
 *
 * Every border is walked along the edges between pixels, the item on the right: outer borders come
 * out clockwise, holes the other way round. Douglas and Peucker's method (Cartographica 10, 1973)
 * thins each one out. The largest begins the polygon, and the others are put in by size, each at
 * the pair of corners that lies closest: go over, walk around, come back. */
#include "outline.h"

#include <math.h>
#include <string.h>

void demo_outline_fini(demo_outline *o)
{
    base_free(o->marks);
    o->marks = NULL;
    o->marks_bytes = 0;
    o->n_points = 0;
}

typedef struct piece {
    demo_spot *points; /* (n) */
    int n;
    float area; /* negative: a hole */
} piece;

/* ---- a border ---- */

enum { EAST, SOUTH, WEST, NORTH };
static const int step_x[] = {1, 0, -1, 0}, step_y[] = {0, 1, 0, -1};
/* The pixels ahead of a corner, to the right and to the left of where one goes. */
static const int right_x[] = {0, -1, -1, 0}, right_y[] = {0, 0, -1, -1};
static const int left_x[] = {0, 0, -1, -1}, left_y[] = {-1, 0, 0, -1};

/* Keeps every second turn: a border that winds this much is thinned out before its time. */
static int turns_halve(demo_outline *o, int n)
{
    for (int i = 0; i < n / 2; i++)
        o->turns[i] = o->turns[2 * i];
    return n / 2;
}

/* From the upper edge of pixel (x, y) around; the number of turns, their signed area. */
static int walk(demo_outline *o, const demo_canvas *c, int item, int x, int y, float *area)
{
    const int x0 = x, y0 = y;
    int direction = EAST, n = 0;
    double twice = 0;
    do {
        if (direction == EAST)
            o->marks[(size_t)y * (size_t)c->fine.view.w + (size_t)x] = 1;
        twice += (double)x * step_y[direction] - (double)y * step_x[direction];
        x += step_x[direction];
        y += step_y[direction];
        const int before = direction;
        if (demo_item_at(c, x + right_x[direction], y + right_y[direction]) != item)
            direction = (direction + 1) % 4;
        else if (demo_item_at(c, x + left_x[direction], y + left_y[direction]) == item)
            direction = (direction + 3) % 4;
        if (direction != before) {
            if (n == DEMO_OUTLINE_TURNS)
                n = turns_halve(o, n);
            o->turns[n++] = (demo_spot){(float)x, (float)y};
        }
    } while (x != x0 || y != y0 || direction != EAST);
    *area = (float)(twice / 2);
    return n;
}

static float distance_to(demo_spot p, demo_spot a, demo_spot b)
{
    const float dx = b.x - a.x, dy = b.y - a.y, px = p.x - a.x, py = p.y - a.y;
    const float length2 = dx * dx + dy * dy;
    const float t = length2 > 0 ? demo_clamp((px * dx + py * dy) / length2, 0, 1) : 0;
    return hypotf(px - t * dx, py - t * dy);
}

/* Marks which of turns [from, to] stay; both ends do. to == n is turn 0 again. */
static void thin_between(demo_outline *o, int n, int from, int to, float tolerance_px)
{
    int stack[64][2] = {{from, to}}, depth = 1;
    while (depth > 0) {
        const int a = stack[depth - 1][0], b = stack[depth - 1][1];
        int worst = -1;
        float most = tolerance_px;
        depth--;
        for (int i = a + 1; i < b; i++) {
            const float off = distance_to(o->turns[i], o->turns[a], o->turns[b % n]);
            if (off > most) {
                most = off;
                worst = i;
            }
        }
        if (worst < 0)
            continue;
        o->is_kept[worst] = 1;
        if (depth + 2 > 64)
            continue; /* never seen: as coarse as it is */
        stack[depth][0] = a, stack[depth++][1] = worst;
        stack[depth][0] = worst, stack[depth++][1] = b;
    }
}

/* The turns that stay, into out; doubles the tolerance until they fit. */
static int thin(demo_outline *o, demo_spot out[DEMO_OUTLINE_POINTS], int n, float tolerance_px)
{
    int n_kept;
    int far = 0;
    float most = -1;
    for (int i = 1; i < n; i++) {
        const float d = hypotf(o->turns[i].x - o->turns[0].x, o->turns[i].y - o->turns[0].y);
        if (d > most) {
            most = d;
            far = i;
        }
    }
    do {
        memset(o->is_kept, 0, (size_t)n);
        o->is_kept[0] = o->is_kept[far] = 1;
        thin_between(o, n, 0, far, tolerance_px);
        thin_between(o, n, far, n, tolerance_px);
        n_kept = 0;
        for (int i = 0; i < n; i++)
            n_kept += o->is_kept[i];
        tolerance_px *= 2;
    } while (n_kept > DEMO_OUTLINE_POINTS);
    n_kept = 0;
    for (int i = 0; i < n; i++)
        if (o->is_kept[i])
            out[n_kept++] = o->turns[i];
    return n_kept;
}

/* ---- one polygon of several borders ---- */

/* Puts a border in at the closest pair of corners: ..., p, q, (around), q, p, ... */
static void join(demo_outline *o, const piece *p)
{
    int at = 0, from = 0;
    float least = INFINITY;
    for (int i = 0; i < o->n_points; i++)
        for (int k = 0; k < p->n; k++) {
            const float d =
                hypotf(o->points[i].x - p->points[k].x, o->points[i].y - p->points[k].y);
            if (d < least) {
                least = d;
                at = i;
                from = k;
            }
        }
    memmove(&o->points[at + p->n + 2], &o->points[at],
            (size_t)(o->n_points - at) * sizeof *o->points);
    for (int k = 0; k <= p->n; k++)
        o->points[at + 1 + k] = p->points[(from + k) % p->n];
    o->n_points += p->n + 2;
}

static int is_larger(const void *a, const void *b, void *ctx)
{
    const piece *x = a, *y = b;
    (void)ctx;
    return fabsf(x->area) > fabsf(y->area);
}

/* Keeps the largest pieces when there are too many. */
static piece *place_for(piece *pieces, int *n, demo_outline *o, float area)
{
    if (*n < DEMO_OUTLINE_PIECES) {
        piece *p = &pieces[(*n)++];
        p->points = o->pieces + (size_t)(p - pieces) * DEMO_OUTLINE_POINTS;
        return p;
    }
    piece *least = pieces;
    for (int i = 1; i < *n; i++)
        if (fabsf(pieces[i].area) < fabsf(least->area))
            least = &pieces[i];
    return fabsf(least->area) < fabsf(area) ? least : NULL;
}

vg_status demo_outline_trace(demo_outline *o, const demo_canvas *c, int item, float tolerance_px,
                             float least_area, base_mem *mem, vg_error *err)
{
    const size_t w = (size_t)c->fine.view.w, n_bytes = w * (size_t)c->fine.view.h;
    const demo_extent *e = &c->extents[item];
    piece pieces[DEMO_OUTLINE_PIECES];
    int n = 0;
    o->n_points = 0;
    if (n_bytes > o->marks_bytes) {
        demo_outline_fini(o);
        o->marks = base_alloc(mem, n_bytes, err);
        if (!o->marks)
            return VG_ERR_MEMORY;
        o->marks_bytes = n_bytes;
    }
    for (int y = e->y1; y < e->y2; y++)
        memset(o->marks + (size_t)y * w + (size_t)e->x1, 0, (size_t)(e->x2 - e->x1));
    for (int y = e->y1; y < e->y2; y++)
        for (int x = e->x1; x < e->x2; x++) {
            float area;
            if (demo_item_at(c, x, y) != item || demo_item_at(c, x, y - 1) == item ||
                o->marks[(size_t)y * w + (size_t)x])
                continue;
            const int n_turns = walk(o, c, item, x, y, &area);
            if (fabsf(area) < least_area)
                continue;
            piece *p = place_for(pieces, &n, o, area);
            if (p) {
                p->area = area;
                p->n = thin(o, p->points, n_turns, tolerance_px);
            }
        }
    base_sort(pieces, (size_t)n, sizeof *pieces, is_larger, NULL);
    for (int i = 0; i < n; i++) {
        /* A hole of what was left out has nowhere to be; the largest is always a part. */
        if (pieces[i].n < 3 || o->n_points + pieces[i].n + 2 > DEMO_OUTLINE_POINTS)
            continue;
        if (o->n_points > 0) {
            join(o, &pieces[i]);
            continue;
        }
        memcpy(o->points, pieces[i].points, (size_t)pieces[i].n * sizeof *o->points);
        o->n_points = pieces[i].n;
    }
    return VG_OK;
}

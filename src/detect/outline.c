/* outline.c: the border of a mask's part, followed pixel by pixel.
 *
 * Rows are scanned for pixels that begin a part: set, nothing set to the left, not in another part
 * and not on a border that was followed. Following marks what lies on the border (`border`) and
 * where the part ends to the right (`right`), which is all that the scan needs to know whether it
 * is outside. So two bits a pixel do for parts of any shape, and no stack is needed. */
#include <string.h>

#include "masks.h"

/* E, NE, N, NW, W, SW, S, SE; y points down. */
static const int DX[8] = {1, 1, 0, -1, -1, -1, 0, 1}, DY[8] = {0, -1, -1, -1, 0, 1, 1, 1};

typedef struct plane {
    int w, h;
    size_t row_bytes;
    const uint8_t *bits;
    uint8_t *border, *right; /* NULL: not marked */
} plane;

static bool get(const plane *p, const uint8_t *bits, int x, int y)
{
    return (bits[(size_t)y * p->row_bytes + (size_t)(x >> 3)] >> (7 - (x & 7)) & 1) != 0;
}

static void set(const plane *p, uint8_t *bits, int x, int y)
{
    bits[(size_t)y * p->row_bytes + (size_t)(x >> 3)] |= (uint8_t)(1 << (7 - (x & 7)));
}

static bool has(const plane *p, int x, int y)
{
    return x >= 0 && y >= 0 && x < p->w && y < p->h && get(p, p->bits, x, y);
}

static void mark(const plane *p, int x, int y, bool is_right)
{
    if (!p->border)
        return;
    set(p, p->border, x, y);
    if (is_right)
        set(p, p->right, x, y);
}

/* Every step-th corner of the border that begins at (sx, sy), `most` at most; returns how many
 * corners there are. */
static size_t follow(float *xy, size_t most, size_t step, const plane *p, int sx, int sy)
{
    int e = 4, previous = -1;
    size_t n = 0, written = 0;
    do
        e = (e + 7) & 7;
    while (e != 4 && !has(p, sx + DX[e], sy + DY[e]));
    if (!has(p, sx + DX[e], sy + DY[e])) {
        mark(p, sx, sy, true);
        if (most > 0) {
            xy[0] = (float)sx;
            xy[1] = (float)sy;
        }
        return 1;
    }
    const int ex = sx + DX[e], ey = sy + DY[e];
    for (int x = sx, y = sy, back = e;;) {
        int k = back;
        bool is_right = false;
        for (k = (k + 1) & 7; !has(p, x + DX[k], y + DY[k]); k = (k + 1) & 7)
            is_right |= k == 0;
        mark(p, x, y, is_right);
        if (k != previous) {
            if (n % step == 0 && written < most) {
                xy[2 * written] = (float)x;
                xy[2 * written + 1] = (float)y;
                written++;
            }
            n++;
        }
        previous = k;
        const int qx = x + DX[k], qy = y + DY[k];
        if (qx == sx && qy == sy && x == ex && y == ey)
            return n;
        x = qx;
        y = qy;
        back = (k + 4) & 7;
    }
}

size_t detect_mask_outline(float *xy, size_t most, bool *is_thinned, const vg_mask *m,
                           uint8_t *marks)
{
    const size_t bytes = m->row_bytes * (size_t)m->height;
    plane p = {m->width, m->height, m->row_bytes, m->bits, marks, marks + bytes};
    size_t best = 0;
    int best_x = 0, best_y = 0;
    memset(marks, 0, 2 * bytes);
    for (int y = 0; y < p.h; y++) {
        bool is_inside = false, before = false;
        for (int x = 0; x < p.w; x++) {
            const size_t at = (size_t)y * p.row_bytes + (size_t)(x >> 3);
            /* Eight at once where nothing begins and nothing ends. */
            if ((x & 7) == 0 && p.border[at] == 0 &&
                (p.bits[at] == 0 || (p.bits[at] == 0xff && (before || is_inside)))) {
                before = p.bits[at] != 0;
                x += 7;
                continue;
            }
            const bool now = get(&p, p.bits, x, y);
            if (now && !before && !is_inside && !get(&p, p.border, x, y)) {
                const size_t n = follow(NULL, 0, 1, &p, x, y);
                if (n >= best) {
                    best = n;
                    best_x = x;
                    best_y = y;
                }
            }
            if (now && get(&p, p.border, x, y))
                is_inside = !get(&p, p.right, x, y);
            before = now;
        }
    }
    *is_thinned = best > most;
    if (best == 0 || most == 0)
        return 0;
    const size_t step = (best + most - 1) / most, n = (best + step - 1) / step;
    p.border = NULL;
    follow(xy, most, step, &p, best_x, best_y);
    for (size_t i = 0; i < n; i++) {
        xy[2 * i] += (float)m->x;
        xy[2 * i + 1] += (float)m->y;
    }
    return n;
}

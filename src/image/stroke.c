/* stroke.c: lines and dots, by the distance of a pixel's centre; and masks over a picture. */
#include "stroke.h"

#include <math.h>
#include <string.h>

typedef struct line {
    double x1, y1, x2, y2;
} line;

static double distance_to(const line *l, double x, double y)
{
    const double dx = l->x2 - l->x1, dy = l->y2 - l->y1, length = dx * dx + dy * dy;
    double t = length > 0 ? ((x - l->x1) * dx + (y - l->y1) * dy) / length : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(x - (l->x1 + t * dx), y - (l->y1 + t * dy));
}

/* Where the line is between two heights: true, and its least and most x there. */
static bool span_between(const line *l, double top, double bottom, double *left, double *right)
{
    const double dy = l->y2 - l->y1;
    double from = 0, to = 1;
    if (fmax(l->y1, l->y2) < top || fmin(l->y1, l->y2) > bottom)
        return false;
    if (dy != 0) {
        const double a = (top - l->y1) / dy, b = (bottom - l->y1) / dy;
        from = fmin(fmax(fmin(a, b), 0), 1);
        to = fmin(fmax(fmax(a, b), 0), 1);
    }
    const double p = l->x1 + from * (l->x2 - l->x1), q = l->x1 + to * (l->x2 - l->x1);
    *left = fmin(p, q);
    *right = fmax(p, q);
    return true;
}

/* With round ends. Looks in every row only at where the line passes: a long one that is slant has a
 * bounding rectangle as large as the picture. */
static void draw_line(const image_view *picture, const line *l, double width, image_color color)
{
    const double reach = width / 2 + 0.5;
    const int first = (int)fmin(fmax(floor(fmin(l->y1, l->y2) - reach), 0), picture->h);
    const int end = (int)fmin(fmax(ceil(fmax(l->y1, l->y2) + reach), 0), picture->h);
    for (int y = first; y < end; y++) {
        double left, right;
        if (!span_between(l, y + 0.5 - reach, y + 0.5 + reach, &left, &right))
            continue;
        const int x1 = (int)fmin(fmax(floor(left - reach), 0), picture->w);
        const int x2 = (int)fmin(fmax(ceil(right + reach), 0), picture->w);
        for (int x = x1; x < x2; x++) {
            const double a = fmin(reach - distance_to(l, x + 0.5, y + 0.5), 1);
            if (a > 0)
                image_blend(image_pixel(picture, x, y), color, (int)(a * 255 + 0.5));
        }
    }
}

void image_stroke(const image_view *picture, const float a[2], const float b[2], double width,
                  image_color color)
{
    draw_line(picture, &(line){a[0], a[1], b[0], b[1]}, width, color);
}

void image_draw_line(const image_view *picture, const float a[2], const float b[2], double width,
                     image_color color)
{
    if (isfinite(a[0]) && isfinite(a[1]) && isfinite(b[0]) && isfinite(b[1]))
        image_stroke(picture, a, b, width, color);
}

/* ---- masks ---- */

size_t image_draw_masks_bytes(int w)
{
    return (size_t)w * 5;
}

image_grid image_grid_of(const vg_mask *m, int w, int h)
{
    const double gain = fmin((double)m->grid_width / w, (double)m->grid_height / h);
    const double new_w = rint(w * gain), new_h = rint(h * gain);
    return (image_grid){.step_x = new_w / w,
                        .step_y = new_h / h,
                        .left = rint((m->grid_width - new_w) / 2 - 0.1),
                        .top = rint((m->grid_height - new_h) / 2 - 0.1)};
}

/* Adds the mask to the row: one more of those that cover a pixel, and the brightest half colour. */
static void add_row(uint8_t *covered, uint8_t *light, const vg_mask *m, const image_grid *f, int y,
                    int w, image_color color)
{
    const double at_y = f->top + (y + 0.5) * f->step_y - m->y;
    if (at_y < 0 || at_y >= m->height)
        return;
    const uint8_t *bits = m->bits + (size_t)at_y * m->row_bytes;
    const int first = (int)fmax(floor((m->x - f->left) / f->step_x - 1), 0);
    const int end = (int)fmin(ceil((m->x + m->width - f->left) / f->step_x + 1), w);
    const uint8_t half[3] = {color.r / 2, color.g / 2, color.b / 2};
    for (int x = first; x < end; x++) {
        const double at = f->left + (x + 0.5) * f->step_x - m->x;
        if (at < 0 || at >= m->width)
            continue;
        const int i = (int)at;
        if (!(bits[i >> 3] >> (7 - (i & 7)) & 1))
            continue;
        if (covered[x] < 8)
            covered[x]++;
        for (int k = 0; k < 3; k++)
            light[3 * x + k] = half[k] > light[3 * x + k] ? half[k] : light[3 * x + k];
    }
}

void image_draw_masks(const image_view *picture, const vg_mask *masks, const vg_detection *boxes,
                      size_t n, bool is_bgr, uint8_t *scratch)
{
    const size_t w = (size_t)picture->w;
    uint8_t *covered = scratch, *light = scratch + w;
    for (int y = 0; y < picture->h; y++) {
        memset(scratch, 0, image_draw_masks_bytes(picture->w));
        for (size_t i = 0; i < n; i++) {
            if (masks[i].height == 0)
                continue;
            const image_grid f = image_grid_of(&masks[i], picture->w, picture->h);
            const image_color c = image_class_color(boxes[i].class_index);
            add_row(covered, light, &masks[i], &f, y, picture->w,
                    is_bgr ? (image_color){c.b, c.g, c.r} : c);
        }
        uint8_t *row = image_pixel(picture, 0, y);
        for (size_t x = 0; x < w; x++)
            if (covered[x] > 0)
                for (size_t k = 0; k < 3; k++)
                    row[3 * x + k] = (uint8_t)((row[3 * x + k] >> covered[x]) + light[3 * x + k]);
    }
}

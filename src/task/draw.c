/* draw.c: masks, skeletons and classes into a picture. */
#include "draw.h"

#include <math.h>

vg_status task_draw_masks(const task_drawing *d, vg_error *err)
{
    (void)err;
    if (d->extras->masks && d->scratch)
        image_draw_masks(d->picture, d->extras->masks, d->boxes, d->n, d->style->is_bgr,
                         d->scratch);
    return VG_OK;
}

/* ---- keypoints ---- */

enum { BODY = 17, LIMBS = 19, RADIUS_PX = 5 };
static const double LEAST_SHOWN = 0.25; /* visibility */

/* T 2.2: pairs of points, from 1, and what belongs to a side of the body in one colour. */
static const uint8_t limbs[LIMBS][2] = {
    {16, 14}, {14, 12}, {17, 15}, {15, 13}, {12, 13}, {6, 12}, {7, 13}, {6, 7}, {6, 8}, {7, 9},
    {8, 10},  {9, 11},  {2, 3},   {1, 2},   {1, 3},   {2, 4},  {3, 5},  {4, 6}, {5, 7}};
static const image_color GREEN = {0, 255, 0}, ORANGE = {255, 128, 0}, BLUE = {51, 153, 255},
                         PINK = {255, 51, 255};

static image_color limb_color(int i)
{
    return i < 4 ? BLUE : i < 7 ? PINK : i < 12 ? ORANGE : GREEN;
}

/* Of models that are no bodies: as classes have. */
static image_color point_color(size_t k, size_t n)
{
    return n != BODY ? image_class_color((int)k) : k < 5 ? GREEN : k < 11 ? ORANGE : BLUE;
}

static image_color in_order(const task_drawing *d, image_color c)
{
    return d->style->is_bgr ? (image_color){c.b, c.g, c.r} : c;
}

static bool is_shown(const task_drawing *d, const vg_keypoint *k)
{
    if (!isfinite(k->x) || !isfinite(k->y) || fmod(k->x, d->picture->w) == 0 ||
        fmod(k->y, d->picture->h) == 0)
        return false;
    return d->extras->keypoint_dims != 3 || (double)k->visibility >= LEAST_SHOWN;
}

static void stroke(const task_drawing *d, const vg_keypoint *a, const vg_keypoint *b, double width,
                   image_color color)
{
    const float from[2] = {a->x, a->y}, to[2] = {b->x, b->y};
    image_draw_line(d->picture, from, to, width, in_order(d, color));
}

vg_status task_draw_keypoints(const task_drawing *d, vg_error *err)
{
    (void)err;
    const size_t n = d->extras->n_keypoints;
    const int line_px = image_line_width(d->picture, d->style);
    const double limb_px = (line_px + 1) / 2, least = fmin(d->picture->w, d->picture->h) / 60.0;
    const double dot_px = fmax(fmin(2 * RADIUS_PX, 2 * least), 3);
    for (size_t i = 0; i < d->n; i++) {
        const vg_keypoint *points = d->extras->keypoints + i * n;
        for (int k = 0; n == BODY && k < LIMBS; k++) {
            const vg_keypoint *a = &points[limbs[k][0] - 1], *b = &points[limbs[k][1] - 1];
            if (is_shown(d, a) && is_shown(d, b))
                stroke(d, a, b, limb_px, limb_color(k));
        }
        for (size_t k = 0; k < n; k++)
            if (is_shown(d, &points[k]))
                stroke(d, &points[k], &points[k], dot_px, point_color(k, n));
    }
    return VG_OK;
}

/* ---- classes of a whole picture ---- */

vg_status task_draw_top(const task_drawing *d, vg_error *err)
{
    const int margin = (int)rint(0.03 * d->picture->h);
    int y = margin;
    vg_status st = VG_OK;
    for (size_t i = 0; i < d->extras->n_top && !d->hides_labels && st == VG_OK; i++) {
        const vg_class_score *s = &d->extras->top[i];
        char text[192];
        const size_t c = (size_t)s->class_index;
        base_format(text, sizeof text, "%.140s %.2f",
                    c < d->names->n ? d->names->at(d->names->context, c) : "",
                    (double)s->confidence);
        st = image_canvas_note(d->canvas, d->picture, margin, &y, s->class_index, text, d->style,
                               d->mem, err);
    }
    return st;
}

/* augment_paste.c: objects copied from a picture, mirrored, or from another one (T 4.6). */
#include <math.h>
#include <string.h>

#include "augment.h"
#include "outline.h"

static const float MOST_OVERLAP = 0.30f;

/* The part of b that a covers. */
static float overlap(const augment_box *a, const augment_box *b)
{
    const float w = fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1),
                h = fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1);
    const float common = fmaxf(w, 0) * fmaxf(h, 0);
    return common / ((b->x2 - b->x1) * (b->y2 - b->y1) + 1e-7f);
}

static int overlaps_less(const void *a, const void *b, void *ctx)
{
    const float *overlaps = ctx;
    const uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    return overlaps[i] != overlaps[k] ? overlaps[i] < overlaps[k] : i < k;
}

static augment_box mirrored(const augment_box *b, float w)
{
    augment_box m = *b;
    m.x1 = w - b->x2;
    m.x2 = w - b->x1;
    return m;
}

/* Which of the candidates to paste, in room->order; width: they are mirrored in it; 0: not. */
static size_t choose(const augment_paste_room *room, const augment_box *candidates, size_t n,
                     const augment_box *boxes, size_t n_boxes, float width, double part)
{
    size_t n_free = 0;
    for (size_t i = 0; i < n; i++) {
        const augment_box a = width > 0 ? mirrored(&candidates[i], width) : candidates[i];
        float most = 0;
        for (size_t k = 0; k < n_boxes; k++)
            most = fmaxf(most, overlap(&a, &boxes[k]));
        room->overlaps[i] = most;
        if (most < MOST_OVERLAP)
            room->order[n_free++] = (uint32_t)i;
    }
    base_sort(room->order, n_free, sizeof *room->order, overlaps_less, room->overlaps);
    return (size_t)rint(part * (double)n_free); /* ties to even, as Python's round */
}

static void add_to_stencil(const augment_paste_room *room, const augment_box *b, int w, int h)
{
    const outline_window win = outline_fill(room->fill, b->outline, b->n_outline, w, h, 1);
    for (int y = win.y0; y < win.y1; y++)
        for (int x = win.x0; x < win.x1; x++)
            room->stencil[(size_t)y * (size_t)w + (size_t)x] |=
                (uint8_t)outline_is_set(room->fill, w, x, y);
}

static void set_pixel(uint8_t *dst, const uint8_t *src)
{
    dst[0] = src[0];
    dst[1] = src[1];
    dst[2] = src[2];
}

/* Where the stencil is set, the pixel from the other side. */
static void paste_mirrored(const image_view *v, const uint8_t *stencil)
{
    const size_t w = (size_t)v->w;
    for (int y = 0; y < v->h; y++, stencil += w) {
        uint8_t *row = v->data + (size_t)y * v->stride;
        for (size_t x = 0; 2 * x < w; x++) {
            uint8_t left[3], *a = row + 3 * x, *b = row + 3 * (w - 1 - x);
            set_pixel(left, a);
            if (stencil[x])
                set_pixel(a, b);
            if (stencil[w - 1 - x])
                set_pixel(b, left);
        }
    }
}

size_t augment_paste_mirrored(const image_view *picture, augment_box *boxes, size_t n, double part,
                              augment_room *extras, const augment_paste_room *room)
{
    const int w = picture->w, h = picture->h;
    const size_t n_pasted = choose(room, boxes, n, boxes, n, (float)w, part);
    if (n_pasted == 0)
        return n;
    memset(room->stencil, 0, (size_t)w * (size_t)h);
    for (size_t i = 0; i < n_pasted; i++) {
        augment_box *b = &boxes[n + i];
        *b = boxes[room->order[i]];
        augment_extras_copy(extras, b);
        augment_boxes_flip(b, 1, false, true, w, h);
        add_to_stencil(room, b, w, h);
    }
    paste_mirrored(picture, room->stencil);
    return n + n_pasted;
}

size_t augment_paste_other(const image_view *picture, const image_view *other, augment_box *boxes,
                           size_t n, size_t n_other, double part, const augment_paste_room *room)
{
    const int w = picture->w, h = picture->h;
    const size_t n_pasted = n > 0 ? choose(room, boxes + n, n_other, boxes, n, 0, part) : 0;
    if (n_pasted == 0)
        return n;
    memset(room->stencil, 0, (size_t)w * (size_t)h);
    for (size_t i = 0; i < n_pasted; i++)
        add_to_stencil(room, &boxes[n + room->order[i]], w, h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if (room->stencil[(size_t)y * (size_t)w + (size_t)x])
                set_pixel(picture->data + (size_t)y * picture->stride + 3 * (size_t)x,
                          other->data + (size_t)y * other->stride + 3 * (size_t)x);
    /* Those pasted to the front, in the order in which they were pasted. */
    for (size_t i = 0; i < n_pasted; i++) {
        const augment_box b = boxes[n + i];
        boxes[n + i] = boxes[n + room->order[i]];
        boxes[n + room->order[i]] = b;
        for (size_t k = i + 1; k < n_pasted; k++)
            if (room->order[k] == i)
                room->order[k] = room->order[i];
    }
    return n + n_pasted;
}

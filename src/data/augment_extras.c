/* augment_extras.c: what goes with a box through augmentation: its outline, or its keypoints
 * (T 4.6). */
#include <string.h>

#include "augment.h"
#include "outline.h"

static void take(augment_room *room, augment_box *b)
{
    const size_t place = room->n_taken++;
    if (room->n_outline > 0) {
        b->outline = room->outlines + place * 2 * room->n_outline;
        b->n_outline = room->n_outline;
    }
    if (room->n_keypoints > 0) {
        b->keypoints = room->keypoints + place * 3 * room->n_keypoints;
        b->n_keypoints = room->n_keypoints;
    }
}

/* Normalised -> pixels, step by step as the reference rounds. */
static void scale(float *points, size_t n, size_t floats, const float size[2], const float ratio[2],
                  const float pad[2])
{
    for (size_t i = 0; i < n; i++, points += floats)
        for (int axis = 0; axis < 2; axis++) {
            const float in_pixels = points[axis] * size[axis];
            points[axis] = in_pixels * ratio[axis] + pad[axis];
        }
}

void augment_extras_place(augment_room *room, augment_box *boxes, const data_picture *p,
                          const float *points, float w, float h, float ratio_w, float ratio_h,
                          float pad_x, float pad_y)
{
    const float size[2] = {w, h}, ratio[2] = {ratio_w, ratio_h}, pad[2] = {pad_x, pad_y};
    if (room->n_outline == 0 && room->n_keypoints == 0)
        return;
    for (size_t i = 0; i < p->n_labels; i++) {
        const data_label *l = &p->labels[i];
        augment_box *b = &boxes[i];
        take(room, b);
        if (b->outline) {
            outline_resample(b->outline, b->n_outline, points + 2 * l->first_point, l->n_points);
            scale(b->outline, b->n_outline, 2, size, ratio, pad);
        }
        if (b->keypoints) {
            memcpy(b->keypoints, points + 3 * l->first_point,
                   3 * (size_t)b->n_keypoints * sizeof *b->keypoints);
            scale(b->keypoints, b->n_keypoints, 3, size, ratio, pad);
        }
    }
}

void augment_extras_copy(augment_room *room, augment_box *b)
{
    const augment_box of = *b;
    take(room, b);
    if (of.outline)
        memcpy(b->outline, of.outline, 2 * (size_t)b->n_outline * sizeof *b->outline);
    if (of.keypoints)
        memcpy(b->keypoints, of.keypoints, 3 * (size_t)b->n_keypoints * sizeof *b->keypoints);
}

/* ---- random perspective ---- */

/* What is no number becomes low. */
static float clampf(float v, float low, float high)
{
    return v > high ? high : v > low ? v : low;
}

static void transform(float *xy, const float m[9])
{
    const float x = xy[0], y = xy[1], d = m[6] * x + m[7] * y + m[8];
    xy[0] = (m[0] * x + m[1] * y + m[2]) / d;
    xy[1] = (m[3] * x + m[4] * y + m[5]) / d;
}

static bool is_inside(const float *xy, int w, int h)
{
    return xy[0] >= 0 && xy[1] >= 0 && xy[0] <= (float)w && xy[1] <= (float)h;
}

void augment_outline_warp(augment_box *b, const float m[9], int w, int h, float xyxy[4])
{
    bool any = false;
    memset(xyxy, 0, 4 * sizeof *xyxy);
    for (uint32_t i = 0; i < b->n_outline; i++) {
        float *p = b->outline + 2 * i;
        transform(p, m);
        if (!is_inside(p, w, h))
            continue;
        for (int axis = 0; axis < 2; axis++) {
            xyxy[axis] = any && xyxy[axis] < p[axis] ? xyxy[axis] : p[axis];
            xyxy[axis + 2] = any && xyxy[axis + 2] > p[axis] ? xyxy[axis + 2] : p[axis];
        }
        any = true;
    }
    /* Its bounds lie within the picture, so that there is no second cut. */
    for (uint32_t i = 0; i < b->n_outline; i++) {
        b->outline[2 * i] = clampf(b->outline[2 * i], xyxy[0], xyxy[2]);
        b->outline[2 * i + 1] = clampf(b->outline[2 * i + 1], xyxy[1], xyxy[3]);
    }
}

void augment_keypoints_warp(augment_box *b, const float m[9], int w, int h)
{
    for (uint32_t k = 0; k < b->n_keypoints; k++) {
        float *p = b->keypoints + 3 * k;
        transform(p, m);
        if (!is_inside(p, w, h))
            p[2] = 0;
        p[0] = clampf(p[0], 0, (float)w);
        p[1] = clampf(p[1], 0, (float)h);
    }
}

void augment_keypoints_exchange(augment_box *boxes, size_t n, const int *flip_idx)
{
    float old[3 * DATA_MOST_KEYPOINTS];
    for (size_t i = 0; i < n; i++) {
        const augment_box *b = &boxes[i];
        memcpy(old, b->keypoints, 3 * (size_t)b->n_keypoints * sizeof *old);
        for (uint32_t k = 0; k < b->n_keypoints; k++)
            memcpy(b->keypoints + 3 * k, old + 3 * flip_idx[k], 3 * sizeof *old);
    }
}

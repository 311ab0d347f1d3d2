/* augment_boxes.c: what happens to boxes while their picture is cut, warped and flipped (spec 5.4).
 *
 * A polygon is kept as its points and the way they came onto the canvas; it is only walked when the
 * warp needs its new bounds, at 1000 points between its corners as the reference does. */
#include <math.h>

#include "augment.h"

enum { POLYGON_SAMPLES = 1000 };

/* What is no number becomes low. */
static float clampf(float v, float low, float high)
{
    return v > high ? high : v > low ? v : low;
}

static void clip_points(float *points, size_t n, size_t floats, float most_x, float most_y)
{
    for (size_t i = 0; i < n; i++, points += floats) {
        points[0] = clampf(points[0], 0, most_x);
        points[1] = clampf(points[1], 0, most_y);
    }
}

size_t augment_boxes_place(augment_box *out, const data_picture *p, const float *points, float w,
                           float h, float pad_x, float pad_y)
{
    for (size_t i = 0; i < p->n_labels; i++) {
        const data_label *l = &p->labels[i];
        const float *b = l->xywh_norm;
        out[i] =
            (augment_box){.x1 = (b[0] - b[2] / 2) * w + pad_x,
                          .y1 = (b[1] - b[3] / 2) * h + pad_y,
                          .x2 = (b[0] + b[2] / 2) * w + pad_x,
                          .y2 = (b[1] + b[3] / 2) * h + pad_y,
                          .class_index = l->class_index,
                          .points = points && l->n_points > 0 ? points + 2 * l->first_point : NULL,
                          .n_points = l->n_points,
                          .scale_x = w,
                          .scale_y = h,
                          .pad_x = pad_x,
                          .pad_y = pad_y,
                          .most_x = INFINITY,
                          .most_y = INFINITY};
    }
    return p->n_labels;
}

static void move_points(float *points, size_t n, size_t floats, float dx, float dy)
{
    for (size_t i = 0; i < n; i++, points += floats) {
        points[0] += dx;
        points[1] += dy;
    }
}

void augment_boxes_move(augment_box *boxes, size_t n, float dx, float dy)
{
    for (size_t i = 0; i < n; i++) {
        augment_box *b = &boxes[i];
        b->x1 += dx;
        b->x2 += dx;
        b->y1 += dy;
        b->y2 += dy;
        b->pad_x += dx;
        b->pad_y += dy;
        move_points(b->outline, b->n_outline, 2, dx, dy);
        move_points(b->keypoints, b->n_keypoints, 3, dx, dy);
    }
}

size_t augment_boxes_clip(augment_box *boxes, size_t n, float most)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        augment_box b = boxes[i];
        b.x1 = clampf(b.x1, 0, most);
        b.y1 = clampf(b.y1, 0, most);
        b.x2 = clampf(b.x2, 0, most);
        b.y2 = clampf(b.y2, 0, most);
        b.most_x = b.most_y = most;
        clip_points(b.outline, b.n_outline, 2, most, most);
        clip_points(b.keypoints, b.n_keypoints, 3, most, most);
        if ((b.x2 - b.x1) * (b.y2 - b.y1) > 0)
            boxes[kept++] = b;
    }
    return kept;
}

/* ---- through a matrix ---- */

typedef struct bounds {
    float x1, y1, x2, y2;
} bounds;
static const bounds NOTHING = {INFINITY, INFINITY, -INFINITY, -INFINITY};

static void transform(float *x, float *y, const float m[9], bool perspective)
{
    float u = m[0] * *x + m[1] * *y + m[2], v = m[3] * *x + m[4] * *y + m[5];
    if (perspective) {
        float d = m[6] * *x + m[7] * *y + m[8];
        u /= d;
        v /= d;
    }
    *x = u;
    *y = v;
}

static void include(bounds *b, float x, float y)
{
    b->x1 = fminf(b->x1, x);
    b->y1 = fminf(b->y1, y);
    b->x2 = fmaxf(b->x2, x);
    b->y2 = fmaxf(b->y2, y);
}

static bounds warp_box(const augment_box *box, const float m[9], bool perspective)
{
    bounds b = NOTHING;
    for (int i = 0; i < 4; i++) {
        float x = i % 2 == 0 ? box->x1 : box->x2, y = i < 2 ? box->y1 : box->y2;
        transform(&x, &y, m, perspective);
        include(&b, x, y);
    }
    return b;
}

/* Where the closed polygon is at `at`, 0 .. n_points, by corners. */
static void polygon_point(const augment_box *box, double at, float *x, float *y)
{
    size_t i = (size_t)at, next = (i + 1) % box->n_points;
    double f = at - (double)i;
    i %= box->n_points;
    const float *a = box->points + 2 * i, *b = box->points + 2 * next;
    *x = (float)(a[0] + f * (double)(b[0] - a[0])) * box->scale_x + box->pad_x;
    *y = (float)(a[1] + f * (double)(b[1] - a[1])) * box->scale_y + box->pad_y;
    /* Letterboxed polygons are not clipped: most is infinite, and 0 is not a bound either. */
    if (isfinite(box->most_x)) {
        *x = clampf(*x, 0, box->most_x);
        *y = clampf(*y, 0, box->most_y);
    }
}

/* Bounds of the points that land inside; all zeros when none does. */
static bounds warp_polygon(const augment_box *box, const float m[9], bool perspective, int w, int h)
{
    bounds b = NOTHING;
    for (int i = 0; i < POLYGON_SAMPLES; i++) {
        float x, y;
        polygon_point(box, (double)i * box->n_points / (POLYGON_SAMPLES - 1), &x, &y);
        transform(&x, &y, m, perspective);
        if (x >= 0 && y >= 0 && x <= (float)w && y <= (float)h)
            include(&b, x, y);
    }
    return b.x1 <= b.x2 ? b : (bounds){0};
}

/* Spec 5.4, step 3: larger than 2 pixels, a tenth of the area still seen (a hundredth of a polygon,
 * whose box hugs it), no sliver. */
static bool is_worth_keeping(const bounds *is, const augment_box *was, double gain)
{
    const float eps = 1e-16f;
    float w = is->x2 - is->x1, h = is->y2 - is->y1;
    float w0 = (float)((was->x2 - was->x1) * gain), h0 = (float)((was->y2 - was->y1) * gain);
    float least_area = was->points || was->outline ? 0.01f : 0.1f;
    return w > 2 && h > 2 && w * h / (w0 * h0 + eps) > least_area &&
           fmaxf(w / (h + eps), h / (w + eps)) < 100;
}

size_t augment_boxes_warp(augment_box *boxes, size_t n, const float m[9], bool perspective,
                          double gain, int w, int h, float (*clipped)[4])
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        augment_box box = boxes[i];
        bounds b;
        if (box.outline) {
            float xyxy[4];
            augment_outline_warp(&box, m, w, h, xyxy);
            b = (bounds){xyxy[0], xyxy[1], xyxy[2], xyxy[3]};
        } else {
            b = box.points ? warp_polygon(&box, m, perspective, w, h)
                           : warp_box(&box, m, perspective);
        }
        augment_keypoints_warp(&box, m, w, h);
        b.x1 = clampf(b.x1, 0, (float)w);
        b.y1 = clampf(b.y1, 0, (float)h);
        b.x2 = clampf(b.x2, 0, (float)w);
        b.y2 = clampf(b.y2, 0, (float)h);
        if (clipped) {
            clipped[i][0] = b.x1;
            clipped[i][1] = b.y1;
            clipped[i][2] = b.x2;
            clipped[i][3] = b.y2;
        }
        if (!is_worth_keeping(&b, &box, gain))
            continue;
        boxes[kept++] = (augment_box){.x1 = b.x1,
                                      .y1 = b.y1,
                                      .x2 = b.x2,
                                      .y2 = b.y2,
                                      .class_index = box.class_index,
                                      .outline = box.outline,
                                      .keypoints = box.keypoints,
                                      .n_outline = box.n_outline,
                                      .n_keypoints = box.n_keypoints};
    }
    return kept;
}

/* ---- the end ---- */

static void flip_points(float *points, size_t n, size_t floats, bool up_down, bool left_right,
                        int w, int h)
{
    for (size_t i = 0; i < n; i++, points += floats) {
        points[0] = left_right ? (float)w - points[0] : points[0];
        points[1] = up_down ? (float)h - points[1] : points[1];
    }
}

void augment_boxes_flip(augment_box *boxes, size_t n, bool up_down, bool left_right, int w, int h)
{
    for (size_t i = 0; i < n; i++) {
        augment_box *b = &boxes[i], was = *b;
        if (up_down) {
            b->y1 = (float)h - was.y2;
            b->y2 = (float)h - was.y1;
        }
        if (left_right) {
            b->x1 = (float)w - was.x2;
            b->x2 = (float)w - was.x1;
        }
        flip_points(b->outline, b->n_outline, 2, up_down, left_right, w, h);
        flip_points(b->keypoints, b->n_keypoints, 3, up_down, left_right, w, h);
    }
}

void augment_boxes_format(detect_label *out, const augment_box *boxes, size_t n, int picture, int w,
                          int h)
{
    for (size_t i = 0; i < n; i++) {
        const augment_box *b = &boxes[i];
        out[i] = (detect_label){
            .picture = picture,
            .class_index = b->class_index,
            .xywh_norm = {(b->x1 + b->x2) / 2 / (float)w, (b->y1 + b->y2) / 2 / (float)h,
                          (b->x2 - b->x1) / (float)w, (b->y2 - b->y1) / (float)h}};
    }
}

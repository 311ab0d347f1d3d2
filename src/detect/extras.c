/* extras.c: keypoints, bounds of rotated boxes, the best classes. Plain arithmetic on few rows. */
#include "extras.h"

#include <math.h>

#include "maths.h"
#include "rotated.h"

/* T 2.2: below this a point is not told. */
static const float LEAST_VISIBILITY = 0.5f;

detect_cell detect_cell_at(const detect_level *levels, int n_levels, int picture, uint32_t cell)
{
    size_t at = cell;
    int i = 0;
    while (i + 1 < n_levels && at >= detect_level_pixels(&levels[i]))
        at -= detect_level_pixels(&levels[i++]);
    const detect_level *l = &levels[i];
    const size_t pixel = (size_t)picture * detect_level_pixels(l) + at;
    return (detect_cell){.extra = l->extra + pixel * l->extra_pitch,
                         .x = (int)(at % (size_t)l->w),
                         .y = (int)(at / (size_t)l->w),
                         .stride = l->stride};
}

/* ---- keypoints ---- */

void detect_keypoints_decode(vg_keypoint *out, const detect_cell *cell, size_t n, int dims)
{
    const float *r = cell->extra;
    for (size_t k = 0; k < n; k++, r += dims)
        out[k] = (vg_keypoint){.x = (r[0] * 2 + (float)cell->x) * cell->stride,
                               .y = (r[1] * 2 + (float)cell->y) * cell->stride,
                               .visibility = dims == 3 ? detect_sigmoid(r[2]) : 1};
}

void detect_keypoints_unpad(vg_keypoint *points, size_t n, float gain, float pad_x, float pad_y)
{
    for (size_t k = 0; k < n; k++) {
        points[k].x = (points[k].x - pad_x) / gain;
        points[k].y = (points[k].y - pad_y) / gain;
    }
}

void detect_keypoints_cut(vg_keypoint *points, size_t n, int orig_h, int orig_w)
{
    for (size_t k = 0; k < n; k++) {
        points[k].x = detect_min(detect_max(points[k].x, 0), (float)orig_w);
        points[k].y = detect_min(detect_max(points[k].y, 0), (float)orig_h);
    }
}

void detect_keypoints_scale(vg_keypoint *points, size_t n, int in_h, int in_w, int orig_h,
                            int orig_w)
{
    const double gain = fmin((double)in_h / orig_h, (double)in_w / orig_w);
    detect_keypoints_unpad(points, n, (float)gain, (float)((in_w - orig_w * gain) / 2),
                           (float)((in_h - orig_h * gain) / 2));
    detect_keypoints_cut(points, n, orig_h, orig_w);
}

void detect_keypoints_hide(vg_keypoint *points, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (points[k].visibility < LEAST_VISIBILITY)
            points[k].x = points[k].y = 0;
}

/* ---- boxes ---- */

void detect_round_boxes(vg_detection *boxes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        vg_detection *b = &boxes[i];
        b->x1 = rintf(b->x1);
        b->y1 = rintf(b->y1);
        b->x2 = rintf(b->x2);
        b->y2 = rintf(b->y2);
    }
}

void detect_rotated_bounds(vg_detection *out, const float xywhr[5])
{
    float c[8];
    detect_rotated_corners(c, xywhr);
    out->x1 = detect_min(detect_min(c[0], c[2]), detect_min(c[4], c[6]));
    out->y1 = detect_min(detect_min(c[1], c[3]), detect_min(c[5], c[7]));
    out->x2 = detect_max(detect_max(c[0], c[2]), detect_max(c[4], c[6]));
    out->y2 = detect_max(detect_max(c[1], c[3]), detect_max(c[5], c[7]));
}

/* ---- classes of a picture ---- */

static void softmax(float *out, const float *logits, int nc)
{
    float top = logits[0];
    double sum = 0;
    for (int c = 1; c < nc; c++)
        top = detect_max(top, logits[c]);
    for (int c = 0; c < nc; c++) {
        out[c] = expf(logits[c] - top);
        sum += (double)out[c];
    }
    for (int c = 0; c < nc; c++)
        out[c] = (float)((double)out[c] / sum);
}

size_t detect_top(vg_class_score out[DETECT_TOP], float *scores, const float *logits, int nc)
{
    size_t n = 0;
    softmax(scores, logits, nc);
    for (int c = 0; c < nc; c++) {
        size_t at = n;
        while (at > 0 && scores[c] > out[at - 1].confidence)
            at--;
        if (at == DETECT_TOP)
            continue;
        n += n < DETECT_TOP;
        for (size_t k = n - 1; k > at; k--)
            out[k] = out[k - 1];
        out[at] = (vg_class_score){.class_index = c, .confidence = scores[c]};
    }
    return n;
}

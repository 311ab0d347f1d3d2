/* assign_shapes.c: the two shapes of objects that anchors answer for: upright boxes, and turned
 * ones. */
#include <math.h>

#include "assign.h"
#include "ciou.h"
#include "maths.h"
#include "rotated.h"

/* ---- upright: spec 3.2 ---- */

/* An anchor's centre must lie this far inside an object: spec 3.2, eps. */
static const float INSIDE_PX = 1e-9f;

static bool upright_is_valid(const detect_truth *t)
{
    return t->xyxy[0] + t->xyxy[1] + t->xyxy[2] + t->xyxy[3] > 0;
}

static void upright_outline(float outline[8], float bounds_xyxy[4], const detect_truth *t)
{
    memcpy(outline, t->xyxy, sizeof t->xyxy);
    memcpy(bounds_xyxy, t->xyxy, sizeof t->xyxy);
}

static bool upright_is_inside(const float outline[8], float x, float y)
{
    const float least = detect_min(detect_min(x - outline[0], y - outline[1]),
                                   detect_min(outline[2] - x, outline[3] - y));
    return least > INSIDE_PX;
}

static void upright_decode(float *box, const detect_level *l, size_t pixel, int x, int y)
{
    float xywh[4];
    detect_decode_pixel(xywh, l, pixel, x, y);
    box[0] = xywh[0] - xywh[2] / 2;
    box[1] = xywh[1] - xywh[3] / 2;
    box[2] = xywh[0] + xywh[2] / 2;
    box[3] = xywh[1] + xywh[3] / 2;
}

static float upright_overlap(const detect_truth *t, const float *box)
{
    const float ciou = (float)detect_ciou(t->xyxy, box);
    return ciou > 0 ? ciou : 0; /* NaN: 0 */
}

const detect_assign_shape DETECT_ASSIGN_UPRIGHT = {.box_floats = 4,
                                                   .is_valid = upright_is_valid,
                                                   .outline = upright_outline,
                                                   .is_inside = upright_is_inside,
                                                   .decode = upright_decode,
                                                   .overlap = upright_overlap};

/* ---- turned: T 3.3 ---- */

static bool rotated_is_valid(const detect_truth *t)
{
    const float *b = t->xywhr;
    return b[0] + b[1] + b[2] + b[3] + b[4] > 0;
}

static void rotated_outline(float outline[8], float bounds_xyxy[4], const detect_truth *t)
{
    detect_rotated_corners(outline, t->xywhr);
    for (int k = 0; k < 2; k++) {
        bounds_xyxy[k] = bounds_xyxy[k + 2] = outline[k];
        for (int c = 1; c < 4; c++) {
            bounds_xyxy[k] = detect_min(bounds_xyxy[k], outline[2 * c + k]);
            bounds_xyxy[k + 2] = detect_max(bounds_xyxy[k + 2], outline[2 * c + k]);
        }
    }
}

/* Between the corners p1 and p2, and p1 and p4; edges count. */
static bool rotated_is_inside(const float outline[8], float x, float y)
{
    const float px = x - outline[0], py = y - outline[1];
    const float ax = outline[2] - outline[0], ay = outline[3] - outline[1],
                dx = outline[6] - outline[0], dy = outline[7] - outline[1];
    const float along_a = px * ax + py * ay, along_d = px * dx + py * dy;
    return along_a >= 0 && along_a <= ax * ax + ay * ay && along_d >= 0 &&
           along_d <= dx * dx + dy * dy;
}

static float rotated_overlap(const detect_truth *t, const float *box)
{
    const float iou = (float)detect_probiou(t->xywhr, box);
    return iou > 0 ? iou : 0;
}

const detect_assign_shape DETECT_ASSIGN_ROTATED = {.box_floats = 5,
                                                   .is_valid = rotated_is_valid,
                                                   .outline = rotated_outline,
                                                   .is_inside = rotated_is_inside,
                                                   .decode = detect_decode_rotated,
                                                   .overlap = rotated_overlap};

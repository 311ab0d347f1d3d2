/* scale.c: boxes of the letterboxed input back to the original picture (spec 2.4), and the plain
 * IoU of validation. */
#include <math.h>

#include "maths.h"

static float clip(float v, float most)
{
    return detect_min(detect_max(v, 0.0f), most);
}

void detect_scale_boxes(vg_detection *boxes, size_t n_boxes, int in_h, int in_w, int orig_h,
                        int orig_w)
{
    double gain = fmin((double)in_h / orig_h, (double)in_w / orig_w);
    /* rint: ties to even, as the letterbox rounded its padding (spec 2.1). */
    double pad_x = rint((in_w - orig_w * gain) / 2 - 0.1),
           pad_y = rint((in_h - orig_h * gain) / 2 - 0.1);
    detect_unpad_boxes(boxes, n_boxes, (float)gain, (float)pad_x, (float)pad_y);
    detect_cut_boxes(boxes, n_boxes, orig_h, orig_w);
}

void detect_unpad_boxes(vg_detection *boxes, size_t n_boxes, float gain, float pad_x, float pad_y)
{
    for (size_t i = 0; i < n_boxes; i++) {
        vg_detection *b = &boxes[i];
        b->x1 = (b->x1 - pad_x) / gain;
        b->y1 = (b->y1 - pad_y) / gain;
        b->x2 = (b->x2 - pad_x) / gain;
        b->y2 = (b->y2 - pad_y) / gain;
    }
}

void detect_cut_boxes(vg_detection *boxes, size_t n_boxes, int orig_h, int orig_w)
{
    float w = (float)orig_w, h = (float)orig_h;
    for (size_t i = 0; i < n_boxes; i++) {
        vg_detection *b = &boxes[i];
        b->x1 = clip(b->x1, w);
        b->y1 = clip(b->y1, h);
        b->x2 = clip(b->x2, w);
        b->y2 = clip(b->y2, h);
    }
}

float detect_iou(const float a_xyxy[4], const float b_xyxy[4])
{
    float w = detect_min(a_xyxy[2], b_xyxy[2]) - detect_max(a_xyxy[0], b_xyxy[0]);
    float h = detect_min(a_xyxy[3], b_xyxy[3]) - detect_max(a_xyxy[1], b_xyxy[1]);
    float inter = detect_max(w, 0.0f) * detect_max(h, 0.0f);
    float a = (a_xyxy[2] - a_xyxy[0]) * (a_xyxy[3] - a_xyxy[1]);
    float b = (b_xyxy[2] - b_xyxy[0]) * (b_xyxy[3] - b_xyxy[1]);
    return inter / (a + b - inter + 1e-7f);
}

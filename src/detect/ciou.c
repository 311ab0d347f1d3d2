/* ciou.c: CIoU in double: it is computed for few pairs, and heights of 1e-7 leave a float nothing
 * to divide by. Letters as in spec 3.4: w, h sides, s doubled centres, cw, ch the enclosing box, v
 * the shape term. */
#include "ciou.h"

#include <math.h>
#include <stddef.h>

static const double EPS = 1e-7;
static const double SHAPE_SCALE = 0.40528473456935108578; /* 4 / pi^2 */

/* One axis of the pair: lengths, and their derivatives by the prediction's low and high side. */
typedef struct axis {
    double inter, d_inter[2]; /* overlap, clamped at 0 */
    double span, d_span[2];   /* enclosing */
    double offset;            /* difference of the doubled centres */
} axis;

/* d max(a, b) / da: even at a tie. */
static double share(double a, double b)
{
    return a > b ? 1.0 : a < b ? 0.0 : 0.5;
}

static axis axis_make(double lo, double hi, double target_lo, double target_hi)
{
    axis a = {.inter = fmin(hi, target_hi) - fmax(lo, target_lo),
              .span = fmax(hi, target_hi) - fmin(lo, target_lo),
              .offset = target_lo + target_hi - lo - hi};
    a.d_span[0] = -share(target_lo, lo);
    a.d_span[1] = share(hi, target_hi);
    if (a.inter >= 0) { /* a clamp passes the gradient at its border */
        a.d_inter[0] = -share(lo, target_lo);
        a.d_inter[1] = share(target_hi, hi);
    } else {
        a.inter = 0;
    }
    return a;
}

double detect_ciou_gradient(double gradient[4], const float pred_xyxy[4],
                            const float target_xyxy[4])
{
    const float *p = pred_xyxy, *t = target_xyxy;
    double w = (double)p[2] - p[0], h = (double)p[3] - p[1] + EPS;
    double tw = (double)t[2] - t[0], th = (double)t[3] - t[1] + EPS;
    axis x = axis_make(p[0], p[2], t[0], t[2]), y = axis_make(p[1], p[3], t[1], t[3]);

    double inter = x.inter * y.inter, both = w * h + tw * th - inter + EPS, iou = inter / both;
    double c2 = x.span * x.span + y.span * y.span + EPS;
    double rho2 = (x.offset * x.offset + y.offset * y.offset) / 4;
    double turn = atan(tw / th) - atan(w / h), v = SHAPE_SCALE * turn * turn;
    double alpha = v / (v - iou + 1 + EPS);
    if (!gradient)
        return iou - (rho2 / c2 + v * alpha);

    double dv =
        2 * SHAPE_SCALE * turn * alpha / (w * w + h * h); /* times -h: by w; times w: by h */
    for (int side = 0; side < 2; side++) {
        double sign = side ? 1 : -1;
        double d_inter[2] = {x.d_inter[side] * y.inter, y.d_inter[side] * x.inter};
        double d_area[2] = {sign * h, sign * w};
        double d_span2[2] = {2 * x.span * x.d_span[side], 2 * y.span * y.d_span[side]};
        double d_rho2[2] = {-x.offset / 2, -y.offset / 2};
        double d_shape[2] = {sign * dv * -h, sign * dv * w};
        for (int k = 0; k < 2; k++) {
            double d_iou = (d_inter[k] - iou * (d_area[k] - d_inter[k])) / both;
            double d_rho = (d_rho2[k] - rho2 / c2 * d_span2[k]) / c2;
            gradient[2 * side + k] = d_iou - (d_rho + d_shape[k]);
        }
    }
    return iou - (rho2 / c2 + v * alpha);
}

double detect_ciou(const float pred_xyxy[4], const float target_xyxy[4])
{
    return detect_ciou_gradient(NULL, pred_xyxy, target_xyxy);
}

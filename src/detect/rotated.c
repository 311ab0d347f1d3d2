/* rotated.c: rotated boxes. Letters as in T 2.3: a, b, c the covariance, t1 t2 t3 the terms of the
 * Bhattacharyya distance, bd their sum. In double for the same reason as CIoU: a box of 100 x 2 has
 * a determinant of which a float keeps two digits. */
#include "rotated.h"

#include <math.h>

#include "base/base.h"
#include "maths.h"

static const double EPS = 1e-7, MOST_BD = 100;
static const double HALF_PI = 1.57079632679489661923, PI = 3.14159265358979323846;

void detect_rotated_corners(float corners[8], const float xywhr[5])
{
    const float c = cosf(xywhr[4]), s = sinf(xywhr[4]);
    const float ux = xywhr[2] / 2 * c, uy = xywhr[2] / 2 * s, vx = -xywhr[3] / 2 * s,
                vy = xywhr[3] / 2 * c;
    const float sign[4][2] = {{1, 1}, {1, -1}, {-1, -1}, {-1, 1}};
    for (int k = 0; k < 4; k++) {
        corners[2 * k] = xywhr[0] + sign[k][0] * ux + sign[k][1] * vx;
        corners[2 * k + 1] = xywhr[1] + sign[k][0] * uy + sign[k][1] * vy;
    }
}

/* ---- probIoU ---- */

detect_gaussian detect_gaussian_make(const float xywhr[5])
{
    const double A = (double)xywhr[2] * xywhr[2] / 12, B = (double)xywhr[3] * xywhr[3] / 12;
    const double c = cos(xywhr[4]), s = sin(xywhr[4]);
    return (detect_gaussian){.x = xywhr[0],
                             .y = xywhr[1],
                             .a = A * c * c + B * s * s,
                             .b = A * s * s + B * c * c,
                             .c = (A - B) * c * s};
}

static double determinant(const detect_gaussian *g)
{
    return fmax(g->a * g->b - g->c * g->c, 0);
}

/* What value and gradient share. */
typedef struct distance_terms {
    double a, b, c, dx, dy; /* sums of both, and how far p is from t */
    double det, det_p, det_t;
    double m;       /* (t1 + t2) * (det + eps) */
    double ratio_d; /* divisor of the ratio in t3 */
    double bd;      /* before it is clamped */
} distance_terms;

static distance_terms terms_make(const detect_gaussian *p, const detect_gaussian *t)
{
    distance_terms d = {.a = p->a + t->a,
                        .b = p->b + t->b,
                        .c = p->c + t->c,
                        .dx = p->x - t->x,
                        .dy = p->y - t->y,
                        .det_p = determinant(p),
                        .det_t = determinant(t)};
    d.det = d.a * d.b - d.c * d.c;
    d.m = 0.25 * (d.a * d.dy * d.dy + d.b * d.dx * d.dx) - 0.5 * d.c * d.dx * d.dy;
    d.ratio_d = 4 * sqrt(d.det_p * d.det_t) + EPS;
    d.bd = d.m / (d.det + EPS) + 0.5 * log(d.det / d.ratio_d + EPS);
    return d;
}

static double clamp_bd(double bd)
{
    return bd > EPS ? bd < MOST_BD ? bd : MOST_BD : EPS; /* NaN: eps */
}

static double hellinger(double bd)
{
    return sqrt(-expm1(-bd) + EPS);
}

double detect_gaussian_iou(const detect_gaussian *a, const detect_gaussian *b)
{
    return 1 - hellinger(clamp_bd(terms_make(a, b).bd));
}

double detect_probiou(const float a_xywhr[5], const float b_xywhr[5])
{
    const detect_gaussian a = detect_gaussian_make(a_xywhr), b = detect_gaussian_make(b_xywhr);
    return detect_gaussian_iou(&a, &b);
}

float detect_probiou_float(const float a_xywhr[5], const float b_xywhr[5])
{
    float g[2][3];
    for (int i = 0; i < 2; i++) {
        const float *box = i ? b_xywhr : a_xywhr;
        const float A = box[2] * box[2] / 12, B = box[3] * box[3] / 12;
        const float c = cosf(box[4]), s = sinf(box[4]), c2 = c * c, s2 = s * s;
        g[i][0] = A * c2 + B * s2;
        g[i][1] = A * s2 + B * c2;
        g[i][2] = (A - B) * c * s;
    }
    const float eps = 1e-7f, a = g[0][0] + g[1][0], b = g[0][1] + g[1][1], c = g[0][2] + g[1][2];
    const float dx = a_xywhr[0] - b_xywhr[0], dy = a_xywhr[1] - b_xywhr[1], det = a * b - c * c;
    const float det1 = detect_max(g[0][0] * g[0][1] - g[0][2] * g[0][2], 0),
                det2 = detect_max(g[1][0] * g[1][1] - g[1][2] * g[1][2], 0);
    const float t1 = (a * (dy * dy) + b * (dx * dx)) / (det + eps) * 0.25f,
                t2 = c * -dx * dy / (det + eps) * 0.5f,
                t3 = logf(det / (4 * sqrtf(det1 * det2) + eps) + eps) * 0.5f;
    float bd = t1 + t2 + t3;
    bd = bd > eps ? bd < 100 ? bd : 100 : eps;
    return 1 - sqrtf(1 - expf(-bd) + eps);
}

double detect_probiou_gradient(double gradient[5], const float pred_xywhr[5],
                               const float target_xywhr[5])
{
    const detect_gaussian p = detect_gaussian_make(pred_xywhr),
                          t = detect_gaussian_make(target_xywhr);
    const distance_terms d = terms_make(&p, &t);
    const double bd = clamp_bd(d.bd), hd = hellinger(bd);
    for (int k = 0; k < 5; k++)
        gradient[k] = 0;
    if (!(d.bd >= EPS && d.bd <= MOST_BD)) /* a clamp passes the gradient at its borders */
        return 1 - hd;

    /* By a, b, c of the prediction: through the sums, and through its own determinant in t3. */
    const double D = d.det + EPS, ratio = d.det / d.ratio_d, by_ratio = 0.5 / (ratio + EPS);
    const double by_det = -d.m / (D * D) + by_ratio / d.ratio_d;
    const double by_own =
        d.det_p > 0 ? -by_ratio * ratio / d.ratio_d * 2 * sqrt(d.det_t / d.det_p) : 0;
    const double by_a = 0.25 * d.dy * d.dy / D + by_det * d.b + by_own * p.b,
                 by_b = 0.25 * d.dx * d.dx / D + by_det * d.a + by_own * p.a,
                 by_c = -0.5 * d.dx * d.dy / D - 2 * (by_det * d.c + by_own * p.c);

    const double w = pred_xywhr[2], h = pred_xywhr[3], c = cos(pred_xywhr[4]),
                 s = sin(pred_xywhr[4]);
    const double spread = (w * w - h * h) / 12;
    const double by_bd[5] = {0.5 * (d.b * d.dx - d.c * d.dy) / D,
                             0.5 * (d.a * d.dy - d.c * d.dx) / D,
                             w / 6 * (by_a * c * c + by_b * s * s + by_c * c * s),
                             h / 6 * (by_a * s * s + by_b * c * c - by_c * c * s),
                             spread * (2 * c * s * (by_b - by_a) + by_c * (c * c - s * s))};
    for (int k = 0; k < 5; k++)
        gradient[k] = -exp(-bd) / (2 * hd) * by_bd[k];
    return 1 - hd;
}

/* ---- the same box otherwise ---- */

static void swap_sides(float xywhr[5])
{
    const float w = xywhr[2];
    xywhr[2] = xywhr[3];
    xywhr[3] = w;
}

void detect_rotated_regularise(float xywhr[5])
{
    const float pi = (float)PI;
    float theta = xywhr[4];
    if (!(xywhr[2] > xywhr[3])) {
        swap_sides(xywhr);
        theta += (float)HALF_PI;
    }
    theta = fmodf(theta, pi);
    if (theta < 0)
        theta += pi;
    xywhr[4] = theta < pi ? theta : 0; /* -1e-9 + pi rounds to pi */
}

void detect_rotated_unpad(float xywhr[5], float gain, float pad_x, float pad_y)
{
    xywhr[0] = (xywhr[0] - pad_x) / gain;
    xywhr[1] = (xywhr[1] - pad_y) / gain;
    xywhr[2] /= gain;
    xywhr[3] /= gain;
}

void detect_rotated_cut(float xywhr[5], int orig_h, int orig_w)
{
    for (int k = 0; k < 4; k++)
        xywhr[k] = detect_min(detect_max(xywhr[k], 0), (float)(k % 2 ? orig_h : orig_w));
}

void detect_rotated_scale(float xywhr[5], int in_h, int in_w, int orig_h, int orig_w)
{
    const double gain = fmin((double)in_h / orig_h, (double)in_w / orig_w);
    const double pad_x = rint((in_w - orig_w * gain) / 2 - 0.1),
                 pad_y = rint((in_h - orig_h * gain) / 2 - 0.1);
    detect_rotated_unpad(xywhr, (float)gain, (float)pad_x, (float)pad_y);
    detect_rotated_cut(xywhr, orig_h, orig_w);
}

/* ---- the smallest rectangle around points ---- */

typedef struct point {
    float x, y;
} point;

static int before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const point *p = a, *q = b;
    return p->x < q->x || (!(p->x > q->x) && p->y < q->y);
}

static double turn(point o, point a, point b)
{
    return ((double)a.x - o.x) * ((double)b.y - o.y) - ((double)a.y - o.y) * ((double)b.x - o.x);
}

/* Andrew's monotone chain: the corners of the hull, n + 1 places at most, of sorted points;
 * straight angles are no corners. Source: A. M. Andrew, Inf. Proc. Letters 9 (1979), 216-219. */
static size_t hull_make(point *hull, const point *sorted, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        while (k >= 2 && turn(hull[k - 2], hull[k - 1], sorted[i]) <= 0)
            k--;
        hull[k++] = sorted[i];
    }
    const size_t lower = k;
    for (size_t i = n - 1; i-- > 0;) {
        while (k > lower && turn(hull[k - 2], hull[k - 1], sorted[i]) <= 0)
            k--;
        hull[k++] = sorted[i];
    }
    return k > 1 ? k - 1 : k; /* the last is the first again */
}

/* The rectangle around the hull with a side along (c, s); returns its area. */
static double around(double xywh[4], const point *hull, size_t n, double c, double s)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < n; i++) {
        const double at[2] = {hull[i].x * c + hull[i].y * s, hull[i].y * c - hull[i].x * s};
        for (int k = 0; k < 2; k++) {
            low[k] = fmin(low[k], at[k]);
            high[k] = fmax(high[k], at[k]);
        }
    }
    const double u = (low[0] + high[0]) / 2, v = (low[1] + high[1]) / 2;
    xywh[0] = u * c - v * s;
    xywh[1] = u * s + v * c;
    xywh[2] = high[0] - low[0];
    xywh[3] = high[1] - low[1];
    return xywh[2] * xywh[3];
}

void detect_rotated_around(float xywhr[5], const float *points, size_t n, float *scratch)
{
    point *sorted = (point *)scratch, *hull = sorted + n;
    double best[4] = {0}, best_angle = HALF_PI, least = INFINITY;
    if (n > 0) {
        memcpy(sorted, points, n * sizeof *sorted);
        base_sort(sorted, n, sizeof *sorted, before, NULL);
    }
    const size_t corners = n > 0 ? hull_make(hull, sorted, n) : 0;
    for (size_t i = 0; i < corners; i++) {
        const point *p = &hull[i], *q = &hull[(i + 1) % corners];
        const double angle = atan2((double)q->y - p->y, (double)q->x - p->x);
        double xywh[4];
        const double area = around(xywh, hull, corners, cos(angle), sin(angle));
        if (area < least) {
            least = area;
            best_angle = angle;
            memcpy(best, xywh, sizeof best);
        }
    }
    for (int k = 0; k < 4; k++)
        xywhr[k] = (float)best[k];
    /* To (0, pi/2]: a quarter turn exchanges the sides. */
    const double quarters = ceil(best_angle / HALF_PI) - 1;
    if (fmod(fabs(quarters), 2) > 0)
        swap_sides(xywhr);
    xywhr[4] = (float)(best_angle - quarters * HALF_PI);
}

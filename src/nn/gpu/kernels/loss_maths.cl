/* loss_maths.cl: what loss and optimizer compute with. The formulas are the CPU's (detect/maths.h,
 * detect/ciou.c), operation by operation and without fused ones, so that both choose the same
 * anchors.
 *
 * real is double where the device has it; a float where it has not, which is enough for a loss and
 * only decides ties of the last digit otherwise. */
#pragma OPENCL FP_CONTRACT OFF
#if defined(cl_khr_fp64) && !defined(GPU_NO_DOUBLE)
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double real;
#define REAL(x) x
#else
typedef float real;
#define REAL(x) x##f
#endif
#ifdef __NVPTX__
#define REAL_ROOT(a) ((real)__builtin_sqrt(a))
#define CEIL(a)      __builtin_ceilf(a)
#else
#define REAL_ROOT(a) sqrt((real)(a))
#define CEIL(a)      ceil(a)
#endif
#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#define MOST(a, b)  ((a) > (b) ? (a) : (b))

/* Sums by group take this much, whatever real is. */
#define SUM_BYTES 8
#define SUM_AT(memory, at, i) (*(global real *)((memory) + (at) + (gpu_u64)(i) * SUM_BYTES))

/* Adds a group's numbers in an order that its size alone decides; item 0 has the sum in cell[0]. */
INLINE void add_up(local real *cell, const int item, const real mine)
{
    BARRIER();
    cell[item] = mine;
    for (int n = GPU_ITEMS / 2; n > 0; n /= 2) {
        BARRIER();
        if (item < n)
            cell[item] += cell[item + n];
    }
    BARRIER();
}

/* As two floats. */
INLINE void put_result(global char *own, const gpu_u64 results_at, const int which, const real v)
{
    global float *out = (global float *)(own + results_at) + 2 * which;
    const float high = (float)v;
    out[0] = high;
    out[1] = high - high == 0.0f ? (float)(v - (real)high) : 0.0f;
}

/* detect_exp. */
INLINE float exp_near(float x)
{
    x = x < -87.0f ? -87.0f : x;
    x = x > 87.0f ? 87.0f : x;
    const float t = x * 1.44269504088896341f + 12582912.0f;
    const float n = t - 12582912.0f;
    float r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * as_float((as_uint(t) << 23) + (127u << 23));
}

INLINE float logistic_of(const float x)
{
    return 1.0f / (1.0f + exp_near(-x));
}

/* log(1 + e) for 0 <= e <= 1: 2 atanh(e / (2 + e)), whose series loses nothing where e is small. */
INLINE float log1p_of(const float e)
{
    const float s = e / (2.0f + e), q = s * s;
    float p = 1.0f / 17.0f;
    p = p * q + 1.0f / 15.0f;
    p = p * q + 1.0f / 13.0f;
    p = p * q + 1.0f / 11.0f;
    p = p * q + 1.0f / 9.0f;
    p = p * q + 1.0f / 7.0f;
    p = p * q + 1.0f / 5.0f;
    p = p * q + 1.0f / 3.0f;
    return 2.0f * (s + s * (q * p));
}

/* log(x) for 1 <= x <= 16, by the same series. */
INLINE real log_of(real x)
{
    real k = REAL(0.0);
    for (int i = 0; i < 4; i++)
        if (x > REAL(1.5)) {
            x *= REAL(0.5);
            k += REAL(1.0);
        }
    const real s = (x - REAL(1.0)) / (x + REAL(1.0)), q = s * s;
    real p = REAL(0.0);
    for (int i = 23; i >= 1; i -= 2)
        p = p * q + REAL(1.0) / (real)i;
    return REAL(2.0) * s * p + k * REAL(0.69314718055994530942);
}

/* Method: Cephes' atan (S. Moshier). */
INLINE real atan_of(const real v)
{
    real x = v < REAL(0.0) ? -v : v, y = REAL(0.0), rest = REAL(0.0);
    if (x > REAL(2.41421356237309504880)) { /* tan(3 pi / 8) */
        y = REAL(1.57079632679489661923);
        rest = REAL(6.123233995736765886e-17);
        x = -REAL(1.0) / x;
    } else if (x > REAL(0.66)) {
        y = REAL(0.78539816339744830962);
        rest = REAL(3.061616997868382943e-17);
        x = (x - REAL(1.0)) / (x + REAL(1.0));
    }
    const real z = x * x;
    real p = REAL(-8.750608600031904122785e-1);
    p = p * z + REAL(-1.615753718733365076637e1);
    p = p * z + REAL(-7.500855792314704667340e1);
    p = p * z + REAL(-1.228866684490136173410e2);
    p = p * z + REAL(-6.485021904942025371773e1);
    real q = z + REAL(2.485846490142306297962e1);
    q = q * z + REAL(1.650270098316988542046e2);
    q = q * z + REAL(4.328810604912902668951e2);
    q = q * z + REAL(4.853903996359136964868e2);
    q = q * z + REAL(1.945506571482613964425e2);
    y = y + ((x * (z * p / q) + x) + rest);
    return v < REAL(0.0) ? -y : y;
}

/* ---- CIoU: detect/ciou.c ---- */

typedef struct ciou_axis {
    real inter, d_inter[2];
    real span, d_span[2];
    real offset;
} ciou_axis;

INLINE real ciou_share(const real a, const real b)
{
    return a > b ? REAL(1.0) : a < b ? REAL(0.0) : REAL(0.5);
}

INLINE void ciou_axis_of(ciou_axis *a, const real lo, const real hi, const real t_lo,
                         const real t_hi)
{
    a->inter = LEAST(hi, t_hi) - MOST(lo, t_lo);
    a->span = MOST(hi, t_hi) - LEAST(lo, t_lo);
    a->offset = t_lo + t_hi - lo - hi;
    a->d_span[0] = -ciou_share(t_lo, lo);
    a->d_span[1] = ciou_share(hi, t_hi);
    a->d_inter[0] = -ciou_share(lo, t_lo);
    a->d_inter[1] = ciou_share(t_hi, hi);
    if (a->inter < REAL(0.0))
        a->inter = a->d_inter[0] = a->d_inter[1] = REAL(0.0);
}

/* CIoU and, by the prediction, its gradient. */
PIECE real ciou_of(real gradient[4], const float p[4], const float t[4])
{
    const real eps = REAL(1e-7), shape = REAL(0.40528473456935108578); /* 4 / pi^2 */
    const real w = (real)p[2] - (real)p[0], h = (real)p[3] - (real)p[1] + eps;
    const real tw = (real)t[2] - (real)t[0], th = (real)t[3] - (real)t[1] + eps;
    ciou_axis x, y;
    ciou_axis_of(&x, (real)p[0], (real)p[2], (real)t[0], (real)t[2]);
    ciou_axis_of(&y, (real)p[1], (real)p[3], (real)t[1], (real)t[3]);
    const real inter = x.inter * y.inter, both = w * h + tw * th - inter + eps;
    const real iou = inter / both;
    const real c2 = x.span * x.span + y.span * y.span + eps;
    const real rho2 = (x.offset * x.offset + y.offset * y.offset) / REAL(4.0);
    const real turn = atan_of(tw / th) - atan_of(w / h), v = shape * turn * turn;
    const real alpha = v / (v - iou + REAL(1.0) + eps);
    const real dv = REAL(2.0) * shape * turn * alpha / (w * w + h * h);
    UNROLL
    for (int side = 0; side < 2; side++) {
        const real sign = side ? REAL(1.0) : REAL(-1.0);
        const real d_inter[2] = {x.d_inter[side] * y.inter, y.d_inter[side] * x.inter};
        const real d_area[2] = {sign * h, sign * w};
        const real d_span2[2] = {REAL(2.0) * x.span * x.d_span[side],
                                 REAL(2.0) * y.span * y.d_span[side]};
        const real d_rho2[2] = {-x.offset / REAL(2.0), -y.offset / REAL(2.0)};
        const real d_shape[2] = {sign * dv * -h, sign * dv * w};
    UNROLL
        for (int k = 0; k < 2; k++) {
            const real d_iou = (d_inter[k] - iou * (d_area[k] - d_inter[k])) / both;
            const real d_rho = (d_rho2[k] - rho2 / c2 * d_span2[k]) / c2;
            gradient[2 * side + k] = d_iou - (d_rho + d_shape[k]);
        }
    }
    return iou - (rho2 / c2 + v * alpha);
}

/* ---- anchors ---- */

/* Where an anchor is. */
typedef struct anchor_place {
    gpu_loss_level level;
    gpu_u64 pixel; /* of the level's maps */
    int x, y;
} anchor_place;

/* Levels by number alone, so that the arguments stay where they are. */
INLINE void place_of(anchor_place *p, const gpu_loss_args *a, const int picture, const int anchor)
{
    p->level = a->level[0];
    UNROLL
    for (int i = 1; i < GPU_LOSS_LEVELS; i++)
        if (anchor >= a->level[i].first)
            p->level = a->level[i];
    const int in_level = anchor - p->level.first;
    p->pixel = (gpu_u64)picture * (gpu_u64)(p->level.h * p->level.w) + (gpu_u64)in_level;
    p->y = in_level / p->level.w;
    p->x = in_level - p->y * p->level.w;
}

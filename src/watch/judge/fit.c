/* fit.c: weighted least squares of degree 1 and 2 on a scale of -1 to 1. */
#include "fit.h"

#include <math.h>

#include "base/base.h"
#include "thresholds.h"

enum { MOST = 64 };

typedef struct parabola {
    double c0, c1, c2; /* of 1, x, p2(x), orthogonal under the weights */
    double shift, mix, offset;
    double s11, s22, s00;
} parabola;

/* p1 = x - shift; p2 = x^2 - mix * p1 - offset. */
static void solve(parabola *p, const double *x, const double *y, const double *w, int n)
{
    double s0 = 0, s1 = 0, s2 = 0;
    for (int i = 0; i < n; i++) {
        s0 += w[i];
        s1 += w[i] * x[i];
        s2 += w[i] * x[i] * x[i];
    }
    p->shift = s1 / s0;
    p->offset = s2 / s0;
    double q11 = 0, q12 = 0, y0 = 0, y1 = 0;
    for (int i = 0; i < n; i++) {
        const double p1 = x[i] - p->shift;
        q11 += w[i] * p1 * p1;
        q12 += w[i] * p1 * x[i] * x[i];
        y0 += w[i] * y[i];
        y1 += w[i] * p1 * y[i];
    }
    p->mix = q11 > 0 ? q12 / q11 : 0;
    double q22 = 0, y2 = 0;
    for (int i = 0; i < n; i++) {
        const double p2 = x[i] * x[i] - p->mix * (x[i] - p->shift) - p->offset;
        q22 += w[i] * p2 * p2;
        y2 += w[i] * p2 * y[i];
    }
    p->s00 = s0;
    p->s11 = q11;
    p->s22 = q22;
    p->c0 = y0 / s0;
    p->c1 = q11 > 0 ? y1 / q11 : 0;
    p->c2 = q22 > 0 ? y2 / q22 : 0;
}

static double line_at(const parabola *p, double x)
{
    return p->c0 + p->c1 * (x - p->shift);
}

static double at(const parabola *p, double x)
{
    return line_at(p, x) + p->c2 * (x * x - p->mix * (x - p->shift) - p->offset);
}

static double slope_at(const parabola *p, double x)
{
    return p->c1 + p->c2 * (2 * x - p->mix);
}

/* Variance a point of a random walk in the residuals d: how much more they part over a quarter of
 * the window than over a step. The fit has eaten a part of a walk: hence 6. */
static double walk_of(const double *d, int n)
{
    const int far = n / 4;
    double near_sum = 0, far_sum = 0;
    for (int i = 1; i < n; i++)
        near_sum += (d[i] - d[i - 1]) * (d[i] - d[i - 1]);
    for (int i = far; i < n; i++)
        far_sum += (d[i] - d[i - far]) * (d[i] - d[i - far]);
    return fmax(6 * (far_sum / (n - far) - near_sum / (n - 1)) / (far - 1), 0);
}

void watch_fit_make(watch_fit *out, const double *time_s, const double *value, int n, double noise)
{
    double x[MOST], w[MOST], r[MOST], scratch[MOST];
    const double mid = 0.5 * (time_s[0] + time_s[n - 1]);
    const double half = 0.5 * (time_s[n - 1] - time_s[0]);
    const double base = value[0];
    double y[MOST];
    for (int i = 0; i < n; i++) {
        x[i] = (time_s[i] - mid) / half;
        y[i] = value[i] - base;
        w[i] = 1;
    }
    parabola p;
    for (int round = 0;; round++) {
        solve(&p, x, y, w, n);
        for (int i = 0; i < n; i++) {
            r[i] = y[i] - at(&p, x[i]);
            scratch[i] = fabs(r[i]);
        }
        if (round == 2)
            break;
        /* Huber's bend at 1.5 standard deviations. */
        const double bend = 1.5 * fmax(MAD_TO_SIGMA * base_median(scratch, (size_t)n), noise);
        for (int i = 0; i < n; i++)
            w[i] = fabs(r[i]) <= bend ? 1 : bend / fabs(r[i]);
    }

    double sum = 0, lag = 0, line_sum = 0, bent[MOST];
    for (int i = 0; i < n; i++) {
        const double d = y[i] - line_at(&p, x[i]);
        sum += w[i] * r[i] * r[i];
        line_sum += w[i] * d * d;
        bent[i] = sqrt(w[i]) * r[i];
        if (i > 0)
            lag += r[i] * r[i - 1] * sqrt(w[i] * w[i - 1]);
    }
    const double neighbour = sum > 0 ? fmin(fmax(lag / sum + 1.0 / n, 0), 0.9) : 0;
    const double sigma = fmax(sqrt(sum / (n - 3)), noise);
    const double wide = sigma * sqrt((1 + neighbour) / (1 - neighbour));
    /* A walk of variance q a point makes a slope's variance 0.3 q n and a bend's 0.27 q n: the
     * integrals of a Brownian motion against Legendre's polynomials. The bend gets 0.3: what walks
     * upwards in a few random steps and then rests is to look bent. */
    const double walk = n >= 12 ? walk_of(bent, n) : 0;
    const double error1 = p.s11 > 0 ? sqrt(wide * wide / p.s11 + 0.3 * walk * n) : INFINITY;
    const double error2 = p.s22 > 0 ? sqrt(wide * wide / p.s22 + 0.3 * walk * n) : INFINITY;
    const double early = slope_at(&p, -1), late = slope_at(&p, 1);
    *out = (watch_fit){.n = n,
                       .begin_s = time_s[0],
                       .end_s = time_s[n - 1],
                       .begin = base + line_at(&p, -1),
                       .end = base + line_at(&p, 1),
                       .slope_per_s = p.c1 / half,
                       .slope_error_per_s = error1 / half,
                       .level_error = wide / sqrt(p.s00),
                       .sigma = sigma,
                       .line_sigma = fmax(sqrt(line_sum / (n - 2)), noise),
                       .drift = sqrt(walk),
                       .neighbour = neighbour,
                       .ratio = early > 0 ? late / early : INFINITY,
                       .ratio_error = 4 * error2 / fmax(fabs(p.c1), 1e-300),
                       .late_per_s = late / half};
}

int watch_fit_hinge(const double *time_s, const double *value, int n)
{
    int best = 0;
    double least = INFINITY, alone = INFINITY;
    for (int k = 0; k < n * 2 / 3; k += k == 0 ? 4 : 1) {
        double s1 = 0, s2 = 0, y0 = 0, y1 = 0, y2 = 0;
        for (int i = 0; i < n; i++) {
            const double x = i > k ? time_s[i] - time_s[k] : 0, y = value[i] - value[0];
            s1 += x;
            s2 += x * x;
            y0 += y;
            y1 += x * y;
            y2 += y * y;
        }
        const double slope = (y1 - s1 * y0 / n) / (s2 - s1 * s1 / n);
        const double rest = y2 - y0 * y0 / n - slope * (y1 - s1 * y0 / n);
        if (k == 0)
            alone = rest;
        if (rest < least) {
            least = rest;
            best = k;
        }
    }
    return least < 0.6 * alone ? best : 0;
}

double watch_fit_theil_sen(const double *time_s, const double *value, int n)
{
    double slope[MOST * (MOST - 1) / 2];
    size_t pairs = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            slope[pairs++] = (value[j] - value[i]) / (time_s[j] - time_s[i]);
    return pairs > 0 ? base_median(slope, pairs) : NAN;
}

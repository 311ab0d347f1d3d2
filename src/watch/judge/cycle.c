/* cycle.c: humps of a day and harmonics of a day, by least squares. */
#include "cycle.h"

#include <math.h>

#include "thresholds.h"

enum { MOST = 64, TERMS = 6 };
static const double day_s = 86400, turn = 6.283185307179586;

/* What a + b * g leaves of y's squares; b below 0 leaves everything. */
static double rest_of(const double *g, const double *y, int n)
{
    double s1 = 0, s2 = 0, y0 = 0, y1 = 0, y2 = 0;
    for (int i = 0; i < n; i++) {
        const double v = y[i] - y[0];
        s1 += g[i];
        s2 += g[i] * g[i];
        y0 += v;
        y1 += v * g[i];
        y2 += v * v;
    }
    const double all = y2 - y0 * y0 / n, across = y1 - s1 * y0 / n, along = s2 - s1 * s1 / n;
    return across > 0 && along > 0 ? all - across * across / along : all;
}

static double best_line(const double *time_s, const double *y, int n)
{
    double g[MOST], best = INFINITY;
    for (int k = 0; k < n * 2 / 3; k += 2) {
        for (int i = 0; i < n; i++)
            g[i] = fmax(time_s[i] - time_s[k], 0);
        best = fmin(best, rest_of(g, y, n));
    }
    return best;
}

/* Does one cosine arch of half-width wide_s leave less than `most`, around any of 13 centres near
 * the end? Outside of it, flat; endless: it comes back. */
static bool hump_fits(const double *time_s, const double *y, int n, double wide_s, bool endless,
                      double most)
{
    double g[MOST];
    for (int c = 0; c <= 12; c++) {
        const double centre = time_s[n - 1] + wide_s * (-0.4 + 0.1 * c);
        for (int i = 0; i < n; i++) {
            const double x = (time_s[i] - centre) / wide_s;
            g[i] = endless || fabs(x) < 1 ? 0.5 + 0.5 * cos(0.5 * turn * x) : 0;
        }
        if (rest_of(g, y, n) < most)
            return true;
    }
    return false;
}

bool watch_cycle_may_be(const double *time_s, const double *y, int n)
{
    const double most = HUMP_AS_WELL * best_line(time_s, y, n);
    if (hump_fits(time_s, y, n, 0.5 * day_s, true, most))
        return true;
    for (double wide = 6; wide <= 12; wide += 2)
        if (hump_fits(time_s, y, n, wide * 3600, false, most))
            return true;
    return false;
}

/* Least squares of y on the first m terms at every point; false when they are not independent. */
static bool solve(double a[TERMS][TERMS + 1], int m)
{
    for (int k = 0; k < m; k++) {
        int pivot = k;
        for (int i = k + 1; i < m; i++)
            if (fabs(a[i][k]) > fabs(a[pivot][k]))
                pivot = i;
        if (fabs(a[pivot][k]) < 1e-9)
            return false;
        for (int j = 0; j <= m; j++) {
            const double swap = a[k][j];
            a[k][j] = a[pivot][j];
            a[pivot][j] = swap;
        }
        for (int i = 0; i < m; i++) {
            const double f = a[i][k] / a[k][k];
            if (i != k)
                for (int j = k; j <= m; j++)
                    a[i][j] -= f * a[k][j];
        }
    }
    return true;
}

bool watch_cycle_remove(const double *time_s, double *y, int n)
{
    const double length = time_s[n - 1] - time_s[0];
    if (n < 20 || length < CYCLE_LEAST_H * 3600.0 || length > CYCLE_MOST_DAYS * day_s)
        return false;
    double term[MOST][TERMS], a[TERMS][TERMS + 1];
    for (int i = 0; i < n; i++) {
        const double x = (time_s[i] - time_s[0]) / length, angle = turn * time_s[i] / day_s;
        const double all[TERMS] = {1, x, cos(angle), sin(angle), cos(2 * angle), sin(2 * angle)};
        for (int k = 0; k < TERMS; k++)
            term[i][k] = all[k];
    }
    double rest[2] = {0, 0}, c[TERMS] = {0};
    for (int round = 0; round < 2; round++) {
        const int m = round == 0 ? 2 : TERMS;
        for (int j = 0; j < m; j++)
            for (int k = 0; k <= m; k++) {
                a[j][k] = 0;
                for (int i = 0; i < n; i++)
                    a[j][k] += term[i][j] * (k < m ? term[i][k] : y[i] - y[0]);
            }
        if (!solve(a, m))
            return false;
        for (int k = 0; k < m; k++)
            c[k] = a[k][m] / a[k][k];
        for (int i = 0; i < n; i++) {
            double r = y[i] - y[0];
            for (int k = 0; k < m; k++)
                r -= c[k] * term[i][k];
            rest[round] += r * r;
        }
    }
    if (rest[1] > HARMONICS_LEAVE * rest[0])
        return false;
    for (int i = 0; i < n; i++)
        for (int k = 2; k < TERMS; k++)
            y[i] -= c[k] * term[i][k];
    return true;
}

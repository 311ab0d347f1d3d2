/* peers.c: thresholds and Prometheus' predict_linear. */
#include "peers.h"

#include <math.h>

double peer_threshold(const trace *t, double part)
{
    for (int i = 0; i < t->n; i++)
        if (t->value[i] >= part * t->limit)
            return t->time_s[i];
    return NAN;
}

double peer_predict_linear(const trace *t)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, since = NAN;
    const double base = t->value[0];
    for (int i = 0, old = 0; i < t->n; i++) {
        /* Times in hours from a moving origin would be neater; doubles have digits to spare. */
        const double x = t->time_s[i], y = t->value[i] - base;
        n += 1, sx += x, sy += y, sxx += x * x, sxy += x * y;
        for (; t->time_s[old] < x - 3600; old++) {
            const double u = t->time_s[old], v = t->value[old] - base;
            n -= 1, sx -= u, sy -= v, sxx -= u * u, sxy -= u * v;
        }
        if (n < 2)
            continue;
        const double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
        const double ahead = base + sy / n + slope * (x + 4 * 3600 - sx / n);
        if (!(ahead > t->limit))
            since = NAN;
        else if (isnan(since))
            since = x;
        if (x - since >= 300)
            return x;
    }
    return NAN;
}

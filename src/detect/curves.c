/* curves.c: precision against recall and confidence (spec 6), by walking along the detections once.
 *
 * Linear interpolation between knots; among knots at one place the last counts, as a sorted search
 * to the right finds it. Precision against recall is walked from the end, so that its running
 * maximum needs no array. */
#include "curves.h"

enum { AP_POINTS = 101, SMOOTH_TAPS = 101 };

static double between(double x, double x0, double y0, double x1, double y1)
{
    return (y1 - y0) / (x1 - x0) * (x - x0) + y0;
}

/* Point i of n over 0..1. */
static double point(size_t i, size_t n)
{
    return i == n - 1 ? 1.0 : (double)i * (1.0 / (double)(n - 1));
}

void curves_precision_by_recall(double *out, size_t n, const metrics_row *rows, size_t n_rows,
                                size_t n_truths, int f, int t, detect_ap ap)
{
    size_t hits = 0, i = n;
    for (size_t k = 0; k < n_rows; k++)
        hits += rows[k].tp[f] >> t & 1;
    /* The knots: (0, 1), one of each detection, (1, 0); from 8.4.37 on also (last recall, 0). */
    double next_recall = 1, next_precision = 0;
    while (i > 0 && point(i - 1, n) >= 1)
        out[--i] = 0;
    if (ap >= DETECT_AP_8_4_37) {
        next_recall = (double)hits / (double)n_truths;
        while (i > 0 && point(i - 1, n) >= next_recall)
            out[--i] = 0;
    }
    for (size_t k = n_rows + 1; k-- > 0;) { /* k detections are taken */
        double recall = (double)hits / (double)n_truths;
        double precision = k ? (double)hits / (double)k : 1;
        precision = precision > next_precision ? precision : next_precision;
        for (; i > 0 && point(i - 1, n) >= recall; i--)
            out[i - 1] = between(point(i - 1, n), recall, precision, next_recall, next_precision);
        next_recall = recall;
        next_precision = precision;
        hits -= k ? rows[k - 1].tp[f] >> t & 1 : 0;
    }
}

double curves_average_precision(const metrics_row *rows, size_t n_rows, size_t n_truths, int f,
                                int t, detect_ap ap)
{
    double y[AP_POINTS], area = 0;
    curves_precision_by_recall(y, AP_POINTS, rows, n_rows, n_truths, f, t, ap);
    for (size_t i = 0; i + 1 < AP_POINTS; i++)
        area += (point(i + 1, AP_POINTS) - point(i, AP_POINTS)) * (y[i] + y[i + 1]) / 2;
    return area;
}

void curves_by_confidence(double *p, double *r, const metrics_row *rows, size_t n_rows,
                          size_t n_truths, int f)
{
    /* From the highest confidence down; `taken` detections have at least that of the point. */
    size_t taken = 0, hits = 0;
    for (size_t i = DETECT_CURVE_POINTS; i-- > 0;) {
        double x = point(i, DETECT_CURVE_POINTS);
        for (; taken < n_rows && (double)rows[taken].conf >= x; taken++)
            hits += rows[taken].tp[f] & 1;
        if (taken == 0) {
            p[i] = 1;
            r[i] = 0;
            continue;
        }
        p[i] = (double)hits / (double)taken;
        r[i] = (double)hits / (double)n_truths;
        if (taken < n_rows) {
            double next = (double)(hits + (rows[taken].tp[f] & 1));
            double here_x = -(double)rows[taken - 1].conf, next_x = -(double)rows[taken].conf;
            p[i] = between(-x, here_x, p[i], next_x, next / (double)(taken + 1));
            r[i] = between(-x, here_x, r[i], next_x, next / (double)n_truths);
        }
    }
}

size_t curves_best_point(const double *curves, size_t n_curves, double *mean)
{
    size_t best = 0;
    double most = -1;
    for (size_t i = 0; i < DETECT_CURVE_POINTS; i++) {
        mean[i] = 0;
        for (size_t c = 0; c < n_curves; c++)
            mean[i] += curves[c * DETECT_CURVE_POINTS + i];
        mean[i] /= (double)n_curves;
    }
    for (size_t i = 0; i < DETECT_CURVE_POINTS; i++) {
        double sum = 0;
        for (size_t k = 0; k < SMOOTH_TAPS; k++) { /* ends repeat */
            size_t at = i + k < SMOOTH_TAPS / 2 ? 0 : i + k - SMOOTH_TAPS / 2;
            sum +=
                mean[at < DETECT_CURVE_POINTS ? at : DETECT_CURVE_POINTS - 1] * (1.0 / SMOOTH_TAPS);
        }
        if (sum > most) {
            most = sum;
            best = i;
        }
    }
    return best;
}

/* curves.h: average precision and curves from a class's detections, best first. Private to
 * src/detect. */
#ifndef DETECT_CURVES_H
#define DETECT_CURVES_H

#include "metrics.h"

/* A detection as the metrics keep it. */
typedef struct metrics_row {
    float conf;
    int32_t class_index;
    uint16_t tp[DETECT_MOST_FIGURES]; /* bit t: right at threshold t */
} metrics_row;
_Static_assert(sizeof(metrics_row) == 12, "ranks send rows as they lie");

/* Figures from here on are those of number f of a row's. */

/* Precision, made to fall with recall, at n points of recall 0..1, at threshold t. n_truths >= 1.
 */
void curves_precision_by_recall(double *out, size_t n, const metrics_row *rows, size_t n_rows,
                                size_t n_truths, int f, int t, detect_ap ap);
/* The area below it by 101 points. */
double curves_average_precision(const metrics_row *rows, size_t n_rows, size_t n_truths, int f,
                                int t, detect_ap ap);
/* Precision and recall at IoU 0.5 by confidence: DETECT_CURVE_POINTS each. */
void curves_by_confidence(double *p, double *r, const metrics_row *rows, size_t n_rows,
                          size_t n_truths, int f);
/* Where the mean of n_curves curves, smoothed over 101 points, is highest; mean:
 * (DETECT_CURVE_POINTS) scratch. */
size_t curves_best_point(const double *curves, size_t n_curves, double *mean);

#endif

/* fit.h: a line and a parabola through the floors of a window, and how sure they are.
 *
 * Least squares with Huber's weights, so that a peak that outlasted its block bends nothing.
 * Errors are widened by the residuals' correlation with their neighbours, (1 + r) / (1 - r), and
 * by what a random walk in them would do: leaks of one descriptor at random times walk.
 * All on the caller's arrays; nothing is allocated. */
#ifndef WATCH_FIT_H
#define WATCH_FIT_H

#include <stdbool.h>

typedef struct watch_fit {
    int n;
    double begin_s, end_s; /* times of the first and last point */
    double begin, end;     /* the line there */
    double slope_per_s, slope_error_per_s;
    double level_error; /* of the line in its middle */
    double sigma;       /* residuals from the parabola, one standard deviation */
    double line_sigma;  /* from the line */
    double drift;       /* of a random walk in the line's residuals: standard deviation a point */
    double neighbour;   /* lag-1 correlation of the parabola's residuals */
    /* Slope at the end by slope at the beginning, as the parabola has it: below 1 slows down. */
    double ratio, ratio_error;
    double late_per_s; /* the parabola's slope at the end */
} watch_fit;

/* n >= 6 points, times rising. noise: least standard deviation that is believed. */
void watch_fit_make(watch_fit *out, const double *time_s, const double *value, int n, double noise);
/* Where a flat stretch turns into a line: the index of the line's first point, 0 when a line alone
 * does as well. */
int watch_fit_hinge(const double *time_s, const double *value, int n);
/* Median of the slopes of all pairs (Sen 1968); n <= 64. */
double watch_fit_theil_sen(const double *time_s, const double *value, int n);

#endif

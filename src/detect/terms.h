/* terms.h: the three sums of the loss over one picture, with their gradients. Private to
 * src/detect. */
#ifndef DETECT_TERMS_H
#define DETECT_TERMS_H

#include "loss.h"

/* Sums over a picture, without gains or divisor. */
typedef struct terms_sum {
    double box, cls, dfl;
    size_t n_foreground;
} terms_sum;

/* What each term's gradient is multiplied by: gain * batch / divisor. */
typedef struct terms_scale {
    double box, cls, dfl;
} terms_scale;

/* gradients NULL: values only. */
terms_sum terms_picture(const detect_gradient *gradients, const detect_level *levels, int n_levels,
                        int nc, int picture, const detect_targets *targets,
                        const terms_scale *scale);

#endif

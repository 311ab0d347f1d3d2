/* scaler.c: the rule. */
#include "scaler.h"

#include <math.h>

/* Far below what a float holds. */
static const double MOST = 0x1p60;

void train_scaler_step(train_scaler *s, bool is_good)
{
    if (s->scale == 0)
        return;
    if (is_good && ++s->n_good < TRAIN_SCALE_EVERY)
        return;
    s->scale = is_good ? fmin(2 * s->scale, MOST) : fmax(s->scale / 2, 1);
    s->n_good = 0;
}

bool train_scaler_is_valid(const train_scaler *s)
{
    int exponent;
    return s->n_good >= 0 && s->n_good < TRAIN_SCALE_EVERY &&
           (s->scale == 0 ||
            (s->scale >= 1 && s->scale <= MOST && frexp(s->scale, &exponent) == 0.5));
}

/* rng.c: streams by purpose, and what is drawn from them. */
#include "rng.h"

#include <math.h>

base_rng data_rng_make(uint64_t seed, uint64_t epoch, data_rng_purpose purpose, uint64_t place)
{
    /* Each part goes through the mixer before the next is added, so that (1, 2) is not (2, 1). */
    const uint64_t parts[] = {seed, epoch, purpose, place};
    uint64_t state = 0;
    for (int i = 0; i < 4; i++) {
        state ^= parts[i];
        state = base_rng_split(&state);
    }
    return base_rng_make(state);
}

double data_rng_uniform(base_rng *r, double least, double most)
{
    return least + (most - least) * base_rng_unit(r);
}

double data_rng_normal(base_rng *r)
{
    /* Box and Muller; 1 - unit is never 0. */
    double radius = sqrt(-2.0 * log(1.0 - base_rng_unit(r)));
    return radius * cos(2.0 * 3.14159265358979323846 * base_rng_unit(r));
}

/* Marsaglia and Tsang, ACM TOMS 26 (2000), for shape >= 1. */
static double gamma_draw(base_rng *r, double shape)
{
    double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = data_rng_normal(r), v = 1.0 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(1.0 - base_rng_unit(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double data_rng_beta(base_rng *r, double a)
{
    double x = gamma_draw(r, a), y = gamma_draw(r, a);
    return x / (x + y);
}

void data_rng_shuffle(base_rng *r, uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)base_rng_below(r, i);
        uint32_t t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

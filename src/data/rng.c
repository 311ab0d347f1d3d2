/* rng.c: xoshiro256++ and what is drawn with it. */
#include "rng.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t splitmix(uint64_t *state)
{
    return mix(*state += UINT64_C(0x9E3779B97F4A7C15));
}

data_rng data_rng_make(uint64_t seed, uint64_t epoch, data_rng_purpose purpose, uint64_t place)
{
    /* Each part goes through the mixer before the next is added, so that (1, 2) is not (2, 1). */
    const uint64_t parts[] = {seed, epoch, purpose, place};
    uint64_t state = 0;
    for (int i = 0; i < 4; i++) {
        state ^= parts[i];
        state = splitmix(&state);
    }
    data_rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix(&state);
    return r;
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t data_rng_next(data_rng *r)
{
    uint64_t *s = r->s;
    uint64_t out = rotate(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return out;
}

double data_rng_unit(data_rng *r)
{
    return (double)(data_rng_next(r) >> 11) * 0x1p-53;
}

double data_rng_uniform(data_rng *r, double least, double most)
{
    return least + (most - least) * data_rng_unit(r);
}

uint64_t data_rng_below(data_rng *r, uint64_t n)
{
    /* Drop the incomplete last round of n values. */
    uint64_t threshold = (0 - n) % n;
    uint64_t x;
    do
        x = data_rng_next(r);
    while (x < threshold);
    return x % n;
}

double data_rng_normal(data_rng *r)
{
    /* Box and Muller; 1 - unit is never 0. */
    double radius = sqrt(-2.0 * log(1.0 - data_rng_unit(r)));
    return radius * cos(2.0 * 3.14159265358979323846 * data_rng_unit(r));
}

/* Marsaglia and Tsang, ACM TOMS 26 (2000), for shape >= 1. */
static double gamma_draw(data_rng *r, double shape)
{
    double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = data_rng_normal(r), v = 1.0 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(1.0 - data_rng_unit(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double data_rng_beta(data_rng *r, double a)
{
    double x = gamma_draw(r, a), y = gamma_draw(r, a);
    return x / (x + y);
}

void data_rng_shuffle(data_rng *r, uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)data_rng_below(r, i);
        uint32_t t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

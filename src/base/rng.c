/* rng.c: the two published generators. */
#include "rng.h"

uint64_t base_rng_split(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

base_rng base_rng_make(uint64_t seed)
{
    base_rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = base_rng_split(&seed);
    return r;
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t base_rng_next(base_rng *r)
{
    uint64_t *s = r->s;
    const uint64_t out = rotate(s[0] + s[3], 23) + s[0];
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return out;
}

double base_rng_unit(base_rng *r)
{
    return (double)(base_rng_next(r) >> 11) * 0x1p-53;
}

uint64_t base_rng_below(base_rng *r, uint64_t n)
{
    const uint64_t incomplete = (0 - n) % n; /* values of the last round that n does not fill */
    uint64_t x;
    do
        x = base_rng_next(r);
    while (x < incomplete);
    return x % n;
}

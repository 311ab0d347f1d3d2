/* rng.c: xoshiro256++. */
#include "rng.h"

train_rng train_rng_make(uint64_t seed)
{
    train_rng r;
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        r.s[i] = z ^ (z >> 31);
    }
    return r;
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t train_rng_next(train_rng *r)
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

uint64_t train_rng_below(train_rng *r, uint64_t n)
{
    const uint64_t incomplete = (0 - n) % n; /* values of the last round that n does not fill */
    uint64_t x;
    do
        x = train_rng_next(r);
    while (x < incomplete);
    return x % n;
}

int train_rng_size(train_rng *r, int imgsz, int stride)
{
    const int least = imgsz / 2;
    const int past_most = imgsz + imgsz / 2 + stride; /* int(1.5 * imgsz + stride); imgsz is even */
    const int size = least + (int)train_rng_below(r, (uint64_t)(past_most - least));
    const int whole = size / stride * stride;
    return whole > stride ? whole : stride;
}

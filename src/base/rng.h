/* rng.h: random numbers: xoshiro256++ of Blackman and Vigna (2018), seeded through splitmix64. A
 * stream is a plain value: it can be copied, and a file can hold it. No memory but the struct; not
 * for secrets. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

typedef struct base_rng {
    uint64_t s[4]; /* not all 0 */
} base_rng;

base_rng base_rng_make(uint64_t seed);
uint64_t base_rng_next(base_rng *r);
/* [0, 1), of 53 bits. */
double base_rng_unit(base_rng *r);
/* 0..n-1 without bias, n >= 1. */
uint64_t base_rng_below(base_rng *r, uint64_t n);

/* One step of splitmix64: moves the state and mixes it. */
uint64_t base_rng_split(uint64_t *state);

#endif

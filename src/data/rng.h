/* rng.h: random streams that depend on what they are for, not on who draws when.
 *
 * xoshiro256++ (Blackman and Vigna 2018), seeded through splitmix64 by (seed, epoch, purpose,
 * place): so any thread may make any sample. No memory but the struct. For this folder. */
#ifndef DATA_RNG_H
#define DATA_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef enum data_rng_purpose { DATA_RNG_SHUFFLE = 1, DATA_RNG_SAMPLE = 2 } data_rng_purpose;

typedef struct data_rng {
    uint64_t s[4]; /* not all 0 */
} data_rng;

data_rng data_rng_make(uint64_t seed, uint64_t epoch, data_rng_purpose purpose, uint64_t place);
uint64_t data_rng_next(data_rng *r);
/* [0, 1) of 53 bits; [least, most). */
double data_rng_unit(data_rng *r);
double data_rng_uniform(data_rng *r, double least, double most);
/* 0..n-1 without bias, n >= 1. */
uint64_t data_rng_below(data_rng *r, uint64_t n);
double data_rng_normal(data_rng *r);
/* Beta(a, a), a >= 1. */
double data_rng_beta(data_rng *r, double a);
/* 0..n-1 in random order. */
void data_rng_shuffle(data_rng *r, uint32_t *order, size_t n);

#endif

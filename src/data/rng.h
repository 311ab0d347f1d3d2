/* rng.h: random streams that depend on what they are for, not on who draws when.
 *
 * Seeded by (seed, epoch, purpose, place): so any thread may make any sample. For this folder. */
#ifndef DATA_RNG_H
#define DATA_RNG_H

#include "base/base.h"

typedef enum data_rng_purpose { DATA_RNG_SHUFFLE = 1, DATA_RNG_SAMPLE = 2 } data_rng_purpose;

base_rng data_rng_make(uint64_t seed, uint64_t epoch, data_rng_purpose purpose, uint64_t place);
/* [least, most). */
double data_rng_uniform(base_rng *r, double least, double most);
double data_rng_normal(base_rng *r);
/* Beta(a, a), a >= 1. */
double data_rng_beta(base_rng *r, double a);
/* 0..n-1 in random order. */
void data_rng_shuffle(base_rng *r, uint32_t *order, size_t n);

#endif

/* rng.h: the one random stream of a training run that is drawn in order (image sizes of
 * multi_scale), as a plain value that a checkpoint can hold. What samples draw depends on (seed,
 * epoch, place) alone and lives in data. xoshiro256++ of Blackman and Vigna (2018), seeded through
 * splitmix64. */
#ifndef TRAIN_RNG_H
#define TRAIN_RNG_H

#include <stdint.h>

typedef struct train_rng {
    uint64_t s[4]; /* not all 0 */
} train_rng;

train_rng train_rng_make(uint64_t seed);
uint64_t train_rng_next(train_rng *r);
/* 0..n-1 without bias, n >= 1. */
uint64_t train_rng_below(train_rng *r, uint64_t n);

/* The size of one batch with multi_scale (spec 4.5): half to one and a half times imgsz, in
 * multiples of stride. */
int train_rng_size(train_rng *r, int imgsz, int stride);

#endif

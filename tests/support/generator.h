/* generator.h: the weights that the golden files were made with, from nothing but key, shape and
 * seed (section 8 of the specification). Bit exact: two roundings a value, no fused multiply-add.
 * Standard C only, so that tools may use it. */
#ifndef TESTS_GENERATOR_H
#define TESTS_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* v of element i of the tensor `key`: in [-1, 1), exact in float. */
float generator_unit(const char *key, uint64_t seed, uint64_t i);

/* Of the last convolutions of a head: a golden file's metadata head_g, cv4_g and cls_g (8.0; 1.0
 * for training). */
typedef struct generator_gains {
    double head, cv4, cls;
} generator_gains;

/* The tensor's row-major values, dst (product of shape). False for a key that the generator has no
 * rule for. */
bool generator_fill_with(float *dst, const char *key, const int64_t *shape, int n_dims,
                         uint64_t seed, const generator_gains *gains);
/* With one gain. */
bool generator_fill(float *dst, const char *key, const int64_t *shape, int n_dims, uint64_t seed,
                    double head_g);

/* Adds the bit patterns of n floats as u32, mod 2^64: the "wsum" of the golden files. */
uint64_t generator_sum(uint64_t sum, const float *values, size_t n);

#endif

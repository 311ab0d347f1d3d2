/* random.h: small repeatable random numbers for tests. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

typedef struct test_random {
    uint64_t state;
} test_random;

/* splitmix64 */
static inline uint64_t random_u64(test_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* [least, most) */
static inline float random_float(test_random *r, float least, float most)
{
    float unit = (float)(random_u64(r) >> 40) / 16777216.0f;
    return least + (most - least) * unit;
}

#endif

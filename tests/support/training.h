/* training.h: what one has to know to compare a step of training with the golden one. For the tests
 * of nn and for vigil-golden. Standard C only. */
#ifndef TESTS_TRAINING_H
#define TESTS_TRAINING_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline double training_norm(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

/* Biases before a convolution with BN: a shift that the next mean takes away, so that their
 * gradient is truly 0 and its norm noise. */
static inline bool training_gradient_is_zero(const char *key)
{
    return strstr(key, "attn.proj.bn.bias") || strstr(key, "attn.pe.bn.bias") ||
           strstr(key, "ffn.1.bn.bias");
}

/* Batch statistics of maps of 8 pixels magnify the last bits: ours in double (plain) is 1.1e-4 from
 * the reference's single precision. Absolute and relative, of the first step's head maps. */
#define TRAINING_RAW_TOLERANCE 3e-4

#endif

/* names.h: class names of weights against those of a dataset. */
#ifndef TRAIN_NAMES_H
#define TRAIN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

typedef enum train_names_verdict {
    TRAIN_NAMES_SAME,  /* or one of them has none */
    TRAIN_NAMES_ORDER, /* the same, in another order */
    TRAIN_NAMES_COUNT, /* not as many */
    TRAIN_NAMES_DIFFERENT
} train_names_verdict;

/* What a user should know of it into buf, "" where they are the same. */
train_names_verdict train_names_compare(char *buf, size_t n, const char *const *of_weights,
                                        int n_weights, const char *const *of_data, int n_data);

#endif

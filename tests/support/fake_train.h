/* fake_train.h: what the stand-in libcuda (fake_cuda.c) looks at in launches of training's kernels.
 */
#ifndef TESTS_SUPPORT_FAKE_TRAIN_H
#define TESTS_SUPPORT_FAKE_TRAIN_H

#include <stdbool.h>
#include <stddef.h>

/* A kernel's grid and the bytes of its buffers. */
typedef struct fake_launch {
    const char *name; /* without what says that elements are of 16 bits */
    bool is_half;
    size_t x, y, z, items;
    int n_buffers;
    size_t bytes[6];
    const void *args;
} fake_launch;

/* What is wrong with it; NULL: nothing, or it is none of training's. */
const char *fake_train_mistake(const fake_launch *l);
/* The same of loss and optimizer. */
const char *fake_learn_mistake(const fake_launch *l);

#endif

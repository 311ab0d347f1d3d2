/* fake_opencl.h: what a test sets and asks of the stand-in libOpenCL (fake_opencl.c). */
#ifndef TESTS_SUPPORT_FAKE_OPENCL_H
#define TESTS_SUPPORT_FAKE_OPENCL_H

#include <stddef.h>
#include <stdint.h>

#define FAKE_OPENCL_MEMORY ((size_t)1 << 30)

typedef struct fake_opencl {
    /* set by the test */
    int64_t fail_at; /* the fail_at-th call that may fail does, once; 0: none */
    int fail_with;
    const char *lack; /* what the device lacks; NULL: nothing. See fake_opencl.c */
    /* asked by it */
    int64_t n_calls, n_launches, n_builds;
    int n_objects; /* contexts, queues, programs, kernels, buffers and events not released */
    size_t bytes;  /* of buffers */
    int n_mistakes;
    char mistake[96]; /* the first */
    char failed[48];  /* the call that was made to fail */
} fake_opencl;

#endif

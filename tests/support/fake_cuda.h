/* fake_cuda.h: what a test sets and asks of the stand-in libcuda (fake_cuda.c). */
#ifndef TESTS_SUPPORT_FAKE_CUDA_H
#define TESTS_SUPPORT_FAKE_CUDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_CUDA_MEMORY ((size_t)1 << 30)

typedef struct fake_cuda {
    /* set by the test */
    int n_devices, version, init_code;
    int capability[2];
    int64_t fail_at; /* the fail_at-th call that may fail does, once; 0: none */
    int fail_with;
    /* asked by it */
    int64_t n_calls, n_launches;
    int n_contexts, n_blocks; /* not given back */
    size_t bytes;             /* of the device's */
    int target;               /* the GPU that the last program was made for: 80 */
    bool is_pending;          /* work that nobody has waited for */
    /* whether the caller has waited for what was begun on that memory */
    bool (*is_done)(const void *at, size_t bytes);
    int n_mistakes;
    char mistake[96]; /* the first */
    char failed[48];  /* the call that was made to fail */
} fake_cuda;

#endif

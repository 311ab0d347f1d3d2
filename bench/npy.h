/* npy.h: arrays of numpy.save for the programs of bench/, which end with a word where something is
 * wrong. */
#ifndef BENCH_NPY_H
#define BENCH_NPY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static inline void bench_fail(const vg_error *err)
{
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", err->what, err->where, err->mend);
    exit(1);
}

typedef struct bench_npy {
    int shape[4];
    const char *values; /* in C order, not aligned */
    size_t bytes;       /* of them */
    char *file;         /* the caller's (base_free), values are in it */
} bench_npy;

/* type: as numpy writes it, "<f4" of item_bytes 4; n_dims: up to 4, of which
 * number `channels` is 3; what: for the error. */
static inline bench_npy bench_npy_read(const char *path, const char *type, size_t item_bytes,
                                       int n_dims, int channels, const char *what, base_mem *mem)
{
    vg_error err;
    bench_npy a = {.shape = {0}};
    size_t bytes, wanted = item_bytes;
    if (base_file_read(&a.file, &bytes, path, (size_t)1 << 30, mem, &err) != VG_OK)
        bench_fail(&err);
    const bool is_npy = bytes > 10 && memcmp(a.file, "\x93NUMPY", 6) == 0;
    const char *at = is_npy ? strstr(a.file + 10, "'shape': (") : NULL;
    int n = 0;
    if (at != NULL && strstr(a.file + 10, type) != NULL)
        n = sscanf(at, "'shape': (%d, %d, %d, %d)", &a.shape[0], &a.shape[1], &a.shape[2],
                   &a.shape[3]);
    const unsigned char *length = (const unsigned char *)a.file + 8;
    const size_t header = is_npy ? 10 + (size_t)length[0] + 256 * (size_t)length[1] : 0;
    for (int i = 0; i < n; i++)
        wanted *= a.shape[i] > 0 ? (size_t)a.shape[i] : 0;
    if (n != n_dims || a.shape[channels] != 3 || wanted == 0 || bytes != header + wanted) {
        fprintf(stderr, "error: %s is no .npy of %s\n", path, what);
        exit(2);
    }
    a.values = a.file + header;
    a.bytes = wanted;
    return a;
}

#endif

/* onnx_run.h: a small ONNX file executed as the standard describes its operators, slowly and
 * plainly: those that vigil writes, and no others. Written from the operators' descriptions, not
 * from the writer. 16-bit numbers are computed in 32. */
#ifndef TESTS_EXPORT_ONNX_RUN_H
#define TESTS_EXPORT_ONNX_RUN_H

#include "export/onnx_read.h"

enum { RUN_MOST_DIMS = 5 };

typedef struct run_tensor {
    const char *name;
    bool is_int;
    int n_dims;
    int64_t dims[RUN_MOST_DIMS];
    size_t n;
    float *f;   /* (n) unless is_int */
    int64_t *i; /* (n) */
} run_tensor;

typedef struct onnx_run {
    const onnx_file *file;
    base_mem mem;
    run_tensor *tensors; /* (n_tensors) by name, in order of making */
    size_t n_tensors;
} onnx_run;

/* Fails the test where a node asks for what the standard does not have. images (n, 3, h, w).
 * Borrowed until onnx_run_end. */
const run_tensor *onnx_run_file(onnx_run *r, const onnx_file *f, const float *images, int n, int h,
                                int w);
void onnx_run_end(onnx_run *r);

#endif

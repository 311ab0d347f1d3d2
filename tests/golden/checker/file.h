/* file.h: a golden file: its tensors by name, copied out so that they are aligned, and its
 * metadata. Copies live as long as the file. It remembers which tensors were asked for, so that the
 * report can name those that nobody compared. */
#ifndef GOLDEN_FILE_H
#define GOLDEN_FILE_H

#include "weights/weights.h"

typedef struct gold_file {
    weights_file *weights;
    char path[4096];
    char dir[4096];
    bool *asked; /* (tensors) */
    void **copies;
    size_t n_copies, copies_capacity;
    base_mem *mem;
} gold_file;

/* The account must outlive the file, which is closed even when opening failed. */
vg_status gold_file_open(gold_file *f, const char *dir, const char *name, base_mem *mem,
                         vg_error *err);
void gold_file_close(gold_file *f);

/* "c%d.in" and so on: is there such a tensor? Does not count as asking for it. */
bool gold_has(const gold_file *f, const char *format, ...) VG_PRINTF(2, 3);
/* Some tensor's name begins so. */
bool gold_has_prefix(const gold_file *f, const char *prefix);

/* A tensor of the dtype that the field in use says. */
typedef struct gold_tensor {
    const char *name;
    size_t n;        /* elements */
    size_t shape[4]; /* 1 beyond n_dims */
    int n_dims;
    const float *f32;
    const double *f64;
    const int64_t *i64;
    const int32_t *i32;
    const uint8_t *u8;
} gold_tensor;
/* n_dims 0: any up to 4. Errors: VG_ERR_FORMAT (absent, of another dtype, number of dimensions),
 * VG_ERR_MEMORY. */
vg_status gold_get(gold_tensor *out, gold_file *f, weights_dtype dtype, int n_dims, vg_error *err,
                   const char *format, ...) VG_PRINTF(6, 7);
/* The tensor as it lies in the file; counts as asked for. */
const weights_tensor *gold_at(gold_file *f, size_t index);

/* Metadata as numbers; *out untouched when the key is absent. VG_ERR_FORMAT when it is no such
 * number. */
vg_status gold_meta_i64(int64_t *out, const gold_file *f, const char *key, int64_t least,
                        int64_t most, vg_error *err);
vg_status gold_meta_real(double *out, const gold_file *f, const char *key, vg_error *err);
const char *gold_meta_text(const gold_file *f, const char *key, const char *fallback);

/* Memory that lives as long as the file. */
void *gold_take(gold_file *f, size_t n, size_t size, vg_error *err);
/* VG_ERR_FORMAT that names the file. */
vg_status gold_bad(const gold_file *f, vg_error *err, const char *format, ...) VG_PRINTF(3, 4);

#endif

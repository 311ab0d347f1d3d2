/* file.h: what an open weights_file is made of, for the readers that fill it in. Private to this
 * folder. */
#ifndef WEIGHTS_FILE_H
#define WEIGHTS_FILE_H

#include "arena.h"
#include "weights.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are read in place, as little endian");

/* More tensors than any model has; bounds the work on hostile files. */
enum { WEIGHTS_MOST_TENSORS = 1 << 18 };

typedef struct weights_pair {
    const char *key, *value;
} weights_pair;

typedef struct weights_bn {
    const char *key; /* of the module */
    double eps;
} weights_bn;

struct weights_file {
    base_map map; /* empty when the bytes are the caller's */
    const uint8_t *bytes;
    size_t n_bytes;
    const char *name;        /* for errors */
    arena own;               /* all that follows; sealed after opening */
    weights_meta meta;       /* no NULL in it */
    weights_tensor *tensors; /* (n_tensors), in the file's order */
    size_t n_tensors;
    size_t *by_name;     /* (n_tensors) places in tensors, in strcmp order */
    weights_pair *pairs; /* (n_pairs) __metadata__ of a safetensors file */
    size_t n_pairs;
    weights_bn *bns; /* (n_bns) of a .pt, in the order of its modules */
    size_t n_bns;
};

/* Fill in everything but by_name. On failure what was taken is in f->own. */
vg_status safetensors_read(weights_file *f, base_mem *mem, vg_error *err);
vg_status pt_read(weights_file *f, base_mem *mem, vg_error *err);

/* bytes (n) is UTF-8 without 0 bytes. */
bool weights_is_utf8(const void *bytes, size_t n);

/* A finite number for JSON: the shortest of 15 to 17 digits that reads back as the same, with a
 * point also where the locale has a comma, and never looking like an integer. buf: at least 32
 * bytes. */
void weights_format_real(char *buf, size_t n, double real);

/* Elements [first, first + n) of t in row-major order, in t's own dtype. */
void weights_gather(void *dst, const weights_tensor *t, size_t first, size_t n);

/* ---- writing ---- */

typedef struct safetensors_item {
    const char *name;
    weights_dtype dtype;
    int n_dims;
    const int64_t *shape;
} safetensors_item;
/* Writes all of item `index`'s bytes to f. */
typedef vg_status (*safetensors_emit)(const void *ctx, size_t index, base_file *f, vg_error *err);
vg_status safetensors_write(const char *path, const safetensors_item *items, size_t n_items,
                            const weights_write_meta *meta, size_t n_meta, safetensors_emit emit,
                            const void *ctx, base_mem *mem, vg_error *err);

#endif

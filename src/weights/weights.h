/* weights.h: files of named tensors: safetensors (native) and Ultralytics' .pt (read only). It does
 * not know what the names mean, but for the few facts that such files carry beside the tensors. */
#ifndef WEIGHTS_WEIGHTS_H
#define WEIGHTS_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum { WEIGHTS_MAX_DIMS = 8 };

typedef enum weights_dtype {
    WEIGHTS_F32,
    WEIGHTS_F16,
    WEIGHTS_BF16,
    WEIGHTS_F64,
    WEIGHTS_I64,
    WEIGHTS_I32,
    WEIGHTS_I16,
    WEIGHTS_I8,
    WEIGHTS_U8,
    WEIGHTS_BOOL
} weights_dtype;
size_t weights_dtype_bytes(weights_dtype t);
const char *weights_dtype_name(weights_dtype t); /* "F32", as safetensors spells it */

typedef struct weights_tensor {
    const char *name;
    weights_dtype dtype;
    int n_dims; /* 0: scalar */
    int64_t shape[WEIGHTS_MAX_DIMS];
    int64_t
        stride[WEIGHTS_MAX_DIMS]; /* in elements; a .pt may hold any, safetensors is row major */
    const void *data; /* little endian, unaligned perhaps; borrowed from the file's mapping */
    size_t n_elements;
} weights_tensor;

/* What a file says of itself beside the tensors. Strings are "" when absent. */
typedef struct weights_meta {
    const char *model_yaml; /* the model's YAML or JSON text: backbone, head, scales, nc ("" for
                               plain state dicts) */
    const char *scale;      /* "n" ... "x" */
    const char *train_args; /* JSON object */
    base_size imgsz;        /* by train_args; 0: unknown, or no size that can be */
    const char *version;    /* of the writing program */
    const char *date;
    const char *license;
    const char *source;       /* "safetensors" | "pt" */
    const char *chosen;       /* .pt: "ema", "model", "state_dict"; "": the file's top */
    int n_classes;            /* number of names; 0: unknown */
    const char *const *names; /* (n_classes) */
    int n_strides;
    const float *strides;      /* (n_strides) */
    int64_t epoch;             /* -1: finished or unknown */
    size_t n_unknown_classes;  /* .pt: classes that are not torch's or Ultralytics', up to 256... */
    const char *unknown_class; /* ...and the first, "module.Name"; nothing of theirs is run */
} weights_meta;

typedef struct weights_file weights_file;

/* Opens by content (zip: .pt; else safetensors), maps it, checks every length against the file.
 * Nothing in it is ever run. Errors: VG_ERR_IO, VG_ERR_FORMAT (with byte offset, opcode or tensor
 * name), VG_ERR_UNSUPPORTED, VG_ERR_LIMIT, VG_ERR_MEMORY. *out belongs to the caller and keeps the
 * mapping until closed. */
vg_status weights_open(weights_file **out, const char *path, base_mem *mem, vg_error *err);
/* From memory, for fuzzing and tests; bytes must outlive it. name is for errors. */
vg_status weights_open_memory(weights_file **out, const uint8_t *bytes, size_t n, const char *name,
                              base_mem *mem, vg_error *err);
void weights_close(weights_file **f);
/* Hands the mapping's pages back to the kernel, after the weights were copied into their prepared
 * layout. */
void weights_forget_pages(const weights_file *f);

const weights_meta *weights_get_meta(const weights_file *f);
size_t weights_count(const weights_file *f);
const weights_tensor *weights_at(const weights_file *f, size_t index); /* in the file's order */
const weights_tensor *weights_find(const weights_file *f, const char *name); /* NULL: absent */
/* The eps of a BatchNorm by its module's key, "model.0.bn": a .pt's modules have it, and the
 * metadata bn_eps of safetensors. False: the file does not say. */
bool weights_bn_eps(const weights_file *f, const char *key, double *out);
/* What a file says of itself, as rows of two texts: format, version, date, tensors, ... */
enum { WEIGHTS_MOST_FACTS = 16, WEIGHTS_FACT_BYTES = 128 };
typedef struct weights_facts {
    size_t n;
    struct {
        const char *key;
        char value[WEIGHTS_FACT_BYTES];
    } rows[WEIGHTS_MOST_FACTS];
} weights_facts;
void weights_collect_facts(weights_facts *out, const weights_file *f);
/* Raw __metadata__ value of a safetensors file; NULL: absent. */
const char *weights_metadata_get(const weights_file *f, const char *key);

/* Row-major floats from any floating or integer dtype (F16, BF16 widened, F64 rounded). dst holds
 * n_elements. */
void weights_to_float(float *dst, const weights_tensor *t);
/* Elements first to first + n - 1 alone. */
void weights_part_to_float(float *dst, const weights_tensor *t, size_t first, size_t n);

/* ---- writing ---- */

typedef struct weights_write_tensor {
    const char *name;
    weights_dtype
        dtype; /* of the file: F32, F16, BF16 from float data; others as raw bytes of that dtype */
    int n_dims;
    int64_t shape[WEIGHTS_MAX_DIMS];
    const void *data; /* row major; floats when dtype is F32, F16 or BF16 */
    /* With data NULL, of floats: hands over elements first to first + n - 1, n at most
     * WEIGHTS_PART. */
    vg_status (*read)(const void *ctx, float *dst, size_t first, size_t n, vg_error *err);
    const void *ctx;
} weights_write_tensor;
enum { WEIGHTS_PART = 4096 };
typedef struct weights_write_meta {
    const char *key, *value; /* UTF-8 */
} weights_write_meta;
/* A safetensors file, replaced whole or not at all. Streams: takes memory for the header alone.
 * Data offsets are 64-byte aligned by padding the header with blanks. */
vg_status weights_write_safetensors(const char *path, const weights_write_tensor *tensors,
                                    size_t n_tensors, const weights_write_meta *meta, size_t n_meta,
                                    base_mem *mem, vg_error *err);
/* .pt or safetensors -> safetensors: same names, values kept in their precision, contiguous; meta
 * model_yaml, names (JSON list), stride (JSON list), train_args, scale, version, date, license,
 * epoch. */
vg_status weights_convert(const weights_file *f, const char *path, base_mem *mem, vg_error *err);

float weights_f16_to_f32(uint16_t h);
uint16_t weights_f32_to_f16(float f); /* nearest even */
float weights_bf16_to_f32(uint16_t b);
uint16_t weights_f32_to_bf16(float f); /* nearest even, NaN stays NaN */

#endif

/* golden.h: reads the golden safetensors of tests/golden, for tests. Independent of src/weights on
 * purpose: a reader's mistake must not hide in both sides of a comparison. Whatever goes wrong here
 * fails the test that asked. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct golden_file golden_file;

/* name: "nms.safetensors" in tests/golden. */
golden_file *golden_open(const char *name);
void golden_close(golden_file *g);

bool golden_has(golden_file *g, const char *key);
/* Raw row-major data, after checking the dtype ("F32", "F64", "I64", "U8"); *n its elements (NULL:
 * unwanted). */
const void *golden_raw(golden_file *g, const char *key, const char *dtype, size_t *n);
const float *golden_f32(golden_file *g, const char *key, size_t *n);
const double *golden_f64(golden_file *g, const char *key, size_t *n);
const int64_t *golden_i64(golden_file *g, const char *key, size_t *n);
const uint8_t *golden_u8(golden_file *g, const char *key, size_t *n);
size_t golden_dim(golden_file *g, const char *key, size_t axis);
/* A value of __metadata__. */
const char *golden_meta(golden_file *g, const char *key);

#endif

/* golden.c: safetensors by jansson: u64 length, JSON header, data. Every tensor is copied out once,
 * so that it is aligned whatever its offset; all is freed at close. */
#include "golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

enum { MOST_COPIES = 4096 };

struct golden_file {
    char *bytes;
    size_t n_bytes, data_at;
    json_t *header;
    size_t n_copies;
    void *copies[MOST_COPIES];
};

golden_file *golden_open(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", TEST_GOLDEN_DIR, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    golden_file *g = calloc(1, sizeof *g);
    fseek(f, 0, SEEK_END);
    g->n_bytes = (size_t)ftell(f);
    rewind(f);
    g->bytes = malloc(g->n_bytes);
    assert_int_equal(fread(g->bytes, 1, g->n_bytes, f), g->n_bytes);
    fclose(f);
    uint64_t length = 0;
    assert_true(g->n_bytes > sizeof length);
    memcpy(&length, g->bytes, sizeof length);
    assert_true(length <= g->n_bytes - sizeof length);
    g->data_at = sizeof length + (size_t)length;
    g->header = json_loadb(g->bytes + sizeof length, (size_t)length, 0, NULL);
    assert_non_null(g->header);
    return g;
}

void golden_close(golden_file *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n_copies; i++)
        free(g->copies[i]);
    json_decref(g->header);
    free(g->bytes);
    free(g);
}

bool golden_has(golden_file *g, const char *key)
{
    return json_object_get(g->header, key) != NULL;
}

size_t golden_dim(golden_file *g, const char *key, size_t axis)
{
    json_t *shape = json_object_get(json_object_get(g->header, key), "shape");
    if (axis >= json_array_size(shape))
        fail_msg("%s has no axis %zu", key, axis);
    return (size_t)json_integer_value(json_array_get(shape, axis));
}

const void *golden_raw(golden_file *g, const char *key, const char *dtype, size_t *n)
{
    json_t *entry = json_object_get(g->header, key),
           *offsets = json_object_get(entry, "data_offsets");
    if (!entry)
        fail_msg("no tensor %s", key);
    assert_string_equal(json_string_value(json_object_get(entry, "dtype")), dtype);
    size_t begin = (size_t)json_integer_value(json_array_get(offsets, 0));
    size_t end = (size_t)json_integer_value(json_array_get(offsets, 1));
    size_t item = strcmp(dtype, "U8") == 0 ? 1 : strcmp(dtype, "F32") == 0 ? 4 : 8;
    assert_true(begin <= end && end <= g->n_bytes - g->data_at && g->n_copies < MOST_COPIES);
    void *copy = malloc(end - begin + 1);
    g->copies[g->n_copies++] = copy;
    memcpy(copy, g->bytes + g->data_at + begin, end - begin);
    if (n)
        *n = (end - begin) / item;
    return copy;
}

const float *golden_f32(golden_file *g, const char *key, size_t *n)
{
    return golden_raw(g, key, "F32", n);
}

const double *golden_f64(golden_file *g, const char *key, size_t *n)
{
    return golden_raw(g, key, "F64", n);
}

const int64_t *golden_i64(golden_file *g, const char *key, size_t *n)
{
    return golden_raw(g, key, "I64", n);
}

const uint8_t *golden_u8(golden_file *g, const char *key, size_t *n)
{
    return golden_raw(g, key, "U8", n);
}

const char *golden_meta(golden_file *g, const char *key)
{
    return json_string_value(json_object_get(json_object_get(g->header, "__metadata__"), key));
}

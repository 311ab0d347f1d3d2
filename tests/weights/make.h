/* make.h: zips and checkpoints made by hand, byte by byte, so that a test can make one that no
 * program would write. */
#ifndef TESTS_WEIGHTS_MAKE_H
#define TESTS_WEIGHTS_MAKE_H

#include <stddef.h>
#include <stdint.h>

typedef struct make_bytes {
    uint8_t at[1 << 17];
    size_t n;
} make_bytes;

void make_add(make_bytes *b, const void *bytes, size_t n);
/* A literal, which may hold 0 bytes. */
#define MAKE_ADD(b, literal) make_add(b, literal, sizeof(literal) - 1)
/* Little-endian, n_bytes long. */
void make_number(make_bytes *b, uint64_t value, size_t n_bytes);
/* BINUNICODE. */
void make_text(make_bytes *b, const char *text);
/* Overwrites. */
void make_patch(make_bytes *b, size_t at, uint64_t value, size_t n_bytes);

enum { MAKE_MOST_ENTRIES = 16 };
typedef struct make_zip {
    make_bytes file;
    size_t n_entries;
    struct {
        const char *name;
        size_t local_at, data_at, n_data;
        size_t record_at; /* in the table of contents, once that is written */
    } entries[MAKE_MOST_ENTRIES];
    size_t table_at, end_at;
} make_zip;

void make_zip_begin(make_zip *z);
void make_zip_entry(make_zip *z, const char *name, const void *data, size_t n);
/* The table of contents and the end record; as zip64: all numbers that can be are there and
 * saturated elsewhere. */
void make_zip_finish(make_zip *z, int as_zip64);

/* A whole checkpoint "x/data.pkl" + "x/data/0" (storage, n bytes; NULL: none). */
void make_checkpoint(make_zip *z, const make_bytes *pickle, const void *storage, size_t n_storage);

/* "_rebuild_tensor_v2(('storage', torch.<storage_class>, '0', 'cpu', numel), offset, size, stride,
 * False, {})". */
void make_tensor(make_bytes *b, const char *storage_class, uint32_t numel, uint32_t offset,
                 int n_dims, const uint32_t *size, const uint32_t *stride);

#endif

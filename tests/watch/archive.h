/* archive.h: small zip archives and safetensors, made in memory for tests of checkpoints. */
#ifndef TESTS_WATCH_ARCHIVE_H
#define TESTS_WATCH_ARCHIVE_H

#include <stdbool.h>

#include "support/test.h"

enum { ARCHIVE_BYTES = 4096 };

typedef struct archive {
    unsigned char bytes[ARCHIVE_BYTES];
    size_t n;
} archive;

static inline void archive_le(archive *a, uint64_t v, int n)
{
    for (int i = 0; i < n; i++, v >>= 8)
        a->bytes[a->n++] = (unsigned char)v;
}

static inline void archive_text(archive *a, const char *text)
{
    memcpy(a->bytes + a->n, text, strlen(text));
    a->n += strlen(text);
}

/* Two stored entries; filler tells versions apart. is_far: sizes and places as ZIP64 has them. */
static inline archive archive_zip(char filler, bool is_far)
{
    archive a = {.n = 0};
    static const char *const names[] = {"archive/data.pkl", "archive/data/0"};
    size_t at[2];
    const uint32_t n_data[2] = {40, 700};
    for (int i = 0; i < 2; i++) {
        at[i] = a.n;
        archive_le(&a, 0x04034b50, 4);
        archive_le(&a, 0, 22);
        archive_le(&a, strlen(names[i]), 2);
        archive_le(&a, 0, 2);
        archive_text(&a, names[i]);
        memset(a.bytes + a.n, filler, n_data[i]);
        a.n += n_data[i];
    }
    const size_t directory = a.n;
    for (int i = 0; i < 2; i++) {
        archive_le(&a, 0x02014b50, 4);
        archive_le(&a, 0, 16);
        for (int k = 0; k < 2; k++)
            archive_le(&a, is_far ? UINT32_MAX : n_data[i], 4);
        archive_le(&a, strlen(names[i]), 2);
        archive_le(&a, is_far ? 28 : 0, 2);
        archive_le(&a, 0, 10);
        archive_le(&a, is_far ? UINT32_MAX : at[i], 4);
        archive_text(&a, names[i]);
        if (is_far) {
            archive_le(&a, 1, 2);
            archive_le(&a, 24, 2);
            archive_le(&a, n_data[i], 8);
            archive_le(&a, n_data[i], 8);
            archive_le(&a, at[i], 8);
        }
    }
    const size_t end = a.n;
    if (is_far) {
        archive_le(&a, 0x06064b50, 4);
        archive_le(&a, 44, 8);
        archive_le(&a, 0, 12);
        archive_le(&a, 2, 8);
        archive_le(&a, 2, 8);
        archive_le(&a, end - directory, 8);
        archive_le(&a, directory, 8);
        archive_le(&a, 0x07064b50, 4);
        archive_le(&a, 0, 4);
        archive_le(&a, end, 8);
        archive_le(&a, 1, 4);
    }
    archive_le(&a, 0x06054b50, 4);
    archive_le(&a, 0, 4);
    archive_le(&a, 2, 2);
    archive_le(&a, 2, 2);
    archive_le(&a, is_far ? UINT32_MAX : end - directory, 4);
    archive_le(&a, is_far ? UINT32_MAX : directory, 4);
    archive_le(&a, 0, 2);
    return a;
}

static inline archive archive_safetensors(size_t n_data)
{
    archive a = {.n = 8};
    char header[512];
    snprintf(header, sizeof header,
             "{\"__metadata__\":{\"x\":\"\\\"data_offsets\\\":[0,9999]\"},"
             "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0, 8]},"
             "\"data_offsets\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\" : [8,%zu]}}  ",
             n_data);
    archive_text(&a, header);
    const size_t n = a.n;
    a.n = 0;
    archive_le(&a, n - 8, 8);
    a.n = n + n_data;
    return a;
}

#endif

/* stream.h: bytes on their way into a file, or only counted. Internal to export. */
#ifndef EXPORT_STREAM_H
#define EXPORT_STREAM_H

#include "base/base.h"

enum { EXPORT_BUFFER_BYTES = 1 << 16 };

typedef struct export_stream {
    base_file *file; /* NULL: bytes are only counted */
    uint8_t *buffer; /* (EXPORT_BUFFER_BYTES) */
    size_t n_buffer;
    uint64_t n_bytes; /* so far */
    vg_status status; /* the first error; then nothing more happens */
    vg_error *err;
} export_stream;

void export_put(export_stream *s, const void *bytes, size_t n);
/* The buffer's rest into the file. */
void export_flush(export_stream *s);

#endif

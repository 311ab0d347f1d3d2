/* zip_write.h: a zip file of stored entries, streamed: torch.save's kind. Internal to export.
 *
 * Own code as the reader in weights is: libzip wants each entry as a source of known length and
 * keeps them until it closes the file; here an entry is written as it is made, and its length and
 * checksum follow it. One file below 4 GB, fewer than 65,535 entries. Source: PKWARE's APPNOTE
 * 6.3.9, sections 4.3.7, 4.3.9, 4.3.12 and 4.3.16. */
#ifndef EXPORT_ZIP_WRITE_H
#define EXPORT_ZIP_WRITE_H

#include "stream.h"

enum { ZIP_NAME_BYTES = 48 };

typedef struct zip_written {
    char name[ZIP_NAME_BYTES];
    uint32_t crc, n_bytes, begin;
} zip_written;

typedef struct zip_writer {
    export_stream stream;
    zip_written *entries; /* (most) the caller's */
    size_t n_entries, most;
    const char *path; /* for errors */
} zip_writer;

/* Data begin on a multiple of 64 bytes, so that they can be used where they lie. */
void zip_begin(zip_writer *z, const char *name);
void zip_put(zip_writer *z, const void *bytes, size_t n);
void zip_end(zip_writer *z);
/* The table of contents. Errors are in z->stream.status. */
void zip_finish(zip_writer *z);

#endif

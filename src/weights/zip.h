/* zip.h: the table of contents of a zip file in memory, for reading stored entries in place.
 *
 * Own code and not libzip: libzip hands out copies, and a checkpoint's tensors are to be read where
 * they lie in the mapping. One disk, not encrypted, zip64 where needed; an entry that is compressed
 * is listed, and its bytes are its compressed ones. Source: PKWARE's APPNOTE 6.3.9, sections 4.3
 * and 4.5.3. Everything is checked against the file before use: the table lies behind the data and
 * before its end record, each local header agrees with the table, no two entries share a byte, no
 * name is there twice. */
#ifndef WEIGHTS_ZIP_H
#define WEIGHTS_ZIP_H

#include "base/base.h"

typedef struct zip_entry {
    const char *name; /* (n_name) bytes, not terminated, without 0 bytes */
    size_t n_name;
    const uint8_t *data; /* (n_bytes), in the file */
    size_t n_bytes;
    bool is_stored; /* false: compressed */
    size_t begin; /* of the local header in the file; the data end where the next entry may begin */
} zip_entry;

typedef struct zip_contents {
    zip_entry *entries; /* (n_entries) by name */
    size_t n_entries;
} zip_contents;

/* source names the file in errors. Errors: VG_ERR_FORMAT, VG_ERR_UNSUPPORTED (encrypted, several
 * disks), VG_ERR_LIMIT, VG_ERR_MEMORY. fini whatever came out. */
vg_status zip_read(zip_contents *out, const uint8_t *bytes, size_t n, const char *source,
                   base_mem *mem, vg_error *err);
void zip_fini(zip_contents *z);
/* NULL: absent. */
const zip_entry *zip_find(const zip_contents *z, const char *name);

#endif

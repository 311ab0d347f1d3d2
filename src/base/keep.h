/* keep.h: bounds for files that would grow without end: the newest of a folder, the newest of a
 * log that is cut into files, the newest of those that a program has written since it began. */
#ifndef BASE_KEEP_H
#define BASE_KEEP_H

#include "mem.h"

/* Of the files of that suffix in folder and its own folders, all but the newest n by their time are
 * removed. No folder: nothing to do. Errors: VG_ERR_IO, VG_ERR_MEMORY (8 bytes a file, given back).
 */
vg_status base_keep_newest(const char *folder, const char *suffix, size_t n, base_mem *mem,
                           vg_error *err);

/* "log.jsonl" becomes "log.1.jsonl", which becomes "log.2.jsonl", and so on up to keep of them; the
 * last one is overwritten. keep 0: nothing is moved. Errors: VG_ERR_IO, VG_ERR_LIMIT (the path). */
vg_status base_keep_rotate(const char *path, int keep, vg_error *err);

/* A file that is gone already is no error. what: of the error, "an old crop cannot be removed". */
vg_status base_keep_remove(const char *path, const char *what, vg_error *err);

/* What the names of the newest n files are made of, in records of the caller's. A zeroed one keeps
 * all files: it remembers none. */
typedef struct base_keep_ring {
    char *records; /* (n, record_bytes) */
    size_t n, record_bytes;
    size_t n_pushed;
} base_keep_ring;
/* Takes n * record_bytes; n 0: nothing. Errors: VG_ERR_MEMORY. */
vg_status base_keep_ring_open(base_keep_ring *r, size_t n, size_t record_bytes, base_mem *mem,
                              vg_error *err);
void base_keep_ring_close(base_keep_ring *r);
/* Remembers a record. True: *old is the one that had its place, whose file is to be removed. */
bool base_keep_ring_push(base_keep_ring *r, void *old, const void *record);

#endif

/* file.h: files read whole or mapped, and replaced whole or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

/* A read-only mapping of a file; an empty file maps to bytes == NULL, n_bytes == 0. */
typedef struct base_map {
    const uint8_t *bytes;
    size_t n_bytes;
} base_map;
/* Regular files only. Errors: VG_ERR_IO. On failure *out is zero. Not an allocation: no account. */
vg_status base_map_open(base_map *out, const char *path, vg_error *err);
void base_map_close(base_map *m);
/* Gives the pages back to the kernel; they return when read again. */
void base_map_forget(const base_map *m);

/* Reads a file (or "-": standard input) into one block with a 0 byte behind it; *n_bytes without
 * that byte. Errors: VG_ERR_IO, VG_ERR_LIMIT (more than most_bytes), VG_ERR_MEMORY. *out belongs to
 * the caller (base_free). */
vg_status base_file_read(char **out, size_t *n_bytes, const char *path, size_t most_bytes,
                         base_mem *mem, vg_error *err);

/* A file in the making beside its target: create_beside, write as you like, commit (sync, rename
 * over the target, sync the folder), publish or discard. Discard after either does nothing. Errors:
 * VG_ERR_IO; VG_ERR_LIMIT when the system finds the name too long. */
typedef struct base_file {
    int fd;              /* -1: none */
    char tmp_path[4096]; /* "<target>.tmp-<pid>-<n>"; a hash for a name that is too long for it */
} base_file;
#define BASE_FILE_NONE ((base_file){.fd = -1})
vg_status base_file_create_beside(base_file *out, const char *target, vg_error *err);
vg_status base_file_write(base_file *f, const void *bytes, size_t n_bytes, vg_error *err);
vg_status base_file_commit(base_file *f, const char *target, vg_error *err);
/* Commit without waiting for the disk: readers see the old file or the whole new one, but a power
 * cut may take it back. For what can be made again; commit costs up to 50 ms a file. */
vg_status base_file_publish(base_file *f, const char *target, vg_error *err);
void base_file_discard(base_file *f);
/* Create, write and commit in one, for small texts. */
vg_status base_file_replace(const char *target, const void *bytes, size_t n_bytes, vg_error *err);

/* mkdir -p. */
vg_status base_make_dirs(const char *path, vg_error *err);
bool base_path_exists(const char *path);
bool base_path_is_dir(const char *path);

#endif

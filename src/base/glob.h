/* glob.h: files by pattern: *, ? and [...] as the shell has them, and ** for folders of any depth,
 * also none.
 *
 * Found are files, not folders, each once, sorted by path. Hidden names (.x) are met by a pattern
 * that begins with a point alone, and ** enters no hidden folder. ** follows links to folders, but
 * enters no folder twice, so links that lead in a circle end; a folder that is reached without a
 * link is named by that way. \ takes the meaning from the character behind it. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

typedef struct base_glob_found {
    const char **paths; /* (n) into text */
    size_t n;
    base_str text;
    size_t n_closed;  /* folders that may not be opened */
    char closed[256]; /* the first of them, as far as it fits */
} base_glob_found;

/* Whether text has a character that means more than itself. */
bool base_is_glob(const char *text);
/* Nothing found is no error. On failure *out is empty. Errors: VG_ERR_IO (a folder cannot be read),
 * VG_ERR_LIMIT (a path of 4 KiB), VG_ERR_MEMORY. */
vg_status base_glob(base_glob_found *out, const char *pattern, base_mem *mem, vg_error *err);
/* The same, with a warning in the log when folders were closed to us. */
vg_status base_glob_or_warn(base_glob_found *out, const char *pattern, base_mem *mem,
                            vg_error *err);
void base_glob_fini(base_glob_found *f);
/* A path as a pattern that means it alone. False when it does not fit. */
bool base_glob_escape(char *buf, size_t n, const char *path);

#endif

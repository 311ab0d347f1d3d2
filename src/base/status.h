/* status.h: filling in a vg_error. The types are public, in vigil/error.h.
 *
 * Calling sequence where something fails:
 *     return base_fail(err, VG_ERR_FORMAT, base_where("%s, byte %zu", path, at), base_mend("..."),
 * "what %d", x); or, where nothing can be said about place or remedy, NULL for those two. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdarg.h>

#include "vigil/error.h"

/* Fills err (NULL is fine) and returns status, so that a failing function ends in one line. where
 * and mend may be NULL. Texts are made fit for a line (safe.h); what does not fit is cut between
 * characters. Keeps errno. */
vg_status base_fail(vg_error *err, vg_status status, const char *where, const char *mend,
                    const char *what, ...) VG_PRINTF(5, 6);

/* base_fail with ": " and strerror(errno) behind what; errno's limits have a mend of their own. */
vg_status base_fail_errno(vg_error *err, vg_status status, const char *where, const char *mend,
                          const char *what, ...) VG_PRINTF(5, 6);

/* Formats into a buffer on the caller's stack, for the where and mend of base_fail. */
typedef struct base_text {
    char text[VG_WHERE_BYTES];
} base_text;
base_text base_text_make(const char *format, ...) VG_PRINTF(1, 2);
#define base_where(...) (base_text_make(__VA_ARGS__).text)
#define base_mend(...)  (base_text_make(__VA_ARGS__).text)

/* Puts "prefix: " before err->where, when a caller knows more of the place (the file's name, the
 * picture's). */
void base_error_prefix_where(vg_error *err, const char *prefix);

#endif

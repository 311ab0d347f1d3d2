/* SPDX-License-Identifier: Apache-2.0 */
/* text.h: names and texts of others (files, classes, processes) on their way to a person or a
 * program. They may hold anything: a line end, the escape sequences of a terminal, bytes that are
 * no UTF-8.
 *
 * Both write into buf of n bytes, always terminated (n of 0: nothing is written), cut between
 * characters, and return the length that the whole would have had. */
#ifndef VIGIL_TEXT_H
#define VIGIL_TEXT_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* On a line of a terminal or a log. A control character, or a byte that is no UTF-8, is shown as
 * \x1b; what reorders or breaks lines unseen (U+0080..9F, U+202A..E, U+2066..9, U+2028, U+2029 and
 * kin) as \u202e. All else stays: a line that is shown twice is as it was. */
VG_API size_t vg_text_line(char *buf, size_t n, const char *text);
/* Inside a JSON string. Bytes that are no UTF-8 become U+FFFD: JSON has no way to say them. */
VG_API size_t vg_text_json(char *buf, size_t n, const char *text);

#ifdef __cplusplus
}
#endif
#endif

/* safe.h: text from outside on its way out: one function for each kind of place that takes it.
 *
 * Names of files, classes, processes and sources, words of a command line, what a server answered:
 * they hold any bytes, and no place may mistake them for its own signs. Where a person reads, what
 * cannot be shown is shown as \x1b (a control character, or a byte that is no UTF-8) or \u202e
 * (beyond ASCII: C1 controls, bidirectional overrides and isolates, line separators, what is no
 * character), the same in all places. Where a program reads, the place's own escapes are used.
 *
 * All of them write into buf of n bytes, always terminated (n of 0: nothing is written), cut
 * between characters and never within an escape, and return the length that the whole would have
 * had. They allocate nothing. buf and s must not overlap. */
#ifndef BASE_SAFE_H
#define BASE_SAFE_H

#include <stdbool.h>
#include <stddef.h>

#include "vigil/text.h"

/* A line of a terminal, a log, a message; also text that is drawn. Shown twice, it stays. */
size_t base_line_escape(char *buf, size_t n, const char *s);
/* HTML and XML, between tags and inside quoted attributes: <>&"' as &#60;. */
size_t base_html_escape(char *buf, size_t n, const char *s);
/* The inside of a JSON string; also of a double-quoted scalar of YAML, which reads the same
 * escapes. Bytes that are no UTF-8 become U+FFFD. */
size_t base_json_escape(char *buf, size_t n, const char *s);
/* The inside of a label's value in the text format of Prometheus. */
size_t base_label_escape(char *buf, size_t n, const char *s);

/* A field of a tab-separated line: \\, \t, \n, \r and \x1b, so that every text comes back as it
 * was; base_field_restore reads n_text bytes. False: not such a field (a stray backslash, \x00, no
 * room); buf is then empty. */
size_t base_field_escape(char *buf, size_t n, const char *s);
bool base_field_restore(char *buf, size_t n, const char *text, size_t n_text);

/* One component of a path, for a name that was made by others: slashes, control characters and what
 * is no UTF-8 become _, and so do a leading point and an empty name; at most BASE_NAME_BYTES - 1
 * bytes, which every file system takes. */
enum { BASE_NAME_BYTES = 256 };
size_t base_name_clean(char *buf, size_t n, const char *s);

#endif

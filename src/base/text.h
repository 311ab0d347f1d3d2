/* text.h: strings without surprises: numbers parsed whole, paths taken apart, a bounded builder. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "vigil/option.h"

/* The whole of s (surrounding blanks allowed) as a number in range; false else, *out untouched.
 * Locale-free. */
bool base_parse_i64(int64_t *out, const char *s, int64_t least, int64_t most);
bool base_parse_double(double *out, const char *s);
/* "512M", "1.5G", "4096", "2GiB": powers of 1024. */
bool base_parse_bytes(size_t *out, const char *s);
/* true, false, yes, no, on, off, 1, 0, any case. */
bool base_parse_bool(bool *out, const char *s);

typedef vg_size base_size;
/* "640" of a square, else "480,640", into buf; returns buf. */
const char *base_format_size(char *buf, size_t n, base_size size);
/* The square of the longer side. */
base_size base_size_square(base_size size);

/* "12.3 MB" (10^6 not used: MB here is 1024^2, as in the docs) into buf; returns buf. */
const char *base_format_bytes(char *buf, size_t n, double bytes);

/* snprintf that is always terminated; true when it fitted. */
bool base_format(char *buf, size_t n, const char *format, ...) VG_PRINTF(3, 4);

/* The shortest text, of 6 to 17 digits, that base_parse_double reads back as the same number; a
 * point whatever the locale. Not finite: "nan", "inf", "-inf". 32 bytes are room for any. Returns
 * buf. */
const char *base_format_double(char *buf, size_t n, double value);

/* Pointers into path: the last component, and the last ".suffix" of it ("" when none). */
const char *base_path_name(const char *path);
const char *base_path_suffix(const char *path);
/* The name without its suffix, into buf. False when it does not fit. */
bool base_path_stem(char *buf, size_t n, const char *path);
/* dir + "/" + name. False when it does not fit. */
bool base_path_join(char *buf, size_t n, const char *dir, const char *name);
bool base_equal_nocase(const char *a, const char *b);
bool base_starts_with(const char *s, const char *prefix);

/* Bytes of the well-formed UTF-8 character at s (Unicode 15, table 3-7: nothing overlong, no
 * surrogates), 0 when it is none, also at the end. */
size_t base_utf8_bytes(const char *s);
bool base_is_utf8(const char *s);
/* Takes off what a cut left of a last character. */
void base_utf8_trim(char *s);
/* Text files of other machines: the bytes of UTF-8's byte order mark at s, which means nothing (3,
 * or 0 where there is none); and whether the text begins with one of UTF-16. */
size_t base_bom_bytes(const char *s, size_t n);
bool base_is_utf16(const char *s, size_t n);

/* A growing text with a ceiling. A zeroed one is valid and empty. */
typedef struct base_str {
    char *text; /* NULL while empty, else terminated */
    size_t length;
    size_t capacity;
} base_str;
/* Appends; VG_ERR_MEMORY from the account, VG_ERR_LIMIT past most_bytes. On failure the text is as
 * it was. */
vg_status base_str_add(base_str *s, size_t most_bytes, base_mem *mem, vg_error *err,
                       const char *format, ...) VG_PRINTF(5, 6);
vg_status base_str_add_bytes(base_str *s, size_t most_bytes, const void *bytes, size_t n,
                             base_mem *mem, vg_error *err);
void base_str_fini(base_str *s);

/* FNV-1a 64. Start from BASE_HASH_START. */
#define BASE_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t base_hash(uint64_t h, const void *bytes, size_t n);

#endif

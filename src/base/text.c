/* text.c: parsing whole strings, taking paths apart, and a text that grows up to a ceiling.
 *
 * No locale: a decimal point is a point, whatever the host program has set. */
#define BASE_IMPLEMENTATION
#include "text.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static const char *skip_blanks(const char *s)
{
    while (is_blank(*s))
        s++;
    return s;
}

bool base_parse_i64(int64_t *out, const char *s, int64_t least, int64_t most)
{
    s = skip_blanks(s);
    bool negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    if (!is_digit(*s))
        return false;
    int64_t value = 0; /* built with its sign, so that INT64_MIN is reached */
    for (; is_digit(*s); s++) {
        int digit = *s - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    if (*skip_blanks(s) || value < least || value > most)
        return false;
    *out = value;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point: no hex, no inf,
 * no nan. Returns the end, NULL when s does not begin with such a number. */
static const char *number_end(const char *s)
{
    if (*s == '-' || *s == '+')
        s++;
    size_t n_digits = 0;
    for (; is_digit(*s); s++)
        n_digits++;
    if (*s == '.')
        s++;
    for (; is_digit(*s); s++)
        n_digits++;
    if (n_digits == 0)
        return NULL;
    if (*s != 'e' && *s != 'E')
        return s;
    s++;
    if (*s == '-' || *s == '+')
        s++;
    if (!is_digit(*s))
        return NULL;
    while (is_digit(*s))
        s++;
    return s;
}

bool base_parse_double(double *out, const char *s)
{
    s = skip_blanks(s);
    const char *end = number_end(s);
    if (!end || *skip_blanks(end))
        return false;
    locale_t c =
        newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc has this one ready: no allocation */
    if (!c)
        return false;
    double value = strtod_l(s, NULL, c);
    freelocale(c);
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

/* The unit behind a size as a shift; -1 when it is none. */
static int unit_shift(const char *s)
{
    static const struct {
        const char *name;
        int shift;
    } units[] = {{"", 0},     {"b", 0},   {"k", 10},   {"kb", 10}, {"kib", 10},
                 {"m", 20},   {"mb", 20}, {"mib", 20}, {"g", 30},  {"gb", 30},
                 {"gib", 30}, {"t", 40},  {"tb", 40},  {"tib", 40}};
    char name[4] = "";
    size_t n = 0;
    for (; *s && !is_blank(*s); s++) {
        if (n == sizeof name - 1)
            return -1;
        name[n++] = *s;
    }
    if (*skip_blanks(s))
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (base_equal_nocase(name, units[i].name))
            return units[i].shift;
    return -1;
}

bool base_parse_bytes(size_t *out, const char *s)
{
    s = skip_blanks(s);
    size_t whole = 0;
    size_t n_digits = 0;
    for (; is_digit(*s); s++, n_digits++)
        if (!base_mul_size(&whole, whole, 10) || !base_add_size(&whole, whole, (size_t)(*s - '0')))
            return false;
    double fraction = 0;
    double weight = 0.1;
    if (*s == '.')
        for (s++; is_digit(*s); s++, n_digits++, weight /= 10)
            fraction += weight * (*s - '0');
    if (n_digits == 0)
        return false;
    int shift = unit_shift(skip_blanks(s));
    if (shift < 0 || (shift == 0 && fraction > 0))
        return false;
    size_t unit = (size_t)1 << shift;
    if (!base_mul_size(&whole, whole, unit) ||
        !base_add_size(&whole, whole, (size_t)(fraction * (double)unit + 0.5)))
        return false;
    *out = whole;
    return true;
}

bool base_parse_bool(bool *out, const char *s)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    s = skip_blanks(s);
    size_t n = strlen(s);
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    char word[8];
    if (n >= sizeof word)
        return false;
    memcpy(word, s, n);
    word[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (base_equal_nocase(word, words[i])) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

const char *base_format_size(char *buf, size_t n, base_size size)
{
    if (size.h == size.w)
        base_format(buf, n, "%d", size.h);
    else
        base_format(buf, n, "%d,%d", size.h, size.w);
    return buf;
}

base_size base_size_square(base_size size)
{
    const int longer = size.h > size.w ? size.h : size.w;
    return (base_size){.h = longer, .w = longer};
}

const char *base_format_bytes(char *buf, size_t n, double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    size_t unit = 0;
    /* 1023.95 would print as 1024.0. */
    for (; fabs(bytes) >= (unit ? 1023.95 : 1023.5) && unit + 1 < sizeof units / sizeof *units;
         unit++)
        bytes /= 1024;
    snprintf(buf, n, "%.*f %s", unit ? 1 : 0, bytes, units[unit]);
    return buf;
}

bool base_format(char *buf, size_t n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(buf, n, format, args);
    va_end(args);
    return length >= 0 && (size_t)length < n;
}

const char *base_format_double(char *buf, size_t n, double value)
{
    if (!isfinite(value)) {
        base_format(buf, n, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return buf;
    }
    const char *point = localeconv()->decimal_point;
    for (int digits = 6; digits <= 17; digits++) {
        double back;
        base_format(buf, n, "%.*g", digits, value);
        char *at = point[0] != '.' ? strstr(buf, point) : NULL;
        if (at != NULL) {
            *at = '.';
            memmove(at + 1, at + strlen(point), strlen(at + strlen(point)) + 1);
        }
        if (base_parse_double(&back, buf) && back == value)
            break;
    }
    return buf;
}

/* ---- paths ---- */

const char *base_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *base_path_suffix(const char *path)
{
    const char *name = base_path_name(path);
    const char *first = name + strspn(name, "."); /* ".profile" is a name, not a suffix */
    const char *dot = strrchr(first, '.');
    return dot ? dot : first + strlen(first);
}

bool base_path_stem(char *buf, size_t n, const char *path)
{
    const char *name = base_path_name(path);
    return base_format(buf, n, "%.*s", (int)(base_path_suffix(path) - name), name);
}

bool base_path_join(char *buf, size_t n, const char *dir, const char *name)
{
    size_t length = strlen(dir);
    bool bare = length == 0 || dir[length - 1] == '/';
    return base_format(buf, n, "%s%s%s", dir, bare ? "" : "/", name);
}

bool base_equal_nocase(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++)
        b++;
    return lower(*a) == lower(*b);
}

bool base_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

size_t base_utf8_bytes(const char *text)
{
    const uint8_t *s = (const uint8_t *)text;
    if (s[0] < 0x80)
        return s[0] != 0;
    size_t n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
               : s[0] >= 0xe0 && s[0] <= 0xef ? 3
               : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                              : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    bool too_large = s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || too_large ? 0 : n;
}

bool base_is_utf8(const char *s)
{
    while (*s != '\0') {
        size_t n = base_utf8_bytes(s);
        if (n == 0)
            return false;
        s += n;
    }
    return true;
}

void base_utf8_trim(char *s)
{
    const size_t n = strlen(s);
    size_t last = n; /* where the last character begins */
    while (last > 0 && n - last < 4 && ((uint8_t)s[last - 1] & 0xc0) == 0x80)
        last--;
    if (last > 0 && (uint8_t)s[last - 1] >= 0xc0 && base_utf8_bytes(s + last - 1) == 0)
        s[last - 1] = '\0';
}

size_t base_bom_bytes(const char *s, size_t n)
{
    return n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

bool base_is_utf16(const char *s, size_t n)
{
    return n >= 2 && (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0);
}

/* ---- the growing text ---- */

/* Room for n more bytes and the terminator. */
static vg_status str_reserve(base_str *s, size_t most_bytes, size_t n, base_mem *mem, vg_error *err)
{
    if (s->length > most_bytes || n > most_bytes - s->length)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL,
                         "a text of %zu bytes and %zu more, where %zu are the most", s->length, n,
                         most_bytes);
    size_t needed;
    if (!base_add_size(&needed, s->length + 1, n) || s->length == SIZE_MAX)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "a text longer than can be addressed");
    if (needed <= s->capacity)
        return VG_OK;
    size_t capacity = s->capacity < SIZE_MAX / 2 ? 2 * s->capacity : needed;
    if (capacity < needed)
        capacity = needed;
    if (capacity < 64)
        capacity = 64;
    char *text = base_realloc(mem, s->text, capacity, err);
    if (!text)
        return VG_ERR_MEMORY;
    text[s->length] = '\0';
    s->text = text;
    s->capacity = capacity;
    return VG_OK;
}

vg_status base_str_add_bytes(base_str *s, size_t most_bytes, const void *bytes, size_t n,
                             base_mem *mem, vg_error *err)
{
    vg_status st = str_reserve(s, most_bytes, n, mem, err);
    if (st != VG_OK)
        return st;
    if (n)
        memcpy(s->text + s->length, bytes, n);
    s->length += n;
    s->text[s->length] = '\0';
    return VG_OK;
}

vg_status base_str_add(base_str *s, size_t most_bytes, base_mem *mem, vg_error *err,
                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    vg_status st = length < 0 ? base_fail_errno(err, VG_ERR_ARGUMENT, NULL, NULL,
                                                "a text could not be formatted")
                              : str_reserve(s, most_bytes, (size_t)length, mem, err);
    if (st == VG_OK) {
        vsnprintf(s->text + s->length, (size_t)length + 1, format, again);
        s->length += (size_t)length;
    }
    va_end(again);
    return st;
}

void base_str_fini(base_str *s)
{
    base_free(s->text);
    *s = (base_str){0};
}

uint64_t base_hash(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

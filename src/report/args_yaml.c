/* args_yaml.c: key and value lines as YAML.
 *
 * A text goes plain only when it cannot be read as anything else in YAML 1.1 or 1.2: it begins with
 * a letter, a slash or an underscore, holds nothing but the signs of names and paths, and is none
 * of the words that mean null or a truth value. All else is quoted, which is never wrong. */
#include "args_yaml.h"

#include <math.h>

#include "number.h"

enum { MOST_BYTES = 1 << 20 };

/* What the text grows in. */
typedef struct yaml {
    base_str text;
    base_mem *mem;
} yaml;

static vg_status add(yaml *y, const char *text, vg_error *err)
{
    return base_str_add_bytes(&y->text, MOST_BYTES, text, strlen(text), y->mem, err);
}

/* ---- texts ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word_of_yaml(const char *text)
{
    static const char *const WORDS[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (base_equal_nocase(text, WORDS[i]))
            return true;
    return false;
}

static bool is_plain(const char *text)
{
    if (!is_letter(text[0]) && text[0] != '/' && text[0] != '_')
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if (!is_letter(*p) && !(*p >= '0' && *p <= '9') && strchr("/_.-+=@", *p) == NULL)
            return false;
    return !is_word_of_yaml(text);
}

/* Single quotes say all that is printable ASCII on one line; other characters go into double
 * quotes, which know escapes. Letters beyond ASCII stand for themselves there, but for the ones
 * that YAML takes for a line's end or does not let in. */
static bool needs_escapes(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((uint8_t)*p < 0x20 || (uint8_t)*p >= 0x7f)
            return true;
    return false;
}

static uint32_t character(const char *s, size_t n)
{
    static const uint8_t FIRST_BITS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (uint8_t)s[0] & FIRST_BITS[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((uint8_t)s[i] & 0x3f);
    return c;
}

static bool is_printable(uint32_t c)
{
    return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0x2028) || (c > 0x2029 && c < 0xfeff) ||
           (c > 0xfeff && c < 0xfffe) || c > 0xffff;
}

static vg_status add_double_quoted(yaml *y, const char *text, vg_error *err)
{
    vg_status st = add(y, "\"", err);
    for (const char *p = text; *p != '\0' && st == VG_OK;) {
        size_t n = report_utf8_bytes(p);
        uint32_t c = character(p, n);
        if (c == '"' || c == '\\')
            st = base_str_add(&y->text, MOST_BYTES, y->mem, err, "\\%c", (char)c);
        else if (c == '\n')
            st = add(y, "\\n", err);
        else if (c == '\t')
            st = add(y, "\\t", err);
        else if (is_printable(c))
            st = base_str_add_bytes(&y->text, MOST_BYTES, p, n, y->mem, err);
        else
            st = base_str_add(&y->text, MOST_BYTES, y->mem, err, "\\u%04x", (unsigned)c);
        p += n;
    }
    return st == VG_OK ? add(y, "\"", err) : st;
}

static vg_status add_single_quoted(yaml *y, const char *text, vg_error *err)
{
    vg_status st = add(y, "'", err);
    for (const char *p = text; *p != '\0' && st == VG_OK; p++)
        st = base_str_add_bytes(&y->text, MOST_BYTES, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1,
                                y->mem, err);
    return st == VG_OK ? add(y, "'", err) : st;
}

static vg_status add_text(yaml *y, const char *text, const char *key, vg_error *err)
{
    if (!report_is_utf8(text))
        return base_fail(err, VG_ERR_ARGUMENT, key, "rename the file or folder it names",
                         "a text that is not UTF-8, which YAML cannot hold");
    if (is_plain(text))
        return add(y, text, err);
    return needs_escapes(text) ? add_double_quoted(y, text, err) : add_single_quoted(y, text, err);
}

/* ---- numbers ---- */

/* The fewest digits that give the same double again, and always a point: without one, Python's yaml
 * takes 1e-05 for a text. */
static vg_status add_real(yaml *y, double value, vg_error *err)
{
    if (!isfinite(value))
        return add(y, isnan(value) ? ".nan" : value > 0 ? ".inf" : "-.inf", err);
    char number[REPORT_NUMBER_BYTES];
    double back = 0;
    for (int digits = 15; digits <= 17; digits++)
        if (base_parse_double(&back, report_number_g(number, digits, value)) && back == value)
            break;
    size_t whole = strspn(number, "-0123456789");
    if (number[whole] == '.')
        return add(y, number, err);
    return base_str_add(&y->text, MOST_BYTES, y->mem, err, "%.*s.0%s", (int)whole, number,
                        number + whole);
}

static vg_status add_value(yaml *y, const report_arg *a, vg_error *err)
{
    vg_status st = VG_OK;
    switch (a->kind) {
    case REPORT_ARG_NULL:
        return add(y, "null", err);
    case REPORT_ARG_BOOL:
        return add(y, a->integer != 0 ? "true" : "false", err);
    case REPORT_ARG_INT:
        return base_str_add(&y->text, MOST_BYTES, y->mem, err, "%lld", (long long)a->integer);
    case REPORT_ARG_REAL:
        return add_real(y, a->real, err);
    case REPORT_ARG_TEXT:
        return add_text(y, a->text, a->key, err);
    case REPORT_ARG_INTS:
    case REPORT_ARG_TEXTS:
        st = add(y, "[", err);
        for (size_t i = 0; i < a->n_items && st == VG_OK; i++) {
            if (i > 0)
                st = add(y, ", ", err);
            if (st == VG_OK && a->kind == REPORT_ARG_INTS)
                st = base_str_add(&y->text, MOST_BYTES, y->mem, err, "%d", a->ints[i]);
            else if (st == VG_OK)
                st = add_text(y, a->texts[i], a->key, err);
        }
        return st == VG_OK ? add(y, "]", err) : st;
    }
    return base_fail(err, VG_ERR_ARGUMENT, a->key, NULL, "an argument of unknown kind %d",
                     (int)a->kind);
}

vg_status report_args_write(const char *path, const report_arg *args, size_t n_args, base_mem *mem,
                            vg_error *err)
{
    yaml y = {.mem = mem};
    vg_status st = VG_OK;
    for (size_t i = 0; i < n_args && st == VG_OK; i++) {
        st = add_text(&y, args[i].key, args[i].key, err);
        if (st == VG_OK)
            st = add(&y, ": ", err);
        if (st == VG_OK)
            st = add_value(&y, &args[i], err);
        if (st == VG_OK)
            st = add(&y, "\n", err);
    }
    if (st == VG_OK)
        st = base_file_replace(path, y.text.text != NULL ? y.text.text : "", y.text.length, err);
    base_str_fini(&y.text);
    return st;
}

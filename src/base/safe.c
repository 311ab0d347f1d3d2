/* safe.c: a loop over characters, and for each kind of place the question of how it writes one. */
#include "safe.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* A character of the text, or a byte that is none. */
typedef struct glyph {
    const char *bytes;
    size_t n_bytes;
    uint32_t code;
    bool is_utf8;
} glyph;

enum { MOST_FORM_BYTES = 4 * 6 /* four bytes, each as \\x1b */ + 1 };

/* Writes what stands for g into out, terminated; returns its length. */
typedef size_t (*form)(char out[MOST_FORM_BYTES], const glyph *g);

static glyph glyph_at(const char *s)
{
    static const uint8_t first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const size_t n = base_utf8_bytes(s);
    glyph g = {.bytes = s, .n_bytes = n ? n : 1, .code = (uint8_t)s[0], .is_utf8 = n > 0};
    if (n > 0)
        g.code &= first[n];
    for (size_t i = 1; i < n; i++)
        g.code = g.code << 6 | ((uint8_t)s[i] & 0x3fu);
    return g;
}

static size_t write_all(char *buf, size_t n, const char *s, form f)
{
    size_t length = 0, used = 0;
    bool full = n == 0;
    while (*s != '\0') {
        const glyph g = glyph_at(s);
        char out[MOST_FORM_BYTES];
        const size_t k = f(out, &g);
        s += g.n_bytes;
        length += k;
        full = full || used + k >= n;
        if (full)
            continue;
        memcpy(buf + used, out, k);
        used += k;
    }
    if (n > 0)
        buf[used] = '\0';
    return length;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* What a terminal or an editor acts upon instead of showing it: it moves the cursor, ends the line,
 * or turns the order of what stands beside it. Joiners (U+200C, U+200D) stay: scripts and emoji are
 * spelled with them. */
static bool is_acted_upon(uint32_t code)
{
    return is_control(code) || code == 0x061c || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x206f) ||
           code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) || (code & 0xfffe) == 0xfffe ||
           (code >= 0xfdd0 && code <= 0xfdef) || (code >= 0xe0000 && code <= 0xe007f);
}

static size_t copy(char out[MOST_FORM_BYTES], const glyph *g)
{
    memcpy(out, g->bytes, g->n_bytes);
    out[g->n_bytes] = '\0';
    return g->n_bytes;
}

/* Behind a backslash, which is itself escaped where the place's own escapes begin with one. */
static size_t show(char out[MOST_FORM_BYTES], const glyph *g, const char *backslash)
{
    if (!g->is_utf8 || g->code < 0x80)
        return (size_t)snprintf(out, MOST_FORM_BYTES, "%sx%02x", backslash, (unsigned)g->code);
    return (size_t)snprintf(out, MOST_FORM_BYTES, "%s%c%0*x", backslash,
                            g->code > 0xffff ? 'U' : 'u', g->code > 0xffff ? 8 : 4,
                            (unsigned)g->code);
}

/* ---- for people ---- */

static size_t line_form(char out[MOST_FORM_BYTES], const glyph *g)
{
    return g->is_utf8 && !is_acted_upon(g->code) ? copy(out, g) : show(out, g, "\\");
}

static size_t html_form(char out[MOST_FORM_BYTES], const glyph *g)
{
    if (g->code < 0x80 && g->code != 0 && strchr("<>&\"'", (int)g->code) != NULL)
        return (size_t)snprintf(out, MOST_FORM_BYTES, "&#%u;", (unsigned)g->code);
    return line_form(out, g);
}

/* ---- for programs ---- */

static size_t pair(char out[MOST_FORM_BYTES], char letter)
{
    out[0] = '\\';
    out[1] = letter;
    out[2] = '\0';
    return 2;
}

/* The letter of a short escape; 0: none. signs: each sign and its letter. */
static char letter_of(const glyph *g, const char *signs)
{
    for (; *signs != '\0'; signs += 2)
        if (g->is_utf8 && g->code == (uint8_t)signs[0])
            return signs[1];
    return '\0';
}

static size_t json_form(char out[MOST_FORM_BYTES], const glyph *g)
{
    const char letter = letter_of(g, "\"\"\\\\\nn\rr\tt");
    if (letter != '\0')
        return pair(out, letter);
    if (!g->is_utf8)
        return (size_t)snprintf(out, MOST_FORM_BYTES, "\xef\xbf\xbd"); /* U+FFFD */
    /* Above U+FFFF JSON would want two escapes of UTF-16, which YAML reads as two characters. */
    if (!is_acted_upon(g->code) || g->code > 0xffff)
        return copy(out, g);
    return (size_t)snprintf(out, MOST_FORM_BYTES, "\\u%04x", (unsigned)g->code);
}

/* The format knows three escapes: what has to be shown gets its backslash doubled. */
static size_t label_form(char out[MOST_FORM_BYTES], const glyph *g)
{
    const char letter = letter_of(g, "\"\"\\\\\nn");
    if (letter != '\0')
        return pair(out, letter);
    return g->is_utf8 && !is_acted_upon(g->code) ? copy(out, g) : show(out, g, "\\\\");
}

/* A character that has to be shown is written byte by byte, so that the way back needs one rule. */
static size_t field_form(char out[MOST_FORM_BYTES], const glyph *g)
{
    const char letter = letter_of(g, "\\\\\tt\nn\rr");
    if (letter != '\0')
        return pair(out, letter);
    if (g->is_utf8 && !is_acted_upon(g->code))
        return copy(out, g);
    size_t length = 0;
    for (size_t i = 0; i < g->n_bytes; i++)
        length += (size_t)snprintf(out + length, MOST_FORM_BYTES - length, "\\x%02x",
                                   (unsigned)(uint8_t)g->bytes[i]);
    return length;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte behind a backslash at text; 0: none. *taken: how many bytes it is written in. */
static char restore_one(size_t *taken, const char *text, size_t n_text)
{
    *taken = 2;
    if (n_text < 2)
        return '\0';
    switch (text[1]) {
    case '\\':
        return '\\';
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    default:
        break;
    }
    *taken = 4;
    if (text[1] != 'x' || n_text < 4 || hex_digit(text[2]) < 0 || hex_digit(text[3]) < 0)
        return '\0';
    return (char)(16 * hex_digit(text[2]) + hex_digit(text[3]));
}

bool base_field_restore(char *buf, size_t n, const char *text, size_t n_text)
{
    size_t used = 0, taken = 1;
    if (n == 0)
        return false;
    for (size_t i = 0; i < n_text; i += taken) {
        taken = 1;
        const char c = text[i] == '\\' ? restore_one(&taken, text + i, n_text - i) : text[i];
        if (c == '\0' || used + 1 >= n) {
            buf[0] = '\0';
            return false;
        }
        buf[used++] = c;
    }
    buf[used] = '\0';
    return true;
}

/* ---- for file systems ---- */

static size_t name_form(char out[MOST_FORM_BYTES], const glyph *g)
{
    return g->is_utf8 && !is_acted_upon(g->code) && g->code != '/'
               ? copy(out, g)
               : (size_t)snprintf(out, MOST_FORM_BYTES, "_");
}

size_t base_name_clean(char *buf, size_t n, const char *s)
{
    if (*s == '\0')
        s = "_";
    const size_t length =
        write_all(buf, n < (size_t)BASE_NAME_BYTES ? n : (size_t)BASE_NAME_BYTES, s, name_form);
    if (n > 1 && buf[0] == '.')
        buf[0] = '_';
    return length;
}

/* ---- public ---- */

size_t base_line_escape(char *buf, size_t n, const char *s)
{
    return write_all(buf, n, s, line_form);
}

size_t base_html_escape(char *buf, size_t n, const char *s)
{
    return write_all(buf, n, s, html_form);
}

size_t base_json_escape(char *buf, size_t n, const char *s)
{
    return write_all(buf, n, s, json_form);
}

size_t base_label_escape(char *buf, size_t n, const char *s)
{
    return write_all(buf, n, s, label_form);
}

size_t base_field_escape(char *buf, size_t n, const char *s)
{
    return write_all(buf, n, s, field_form);
}

size_t vg_text_line(char *buf, size_t n, const char *text)
{
    return base_line_escape(buf, n, text);
}

size_t vg_text_json(char *buf, size_t n, const char *text)
{
    return base_json_escape(buf, n, text);
}

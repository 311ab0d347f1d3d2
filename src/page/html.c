/* html.c: reads the format itself, so that it knows which characters are the page's own, and which
 * come from outside in a %s. */
#include "html.h"

#include <stdarg.h>
#include <stdint.h>

/* A text is made fit piece by piece, so that none is too long: a byte becomes six at most. */
enum { PIECE_BYTES = 256, SHOWN_BYTES = 6 * PIECE_BYTES + 8, SPEC_BYTES = 24, NUMBER_BYTES = 400 };

void page_put_own(page_html *w, const char *text, size_t n)
{
    if (w->st == VG_OK && n > 0)
        w->st = base_str_add_bytes(w->out, w->most_bytes, text, n, w->mem, w->err);
}

static void put_text(page_html *w, const char *text, size_t n)
{
    while (n > 0) {
        char piece[PIECE_BYTES + 1], shown[SHOWN_BYTES];
        size_t k = n < PIECE_BYTES ? n : PIECE_BYTES;
        while (k < n && k > PIECE_BYTES - 4 && ((unsigned char)text[k] & 0xC0) == 0x80)
            k--; /* not within a character */
        memcpy(piece, text, k);
        piece[k] = '\0';
        base_html_escape(shown, sizeof shown, piece);
        page_put_own(w, shown, strlen(shown));
        text += k;
        n -= k;
    }
}

/* "%-5.1f" at *format, which is moved behind it. */
typedef struct conversion {
    char spec[SPEC_BYTES], letter;
    int n_long; /* l, ll */
    bool is_size;
    int precision; /* -1: none */
} conversion;

static conversion read_conversion(const char **format)
{
    conversion c = {.precision = -1};
    const char *at = *format + 1;
    at += strspn(at, "-+ #0");
    at += strspn(at, "0123456789");
    if (*at == '.') {
        c.precision = 0;
        for (at++; *at >= '0' && *at <= '9'; at++)
            c.precision = 10 * c.precision + (*at - '0');
    }
    for (; *at != '\0' && strchr("hlzjt", *at) != NULL; at++) {
        c.n_long += *at == 'l' ? 1 : *at == 'j' ? 2 : 0;
        c.is_size |= *at == 'z' || *at == 't';
    }
    c.letter = *at;
    at += *at != '\0';
    base_format(c.spec, sizeof c.spec, "%.*s", (int)(at - *format), *format);
    *format = at;
    return c;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_conversion(page_html *w, const conversion *c, va_list *args)
{
    char number[NUMBER_BYTES];
    if (c->letter == 's') {
        const char *text = va_arg(*args, const char *);
        put_text(w, text, c->precision < 0 ? strlen(text) : strnlen(text, (size_t)c->precision));
        return;
    }
    if (c->letter == '%')
        base_format(number, sizeof number, "%%");
    else if (strchr("fFeEgGaA", c->letter) != NULL)
        snprintf(number, sizeof number, c->spec, va_arg(*args, double));
    else if (c->is_size)
        snprintf(number, sizeof number, c->spec, va_arg(*args, size_t));
    else if (c->n_long == 1)
        snprintf(number, sizeof number, c->spec, va_arg(*args, long));
    else if (c->n_long > 1)
        snprintf(number, sizeof number, c->spec, va_arg(*args, long long));
    else
        snprintf(number, sizeof number, c->spec, va_arg(*args, int));
    put_text(w, number, strlen(number)); /* also what a %c brings */
}
#pragma GCC diagnostic pop

void page_put(page_html *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    while (*format != '\0' && w->st == VG_OK) {
        const size_t plain = strcspn(format, "%");
        page_put_own(w, format, plain);
        format += plain;
        if (*format == '%') {
            const conversion c = read_conversion(&format);
            put_conversion(w, &c, &args);
        }
    }
    va_end(args);
}

void page_put_url(page_html *w, const char *text, const char *keep)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char out[SHOWN_BYTES];
    size_t n = 0;
    for (; *text != '\0'; text++) {
        const bool is_kept = strchr(keep, *text) != NULL;
        if (*text == '&' && is_kept) { /* as an attribute has it */
            memcpy(out + n, "&#38;", 5);
            n += 5;
        } else if (strchr(plain, *text) != NULL || (strchr("<>\"'%", *text) == NULL && is_kept)) {
            out[n++] = *text;
        } else {
            base_format(out + n, sizeof out - n, "%%%02X", (unsigned)(unsigned char)*text);
            n += 3;
        }
        if (n + 8 > sizeof out) {
            page_put_own(w, out, n);
            n = 0;
        }
    }
    page_put_own(w, out, n);
}

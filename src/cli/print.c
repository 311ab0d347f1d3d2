/* print.c: the commands' printf. It reads the format itself, so that it knows which characters are
 * the program's own, and which come from outside in a %s. */
#define CLI_PRINT_IMPLEMENTATION
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "cli.h"

/* A text is made fit piece by piece, so that none is too long: four bytes for one, at most. */
enum { PIECE_BYTES = 256, SHOWN_BYTES = 4 * PIECE_BYTES + 8 };

/* The first n bytes of text; NULL for `to`: only counts. Returns the columns. */
static int put_text(FILE *to, const char *text, size_t n)
{
    int columns = 0;
    while (n > 0) {
        char piece[PIECE_BYTES + 1], shown[SHOWN_BYTES];
        size_t k = n < PIECE_BYTES ? n : PIECE_BYTES;
        while (k < n && k > PIECE_BYTES - 4 && ((unsigned char)text[k] & 0xC0) == 0x80)
            k--; /* not within a character */
        memcpy(piece, text, k);
        piece[k] = '\0';
        vg_text_line(shown, sizeof shown, piece);
        for (const char *s = shown; *s != '\0'; s++)
            columns += ((unsigned char)*s & 0xC0) != 0x80;
        if (to != NULL)
            fputs(shown, to);
        text += k;
        n -= k;
    }
    return columns;
}

static int put_blanks(FILE *to, int n)
{
    for (int i = 0; i < n; i++)
        fputc(' ', to);
    return n > 0 ? n : 0;
}

/* One conversion of a format: %[flags][width][.precision][length]letter. */
typedef struct conversion {
    char flags[8]; /* without the - */
    bool left;
    int width;     /* 0: none */
    int precision; /* -1: none */
    char length[3], letter;
} conversion;

static int read_number(const char **at, va_list *args)
{
    int value = 0;
    if (**at == '*') {
        (*at)++;
        return va_arg(*args, int);
    }
    for (; **at >= '0' && **at <= '9'; (*at)++)
        value = 10 * value + (**at - '0');
    return value;
}

/* at: behind the %; moved behind the letter. */
static conversion read_conversion(const char **at, va_list *args)
{
    conversion c = {.precision = -1};
    for (size_t n = 0; **at != '\0' && strchr("-+ #0", **at) != NULL; (*at)++)
        if (**at == '-')
            c.left = true;
        else if (n + 1 < sizeof c.flags)
            c.flags[n++] = **at;
    c.width = read_number(at, args);
    if (c.width < 0) { /* as C has it */
        c.width = -c.width;
        c.left = true;
    }
    if (**at == '.') {
        (*at)++;
        c.precision = read_number(at, args);
    }
    for (size_t n = 0; **at != '\0' && strchr("hlzjt", **at) != NULL; (*at)++)
        if (n + 1 < sizeof c.length)
            c.length[n++] = **at;
    c.letter = **at;
    if (c.letter != '\0')
        (*at)++;
    return c;
}

static int put_string(FILE *to, const conversion *c, const char *text)
{
    const size_t n = c->precision < 0 ? strlen(text) : strnlen(text, (size_t)c->precision);
    const int pad = c->width > 0 ? c->width - put_text(NULL, text, n) : 0;
    int columns = c->left ? 0 : put_blanks(to, pad);
    columns += put_text(to, text, n);
    return columns + (c->left ? put_blanks(to, pad) : 0);
}

static intmax_t take_signed(const conversion *c, va_list *args)
{
    if (strcmp(c->length, "ll") == 0)
        return va_arg(*args, long long);
    if (strcmp(c->length, "hh") == 0)
        return (signed char)va_arg(*args, int);
    switch (c->length[0]) {
    case 'h':
        return (short)va_arg(*args, int);
    case 'l':
        return va_arg(*args, long);
    case 'z':
        return va_arg(*args, ssize_t);
    case 'j':
        return va_arg(*args, intmax_t);
    case 't':
        return va_arg(*args, ptrdiff_t);
    default:
        return va_arg(*args, int);
    }
}

static uintmax_t take_unsigned(const conversion *c, va_list *args)
{
    if (strcmp(c->length, "ll") == 0)
        return va_arg(*args, unsigned long long);
    if (strcmp(c->length, "hh") == 0)
        return (unsigned char)va_arg(*args, unsigned);
    switch (c->length[0]) {
    case 'h':
        return (unsigned short)va_arg(*args, unsigned);
    case 'l':
        return va_arg(*args, unsigned long);
    case 'z':
        return va_arg(*args, size_t);
    case 'j':
        return va_arg(*args, uintmax_t);
    case 't':
        return (uintmax_t)va_arg(*args, ptrdiff_t);
    default:
        return va_arg(*args, unsigned);
    }
}

/* Numbers go to the C library, with a format made anew. */
static int put_conversion(FILE *to, const conversion *c, va_list *args)
{
    char format[48], precision[16] = "";
    if (c->letter == 's')
        return put_string(to, c, va_arg(*args, const char *));
    if (c->letter == '%')
        return fputc('%', to) != EOF;
    if (c->letter == 'c')
        return fputc(va_arg(*args, int), to) != EOF;
    if (c->precision >= 0)
        snprintf(precision, sizeof precision, ".%d", c->precision);
    const bool is_real = strchr("fFeEgGaA", c->letter) != NULL;
    snprintf(format, sizeof format, "%%%s%s%.0d%s%s%c", c->flags, c->left ? "-" : "", c->width,
             precision, is_real ? "" : "j", c->letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (is_real)
        return fprintf(to, format, va_arg(*args, double));
    if (c->letter == 'd' || c->letter == 'i')
        return fprintf(to, format, take_signed(c, args));
    return fprintf(to, format, take_unsigned(c, args));
#pragma GCC diagnostic pop
}

void cli_text_lines(FILE *to, const char *text, size_t n)
{
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        const size_t k = end != NULL ? (size_t)(end - text) : n;
        put_text(to, text, strnlen(text, k));
        if (end != NULL)
            fputc('\n', to);
        text += k + (end != NULL);
        n -= k + (end != NULL);
    }
}

int cli_print(FILE *to, const char *format, ...)
{
    int columns = 0;
    va_list args;
    va_start(args, format);
    while (*format != '\0') {
        const size_t plain = strcspn(format, "%");
        fwrite(format, 1, plain, to);
        columns += (int)plain;
        format += plain;
        if (*format == '%') {
            format++;
            const conversion c = read_conversion(&format, &args);
            columns += put_conversion(to, &c, &args);
        }
    }
    va_end(args);
    return columns;
}

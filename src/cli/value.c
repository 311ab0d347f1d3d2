/* value.c: words of a command line as values. Whole or not at all; locale plays no part, since the
 * program never sets one. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "options.h"

static const char *blanks_skip(const char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    return s;
}

/* The number at s and where it ends; NULL when there is none or it does not fit. */
static const char *int_scan(long long *out, const char *s)
{
    char *end = NULL;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (end == s || errno != 0)
        return NULL;
    *out = v;
    return end;
}

bool cli_parse_int(long long *out, const char *text)
{
    long long v = 0;
    const char *end = int_scan(&v, text);
    if (end == NULL || *blanks_skip(end) != '\0')
        return false;
    *out = v;
    return true;
}

/* As strtod, but neither hexadecimal nor infinity nor NaN. */
static const char *real_scan(double *out, const char *s)
{
    s = blanks_skip(s);
    const char *digits = s + (*s == '-' || *s == '+');
    if (!isdigit((unsigned char)*digits) && *digits != '.')
        return NULL;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        return NULL;
    char *end = NULL;
    double v = strtod(s, &end);
    if (end == s || !isfinite(v))
        return NULL;
    *out = v;
    return end;
}

bool cli_parse_real(double *out, const char *text)
{
    double v = 0;
    const char *end = real_scan(&v, text);
    if (end == NULL || *blanks_skip(end) != '\0')
        return false;
    *out = v;
    return true;
}

bool cli_parse_bytes(size_t *out, const char *text)
{
    static const char units[] = "KMGT";
    double v = 0;
    const char *s = real_scan(&v, text);
    if (s == NULL || v < 0)
        return false;
    s = blanks_skip(s);
    const char *unit = *s == '\0' ? NULL : strchr(units, toupper((unsigned char)*s));
    if (unit != NULL) {
        v = ldexp(v, 10 * (int)(unit - units + 1));
        s += 1 + ((s[1] == 'i' || s[1] == 'I') && (s[2] == 'b' || s[2] == 'B'));
    }
    if (*s == 'b' || *s == 'B')
        s++;
    /* 2^63: beyond any machine, and exact in a double, which SIZE_MAX is not. */
    if (*blanks_skip(s) != '\0' || v >= ldexp(1, 63) || v != floor(v))
        return false;
    *out = (size_t)v;
    return true;
}

bool cli_parse_truth(bool *out, const char *text)
{
    bool yes = strcasecmp(text, "true") == 0;
    if (!yes && strcasecmp(text, "false") != 0)
        return false;
    *out = yes;
    return true;
}

bool cli_parse_bool(bool *out, const char *text)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"},
                                            {"true", "yes", "on", "1"}};
    for (int yes = 0; yes < 2; yes++)
        for (size_t i = 0; i < 4; i++)
            if (strcasecmp(text, words[yes][i]) == 0) {
                *out = yes != 0;
                return true;
            }
    return false;
}

/* Digits after a separator are judged before out changes: the list is scanned twice, once without
 * storing. */
static bool ints_scan(cli_ints *out, const char *s)
{
    s = blanks_skip(s);
    bool bracket = *s == '[' || *s == '(';
    char close = *s == '(' ? ')' : ']';
    s += bracket;
    size_t n = 0;
    for (;;) {
        long long v = 0;
        s = int_scan(&v, s);
        if (s == NULL || v < INT32_MIN || v > INT32_MAX || n == CLI_INTS_MAX)
            return false;
        if (out != NULL)
            out->values[n] = (int)v;
        n++;
        s = blanks_skip(s);
        if (*s != ',')
            break;
        s++;
    }
    if (bracket && *s++ != close)
        return false;
    if (out != NULL)
        out->n = n;
    return *blanks_skip(s) == '\0';
}

bool cli_parse_ints(cli_ints *out, const char *text)
{
    return ints_scan(NULL, text) && ints_scan(out, text);
}

bool cli_parse_size(cli_size *out, const char *text)
{
    cli_ints sides;
    long long h = 0, w = 0;
    const char *x = int_scan(&h, blanks_skip(text));
    if (x != NULL && (*x == 'x' || *x == 'X') && cli_parse_int(&w, x + 1)) {
        sides.n = 2;
        sides.values[0] = h < INT32_MAX ? (int)h : INT32_MAX;
        sides.values[1] = w < INT32_MAX ? (int)w : INT32_MAX;
    } else if (!cli_parse_ints(&sides, text) || sides.n > 2) {
        return false;
    }
    *out = (cli_size){.h = sides.values[0], .w = sides.values[sides.n - 1]};
    return true;
}

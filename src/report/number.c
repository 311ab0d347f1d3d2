/* number.c: numbers and characters as text. printf's decimal point is the locale's, and a host
 * program may have set one; what we write is read by programs that want a point. */
#include "number.h"

#include <math.h>

/* Whatever stands between the digits before and behind the point, in any number of bytes. */
static void put_point(char *text)
{
    char *p = text + strspn(text, "+-0123456789");
    if (*p == '\0' || *p == 'e')
        return;
    size_t n = strcspn(p, "0123456789");
    *p = '.';
    memmove(p + 1, p + n, strlen(p + n) + 1);
}

static const char *odd_number(double value)
{
    return isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

const char *report_number_g(char *buf, int digits, double value)
{
    if (!isfinite(value)) {
        base_format(buf, REPORT_NUMBER_BYTES, "%s", odd_number(value));
        return buf;
    }
    base_format(buf, REPORT_NUMBER_BYTES, "%.*g", digits, value);
    put_point(buf);
    return buf;
}

const char *report_number_f(char *buf, int decimals, double value)
{
    if (!isfinite(value)) {
        base_format(buf, REPORT_NUMBER_BYTES, "%s", odd_number(value));
        return buf;
    }
    base_format(buf, REPORT_NUMBER_BYTES, "%.*f", decimals, value);
    put_point(buf);
    return buf;
}

double report_round(double value, int decimals)
{
    char buf[REPORT_NUMBER_BYTES];
    double rounded = value;
    if (isfinite(value))
        base_parse_double(&rounded, report_number_f(buf, decimals, value));
    return rounded;
}

const char *report_number_short(char *buf, int decimals, double value)
{
    report_number_f(buf, decimals, value);
    const char *point = strchr(buf, '.');
    if (point == NULL)
        return buf;
    size_t n = strlen(buf), least = (size_t)(point - buf) + 2;
    while (n > least && buf[n - 1] == '0')
        buf[--n] = '\0';
    return buf;
}

/* ---- characters: Unicode 15, table 3-7 ---- */

size_t report_utf8_length(const char *s)
{
    size_t n_characters = 0;
    for (; *s != '\0'; n_characters++) {
        size_t n = base_utf8_bytes(s);
        s += n != 0 ? n : 1;
    }
    return n_characters;
}

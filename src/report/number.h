/* number.h: numbers as text that reads the same on every machine. Private to src/report. */
#ifndef REPORT_NUMBER_H
#define REPORT_NUMBER_H

#include "base/base.h"

/* Room for any double with 5 decimals. */
enum { REPORT_NUMBER_BYTES = 352 };

/* "%.<digits>g" and "%.<decimals>f" with a point whatever the locale; "nan", "inf", "-inf" without
 * a sign that differs between machines. Returns buf (REPORT_NUMBER_BYTES). */
const char *report_number_g(char *buf, int digits, double value);
const char *report_number_f(char *buf, int decimals, double value);
/* The double nearest to value with so many decimals; halves by the exact value, as Python's round.
 */
double report_round(double value, int decimals);
/* "%.<decimals>f" without the zeros at its end, but one behind the point: 12.0, 0.25. */
const char *report_number_short(char *buf, int decimals, double value);

/* Characters of a text; bytes that are no UTF-8 count as one each. */
size_t report_utf8_length(const char *s);

#endif

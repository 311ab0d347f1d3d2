/* valid.h: can bytes that were read be what they claim to be? For the structs whose bytes are the
 * guard's state: what is counted with, used as an index or asked as a truth is checked when it is
 * read, once, and never again. For src/watch. */
#ifndef WATCH_VALID_H
#define WATCH_VALID_H

#include <math.h>
#include <stdbool.h>

enum { VALID_MOST_COUNT = 1 << 30 };

/* A bool of other bytes than 0 and 1 may not even be looked at. */
static inline bool valid_bool(const bool *b)
{
    return *(const unsigned char *)(const void *)b <= 1;
}

/* So large that no reading reaches it, so small that no square of it overflows. */
static inline bool valid_real(double x)
{
    return fabs(x) <= 1e30; /* false of NAN */
}

/* The same, or not known, or without end. */
static inline bool valid_number(double x)
{
    return isnan(x) || isinf(x) || valid_real(x);
}

static inline bool valid_int(int n, int least, int most)
{
    return n >= least && n <= most;
}

#endif

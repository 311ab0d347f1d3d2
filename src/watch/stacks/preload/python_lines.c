/* python_lines.c: see python_lines.h. A table is a run of entries, each of which moves on by some
 * bytes of code and by some lines: the entry whose bytes hold the address has the line. */
#include "python_lines.h"

#include <string.h>

enum { CHUNK_BYTES = 256, MOST_TABLE = 1 << 24 };

typedef struct bytes {
    python_read *read;
    const unsigned char *from;
    size_t n, at; /* of the table */
    size_t chunk_end;
    unsigned char chunk[CHUNK_BYTES];
} bytes;

/* False: at the end. */
static bool next(bytes *b, unsigned *out)
{
    if (b->at == b->n)
        return false;
    if (b->at == b->chunk_end) {
        const size_t left = b->n - b->at, k = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        if (!b->read(b->chunk, b->from + b->at, k))
            return false;
        b->chunk_end = b->at + k;
    }
    *out = b->chunk[b->at++ % CHUNK_BYTES];
    return true;
}

static int as_signed(unsigned byte)
{
    return byte < 128 ? (int)byte : (int)byte - 256;
}

/* Pairs: so many bytes on, then so many lines. */
static int line_of_lnotab(bytes *b, int line, int64_t address)
{
    unsigned step, rise;
    int64_t at = 0;
    while (next(b, &step) && next(b, &rise)) {
        at += step;
        if (at > address)
            break;
        line += as_signed(rise);
    }
    return line;
}

/* Pairs: a range of so many bytes, its line so many on; -128: it has none. */
static int line_of_ranges(bytes *b, int line, int64_t address)
{
    unsigned step, rise;
    int64_t end = 0;
    while (next(b, &step) && next(b, &rise)) {
        end += step;
        if (rise != 128)
            line += as_signed(rise);
        if (address < end)
            return rise != 128 ? line : -1;
    }
    return -1;
}

/* Six bits a byte, the lowest first; bit 6: more follow. The lowest bit of all is the sign. */
static bool next_signed(bytes *b, int *out)
{
    unsigned byte, value = 0;
    int shift = 0;
    do {
        if (!next(b, &byte))
            return false;
        if (shift < 30)
            value |= (byte & 63) << shift;
        shift += 6;
    } while (byte & 64);
    *out = value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
    return true;
}

/* Entries: bit 7 begins one; 4 bits of kind; 3 bits: so many instructions of 2 bytes, less one.
 * What follows of columns has bit 7 clear. */
static int line_of_places(bytes *b, int line, int64_t address)
{
    enum { ONE_LINE = 10, NO_COLUMNS = 13, LONG = 14, NONE = 15 };
    unsigned byte;
    int64_t end = 0;
    while (next(b, &byte)) {
        if ((byte & 128) == 0)
            continue;
        const unsigned kind = byte >> 3 & 15;
        int rise = 0;
        end += 2 * ((byte & 7) + 1);
        if (kind >= ONE_LINE && kind < NO_COLUMNS)
            rise = (int)kind - ONE_LINE;
        else if ((kind == NO_COLUMNS || kind == LONG) && !next_signed(b, &rise))
            return -1;
        line += rise;
        if (address < end)
            return kind != NONE ? line : -1;
    }
    return -1;
}

int python_line_find(python_lines format, python_read *read, const void *table, size_t n,
                     int first_line, int64_t address)
{
    bytes b = {.read = read, .from = table, .n = n < MOST_TABLE ? n : MOST_TABLE};
    if (address < 0)
        return first_line;
    switch (format) {
    case PYTHON_LINES_LNOTAB:
        return line_of_lnotab(&b, first_line, address);
    case PYTHON_LINES_RANGES:
        return line_of_ranges(&b, first_line, address);
    case PYTHON_LINES_PLACES:
        return line_of_places(&b, first_line, address);
    }
    return -1;
}

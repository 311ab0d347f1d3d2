/* python_lines.h: from a place in a code object to its line: CPython's tables of three formats,
 * read piece by piece from wherever they are. Plain functions, tested by themselves. */
#ifndef WATCH_STACKS_PYTHON_LINES_H
#define WATCH_STACKS_PYTHON_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum python_lines {
    PYTHON_LINES_LNOTAB, /* 3.9: Objects/lnotab_notes.txt of it */
    PYTHON_LINES_RANGES, /* 3.10: PEP 626 */
    PYTHON_LINES_PLACES  /* 3.11 and later: Objects/locations.md of it */
} python_lines;

/* Copies n bytes from where the job has them; false: they cannot be read. */
typedef bool python_read(void *out, const void *from, size_t n);

/* The line of the instruction at `address` bytes; before the first one: first_line.
 * -1: it has none, or the table cannot be read. */
int python_line_find(python_lines format, python_read *read, const void *table, size_t n,
                     int first_line, int64_t address);

#endif

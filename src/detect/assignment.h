/* assignment.h: the cheapest pairing of rows and columns, with a price for staying alone.
 * For this folder. */
#ifndef DETECT_ASSIGNMENT_H
#define DETECT_ASSIGNMENT_H

#include "base/base.h"

/* Scratch for up to most_rows x most_columns; made once. */
typedef struct detect_assignment detect_assignment;
vg_status detect_assignment_create(detect_assignment **out, size_t most_rows, size_t most_columns,
                                   base_mem *mem, vg_error *err);
void detect_assignment_destroy(detect_assignment **a);
size_t detect_assignment_bytes(size_t most_rows, size_t most_columns);

/* cost: (n, m) row major, at least 0. Minimises the sum of costs of pairs, plus limit for every
 * pair of a row and a column that stay alone: so no pair costs more than limit. column_of: (n) the
 * column of each row, -1: none. */
void detect_assignment_run(detect_assignment *a, int *column_of, const float *cost, size_t n,
                           size_t m, float limit);

#endif

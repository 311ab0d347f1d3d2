/* assignment.c: shortest augmenting paths with potentials, a row at a time, O(n^2 (n + m)).
 *
 * Costs are taken less the limit, and every row has a column of its own at 0: its place when no
 * other is worth it.
 * Source: R. Jonker, A. Volgenant, Computing 38 (1987), 325-340; the plain form without the
 * initialising phases, for at most a few hundred rows. */
#include "assignment.h"

#include <math.h>
#include <string.h>

struct detect_assignment {
    size_t most_rows, most_columns; /* columns without the rows' own */
    double *u, *v, *least;          /* (rows + 1), (columns + rows + 1) x 2 */
    int *row_of, *way;              /* (columns + rows + 1) */
    bool *used;
};

size_t detect_assignment_bytes(size_t most_rows, size_t most_columns)
{
    const size_t all = most_rows + most_columns + 1;
    return sizeof(detect_assignment) + (most_rows + 1 + 2 * all) * sizeof(double) +
           2 * all * sizeof(int) + all * sizeof(bool);
}

vg_status detect_assignment_create(detect_assignment **out, size_t most_rows, size_t most_columns,
                                   base_mem *mem, vg_error *err)
{
    const size_t all = most_rows + most_columns + 1;
    detect_assignment *a = base_alloc_zero(mem, 1, sizeof *a, err);
    *out = a;
    if (a == NULL)
        return VG_ERR_MEMORY;
    a->most_rows = most_rows;
    a->most_columns = most_columns;
    a->u = base_alloc_zero(mem, most_rows + 1 + 2 * all, sizeof *a->u, err);
    a->row_of = base_alloc_zero(mem, 2 * all, sizeof *a->row_of, err);
    a->used = base_alloc_zero(mem, all, sizeof *a->used, err);
    if (a->u == NULL || a->row_of == NULL || a->used == NULL) {
        detect_assignment_destroy(out);
        return VG_ERR_MEMORY;
    }
    a->v = a->u + most_rows + 1;
    a->least = a->v + all;
    a->way = a->row_of + all;
    return VG_OK;
}

void detect_assignment_destroy(detect_assignment **a)
{
    if (*a != NULL) {
        base_free((*a)->u);
        base_free((*a)->row_of);
        base_free((*a)->used);
        base_free(*a);
    }
    *a = NULL;
}

/* Rows and columns count from 1; column 0 is where a path begins. */
static double cost_at(const float *cost, size_t m, size_t row, size_t column, double limit)
{
    if (column <= m)
        return (double)cost[(row - 1) * m + column - 1] - limit;
    return column - m == row ? 0 : INFINITY;
}

/* Finds the cheapest path from a free row to a free column. */
static size_t find_path(detect_assignment *a, size_t row, const float *cost, size_t m, size_t all,
                        double limit)
{
    size_t at = 0;
    a->row_of[0] = (int)row;
    for (size_t c = 0; c <= all; c++) {
        a->least[c] = INFINITY;
        a->used[c] = false;
    }
    do {
        const size_t r = (size_t)a->row_of[at];
        size_t next = 0;
        double delta = INFINITY;
        a->used[at] = true;
        for (size_t c = 1; c <= all; c++) {
            if (a->used[c])
                continue;
            const double reduced = cost_at(cost, m, r, c, limit) - a->u[r] - a->v[c];
            if (reduced < a->least[c]) {
                a->least[c] = reduced;
                a->way[c] = (int)at;
            }
            if (a->least[c] < delta) {
                delta = a->least[c];
                next = c;
            }
        }
        for (size_t c = 0; c <= all; c++)
            if (a->used[c]) {
                a->u[a->row_of[c]] += delta;
                a->v[c] -= delta;
            } else {
                a->least[c] -= delta;
            }
        at = next;
    } while (a->row_of[at] != 0);
    return at;
}

void detect_assignment_run(detect_assignment *a, int *column_of, const float *cost, size_t n,
                           size_t m, float limit)
{
    const size_t all = n + m;
    for (size_t i = 0; i < n; i++)
        column_of[i] = -1;
    if (n == 0 || m == 0)
        return;
    memset(a->u, 0, (n + 1) * sizeof *a->u);
    memset(a->v, 0, (all + 1) * sizeof *a->v);
    memset(a->row_of, 0, (all + 1) * sizeof *a->row_of);
    for (size_t row = 1; row <= n; row++)
        for (size_t at = find_path(a, row, cost, m, all, (double)limit); at != 0;) {
            const size_t before = (size_t)a->way[at];
            a->row_of[at] = a->row_of[before];
            at = before;
        }
    for (size_t c = 1; c <= m; c++)
        if (a->row_of[c] > 0)
            column_of[a->row_of[c] - 1] = (int)c - 1;
}

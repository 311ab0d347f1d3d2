/* sort.h: sorting and order statistics that never allocate (glibc's qsort mallocs above 1 KiB). */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>

/* Merge sort, stable: n items of size bytes; scratch holds at least n * size bytes. less(a, b, ctx)
 * != 0: a before b. */
void base_sort_stable(void *items, size_t n, size_t size,
                      int (*less)(const void *a, const void *b, void *ctx), void *ctx,
                      void *scratch);
/* In place, not stable, O(n log n) worst case (heap sort), no scratch. */
void base_sort(void *items, size_t n, size_t size,
               int (*less)(const void *a, const void *b, void *ctx), void *ctx);
/* Middle of n > 0 values; for even n the mean of the two. Reorders v. */
double base_median(double *v, size_t n);

#endif

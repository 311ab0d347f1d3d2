/* sort.c: bottom-up merge sort, heap sort and selection, none of which allocates or recurses. */
#include "sort.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

typedef int less_fn(const void *a, const void *b, void *ctx);

/* Merges the runs [lo, mid) and [mid, hi) of src into dst; equals come from the left first. */
static void merge(char *dst, const char *src, size_t lo, size_t mid, size_t hi, size_t size,
                  less_fn *less, void *ctx)
{
    size_t left = lo;
    size_t right = mid;
    for (size_t k = lo; k < hi; k++) {
        bool take_right =
            left == mid || (right < hi && less(src + right * size, src + left * size, ctx));
        size_t from = take_right ? right++ : left++;
        memcpy(dst + k * size, src + from * size, size);
    }
}

void base_sort_stable(void *items, size_t n, size_t size,
                      int (*less)(const void *a, const void *b, void *ctx), void *ctx,
                      void *scratch)
{
    char *src = items;
    char *dst = scratch;
    for (size_t run = 1; run<n; run = run> n / 2 ? n : 2 * run) {
        for (size_t lo = 0; lo < n;) {
            size_t mid = run < n - lo ? lo + run : n;
            size_t hi = run < n - mid ? mid + run : n;
            merge(dst, src, lo, mid, hi, size, less, ctx);
            lo = hi;
        }
        char *other = src;
        src = dst;
        dst = other;
    }
    if (src != (char *)items)
        memcpy(items, src, n * size);
}

static void swap_items(char *a, char *b, size_t size)
{
    char t[64];
    while (size > 0) {
        size_t part = size < sizeof t ? size : sizeof t;
        memcpy(t, a, part);
        memcpy(a, b, part);
        memcpy(b, t, part);
        a += part;
        b += part;
        size -= part;
    }
}

/* Lets item i sink until neither child comes after it. */
static void sift(char *items, size_t i, size_t n, size_t size, less_fn *less, void *ctx)
{
    while (2 * i + 1 < n) {
        size_t child = 2 * i + 1;
        if (child + 1 < n && less(items + child * size, items + (child + 1) * size, ctx))
            child++;
        if (!less(items + i * size, items + child * size, ctx))
            return;
        swap_items(items + i * size, items + child * size, size);
        i = child;
    }
}

void base_sort(void *items, size_t n, size_t size,
               int (*less)(const void *a, const void *b, void *ctx), void *ctx)
{
    char *p = items;
    for (size_t i = n / 2; i-- > 0;)
        sift(p, i, n, size, less, ctx);
    for (size_t last = n; last-- > 1;) {
        swap_items(p, p + last * size, size);
        sift(p, 0, last, size, less, ctx);
    }
}

static int less_double(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return *(const double *)a < *(const double *)b;
}

static double median_of_3(double a, double b, double c)
{
    double least = a < b ? a : b;
    double most = a < b ? b : a;
    return c < least ? least : c > most ? most : c;
}

/* Puts the k-th smallest at v[k], nothing larger before it (C. A. R. Hoare's FIND, CACM 4 (1961),
 * 321). Rounds are counted: when the pivots are bad for too long the rest is sorted, so the worst
 * case stays n log n. */
static void place_kth(double *v, ptrdiff_t n, ptrdiff_t k)
{
    ptrdiff_t lo = 0;
    ptrdiff_t hi = n - 1;
    for (int rounds = 0; lo < hi; rounds++) {
        if (rounds == 64) {
            base_sort(v + lo, (size_t)(hi - lo + 1), sizeof *v, less_double, NULL);
            return;
        }
        double pivot = median_of_3(v[lo], v[lo + (hi - lo) / 2], v[hi]);
        ptrdiff_t i = lo;
        ptrdiff_t j = hi;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                double t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        /* v[lo..j] <= pivot <= v[i..hi], and what lies between is the pivot. */
        if (j < k)
            lo = i;
        if (k < i)
            hi = j;
    }
}

double base_median(double *v, size_t n)
{
    assert(n > 0);
    place_kth(v, (ptrdiff_t)n, (ptrdiff_t)(n / 2));
    if (n % 2)
        return v[n / 2];
    double below = v[0];
    for (size_t i = 1; i < n / 2; i++)
        if (v[i] > below)
            below = v[i];
    return 0.5 * below + 0.5 * v[n / 2];
}

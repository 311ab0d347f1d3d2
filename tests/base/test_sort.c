/* Both sorts order, one keeps ties in place, and the median is the sorted middle. */
#include "support/test.h"

#include "base/base.h"
#include "support/random.h"

typedef struct item {
    int key;
    size_t place; /* where it stood before */
    char ballast[3];
} item;

static int by_key(const void *a, const void *b, void *ctx)
{
    ++*(size_t *)ctx;
    return ((const item *)a)->key < ((const item *)b)->key;
}

static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100, 1000, 1025};

static void fill(item *items, size_t n, int n_keys, test_random *r)
{
    for (size_t i = 0; i < n; i++)
        items[i] =
            (item){.key = (int)(random_u64(r) % (uint64_t)n_keys), .place = i, .ballast = "ab"};
}

static void stable_sort_orders_and_keeps_ties(void **state)
{
    (void)state;
    test_random r = {1};
    static item items[1025];
    static item scratch[1025];
    size_t n_calls = 0;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        size_t n = lengths[k];
        fill(items, n, 10, &r);
        base_sort_stable(items, n, sizeof *items, by_key, &n_calls, scratch);
        for (size_t i = 1; i < n; i++) {
            assert_true(items[i - 1].key <= items[i].key);
            if (items[i - 1].key == items[i].key)
                assert_true(items[i - 1].place < items[i].place);
        }
    }
    assert_true(n_calls > 0);
}

static void sort_orders_and_loses_nothing(void **state)
{
    (void)state;
    test_random r = {2};
    static item items[1025];
    size_t n_calls = 0;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        for (int n_keys = 1; n_keys <= 10000; n_keys *= 100) {
            size_t n = lengths[k];
            fill(items, n, n_keys, &r);
            base_sort(items, n, sizeof *items, by_key, &n_calls);
            static bool seen[1025];
            memset(seen, 0, sizeof seen);
            for (size_t i = 0; i < n; i++) {
                assert_true(i == 0 || items[i - 1].key <= items[i].key);
                assert_false(seen[items[i].place]);
                seen[items[i].place] = true;
                assert_string_equal(items[i].ballast, "ab");
            }
        }
    }
}

static void sort_stays_n_log_n_on_sorted_input(void **state)
{
    (void)state;
    enum { N = 20000 };
    static item items[N];
    for (int direction = 0; direction < 2; direction++) {
        for (int i = 0; i < N; i++)
            items[i].key = direction ? N - i : i;
        size_t n_calls = 0;
        base_sort(items, N, sizeof *items, by_key, &n_calls);
        assert_true(n_calls < 2 * N * 15 + N); /* log2 N < 15 */
        for (int i = 1; i < N; i++)
            assert_true(items[i - 1].key <= items[i].key);
    }
}

static int double_before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return *(const double *)a < *(const double *)b;
}

static void items_larger_than_the_swap_buffer_move_whole(void **state)
{
    (void)state;
    double wide[50][20];
    for (int i = 0; i < 50; i++)
        for (int k = 0; k < 20; k++)
            wide[i][k] = (i * 37) % 50;
    base_sort(wide, 50, sizeof *wide, double_before, NULL);
    for (int i = 0; i < 50; i++)
        for (int k = 0; k < 20; k++)
            assert_true(wide[i][k] == i);
}

static void the_median_is_the_middle_of_the_sorted(void **state)
{
    (void)state;
    test_random r = {3};
    static double v[501];
    static double sorted[501];
    for (size_t n = 1; n <= 501; n = n < 20 ? n + 1 : n * 3 / 2) {
        for (int kind = 0; kind < 5; kind++) {
            for (size_t i = 0; i < n; i++) {
                double wild = (double)random_float(&r, -100, 100);
                v[i] = kind == 0   ? wild
                       : kind == 1 ? (double)i
                       : kind == 2 ? (double)(n - i)
                       : kind == 3 ? 5.0
                                   : (double)(i < n / 2 ? i : n - i); /* hard for median of 3 */
            }
            memcpy(sorted, v, n * sizeof *v);
            base_sort(sorted, n, sizeof *sorted, double_before, NULL);
            double expected = n % 2 ? sorted[n / 2] : 0.5 * sorted[n / 2 - 1] + 0.5 * sorted[n / 2];
            assert_true(base_median(v, n) == expected);
            base_sort(v, n, sizeof *v, double_before, NULL);
            assert_memory_equal(v, sorted, n * sizeof *v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stable_sort_orders_and_keeps_ties),
        cmocka_unit_test(sort_orders_and_loses_nothing),
        cmocka_unit_test(sort_stays_n_log_n_on_sorted_input),
        cmocka_unit_test(items_larger_than_the_swap_buffer_move_whole),
        cmocka_unit_test(the_median_is_the_middle_of_the_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

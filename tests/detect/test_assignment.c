/* test_assignment.c: the pairing is the cheapest there is, by trying all of them. */
#include "support/test.h"

#include "detect/assignment.h"
#include "support/random.h"

enum { MOST = 5 };

/* The least sum over all pairings of rows from `row` on, a lone row and column costing `limit`
 * together: so a pair counts cost - limit. */
static float cheapest(const float *cost, size_t n, size_t m, size_t row, unsigned taken,
                      float limit)
{
    if (row == n)
        return 0;
    float best = cheapest(cost, n, m, row + 1, taken, limit);
    for (size_t c = 0; c < m; c++) {
        if (taken >> c & 1)
            continue;
        const float sum =
            cost[row * m + c] - limit + cheapest(cost, n, m, row + 1, taken | 1u << c, limit);
        best = sum < best ? sum : best;
    }
    return best;
}

static void it_is_the_cheapest_of_all_pairings(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    vg_error err;
    detect_assignment *a;
    test_random r = {.state = 7};
    assert_int_equal(detect_assignment_create(&a, MOST, MOST, &mem, &err), VG_OK);
    for (int trial = 0; trial < 3000; trial++) {
        float cost[MOST * MOST], sum = 0;
        int column_of[MOST];
        const size_t n = random_u64(&r) % (MOST + 1), m = random_u64(&r) % (MOST + 1);
        const float limit = random_float(&r, 0.2f, 1.2f);
        unsigned taken = 0;
        for (size_t i = 0; i < n * m; i++)
            cost[i] = random_u64(&r) % 4 == 0 ? 1 : random_float(&r, 0, 1);
        detect_assignment_run(a, column_of, cost, n, m, limit);
        for (size_t i = 0; i < n; i++) {
            if (column_of[i] < 0)
                continue;
            assert_true((size_t)column_of[i] < m && !(taken >> column_of[i] & 1));
            taken |= 1u << column_of[i];
            assert_true(cost[i * m + (size_t)column_of[i]] <= limit + 1e-6f);
            sum += cost[i * m + (size_t)column_of[i]] - limit;
        }
        assert_true(sum <= cheapest(cost, n, m, 0, 0, limit) + 1e-5f);
    }
    detect_assignment_destroy(&a);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_the_cheapest_of_all_pairings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

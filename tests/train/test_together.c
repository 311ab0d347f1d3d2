/* Who waits for whom, by the parts of their time that ranks waited. */
#include "support/ok.h"
#include "train/together.h"

static vg_train_ranks judge(const double *waits, int n)
{
    static double parts[2 * 64];
    for (int i = 0; i < n; i++) {
        parts[2 * i] = waits[i];
        parts[2 * i + 1] = 0.01 * i;
    }
    vg_train_ranks out;
    together_judge(&out, parts, n);
    return out;
}

static void near(double is, double want)
{
    assert_true(is > want - 1e-12 && is < want + 1e-12);
}

static void the_rank_that_waits_least_holds_the_others_up(void **state)
{
    (void)state;
    const vg_train_ranks r = judge((const double[]){0.5, 0.05, 0.35}, 3);
    assert_int_equal(r.n_ranks, 3);
    assert_int_equal(r.n_shown, 3);
    assert_int_equal(r.shown[0].rank, 1);
    assert_int_equal(r.shown[1].rank, 2);
    assert_int_equal(r.shown[2].rank, 0);
    near(r.exchange, 0.05);
    near(r.for_slowest, (0.45 + 0.3) / 2);
    near(r.pushing, 0.01);
    assert_true(r.is_slow);
}

/* A network that is slow keeps all of them alike. */
static void waits_that_are_alike_are_the_exchange(void **state)
{
    (void)state;
    const vg_train_ranks r = judge((const double[]){0.6, 0.61, 0.6, 0.62}, 4);
    near(r.exchange, 0.6);
    assert_false(r.is_slow);
    assert_true(r.for_slowest < 0.02);
}

static void from_a_fifth_of_the_time_on_a_rank_is_slow(void **state)
{
    (void)state;
    assert_false(judge((const double[]){0.0, 0.1999}, 2).is_slow);
    assert_true(judge((const double[]){0.0, 0.2001}, 2).is_slow);
}

static void of_many_those_are_shown_that_wait_least(void **state)
{
    (void)state;
    double waits[64];
    for (int i = 0; i < 64; i++)
        waits[i] = (double)((i * 37 + 11) % 64) / 64; /* each of 0..63 once */
    const vg_train_ranks r = judge(waits, 64);
    assert_int_equal(r.n_ranks, 64);
    assert_int_equal(r.n_shown, VG_RANKS_SHOWN);
    for (int i = 0; i < r.n_shown; i++) {
        near(r.shown[i].waiting, i / 64.0);
        near(waits[r.shown[i].rank], i / 64.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rank_that_waits_least_holds_the_others_up),
        cmocka_unit_test(waits_that_are_alike_are_the_exchange),
        cmocka_unit_test(from_a_fifth_of_the_time_on_a_rank_is_slow),
        cmocka_unit_test(of_many_those_are_shown_that_wait_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The best epoch, and when to stop. */
#include "support/test.h"

#include <math.h>

#include "train/train.h"

static void fitness_weighs_the_stricter_map(void **state)
{
    (void)state;
    assert_true(fabs(train_fitness(0.5, 0.25) - 0.275) < 1e-15);
}

static void an_equal_fitness_is_written_again_and_a_lower_is_not(void **state)
{
    (void)state;
    train_best b = {0};
    assert_true(train_best_push(&b, 1, 0.5, 100).is_best);
    assert_true(train_best_push(&b, 2, 0.5, 100).is_best);
    assert_false(train_best_push(&b, 3, 0.4, 100).is_best);
    assert_true(train_best_push(&b, 4, 0.6, 100).is_best);
    assert_true(b.fitness == 0.6 && b.stop_epoch == 4);
}

static void the_first_epochs_are_written_though_nothing_is_found(void **state)
{
    (void)state;
    train_best b = {0};
    assert_true(train_best_push(&b, 1, 0, 100).is_best);
    assert_true(train_best_push(&b, 2, 0, 100).is_best);
    assert_int_equal(b.stop_epoch, 2);
}

static void patience_counts_from_the_last_equal_epoch(void **state)
{
    (void)state;
    train_best b = {0};
    train_best_push(&b, 1, 0.5, 3);
    train_best_push(&b, 2, 0.5, 3); /* equal: counts anew */
    assert_false(train_best_push(&b, 3, 0.4, 3).stop);
    assert_false(train_best_push(&b, 4, 0.4, 3).stop);
    assert_true(train_best_push(&b, 5, 0.4, 3).stop);
}

static void patience_0_never_stops(void **state)
{
    (void)state;
    train_best b = {0};
    train_best_push(&b, 1, 0.5, 0);
    for (int e = 2; e < 1000; e++)
        assert_false(train_best_push(&b, e, 0.1, 0).stop);
}

static void a_fitness_that_is_no_number_is_worse_than_all(void **state)
{
    (void)state;
    train_best b = {0};
    assert_false(train_best_push(&b, 1, NAN, 3).is_best);
    assert_true(train_best_push(&b, 2, 0.1, 3).is_best);
    assert_false(train_best_push(&b, 3, NAN, 3).is_best);
    assert_true(b.fitness == 0.1 && b.stop_epoch == 2);
    assert_false(train_best_push(&b, 4, NAN, 3).stop);
    assert_true(train_best_push(&b, 5, NAN, 3).stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fitness_weighs_the_stricter_map),
        cmocka_unit_test(an_equal_fitness_is_written_again_and_a_lower_is_not),
        cmocka_unit_test(the_first_epochs_are_written_though_nothing_is_found),
        cmocka_unit_test(patience_counts_from_the_last_equal_epoch),
        cmocka_unit_test(patience_0_never_stops),
        cmocka_unit_test(a_fitness_that_is_no_number_is_worse_than_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

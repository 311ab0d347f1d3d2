/* The scale of the loss: halved by a step that is left out, doubled by two thousand that are good.
 */
#include "support/test.h"

#include <math.h>

#include "train/scaler.h"

static void a_bad_step_halves_it_and_it_is_one_at_least(void **state)
{
    (void)state;
    train_scaler s = {.scale = 4, .n_good = 1500};
    train_scaler_step(&s, false);
    assert_true(s.scale == 2 && s.n_good == 0);
    train_scaler_step(&s, false);
    train_scaler_step(&s, false);
    assert_true(s.scale == 1);
}

static void it_doubles_after_two_thousand_good_steps_in_a_row(void **state)
{
    (void)state;
    train_scaler s = {.scale = TRAIN_SCALE_FIRST};
    for (int i = 0; i < TRAIN_SCALE_EVERY - 1; i++)
        train_scaler_step(&s, true);
    assert_true(s.scale == 65536);
    train_scaler_step(&s, true);
    assert_true(s.scale == 131072 && s.n_good == 0);
    for (int i = 0; i < 1000 * TRAIN_SCALE_EVERY; i++)
        train_scaler_step(&s, true);
    assert_true(train_scaler_is_valid(&s) && s.scale == 0x1p60);
}

static void where_there_is_none_there_stays_none(void **state)
{
    (void)state;
    train_scaler s = {0};
    train_scaler_step(&s, false);
    train_scaler_step(&s, true);
    assert_true(s.scale == 0 && s.n_good == 0 && train_scale(&s) == 1);
}

static void a_file_can_say_no_nonsense(void **state)
{
    (void)state;
    const train_scaler good[] = {{0, 0}, {1, 0}, {65536, 1999}},
                       bad[] = {{3, 0},   {-2, 0},       {0.5, 0}, {0x1p61, 0},
                                {NAN, 0}, {INFINITY, 0}, {2, -1},  {2, 2000}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(train_scaler_is_valid(&good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(train_scaler_is_valid(&bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_step_halves_it_and_it_is_one_at_least),
        cmocka_unit_test(it_doubles_after_two_thousand_good_steps_in_a_row),
        cmocka_unit_test(where_there_is_none_there_stays_none),
        cmocka_unit_test(a_file_can_say_no_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

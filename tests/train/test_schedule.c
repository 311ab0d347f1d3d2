/* Rates, momentum and accumulation at every iteration are those of the golden runs. */
#include "support/test.h"

#include <math.h>

#include "support/golden.h"
#include "support/schedule_case.h"

static void assert_near(double got, double wanted, const char *what, long long ni)
{
    if (fabs(got - wanted) > 1e-12 * fabs(wanted))
        fail_msg("%s at iteration %lld: %.17g, not %.17g", what, ni, got, wanted);
}

static void follow(golden_file *g, const char *key)
{
    size_t n;
    train_schedule s;
    const double *row = golden_f64(g, key, &n);
    assert_true(schedule_of_name(&s, key));
    assert_int_equal(n, (size_t)(s.epochs * s.n_batches * SCHEDULE_COLUMNS));
    assert_int_equal(train_schedule_check(&s, NULL), VG_OK);
    int64_t last_step = -1;
    for (size_t i = 0; i < n; i += SCHEDULE_COLUMNS, row += SCHEDULE_COLUMNS) {
        const int64_t ni = (int64_t)row[SCHEDULE_NI];
        const train_rates r = train_schedule_at(&s, (int)row[SCHEDULE_EPOCH], ni % s.n_batches);
        assert_near(r.lr[0], row[SCHEDULE_LR], "lr of biases", ni);
        assert_near(r.lr[1], row[SCHEDULE_LR + 1], "lr of weights", ni);
        assert_near(r.lr[2], row[SCHEDULE_LR + 2], "lr of norms", ni);
        if (row[SCHEDULE_MOMENTUM] >= 0)
            assert_near(r.momentum, row[SCHEDULE_MOMENTUM], "momentum", ni);
        assert_int_equal(r.accumulate, (int)row[SCHEDULE_ACCUMULATE]);
        const bool steps = train_schedule_steps(ni, last_step, r.accumulate);
        assert_int_equal(steps, (int)row[SCHEDULE_STEP]);
        if (steps)
            last_step = ni;
    }
}

static void every_iteration_is_the_golden_one(void **state)
{
    (void)state;
    golden_file *g = golden_open("schedule.safetensors");
    follow(g, "lin_e5_nb20_b16");
    follow(g, "lin_e10_nb60_b16");
    follow(g, "cos_e10_nb60_b8");
    follow(g, "adamw_e6_nb40_b16");
    golden_close(g);
}

static void accumulation_and_decay_are_the_golden_ones(void **state)
{
    (void)state;
    golden_file *g = golden_open("schedule.safetensors");
    size_t n;
    const double *row = golden_f64(g, "accumulate_wd", &n);
    for (size_t i = 0; i < n; i += 3, row += 3) {
        assert_int_equal(train_accumulate((int)row[0], 64), (int)row[1]);
        assert_near(train_scaled_decay(0.0005, (int)row[0], 64), row[2], "decay",
                    (long long)row[0]);
    }
    golden_close(g);
}

static void without_warmup_the_first_step_is_a_full_one(void **state)
{
    (void)state;
    train_schedule s = schedule_default(5, 20, 16);
    s.warmup_epochs = 0;
    s.optimizer_momentum = 0.9;
    assert_int_equal(train_schedule_warmup(&s), -1);
    const train_rates r = train_schedule_at(&s, 0, 0);
    assert_true(r.lr[0] == 0.01 && r.lr[1] == 0.01 && r.momentum == 0.9 && r.accumulate == 4);
}

static void warmup_has_its_last_iteration_within(void **state)
{
    (void)state;
    train_schedule s = schedule_default(100, 60, 16);
    assert_int_equal(train_schedule_warmup(&s), 180);
    s.lrf = 1; /* so that only warm-up moves the rates */
    assert_true(train_schedule_at(&s, 2, 59).lr[1] < 0.01);
    assert_true(train_schedule_at(&s, 3, 0).lr[1] == 0.01 &&
                train_schedule_at(&s, 3, 0).momentum == 0.937);
    s.warmup_epochs = 0.5;
    assert_int_equal(train_schedule_warmup(&s), 100);
}

static void the_learning_rate_falls_from_lr0_to_lrf(void **state)
{
    (void)state;
    train_schedule s = schedule_default(100, 60, 16);
    for (int cosine = 0; cosine < 2; cosine++) {
        s.cos_lr = cosine != 0;
        assert_true(train_schedule_factor(&s, 0) == 1);
        assert_true(fabs(train_schedule_factor(&s, 100) - 0.01) < 1e-15);
        for (int e = 1; e < 100; e++)
            assert_true(train_schedule_factor(&s, e) < train_schedule_factor(&s, e - 1));
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    vg_error err;
    train_schedule s = schedule_default(5, 0, 16);
    assert_int_equal(train_schedule_check(&s, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "of 0 batches"));
    s = schedule_default(5, 20, 16);
    s.lr0 = NAN;
    assert_int_equal(train_schedule_check(&s, &err), VG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_iteration_is_the_golden_one),
        cmocka_unit_test(accumulation_and_decay_are_the_golden_ones),
        cmocka_unit_test(without_warmup_the_first_step_is_a_full_one),
        cmocka_unit_test(warmup_has_its_last_iteration_within),
        cmocka_unit_test(the_learning_rate_falls_from_lr0_to_lrf),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* time=HOURS: the number of epochs follows the mean time of those behind, as the reference's does
 * (which was watched with a budget of 43.2 s: 10, 13, 15 epochs after means of 4.65, 3.57 and
 * 3.08 s). The clock is the test's: it moves with each batch, and otherwise not at all. */
#include "support/test.h"

#include <math.h>

#include "shop.h"

enum { MOST_ROWS = 64, BATCHES = 2 };

static shop s;
static train_args args;
static int64_t now_ns = 1000000000;

int64_t __wrap_base_now_ns(void);
int64_t __wrap_base_now_ns(void)
{
    return now_ns;
}

/* What is seen of a run. */
typedef struct course {
    int pace_s, slow_from, slow_s; /* seconds of a batch; from this epoch on */
    int stop_at;                   /* batches until it is asked to end; 0: never */
    int n_batches;
    vg_train_epoch rows[MOST_ROWS];
    int n;
} course;

static void see_batch(void *ctx, const vg_train_batch *b)
{
    course *c = ctx;
    c->n_batches++;
    now_ns += (c->slow_from > 0 && b->epoch >= c->slow_from ? c->slow_s : c->pace_s) *
              INT64_C(1000000000);
}

static void see_epoch(void *ctx, const vg_train_epoch *e)
{
    course *c = ctx;
    assert_true(c->n < MOST_ROWS);
    c->rows[c->n++] = *e;
}

static bool wants_stop(void *ctx)
{
    const course *c = ctx;
    return c->stop_at > 0 && c->n_batches >= c->stop_at;
}

static train_listener listener(course *c)
{
    return (train_listener){
        .ctx = c, .batch = see_batch, .epoch = see_epoch, .wants_stop = wants_stop};
}

static void run_all(course *c, const char *name)
{
    train_run *r;
    const train_listener l = listener(c);
    OK(train_run_create(&r, &args, shop_folder(&s, name), &s.accounts, err));
    OK(train_run_go(r, &l, err));
    train_run_destroy(&r);
}

static int setup(void **state)
{
    (void)state;
    shop_open(&s, 4 * BATCHES, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_close(&s);
    return 0;
}

static int arguments(void **state)
{
    (void)state;
    args = shop_args(&s);
    static const char *const values[][2] = {{"imgsz", "32"},      {"batch", "4"},  {"nbs", "4"},
                                            {"optimizer", "SGD"}, {"lr0", "0.01"}, {"lrf", "0.01"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        shop_set(&args, values[i][0], values[i][1]);
    return 0;
}

static void set_seconds(double seconds)
{
    char text[64];
    base_format(text, sizeof text, "%.12f", seconds / 3600);
    shop_set(&args, "time", text);
}

/* Of the k-th row (from 0) in a schedule of so many epochs. */
static void expect_rate(const vg_train_epoch *row, int k, int n_epochs)
{
    const double lr = 0.01 * ((1 - (double)k / n_epochs) * 0.99 + 0.01);
    if (fabs(row->lr[1] - lr) > 1e-9)
        fail_msg("epoch %d: a rate of %g, not %g", k + 1, row->lr[1], lr);
}

static void epochs_are_those_that_fit_whatever_was_given(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        course c = {.pace_s = 1};
        shop_set(&args, "epochs", k == 0 ? "50" : "1"); /* too many, and too few */
        set_seconds(19); /* of 2 s each: nine and a half, and the tenth is begun */
        run_all(&c, k == 0 ? "many" : "few");
        assert_int_equal(c.n, 10);
        assert_int_equal(c.rows[0].n_epochs, k == 0 ? 50 : 1);
        for (int i = 1; i < c.n; i++) {
            assert_int_equal(c.rows[i].n_epochs, 10);
            expect_rate(&c.rows[i], i, 10);
        }
        assert_true(c.rows[9].time_is_up);
    }
}

/* A machine that becomes slow: 2 s an epoch, then 6 s. */
static const int slow_epochs[] = {50, 16, 16, 10, 8, 7, 7};
enum { N_SLOW = sizeof slow_epochs / sizeof *slow_epochs };

static void expect_slow(const course *c, int first)
{
    assert_int_equal(c->n, N_SLOW - first);
    for (int i = 0; i < c->n; i++) {
        assert_int_equal(c->rows[i].epoch, first + i + 1);
        assert_int_equal(c->rows[i].n_epochs, slow_epochs[first + i]);
        expect_rate(&c->rows[i], first + i, slow_epochs[first + i]);
    }
    assert_true(c->rows[c->n - 1].time_is_up);
}

static course slow(void)
{
    shop_set(&args, "epochs", "50");
    set_seconds(30.5);
    return (course){.pace_s = 1, .slow_from = 3, .slow_s = 3};
}

static void a_slower_machine_gets_fewer(void **state)
{
    (void)state;
    course c = slow();
    run_all(&c, "slow");
    expect_slow(&c, 0);
}

/* Stopped after each of its first batches, and gone on with later. */
static void a_resumed_run_keeps_the_plan(void **state)
{
    (void)state;
    for (int stop = 3; stop <= 2 * 5; stop += 3) {
        char name[32];
        course c = slow();
        train_run *r;
        vg_error why;
        base_format(name, sizeof name, "cut%d", stop);
        const char *folder = shop_folder(&s, name);
        const train_listener l = listener(&c);
        c.stop_at = stop;
        OK(train_run_create(&r, &args, folder, &s.accounts, err));
        assert_int_equal(train_run_go(r, &l, &why), VG_ERR_INTERRUPTED);
        train_run_destroy(&r);
        const int first = c.n;
        now_ns += INT64_C(3600) * 1000000000; /* what passes between sessions does not count */
        c.stop_at = c.n = 0;
        OK(train_run_resume(&r, shop_folder(&s, name), &s.accounts, err));
        OK(train_run_go(r, &l, err));
        train_run_destroy(&r);
        expect_slow(&c, first);
    }
}

/* Without it, the number that was given stays. */
static void without_time_nothing_moves(void **state)
{
    (void)state;
    course c = {.pace_s = 100};
    shop_set(&args, "epochs", "3");
    run_all(&c, "plain");
    assert_int_equal(c.n, 3);
    for (int i = 0; i < c.n; i++) {
        assert_int_equal(c.rows[i].n_epochs, 3);
        expect_rate(&c.rows[i], i, 3);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, arguments)
    const struct CMUnitTest tests[] = {
        TEST(epochs_are_those_that_fit_whatever_was_given),
        TEST(a_slower_machine_gets_fewer),
        TEST(a_resumed_run_keeps_the_plan),
        TEST(without_time_nothing_moves),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

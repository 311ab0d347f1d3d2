/* However a run is stopped, what it comes to is the same to the last bit: SIGKILL at 25 random
 * moments, or a polite wish after any batch. Mosaic, mixup and multi_scale are on, gradients are
 * gathered over batches and epochs. */
#include "support/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "shop.h"

static shop s;
static train_args args;

static int setup(void **state)
{
    (void)state;
    static const char *const values[][2] = {
        {"imgsz", "64"},        {"batch", "4"},
        {"nbs", "20"},          {"epochs", "5"},
        {"mosaic", "1"},        {"mixup", "0.3"},
        {"close_mosaic", "1"},  {"multi_scale", "true"},
        {"warmup_epochs", "1"}, {"optimizer", "SGD"},
        {"momentum", "0.9"},    {"save_minutes", "0.000001"} /* after every batch */};
    shop_open(&s, 15, 6);
    args = shop_args(&s);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        shop_set(&args, values[i][0], values[i][1]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_close(&s);
    return 0;
}

static void run_straight(const char *folder)
{
    train_run *r;
    OK(train_run_create(&r, &args, folder, &s.accounts, err));
    OK(train_run_go(r, NULL, err));
    train_run_destroy(&r);
}

static void expect_same_file(const char *a, const char *b)
{
    base_map x, y;
    OK(base_map_open(&x, a, err));
    OK(base_map_open(&y, b, err));
    assert_int_equal(x.n_bytes, y.n_bytes);
    assert_memory_equal(x.bytes, y.bytes, x.n_bytes);
    base_map_close(&x);
    base_map_close(&y);
}

/* All but the times. */
static void expect_same_results(const char *a, const char *b)
{
    report_epoch *x, *y;
    size_t n, m;
    OK(report_csv_read(&x, &n, a, &s.mem, err));
    OK(report_csv_read(&y, &m, b, &s.mem, err));
    assert_true(n == m && n == 5);
    for (size_t i = 0; i < n; i++) {
        x[i].time_s = y[i].time_s = 0;
        assert_memory_equal(&x[i], &y[i], sizeof x[i]);
    }
    base_free(x);
    base_free(y);
}

static void expect_same_run(const char *folder)
{
    char path[600];
    static const char *const files[] = {"last", "best"};
    for (int k = 0; k < 2; k++) {
        base_format(path, sizeof path, "%s/weights/%s.safetensors", folder, files[k]);
        expect_same_file(shop_folder(&s, k == 0 ? "straight/weights/last.safetensors"
                                                : "straight/weights/best.safetensors"),
                         path);
    }
    base_format(path, sizeof path, "%s/results.csv", folder);
    expect_same_results(shop_folder(&s, "straight/results.csv"), path);
}

/* ---- politely ---- */

typedef struct stopper {
    int after; /* questions: one a batch, in training and validation, and one an epoch */
} stopper;

static bool wants_stop(void *ctx)
{
    stopper *t = ctx;
    return --t->after == 0;
}

static void a_polite_stop_anywhere_changes_no_bit(void **state)
{
    (void)state;
    char folder[400];
    base_format(folder, sizeof folder, "%s", shop_folder(&s, "polite"));
    int n_stops = 0;
    for (int session = 0;; session++) {
        train_run *r;
        vg_error wish;
        if (session == 0)
            OK(train_run_create(&r, &args, folder, &s.accounts, err));
        else
            OK(train_run_resume(&r, folder, &s.accounts, err));
        stopper t = {.after = 1 + session % 5};
        const vg_status st =
            train_run_go(r, &(train_listener){.ctx = &t, .wants_stop = wants_stop}, &wish);
        train_run_destroy(&r);
        if (st == VG_OK)
            break;
        assert_int_equal(st, VG_ERR_INTERRUPTED);
        assert_non_null(strstr(wish.mend, "resume="));
        n_stops++;
        assert_true(session < 60);
    }
    assert_true(n_stops >= 8);
    expect_same_run(folder);
}

/* ---- by SIGKILL ---- */

static void be_the_run(const char *folder)
{
    train_run *r = NULL;
    vg_error err = {0};
    vg_status st = VG_OK;
    char last[600];
    base_format(last, sizeof last, "%s/weights/last.safetensors", folder);
    st = base_path_exists(last) ? train_run_resume(&r, folder, &s.accounts, &err)
                                : train_run_create(&r, &args, folder, &s.accounts, &err);
    /* Killed after its last file was written, before it could exit: it is done, and its files are
     * held to the same bits as everybody's. */
    if (st != VG_OK && strstr(err.what, "of a finished run"))
        _exit(0);
    if (st == VG_OK)
        st = train_run_go(r, NULL, &err);
    if (st != VG_OK)
        fprintf(stderr, "child: %s at %s\n", err.what, err.where);
    _exit(st == VG_OK ? 0 : 1);
}

/* One run, killed until it is done or n_most kills are; then left alone. The number of kills. */
static int run_with_kills(const char *folder, int n_most, test_random *random)
{
    for (int n_kills = 0;;) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            be_the_run(folder);
        if (n_kills < n_most) {
            const long us = 20000 + (long)(random_u64(random) % 500000);
            nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
            kill(child, SIGKILL);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return n_kills;
        }
        n_kills++;
    }
}

static void sigkill_at_25_moments_changes_no_bit(void **state)
{
    (void)state;
    enum { KILLS = 25, MOST_RUNS = 50 };
    char folder[400], name[32];
    test_random random = {.state = (uint64_t)time(NULL)};
    print_message("seed %llu\n", (unsigned long long)random.state);
    int n_kills = 0, n_runs = 0;
    for (; n_kills < KILLS && n_runs < MOST_RUNS; n_runs++) {
        base_format(name, sizeof name, "killed%d", n_runs);
        base_format(folder, sizeof folder, "%s", shop_folder(&s, name));
        n_kills += run_with_kills(folder, KILLS - n_kills, &random);
        expect_same_run(folder);
    }
    print_message("%d kills in %d runs\n", n_kills, n_runs);
    assert_int_equal(n_kills, KILLS);
}

static void the_run_that_nobody_stopped(void **state)
{
    (void)state;
    run_straight(shop_folder(&s, "straight"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_run_that_nobody_stopped),
        cmocka_unit_test(a_polite_stop_anywhere_changes_no_bit),
        cmocka_unit_test(sigkill_at_25_moments_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

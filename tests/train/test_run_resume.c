/* However a run is stopped, what it comes to is the same to the last bit: SIGKILL at 25 random
 * moments and at those of its end, or a polite wish after any batch. Mosaic, mixup and multi_scale
 * are on, gradients are gathered over batches and epochs. VIGIL_TEST_SEED=N repeats the moments. */
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
    vg_train_epoch *x, *y;
    size_t n, m;
    OK(report_csv_read(&x, &n, NULL, a, &s.mem, err));
    OK(report_csv_read(&y, &m, NULL, b, &s.mem, err));
    assert_true(n == m && n == 5);
    for (size_t i = 0; i < n; i++) {
        x[i].seconds = y[i].seconds = 0;
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

static bool is_finished(vg_status st, const vg_error *err)
{
    return st == VG_ERR_ARGUMENT && strstr(err->what, "nothing to resume: the run is finished");
}

static void be_the_run(const char *folder, const train_listener *listener)
{
    train_run *r = NULL;
    vg_error err = {0};
    vg_status st = VG_OK;
    char last[600];
    base_format(last, sizeof last, "%s/weights/last.safetensors", folder);
    st = base_path_exists(last) ? train_run_resume(&r, folder, &s.accounts, &err)
                                : train_run_create(&r, &args, folder, &s.accounts, &err);
    /* Killed after its last file was in its place, before it could exit: the answer is that of a
     * finished run, and its files are held to the same bits as everybody's. */
    if (is_finished(st, &err))
        _exit(0);
    if (st == VG_OK)
        st = train_run_go(r, listener, &err);
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
            be_the_run(folder, NULL);
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
    const char *seed = getenv("VIGIL_TEST_SEED");
    int64_t number = (int64_t)time(NULL);
    assert_true(seed == NULL || base_parse_i64(&number, seed, 0, INT64_MAX));
    test_random random = {.state = (uint64_t)number};
    print_message("VIGIL_TEST_SEED=%lld\n", (long long)number);
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

/* ---- at the run's end ---- */

/* Dies at the picture'th picture of the final validation, or when the folder is finished. */
typedef struct moment {
    int picture; /* 0: not there */
    bool in_finishing;
} moment;

static vg_status die_at_picture(void *ctx, const train_validated *p, bool is_final, vg_error *err)
{
    (void)p, (void)err;
    moment *m = ctx;
    if (is_final && --m->picture == 0)
        raise(SIGKILL);
    return VG_OK;
}

static vg_status die_in_finishing(void *ctx, const train_validation *final, vg_error *err)
{
    (void)err;
    assert_non_null(final);
    if (((const moment *)ctx)->in_finishing)
        raise(SIGKILL);
    return VG_OK;
}

static void expect_death(const char *folder, moment m)
{
    const train_listener listener = {
        .ctx = &m, .validated = die_at_picture, .finishing = die_in_finishing};
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_the_run(folder, &listener);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static vg_status count_finishing(void *ctx, const train_validation *final, vg_error *err)
{
    (void)err;
    assert_non_null(final);
    ++*(int *)ctx;
    return VG_OK;
}

/* Only the models of a finished run are left of the checkpoints. */
static void expect_tidy(const char *folder)
{
    static const char *const names[] = {"last.1.safetensors", "last.safetensors.new"};
    char path[600];
    for (int i = 0; i < 2; i++) {
        base_format(path, sizeof path, "%s/weights/%s", folder, names[i]);
        assert_false(base_path_exists(path));
    }
}

static void resume_to_the_end(const char *folder)
{
    train_run *r;
    int n_finishing = 0;
    OK(train_run_resume(&r, folder, &s.accounts, err));
    OK(train_run_go(r, &(train_listener){.ctx = &n_finishing, .finishing = count_finishing}, err));
    assert_int_equal(n_finishing, 1);
    assert_non_null(train_run_final(r));
    train_run_destroy(&r);
    expect_same_run(folder);
    expect_tidy(folder);
}

static void a_run_killed_at_its_end_does_its_end_again(void **state)
{
    (void)state;
    char folder[400];
    base_format(folder, sizeof folder, "%s", shop_folder(&s, "ends"));
    expect_death(folder, (moment){.picture = 1});
    expect_death(folder, (moment){.picture = 6});
    expect_death(folder, (moment){.in_finishing = true});
    resume_to_the_end(folder);
}

/* Killed while the last checkpoint was put in its place: it lies beside the one before. */
static void a_run_killed_before_its_last_rename_is_whole(void **state)
{
    (void)state;
    char folder[400], last[600], fresh[600], previous[600];
    base_format(folder, sizeof folder, "%s", shop_folder(&s, "unrenamed"));
    base_format(last, sizeof last, "%s/weights/last.safetensors", folder);
    base_format(fresh, sizeof fresh, "%s.new", last);
    base_format(previous, sizeof previous, "%s/weights/last.1.safetensors", folder);
    expect_death(folder, (moment){.in_finishing = true});
    assert_int_equal(rename(last, fresh), 0);
    assert_int_equal(link(previous, last), 0);
    resume_to_the_end(folder);
}

static void a_finished_run_says_so_and_stays_as_it_is(void **state)
{
    (void)state;
    char folder[400];
    base_format(folder, sizeof folder, "%s", shop_folder(&s, "straight"));
    for (int i = 0; i < 2; i++) {
        train_run *r = NULL;
        vg_error why = {0};
        assert_true(is_finished(train_run_resume(&r, folder, &s.accounts, &why), &why));
        assert_null(r);
        assert_non_null(strstr(why.what, "after 5 epochs"));
        assert_non_null(strstr(why.mend, "straight/weights/best.safetensors"));
        expect_same_run(folder);
        expect_tidy(folder);
    }
}

static void copy_file(const char *to, const char *from)
{
    char *bytes;
    size_t n;
    OK(base_file_read(&bytes, &n, from, 1 << 26, &s.mem, err));
    OK(base_file_replace(to, bytes, n, err));
    base_free(bytes);
}

/* Weights that somebody put in a run's folder are not called a finished run. */
static void strange_weights_are_not_called_a_finished_run(void **state)
{
    (void)state;
    vg_error why = {0};
    train_run *r = NULL;
    OK(base_make_dirs(shop_folder(&s, "strange/weights"), err));
    copy_file(shop_folder(&s, "strange/weights/last.safetensors"),
              shop_folder(&s, "straight/weights/best.safetensors"));
    copy_file(shop_folder(&s, "strange/results.csv"), shop_folder(&s, "straight/results.csv"));
    assert_int_equal(train_run_resume(&r, shop_folder(&s, "strange"), &s.accounts, &why),
                     VG_ERR_ARGUMENT);
    assert_non_null(strstr(why.what, "weights without a training state"));
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
        cmocka_unit_test(a_finished_run_says_so_and_stays_as_it_is),
        cmocka_unit_test(strange_weights_are_not_called_a_finished_run),
        cmocka_unit_test(a_run_killed_at_its_end_does_its_end_again),
        cmocka_unit_test(a_run_killed_before_its_last_rename_is_whole),
        cmocka_unit_test(a_polite_stop_anywhere_changes_no_bit),
        cmocka_unit_test(sigkill_at_25_moments_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

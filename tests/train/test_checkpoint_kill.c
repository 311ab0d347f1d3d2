/* SIGKILL at 25 random moments of a process that does nothing but write checkpoints: what is found
 * is whole, it is one of the states that were written, and never older than the last save that the
 * process knew to be done. */
#include "support/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/folder.h"
#include "run.h"

enum { KILLS = 25, WIDE = 9000 };

static char folder[256], path[300];
static base_mem mem;
static run child_run, wanted, got;

/* Goes on from what is there; after each save tells its iteration through the pipe. */
static void write_for_ever(int tell)
{
    base_mem own = {.tag = "child"};
    run *r = &child_run;
    run_make(r, WIDE, TRAIN_OPTIMIZER_SGD, &own);
    train_checkpoint_sweep(path);
    if (base_path_exists(path)) {
        train_checkpoint *c;
        if (train_checkpoint_open(&c, path, &own, NULL) != VG_OK ||
            train_checkpoint_read(c, &r->state, NULL) != VG_OK)
            _exit(3);
        train_checkpoint_close(&c);
    }
    for (;;) {
        run_batch(r);
        if (run_save(r, path, &own, NULL) != VG_OK)
            _exit(4);
        const int64_t done = run_iteration(r);
        if (write(tell, &done, sizeof done) != sizeof done)
            _exit(5);
    }
}

static void pause_us(long us)
{
    const struct timespec t = {.tv_nsec = us * 1000};
    nanosleep(&t, NULL);
}

static void after_each_kill_the_newest_whole_state_is_found(void **state)
{
    (void)state;
    test_random r = {.state = (uint64_t)time(NULL)};
    print_message("seed %llu\n", (unsigned long long)r.state);
    run_make(&wanted, WIDE, TRAIN_OPTIMIZER_SGD, &mem);
    int64_t before = 0;
    int n_fresh = 0;
    for (int k = 0; k < KILLS; k++) {
        int tell[2];
        assert_int_equal(pipe(tell), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(tell[0]);
            write_for_ever(tell[1]);
        }
        close(tell[1]);
        int64_t known = before, one;
        if (k == 0) /* there must be a first */
            assert_int_equal(read(tell[0], &known, sizeof known), sizeof known);
        pause_us((long)(random_u64(&r) % 60000));
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(tell[0], &one, sizeof one) == sizeof one)
            known = one;
        close(tell[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));

        vg_error err;
        const vg_error *why;
        train_checkpoint *c;
        if (train_checkpoint_open(&c, path, &mem, &err) != VG_OK)
            fail_msg("kill %d: %s at %s", k, err.what, err.where);
        assert_false(train_checkpoint_fell_back(c, &why));
        n_fresh += strcmp(train_checkpoint_path(c), path) != 0;
        run_make(&got, WIDE, TRAIN_OPTIMIZER_SGD, &mem);
        assert_int_equal(train_checkpoint_read(c, &got.state, NULL), VG_OK);
        train_checkpoint_close(&c);
        assert_true(run_iteration(&got) >= known && run_iteration(&got) <= known + 1);
        run_until(&wanted, run_iteration(&got));
        run_expect_same(&wanted, &got);
        before = run_iteration(&got);
        run_fini(&got);
    }
    print_message("%d kills, %lld states written, %d found before they were in place\n", KILLS,
                  (long long)before, n_fresh);
    train_checkpoint_sweep(path);
    assert_true(folder_count_entries(folder) <=
                4); /* last, last.1, perhaps last.new and its link: nothing gathers */
    run_fini(&wanted);
    assert_int_equal(mem.in_use_bytes, 0);
}

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, 0);
    const int st = folder_make(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    return st;
}

static int teardown(void **state)
{
    (void)state;
    return folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_each_kill_the_newest_whole_state_is_found, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

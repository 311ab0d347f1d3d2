/* A run of another process, through vigil.h: which process is meant, and that no other is. The test
 * plays the run: it writes its files and holds its lock. */
#include "support/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vigil/vigil.h"

enum { PATH_BYTES = 256 };

typedef struct fixture {
    char project[PATH_BYTES], run[PATH_BYTES], pid_path[PATH_BYTES];
    int lock; /* -1: not held */
} fixture;

static volatile sig_atomic_t last_code, n_signals;

static void note_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    last_code = info->si_code;
    n_signals++;
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    char weights[PATH_BYTES + 16];
    strcpy(f->project, "/tmp/vigil-run-XXXXXX");
    if (mkdtemp(f->project) == NULL)
        return -1;
    snprintf(f->run, sizeof f->run, "%.100s/exp", f->project);
    snprintf(f->pid_path, sizeof f->pid_path, "%.150s/vigil.pid", f->run);
    snprintf(weights, sizeof weights, "%s/weights", f->run);
    mkdir(f->run, 0755);
    mkdir(weights, 0755);
    f->lock = -1;
    struct sigaction action = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGTERM, &action, NULL);
    n_signals = 0;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    char command[PATH_BYTES + 16];
    if (f->lock >= 0)
        close(f->lock);
    snprintf(command, sizeof command, "rm -rf '%s'", f->project);
    const int status = system(command);
    free(f);
    return status;
}

static uint64_t start_of_this_process(void)
{
    char text[2048] = "";
    uint64_t start = 0;
    FILE *file = fopen("/proc/self/stat", "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    char *p = strrchr(text, ')');
    for (int field = 2; field < 22; field++)
        p = strchr(p + 1, ' ');
    assert_int_equal(sscanf(p, " %" SCNu64, &start), 1);
    return start;
}

static void write_pid(fixture *f, int pid, uint64_t start, bool locked)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char text[64];
    const int n = snprintf(text, sizeof text, "%d\n%" PRIu64 "\n", pid, start);
    f->lock = open(f->pid_path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    assert_true(f->lock >= 0);
    assert_int_equal(write(f->lock, text, (size_t)n), n);
    if (locked)
        assert_int_equal(fcntl(f->lock, F_OFD_SETLK, &lock), 0);
}

static void assert_fails(const char *run, const char *project, vg_status status, const char *what)
{
    vg_run *r = NULL;
    vg_error err;
    assert_int_equal(vg_run_open(&r, run, project, &err), status);
    assert_null(r);
    assert_non_null(strstr(err.what, what));
    assert_true(err.where[0] != '\0' && err.mend[0] != '\0');
}

static void what_is_no_run_is_refused(void **state)
{
    const fixture *f = *state;
    assert_fails("/nowhere/at/all", NULL, VG_ERR_IO, "no such run");
    assert_fails(f->project, NULL, VG_ERR_ARGUMENT, "not a run");
    assert_fails(NULL, f->project, VG_ERR_ARGUMENT, "no run is running there");
    assert_fails(NULL, "/nowhere/at/all", VG_ERR_ARGUMENT, "no run is running there");
    assert_fails(f->run, NULL, VG_ERR_ARGUMENT, "the run is not running");
}

static void a_file_without_a_lock_is_of_a_killed_process(void **state)
{
    fixture *f = *state;
    write_pid(f, getpid(), start_of_this_process(), false); /* even while the process lives */
    assert_fails(f->run, NULL, VG_ERR_ARGUMENT, "was killed");
    assert_fails(NULL, f->project, VG_ERR_ARGUMENT, "no run is running there");
}

static void a_file_that_holds_no_id_is_no_process(void **state)
{
    fixture *f = *state;
    write_pid(f, -1, 0, true); /* kill(-1) would be everybody */
    assert_fails(f->run, NULL, VG_ERR_ARGUMENT, "the run is not running");
}

static void a_locked_run_is_alive_by_any_of_its_names(void **state)
{
    fixture *f = *state;
    vg_run *r = NULL;
    vg_run_view v;
    char name[2 * PATH_BYTES];
    write_pid(f, getpid(), start_of_this_process(), true);
    const char *const tails[] = {"", "/", "/weights", "/weights/"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        snprintf(name, sizeof name, "%s%s", f->run, tails[i]);
        assert_int_equal(vg_run_open(&r, name, NULL, NULL), VG_OK);
        assert_string_equal(vg_run_folder(r), f->run);
        vg_run_close(&r);
    }
    assert_int_equal(vg_run_open(&r, NULL, f->project, NULL), VG_OK);
    assert_string_equal(vg_run_folder(r), f->run);
    vg_run_look(r, &v);
    assert_true(v.is_alive);
    assert_int_equal(v.state, VG_RUN_PREPARING);
    assert_int_equal(v.pid, getpid());
    unlink(f->pid_path); /* as the run does when it ends, */
    vg_run_look(r, &v);
    assert_true(v.is_alive);
    close(f->lock); /* and then this */
    f->lock = -1;
    vg_run_look(r, &v);
    assert_false(v.is_alive);
    assert_int_equal(v.state, VG_RUN_DIED); /* it never said how it ended */
    vg_run_close(&r);
}

static void a_damaged_record_is_not_believed(void **state)
{
    fixture *f = *state;
    vg_run *r = NULL;
    vg_run_view v;
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/vigil.progress", f->run);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 8192; i++)
        fputc(i * 7 & 255, file);
    fclose(file);
    write_pid(f, getpid(), start_of_this_process(), true);
    assert_int_equal(vg_run_open(&r, f->run, NULL, NULL), VG_OK);
    vg_run_look(r, &v);
    assert_true(v.is_alive);
    assert_int_equal(v.state, VG_RUN_PREPARING);
    assert_int_equal(v.batch.n_batches, 0);
    vg_run_close(&r);
}

static void an_id_that_is_another_s_by_now_gets_no_signal(void **state)
{
    fixture *f = *state;
    vg_run *r = NULL;
    vg_error err;
    write_pid(f, getpid(), start_of_this_process() + 1, true);
    assert_int_equal(vg_run_open(&r, f->run, NULL, NULL), VG_OK);
    for (int i = 0; i < 2; i++) /* nor the second time */
        assert_int_equal(vg_run_stop(r, &err), VG_ERR_SYSTEM);
    assert_non_null(strstr(err.what, "not one of this system"));
    assert_int_equal(n_signals, 0);
    assert_false(vg_run_wait(r, 0));
    vg_run_close(&r);
}

static void a_stop_is_a_queued_signal_to_the_process_itself(void **state)
{
    fixture *f = *state;
    vg_run *r = NULL;
    write_pid(f, getpid(), start_of_this_process(), true);
    assert_int_equal(vg_run_open(&r, f->run, NULL, NULL), VG_OK);
    assert_int_equal(vg_run_stop(r, NULL), VG_OK);
    assert_int_equal(n_signals, 1);
    assert_int_equal(last_code, SI_QUEUE);
    assert_false(vg_run_wait(r, 10)); /* this process goes on */
    vg_run_close(&r);
}

/* Whoever made the folder may write any number into it, and hold the lock. */
static void a_process_that_does_not_hold_the_file_gets_no_signal(void **state)
{
    fixture *f = *state;
    vg_run *r = NULL;
    vg_error err;
    int status;
    const pid_t stranger = fork();
    if (stranger == 0)
        for (;;)
            pause();
    char path[64], text[2048] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)stranger);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    char *p = strrchr(text, ')');
    for (int field = 2; field < 22; field++)
        p = strchr(p + 1, ' ');
    write_pid(f, (int)stranger, strtoull(p, NULL, 10), true);
    assert_int_equal(vg_run_open(&r, f->run, NULL, NULL), VG_OK);
    assert_int_equal(vg_run_stop(r, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "does not hold that file open"));
    assert_true(err.where[0] != '\0' && err.mend[0] != '\0');
    assert_int_equal(waitpid(stranger, &status, WNOHANG), 0);
    kill(stranger, SIGKILL);
    waitpid(stranger, &status, 0);
    vg_run_close(&r);
}

static void what_is_no_file_of_a_run_is_not_followed(void **state)
{
    fixture *f = *state;
    char other[2 * PATH_BYTES];
    write_pid(f, getpid(), start_of_this_process(), true);
    snprintf(other, sizeof other, "%s/elsewhere", f->project);
    assert_int_equal(rename(f->pid_path, other), 0);
    assert_int_equal(symlink(other, f->pid_path), 0);
    assert_fails(f->run, NULL, VG_ERR_IO, "cannot read");
    unlink(f->pid_path);
    assert_int_equal(mkfifo(f->pid_path, 0644), 0); /* nobody writes into it: no waiting */
    assert_fails(f->run, NULL, VG_ERR_IO, "cannot read");
    static const char *const texts[] = {"1\n1\n", "0\n1\n", "-5\n1\n", "99999999999999\n1\n",
                                        "12\n",   "x\ny\n", "12\n-1\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        unlink(f->pid_path);
        FILE *file = fopen(f->pid_path, "w");
        fputs(texts[i], file);
        fclose(file);
        assert_fails(f->run, NULL, VG_ERR_ARGUMENT, "the run is not running");
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_is_no_run_is_refused),
        CASE(a_file_without_a_lock_is_of_a_killed_process),
        CASE(a_file_that_holds_no_id_is_no_process),
        CASE(a_locked_run_is_alive_by_any_of_its_names),
        CASE(a_damaged_record_is_not_believed),
        CASE(an_id_that_is_another_s_by_now_gets_no_signal),
        CASE(a_stop_is_a_queued_signal_to_the_process_itself),
        CASE(a_process_that_does_not_hold_the_file_gets_no_signal),
        CASE(what_is_no_file_of_a_run_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

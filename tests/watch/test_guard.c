/* test_guard.c: real jobs in the guard's hands: what it ends, what it starts again, and what it
 * never touches. */
#include "guard_bed.h"

/* ---- ends ---- */

static told t;

static void the_jobs_exit_status_passes_through(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    assert_int_equal(guard_sh(&t, "exit 7", WORDS(NULL), &status), VG_OK);
    assert_int_equal(status, 7);
    fresh(&t);
    assert_int_equal(guard_sh(&t, "kill -11 $$", WORDS(NULL), &status), VG_OK);
    assert_int_equal(status, 139);
    expect_note(&t, "signal 11");
}

static void a_wish_to_stop_ends_the_job_politely(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    t.stop_after = 3;
    const char script[] = "trap 'echo 1 > $T/polite; exit 5' TERM; while :; do sleep 0.05; done";
    assert_int_equal(guard_sh(&t, script, WORDS(NULL), &status), VG_ERR_INTERRUPTED);
    assert_int_equal(status, 5);
    assert_int_equal(read_int("polite"), 1);
}

static void one_that_will_not_end_is_killed_after_its_grace(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    t.stop_after = 3;
    const char script[] = "trap '' TERM; (trap '' TERM; exec sleep 100) & echo $! > "
                          "$T/child; while :; do sleep 0.05; done";
    assert_int_equal(guard_sh(&t, script, WORDS("grace=0.3"), &status), VG_ERR_INTERRUPTED);
    assert_int_equal(status, 137);
    expect_note(&t, "it did not end: KILL");
    assert_false(lives(read_int("child")));
}

static void a_stopped_job_hears_that_it_is_to_end(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    t.stop_after = 5;
    const int64_t began_ns = base_now_ns();
    const char script[] = "trap 'exit 6' TERM; kill -STOP $$; while :; do sleep 0.05; done";
    assert_int_equal(guard_sh(&t, script, WORDS("grace=20"), &status), VG_ERR_INTERRUPTED);
    assert_int_equal(status, 6);
    assert_true(base_now_ns() - began_ns < 10000000000);
}

static void what_a_job_leaves_behind_is_ended_with_it(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    const char script[] = "setsid sh -c 'echo $$ > $0/orphan; exec sleep 100' $T & "
                          "while [ ! -s $T/orphan ]; do sleep 0.05; done; exit 0";
    assert_int_equal(guard_sh(&t, script, WORDS(NULL), &status), VG_OK);
    assert_int_equal(status, 0);
    assert_true(read_int("orphan") > 0);
    assert_false(lives(read_int("orphan")));
    expect_note(&t, "that it left behind");
}

static void five_hundred_short_children_leave_nothing(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    const size_t in_use = mem.in_use_bytes;
    const char script[] = "i=0; while [ $i -lt 500 ]; do (exit 0) & i=$((i+1)); done; wait; "
                          "(sleep 0.1 & sleep 0.1 & sleep 0.1) ; sleep 0.3";
    assert_int_equal(guard_sh(&t, script, WORDS(NULL), &status), VG_OK);
    assert_int_equal(status, 0);
    assert_int_equal(mem.in_use_bytes, in_use);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie either */
}

/* ---- never another's ---- */

static void a_number_that_is_used_again_is_never_hit(void **state)
{
    (void)state;
    const pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    watch_job j = WATCH_JOB_NONE;
    vg_error why;
    OK(watch_job_attach(&j, pid, 0, err));
    const uint64_t ticks = j.start_ticks;
    assert_false(watch_signal_process(pid, ticks + 1, SIGKILL)); /* as if it were another by now */
    assert_false(watch_signal_process(pid, ticks - 1, SIGKILL));
    assert_int_equal(watch_job_attach(&j, pid, ticks + 1, &why), VG_ERR_IO);
    assert_true(lives(pid));
    OK(watch_job_attach(&j, pid, ticks, err));
    assert_true(watch_job_signal(&j, SIGKILL));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(watch_job_signal(&j, SIGKILL)); /* gone: its number is nobody's, or another's */
    assert_false(watch_signal_process(pid, ticks, SIGKILL));
    watch_job_fini(&j);
}

static void a_process_that_it_was_told_of_is_left_alone(void **state)
{
    static watch_options o;
    watch_guard *g = NULL;
    char pid_word[32], folder[512];
    int status;
    (void)state;
    fresh(&t);
    t.stop_after = 5;
    const pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        pause();
        _exit(0);
    }
    snprintf(pid_word, sizeof pid_word, "pid=%d", (int)pid);
    snprintf(folder, sizeof folder, "%s", temp_path("guard"));
    mkdir(folder, 0755);
    set(&o, WORDS(pid_word, "memory_max=1M", "on_limit=warn"));
    OK(watch_guard_create(&g, &o, NULL, folder, &mem, err));
    const watch_listener l = listen_to(&t);
    vg_error why;
    assert_int_equal(watch_guard_run(g, &l, &status, &why), VG_ERR_INTERRUPTED);
    watch_guard_destroy(&g);
    assert_true(lives(pid));
    assert_int_equal(count_notes(&t, "stopping"), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* ---- restarts ---- */

static void a_job_that_fails_is_started_again_until_the_hours_limit(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    const char script[] = "echo $((1 + $(cat $T/n 2>/dev/null || echo 0))) > $T/m; mv $T/m $T/n; "
                          "exit 3";
    assert_int_equal(
        guard_sh(&t, script, WORDS("on_exit=restart", "max_restarts=2", "backoff=0.05"), &status),
        VG_OK);
    assert_int_equal(status, 3);
    assert_int_equal(read_int("n"), 3);
    assert_int_equal(count_notes(&t, "job started again"), 2);
    expect_note(&t, "2 restarts within an hour: the job is left stopped");
}

static void a_good_end_is_no_reason_to_start_again(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    assert_int_equal(guard_sh(&t, "exit 0", WORDS("on_exit=restart"), &status), VG_OK);
    assert_int_equal(count_notes(&t, "again"), 0);
}

static void a_restart_has_its_arguments_once(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    /* $0 and what follows are the words behind the script. */
    const char script[] = "echo \"$0 $*\" >> $T/args; exit 1";
    assert_int_equal(
        guard_sh(&t, script,
                 WORDS("on_exit=restart", "max_restarts=2", "backoff=0.01", "resume_args=go 'o n'"),
                 &status),
        VG_OK);
    char line[3][64] = {{0}};
    FILE *f = fopen(temp_path("args"), "r");
    for (int i = 0; i < 3; i++)
        assert_non_null(fgets(line[i], sizeof line[i], f));
    fclose(f);
    assert_string_equal(line[0], "/bin/sh \n");
    assert_string_equal(line[1], "go o n\n");
    assert_string_equal(line[2], "go o n\n");
}

static void a_hook_runs_before_the_restart_and_is_no_part_of_the_job(void **state)
{
    int status;
    char hook[600];
    (void)state;
    fresh(&t);
    snprintf(hook, sizeof hook, "hook=sleep 0.5; touch %s/hooked", temp_folder);
    const char script[] = "test -e $T/hooked && exit 0; exit 1";
    assert_int_equal(
        guard_sh(&t, script, WORDS("on_exit=hook,restart", "backoff=0.01", hook), &status), VG_OK);
    assert_int_equal(status, 0); /* the second time it was there */
    assert_int_equal(count_notes(&t, "left behind"), 0);
}

static void a_program_that_is_not_there_is_told(void **state)
{
    static watch_options o;
    char no[] = "/no/such/program", *argv[] = {no, NULL};
    watch_guard *g = NULL;
    vg_error why = {0};
    int status;
    (void)state;
    set(&o, WORDS(NULL));
    OK(watch_guard_create(&g, &o, argv, temp_folder, &mem, err));
    assert_int_equal(watch_guard_run(g, NULL, &status, &why), VG_ERR_SYSTEM);
    assert_string_equal(why.where, "/no/such/program");
    watch_guard_destroy(&g);
}

/* Above 4 % of 50 MB, which a shell that holds nothing is below, whoever shares its pages. */
#define HOLDS_3_MB "s=$(head -c 3000000 /dev/zero | tr '\\0' x); test ${#s} = 3000000 || exit 9; "

/* At its limit a job has 5 s for a checkpoint. A machine that gives it no processor in them says
 * nothing: then once more. */
static void a_planned_restart_comes_just_after_a_checkpoint(void **state)
{
    enum { MOST_TRIES = 20 };
    static const char late[] = "no checkpoint came";
    int status;
    char where[600];
    const archive a = archive_safetensors(100);
    snprintf(where, sizeof where, "checkpoints=%s", temp_path("run"));
    const char script[] = "test \"$0\" = again && exit 8; "
                          "trap 'sleep 0.5; cp $T/good $T/run/last.safetensors' USR1; " HOLDS_3_MB
                          "while :; do sleep 0.05; done";
    for (int i = 0; i == 0 || (strstr(t.notes, late) != NULL && i < MOST_TRIES); i++) {
        clean(state);
        fresh(&t);
        t.stop_when = late;
        temp_write("good", a.bytes, a.n);
        mkdir(temp_path("run"), 0755);
        assert_int_equal(
            guard_sh(&t, script,
                     WORDS("memory_max=50M", "limit_at=0.04", "on_limit=checkpoint,restart",
                           "checkpoint_signal=USR1", "resume_args=again {checkpoint}", where),
                     &status),
            VG_OK);
    }
    assert_int_equal(status, 8);
    expect_note(&t, "asking for a checkpoint");
    const char *whole = strstr(t.notes, "a checkpoint is whole"),
               *stop = strstr(t.notes, "stopping the job");
    assert_true(whole != NULL && whole < stop);
    assert_true(base_path_exists(temp_path("guard/vault/000000-last.safetensors")));
}

static void a_checkpoint_that_does_not_come_is_not_waited_for_long(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    const char script[] =
        "test \"$0\" = again && exit 8; trap : USR1; " HOLDS_3_MB "while :; do sleep 0.05; done";
    assert_int_equal(
        guard_sh(&t, script,
                 WORDS("memory_max=50M", "limit_at=0.04", "on_limit=checkpoint,restart",
                       "checkpoint_signal=USR1", "resume_args=again"),
                 &status),
        VG_OK);
    assert_int_equal(status, 8);
    expect_note(&t, "waited for 5 s at most");
    expect_note(&t, "no checkpoint came");
}

static void past_the_hours_limit_a_living_job_is_not_ended(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    t.end_when = "it is not restarted"; /* it lives until then, however slow the machine is */
    assert_int_equal(
        guard_sh(&t, HOLDS_3_MB "while [ ! -e $T/end ]; do sleep 0.05; done",
                 WORDS("memory_max=50M", "limit_at=0.04", "on_limit=restart", "max_restarts=0"),
                 &status),
        VG_OK);
    assert_int_equal(status, 0);
    expect_note(&t, "it is not restarted");
}

static void notices_reach_their_command_and_the_guard_does_not_wait(void **state)
{
    int status, n = 0;
    char command[700], line[2048];
    (void)state;
    fresh(&t);
    snprintf(command, sizeof command, "notify_command=sleep 0.3; echo \"$VIGIL_EVENT\" >> %s",
             temp_path("told"));
    const int64_t began_ns = base_now_ns();
    assert_int_equal(guard_sh(&t, "exit 3", WORDS(command), &status), VG_OK);
    assert_true(base_now_ns() - began_ns < 8000000000);
    assert_int_equal(status, 3);
    FILE *f = fopen(temp_path("told"), "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        n += strstr(line, "\"text\":\"job started") != NULL ||
             strstr(line, "\"text\":\"the job ended with status 3\"") != NULL;
    fclose(f);
    assert_int_equal(n, 2);
}

/* ---- memory ---- */

/* A shell that holds more and more. */
#define EATS "s=x; while :; do s=$s$s; sleep 0.05; done"

static void a_limit_that_must_be_measured_ends_the_job(void **state)
{
    static watch_options o;
    watch_guard *g = NULL;
    char folder[512], sh[] = "/bin/sh", c[] = "-c", script[] = EATS,
                      *argv[] = {sh, c, script, NULL};
    int status;
    (void)state;
    fresh(&t);
    snprintf(folder, sizeof folder, "%s", temp_path("guard"));
    mkdir(folder, 0755);
    set(&o, WORDS("memory_max=40M"));
    OK(watch_guard_create(&g, &o, argv, folder, &mem, err));
    const watch_listener l = listen_to(&t);
    OK(watch_guard_run(g, &l, &status, err));
    watch_guard_destroy(&g);
    if (strstr(t.notes, "held by its own cgroup") !=
        NULL) { /* held for real: the kernel ended it */
        assert_int_equal(status, 137);
        expect_note(&t, "for want of memory");
        const char *at = strstr(t.notes, "/sys/fs/cgroup");
        assert_non_null(at);
        char path[512];
        snprintf(path, sizeof path, "%.*s", (int)strcspn(at, "\n"), at);
        assert_false(base_path_exists(path)); /* and it is removed */
    } else {
        assert_true(status != 0);
        expect_note(&t, "above --memory-max");
    }
}

static void a_job_that_the_kernel_ended_is_started_again(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    const char script[] = "test -e $T/second && exit 0; touch $T/second; " EATS;
    assert_int_equal(guard_sh(&t, script, WORDS("memory_max=40M", "on_oom=restart"), &status),
                     VG_OK);
    if (strstr(t.notes, "held by its own cgroup") == NULL)
        skip();
    assert_int_equal(status, 0);
    expect_note(&t, "job started again");
    expect_note(&t, "after the end: it ended by signal 9 (Killed). The kernel ended it, or a "
                    "process of it, for want of memory: ");
}

static void of_a_job_that_died_is_said_how_and_by_whom(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    assert_int_equal(guard_sh(&t, "kill -9 $$", WORDS("record=true"), &status), VG_OK);
    expect_note(&t, "after the end: it ended by signal 9 (Killed). ");
    assert_null(strstr(t.notes, "The kernel ended it"));
    fresh(&t);
    assert_int_equal(guard_sh(&t, "exit 5", WORDS("record=true"), &status), VG_OK);
    expect_note(&t, "after the end: it ended with status 5. ");
    fresh(&t);
    assert_int_equal(guard_sh(&t, "exit 0", WORDS("record=true"), &status), VG_OK);
    assert_null(strstr(t.notes, "after the end"));
}

static void a_steady_job_costs_no_allocation_a_sample(void **state)
{
    int status;
    (void)state;
    fresh(&t);
    t.stop_after = 40;
    assert_int_equal(guard_sh(&t, "exec sleep 100", WORDS("record=true"), &status),
                     VG_ERR_INTERRUPTED);
    assert_true(t.n_samples >= 40);
    assert_int_equal(t.allocs, t.allocs_at_10);
}

/* ---- the guard's own end ---- */

/* Until another process's guard has written these words into its log; the test's own limit of time
 * ends what never comes. */
static void await_said(const char *words)
{
    char text[1 << 16];
    for (;;) {
        FILE *f = fopen(temp_path("guard/events.jsonl"), "r");
        const size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
        text[n] = '\0';
        if (f != NULL)
            fclose(f);
        if (strstr(text, words) != NULL)
            return;
        usleep(20000);
    }
}

static void a_guard_that_was_killed_is_followed_by_one_that_takes_up_its_job(void **state)
{
    int status;
    (void)state;
    const char script[] = "echo $$ > $T/pid; while [ ! -e $T/end ]; do sleep 0.05; done; exit 4";
    fresh(&t); /* the first guard must not hear what the test before told t */
    const pid_t first = fork();
    if (first == 0) {
        guard_sh(&t, script, WORDS(NULL), &status);
        _exit(0);
    }
    for (int i = 0; i < 3000 && read_int("pid") < 0; i++)
        usleep(20000);
    for (int i = 0; i < 3000 && access(temp_path("guard/state.bin"), R_OK) != 0; i++)
        usleep(20000);
    const int pid = read_int("pid");
    assert_true(pid > 1);
    fresh(&t);
    assert_int_equal(guard_sh(&t, script, WORDS(NULL), &status), VG_ERR_LIMIT); /* it lives */
    kill(first, SIGKILL);
    waitpid(first, NULL, 0);
    assert_true(lives(pid));
    const pid_t second = fork();
    if (second == 0) {
        fresh(&t);
        const vg_status st = guard_sh(&t, script, WORDS(NULL), &status);
        _exit(st == VG_OK && strstr(t.notes, "taken up again") != NULL &&
                      strstr(t.notes, "job started") == NULL
                  ? 0
                  : 1);
    }
    await_said("taken up again");           /* else the job could end before anybody follows it */
    assert_int_equal(read_int("pid"), pid); /* no second one was started */
    temp_write("end", "", 0);
    assert_int_equal(waitpid(second, &status, 0), second);
    assert_int_equal(status, 0);
    assert_int_not_equal(access(temp_path("guard/state.bin"), F_OK), 0);
}

static void a_job_that_ended_unseen_goes_on_from_where_it_was(void **state)
{
    int status;
    (void)state;
    const char script[] = "echo $$ > $T/pid; test \"$0\" = again && exit 9; sleep 100";
    fresh(&t); /* the first guard must not hear what the test before told t */
    const pid_t first = fork();
    if (first == 0) {
        guard_sh(&t, script, WORDS("resume_args=again"), &status);
        _exit(0);
    }
    for (int i = 0; i < 3000 && read_int("pid") < 0; i++)
        usleep(20000);
    for (int i = 0; i < 3000 && access(temp_path("guard/state.bin"), R_OK) != 0; i++)
        usleep(20000);
    const int group = read_int("pid");
    assert_true(group > 1); /* kill(-1) and kill(1) would mean everybody, or init */
    kill(first, SIGKILL);
    waitpid(first, NULL, 0);
    kill(-group, SIGKILL);
    while (lives(group))
        usleep(20000);
    fresh(&t);
    assert_int_equal(guard_sh(&t, script, WORDS("resume_args=again"), &status), VG_OK);
    assert_int_equal(status, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_jobs_exit_status_passes_through, clean),
        cmocka_unit_test_setup(a_wish_to_stop_ends_the_job_politely, clean),
        cmocka_unit_test_setup(one_that_will_not_end_is_killed_after_its_grace, clean),
        cmocka_unit_test_setup(a_stopped_job_hears_that_it_is_to_end, clean),
        cmocka_unit_test_setup(what_a_job_leaves_behind_is_ended_with_it, clean),
        cmocka_unit_test_setup(five_hundred_short_children_leave_nothing, clean),
        cmocka_unit_test_setup(a_number_that_is_used_again_is_never_hit, clean),
        cmocka_unit_test_setup(a_process_that_it_was_told_of_is_left_alone, clean),
        cmocka_unit_test_setup(a_job_that_fails_is_started_again_until_the_hours_limit, clean),
        cmocka_unit_test_setup(a_good_end_is_no_reason_to_start_again, clean),
        cmocka_unit_test_setup(a_restart_has_its_arguments_once, clean),
        cmocka_unit_test_setup(a_hook_runs_before_the_restart_and_is_no_part_of_the_job, clean),
        cmocka_unit_test_setup(a_program_that_is_not_there_is_told, clean),
        cmocka_unit_test_setup(a_planned_restart_comes_just_after_a_checkpoint, clean),
        cmocka_unit_test_setup(a_checkpoint_that_does_not_come_is_not_waited_for_long, clean),
        cmocka_unit_test_setup(past_the_hours_limit_a_living_job_is_not_ended, clean),
        cmocka_unit_test_setup(notices_reach_their_command_and_the_guard_does_not_wait, clean),
        cmocka_unit_test_setup(a_limit_that_must_be_measured_ends_the_job, clean),
        cmocka_unit_test_setup(a_job_that_the_kernel_ended_is_started_again, clean),
        cmocka_unit_test_setup(of_a_job_that_died_is_said_how_and_by_whom, clean),
        cmocka_unit_test_setup(a_steady_job_costs_no_allocation_a_sample, clean),
        cmocka_unit_test_setup(a_guard_that_was_killed_is_followed_by_one_that_takes_up_its_job,
                               clean),
        cmocka_unit_test_setup(a_job_that_ended_unseen_goes_on_from_where_it_was, clean)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}

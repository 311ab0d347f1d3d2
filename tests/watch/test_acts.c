/* test_acts.c: hooks, a cgroup of its own, remedies, the waits before an end, what systemd is told.
 */
#include "support/ok.h"
#include "temp.h"

#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "net/net.h"
#include "watch/guard/acts.h"
#include "watch/guard/own_cgroup.h"
#include "watch/guard/remedy.h"

static base_mem mem = {.tag = "test"};

/* ---- hooks ---- */

static int run_hook(const char *command, double timeout_s)
{
    watch_hook h;
    int status = -1;
    OK(watch_hook_start(&h, command, "{\"a\":\"'b\"}", timeout_s, &mem, err));
    assert_true(watch_hook_wait(&h, 20, &status));
    assert_int_equal(h.fd, -1);
    return status;
}

static void a_hook_sees_the_event_and_tells_its_status(void **state)
{
    (void)state;
    assert_int_equal(run_hook("test \"$VIGIL_EVENT\" = \"{\\\"a\\\":\\\"'b\\\"}\"", 10), 0);
    assert_int_equal(run_hook("exit 7", 10), 7);
    assert_int_equal(run_hook("kill -9 $$", 10), 137);
    assert_int_equal(run_hook("read x", 10), 1); /* /dev/null */
    while (waitpid(-1, NULL, 0) > 0)
        continue;
}

static void a_hook_that_takes_too_long_is_ended_with_its_group(void **state)
{
    const int64_t began_ns = base_now_ns();
    (void)state;
    assert_int_equal(run_hook("sleep 60 & sleep 60", 0.3), 124);
    assert_true(base_now_ns() - began_ns < 10000000000);
    assert_true(waitpid(-1, NULL, 0) > 0); /* the keeper goes when the sleeps have gone */
}

static void what_a_hook_leaves_behind_never_becomes_the_guards_child(void **state)
{
    char command[600];
    FILE *f;
    int pid = 0, parent = -1;
    (void)state;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    snprintf(command, sizeof command, "setsid sleep 30 & echo $! > %s", temp_path("pid"));
    assert_int_equal(run_hook(command, 10), 0);
    f = fopen(temp_path("pid"), "r");
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    fclose(f);
    snprintf(command, sizeof command, "/proc/%d/stat", pid);
    f = fopen(command, "r");
    assert_int_equal(fscanf(f, "%*d %*s %*c %d", &parent), 1);
    fclose(f);
    assert_true(parent != getpid() && parent > 1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(-1, NULL, 0), parent);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

/* ---- a cgroup of its own ---- */

static void make(const char *path, const char *text)
{
    temp_write(path, text, strlen(text));
}

static void what_is_not_allowed_is_said_and_leaves_nothing(void **state)
{
    char sys[512], proc[512], why[512] = "";
    watch_own_cgroup c;
    (void)state;
    snprintf(sys, sizeof sys, "%s", temp_path("sys"));
    snprintf(proc, sizeof proc, "%s", temp_path("proc"));
    const char *const folders[] = {"proc",   "proc/self",     "sys",
                                   "sys/fs", "sys/fs/cgroup", "sys/fs/cgroup/job"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(temp_path(folders[i]), 0755);
    make("proc/self/cgroup", "0::/job\n");
    make("sys/fs/cgroup/cgroup.controllers", "memory\n");
    make("sys/fs/cgroup/job/cgroup.procs", "");
    /* no cgroup.subtree_control: nothing is handed down */
    assert_false(watch_own_cgroup_make(&c, sys, proc, 1 << 20, why, sizeof why));
    assert_non_null(strstr(why, "sys/fs/cgroup/job"));
    make("sys/fs/cgroup/job/cgroup.subtree_control", "");
    /* a folder of no cgroup file system has no memory.max in it */
    assert_false(watch_own_cgroup_make(&c, sys, proc, 1 << 20, why, sizeof why));
    assert_non_null(strstr(why, "memory.max"));
    assert_string_equal(c.folder, "");
    snprintf(why, sizeof why, "rmdir %s/job/vigil-%d 2>/dev/null", temp_path("sys/fs/cgroup"),
             (int)getpid());
    assert_int_not_equal(system(why), 0);
}

static void a_real_cgroup_is_made_limited_and_removed(void **state)
{
    char why[512], text[64] = "";
    watch_own_cgroup c;
    (void)state;
    if (!watch_own_cgroup_make(&c, "/sys", "/proc", 64 << 20, why, sizeof why)) {
        print_message("not allowed here: %s\n", why);
        skip();
    }
    char limit[4200];
    snprintf(limit, sizeof limit, "%s/memory.limit_in_bytes", c.folder);
    FILE *f = fopen(limit, "r");
    if (f == NULL) {
        snprintf(limit, sizeof limit, "%s/memory.max", c.folder);
        f = fopen(limit, "r");
    }
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_string_equal(text, "67108864\n");
    watch_own_cgroup again;
    assert_true(watch_own_cgroup_take(&again, c.folder));
    assert_string_equal(again.procs, c.procs);
    watch_own_cgroup_remove(&c);
    assert_false(base_path_exists(again.folder));
    assert_false(watch_own_cgroup_take(&c, again.folder));
}

/* ---- remedies ---- */

static void one_remedy_is_tried_at_a_time_and_the_one_that_helps_is_kept(void **state)
{
    watch_remedies r;
    char said[512] = "";
    (void)state;
    OK(watch_remedies_read(&r, "arenas, workers,jemalloc", err));
    assert_int_equal(watch_remedies_next(&r, 100), WATCH_REMEDY_NONE); /* nothing leaks yet */
    assert_false(watch_remedies_leak(&r, WATCH_MAIN_ANON_BYTES, 1e6, 400, said, sizeof said));
    assert_int_equal(watch_remedies_next(&r, 500), WATCH_REMEDY_ARENAS);
    assert_false(watch_remedies_quiet(&r, 900, said, sizeof said));
    assert_false(watch_remedies_leak(&r, WATCH_TREE_PSS_BYTES, 1e6, 800, said, sizeof said));
    assert_true(watch_remedies_leak(&r, WATCH_MAIN_ANON_BYTES, 0.9e6, 800, said, sizeof said));
    assert_non_null(strstr(said, "arenas"));
    assert_non_null(strstr(said, "does not help"));
    assert_false(watch_remedies_leak(&r, WATCH_MAIN_ANON_BYTES, 0.9e6, 810, said, sizeof said));
    assert_int_equal(watch_remedies_next(&r, 1000), WATCH_REMEDY_WORKERS);
    assert_true(watch_remedies_leak(&r, WATCH_MAIN_ANON_BYTES, 0.2e6, 1300, said, sizeof said));
    assert_non_null(strstr(said, "it helps"));
    assert_int_equal(watch_remedies_next(&r, 1400), WATCH_REMEDY_WORKERS);
}

static void a_run_without_a_leak_says_so_once(void **state)
{
    watch_remedies r;
    char said[512] = "";
    (void)state;
    OK(watch_remedies_read(&r, "arenas", err));
    watch_remedies_next(&r, 100);
    watch_remedies_leak(&r, WATCH_MAIN_ANON_BYTES, 1e6, 400, said, sizeof said);
    watch_remedies_next(&r, 500);
    assert_false(watch_remedies_quiet(&r, 1000, said, sizeof said));
    assert_true(watch_remedies_quiet(&r, 1200, said, sizeof said));
    assert_non_null(strstr(said, "it helps"));
    assert_false(watch_remedies_quiet(&r, 1300, said, sizeof said));
}

static void unknown_remedies_are_refused(void **state)
{
    watch_remedies r;
    vg_error why;
    (void)state;
    assert_int_equal(watch_remedies_read(&r, "arenas,magic", &why), VG_ERR_ARGUMENT);
    assert_int_equal(watch_remedies_read(&r, "arenas,arenas", &why), VG_ERR_ARGUMENT);
    OK(watch_remedies_read(&r, "", err));
    assert_int_equal(r.n, 0);
}

static void workers_are_halved_where_the_command_names_them(void **state)
{
    static const struct {
        const char *words[3], *want;
        size_t at;
    } rows[] = {{{"t", "workers=8", NULL}, "workers=4", 1},
                {{"t", "--num-workers=3", NULL}, "--num-workers=1", 1},
                {{"t", "--workers", "5"}, "2", 2}};
    char env[WATCH_REMEDY_ENV_BYTES], word[256], said[512];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *argv[4] = {0};
        for (size_t k = 0; k < 3; k++)
            argv[k] = (char *)(uintptr_t)rows[i].words[k];
        assert_true(watch_remedy_apply(WATCH_REMEDY_WORKERS, argv, env, word, sizeof word, said,
                                       sizeof said));
        assert_string_equal(argv[rows[i].at], rows[i].want);
    }
    char *none[] = {(char *)(uintptr_t) "t", (char *)(uintptr_t) "--workers", NULL};
    assert_false(
        watch_remedy_apply(WATCH_REMEDY_WORKERS, none, env, word, sizeof word, said, sizeof said));
    assert_true(said[0] != '\0');
    assert_true(
        watch_remedy_apply(WATCH_REMEDY_ARENAS, none, env, word, sizeof word, said, sizeof said));
    assert_string_equal(env, "MALLOC_ARENA_MAX=2");
}

/* ---- waits ---- */

static watch_acts *open_acts(watch_options *o, const char *signal)
{
    watch_acts *a = NULL;
    static char *argv[] = {(char *)(uintptr_t) "job", NULL};
    watch_options_default(o);
    OK(watch_options_set(o, "checkpoint_signal", signal, err));
    OK(watch_acts_create(&a, o, argv, temp_folder, 1, &mem, err));
    return a;
}

static void a_checkpoint_is_waited_for_only_within_the_forecast(void **state)
{
    watch_options o;
    (void)state;
    watch_acts *a = open_acts(&o, "SIGUSR1");
    watch_event e = {
        .verdict = {.state = WATCH_CRITICAL, .exhaustion_s = NAN, .exhaustion_low_s = NAN}};
    assert_int_equal(watch_acts_signal(a), SIGUSR1);
    assert_true(watch_acts_patience_s(a, &e, false, 10) == 0); /* it never wrote one */
    assert_true(watch_acts_patience_s(a, &e, true, 10) == 60);
    e.verdict.exhaustion_low_s = 40;
    assert_true(watch_acts_patience_s(a, &e, true, 10) == 20);
    e.verdict.exhaustion_low_s = 0;
    assert_true(watch_acts_patience_s(a, &e, true, 10) == 5);
    assert_true(watch_acts_patience_s(a, &e, false, 10) == 0);
    e.verdict.state = WATCH_HUNG;
    assert_true(watch_acts_patience_s(a, &e, true, 10) == o.grace_s);
    watch_acts_destroy(&a);
}

static void what_cannot_be_acted_on_is_refused_at_once(void **state)
{
    static const char *const bad[][2] = {{"checkpoint_signal", "KILL"},
                                         {"checkpoint_signal", "NOPE"},
                                         {"checkpoint_signal", "9"},
                                         {"resume_args", "'open"},
                                         {"remedies", "prayer"}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        watch_options o;
        watch_acts *a = NULL;
        vg_error why = {0};
        watch_options_default(&o);
        OK(watch_options_set(&o, bad[i][0], bad[i][1], err));
        assert_int_equal(watch_acts_create(&a, &o, NULL, temp_folder, 1, &mem, &why),
                         VG_ERR_ARGUMENT);
        assert_null(a);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

static void the_tree_counts_when_the_limit_is_measured(void **state)
{
    watch_options o;
    watch_sample s;
    (void)state;
    watch_options_default(&o);
    watch_acts *a = open_acts(&o, "");
    watch_sample_clear(&s, 0);
    assert_true(isnan(watch_acts_memory(a, &s)));
    s.value[WATCH_MAIN_RSS_BYTES] = 5;
    assert_true(watch_acts_memory(a, &s) == 5);
    s.value[WATCH_TREE_PSS_BYTES] = 70;
    s.value[WATCH_MAIN_ANON_BYTES] = 90; /* PSS is an old reading */
    assert_true(watch_acts_memory(a, &s) == 90);
    s.value[WATCH_CGROUP_ANON_BYTES] = 500; /* of a cgroup that others share */
    s.value[WATCH_LIMIT_MACHINE_BYTES] = s.value[WATCH_LIMIT_MEMORY_BYTES] = 1000;
    assert_true(watch_acts_memory(a, &s) == 90);
    s.value[WATCH_LIMIT_MEMORY_BYTES] = 600; /* the cgroup's limit: then all of it counts */
    assert_true(watch_acts_memory(a, &s) == 500);
    assert_false(watch_acts_is_over(a, &s));
    o.memory_max_bytes = 80;
    assert_true(watch_acts_memory(a, &s) == 90);
    assert_true(watch_acts_is_over(a, &s));
    watch_acts_destroy(&a);
}

/* ---- systemd ---- */

static void systemd_hears_ready_status_and_a_beat_for_each_sample(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[700];
    net_service s;
    (void)state;
    const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", temp_path("notify"));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    net_service_open(&s);
    assert_null(getenv("NOTIFY_SOCKET")); /* the job must not speak for the guard */
    assert_true(s.watchdog_s == 30);
    net_service_ready(&s);
    net_service_status(&s, "job\nstarted");
    net_service_status(&s, "job\nstarted");
    net_service_beat(&s);
    static const char *const want[] = {"READY=1\nMAINPID=", "STATUS=job\\x0astarted", "WATCHDOG=1"};
    for (size_t i = 0; i < 3; i++) {
        const ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
        text[n > 0 ? n : 0] = '\0';
        assert_int_equal(strncmp(text, want[i], strlen(want[i])), 0);
    }
    assert_true(recv(fd, text, sizeof text, MSG_DONTWAIT) < 0);
    net_service_close(&s);
    close(fd);
    net_service_open(&s); /* nobody listens */
    assert_int_equal(s.fd, -1);
    net_service_beat(&s);
    net_service_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_sees_the_event_and_tells_its_status),
        cmocka_unit_test(a_hook_that_takes_too_long_is_ended_with_its_group),
        cmocka_unit_test(what_a_hook_leaves_behind_never_becomes_the_guards_child),
        cmocka_unit_test(what_is_not_allowed_is_said_and_leaves_nothing),
        cmocka_unit_test(a_real_cgroup_is_made_limited_and_removed),
        cmocka_unit_test(one_remedy_is_tried_at_a_time_and_the_one_that_helps_is_kept),
        cmocka_unit_test(a_run_without_a_leak_says_so_once),
        cmocka_unit_test(unknown_remedies_are_refused),
        cmocka_unit_test(workers_are_halved_where_the_command_names_them),
        cmocka_unit_test(a_checkpoint_is_waited_for_only_within_the_forecast),
        cmocka_unit_test(what_cannot_be_acted_on_is_refused_at_once),
        cmocka_unit_test(the_tree_counts_when_the_limit_is_measured),
        cmocka_unit_test(systemd_hears_ready_status_and_a_beat_for_each_sample)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}

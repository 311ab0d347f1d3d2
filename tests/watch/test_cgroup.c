/* test_cgroup.c: both versions of cgroups and the machine, from folders made of recorded texts. */
#include "support/test.h"

#include <math.h>
#include <sys/stat.h>

#include "watch/sample/cgroup.h"

/* A /sys of our own under /tmp. */
static char sys[64];

static int setup(void **state)
{
    (void)state;
    snprintf(sys, sizeof sys, "/tmp/vigil-cgroup-XXXXXX");
    return mkdtemp(sys) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", sys);
    return system(command);
}

/* Folders on the way are made. */
static void put(const char *path, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/fs/cgroup/%s", sys, path);
    for (char *p = whole + strlen(sys) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(whole, 0755);
        *p = '/';
    }
    FILE *f = fopen(whole, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void put_data(const char *path, const char *name)
{
    char from[512], text[8192] = "";
    snprintf(from, sizeof from, "%s/proc/%s", TEST_FIXTURES_DIR, name);
    FILE *f = fopen(from, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    put(path, text);
}

static void put_v2(const char *folder, const char *max)
{
    char path[256];
    const char *const files[] = {"cgroup.procs",   "",
                                 "memory.current", "2000000000\n",
                                 "memory.high",    "max",
                                 "memory.peak",    "3000000000\n",
                                 "memory.max",     max,
                                 "pids.max",       "512\n",
                                 "memory.events",  "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i += 2) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        put(path, files[i + 1]);
    }
}

static void version_2_is_read_with_the_least_limit_above(void **state)
{
    (void)state;
    watch_cgroup c;
    watch_sample s;
    put("cgroup.controllers", "memory pids\n");
    put_v2("a.slice", "4000000000\n");
    put_v2("a.slice/job.service", "max\n");
    put_data("a.slice/job.service/memory.stat", "memory_stat_v2.txt");
    put_data("a.slice/job.service/memory.pressure", "pressure.txt");
    watch_cgroup_find(&c, sys, NULL, "0::/a.slice/job.service\n", 24);
    assert_true(c.is_known && c.is_v2);
    watch_sample_clear(&s, 0);
    watch_cgroup_read(&c, &s);
    const double *v = s.value;
    assert_true(v[WATCH_LIMIT_MEMORY_BYTES] == 4e9);
    assert_true(v[WATCH_LIMIT_THREADS] == 512);
    assert_true(v[WATCH_CGROUP_CURRENT_BYTES] == 2e9);
    assert_true(v[WATCH_CGROUP_PEAK_BYTES] == 3e9);
    assert_true(isnan(v[WATCH_CGROUP_HIGH_BYTES]));
    assert_true(v[WATCH_CGROUP_ANON_BYTES] == 1073741824);
    assert_true(v[WATCH_CGROUP_SHMEM_BYTES] == 134217728);
    assert_true(v[WATCH_CGROUP_FILE_BYTES] == 536870912 - 134217728); /* each byte once */
    assert_true(v[WATCH_CGROUP_KERNEL_BYTES] == 20971520);
    assert_true(v[WATCH_CGROUP_OOM] == 3 && v[WATCH_CGROUP_OOM_KILL] == 2);
    assert_float_equal(v[WATCH_CGROUP_PRESSURE], 0.1234, 1e-12);
}

static void an_older_version_2_has_its_kernel_memory_summed_up(void **state)
{
    (void)state;
    watch_cgroup c;
    watch_sample s;
    put("cgroup.controllers", "memory pids\n");
    put_v2("job", "max\n");
    put_data("job/memory.stat", "memory_stat_v2_5.10.txt");
    watch_cgroup_find(&c, sys, "job", "", 0);
    watch_sample_clear(&s, 0);
    watch_cgroup_read(&c, &s);
    assert_true(s.value[WATCH_CGROUP_KERNEL_BYTES] == 1048576 + 8388608 + 4096 + 4194304);
    assert_true(isnan(s.value[WATCH_LIMIT_MEMORY_BYTES]));
    assert_true(isnan(s.value[WATCH_CGROUP_PRESSURE])); /* no such file */
}

static void put_v1(const char *path)
{
    static const char *const files[] = {
        "memory.usage_in_bytes", "5000\n",
        "memory.limit_in_bytes", "9223372036854771712\n",
        "memory.failcnt",        "4\n",
        "memory.oom_control",    "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        "cgroup.procs",          ""};
    char name[256];
    for (size_t i = 0; i < sizeof files / sizeof *files; i += 2) {
        snprintf(name, sizeof name, "memory/%s/%s", path, files[i]);
        put(name, files[i + 1]);
    }
    snprintf(name, sizeof name, "memory/%s/memory.stat", path);
    put_data(name, "memory_stat_v1.txt");
}

static void version_1_is_read_under_the_same_names(void **state)
{
    (void)state;
    watch_cgroup c;
    watch_sample s;
    put_v1("job");
    put("memory/memory.usage_in_bytes", "1\n");
    put("memory/memory.limit_in_bytes", "7000000\n");
    put("pids/job/pids.max", "99\n");
    watch_cgroup_find(&c, sys, NULL, "5:memory:/job\n4:pids:/job\n", 26);
    assert_true(c.is_known && !c.is_v2);
    watch_sample_clear(&s, 0);
    watch_cgroup_read(&c, &s);
    const double *v = s.value;
    assert_true(v[WATCH_LIMIT_MEMORY_BYTES] == 7000000);
    assert_true(v[WATCH_LIMIT_THREADS] == 99);
    assert_true(v[WATCH_CGROUP_CURRENT_BYTES] == 5000);
    assert_true(v[WATCH_CGROUP_ANON_BYTES] == 1073741824);
    assert_true(v[WATCH_CGROUP_FILE_BYTES] == 536870912 - 134217728);
    assert_true(v[WATCH_CGROUP_OOM] == 4 && v[WATCH_CGROUP_OOM_KILL] == 1);
}

static void a_container_whose_path_is_not_seen_is_its_mounts_root(void **state)
{
    (void)state;
    watch_cgroup c;
    put_v1(".");
    watch_cgroup_find(&c, sys, NULL, "11:memory:/docker/6f2a9d0c\n", 27);
    assert_true(c.is_known);
    assert_string_equal(c.folder, c.root);
}

/* Else the whole machine would be the job, and its processes the guard's to end. */
static void a_cgroup_that_was_given_and_does_not_exist_is_none(void **state)
{
    (void)state;
    watch_cgroup c;
    put_v1(".");
    watch_cgroup_find(&c, sys, "/no/such", "", 0);
    assert_false(c.is_known);
    assert_string_equal(c.procs_folder, "");
    put("cgroup.controllers", "memory\n");
    put_v2("here", "max\n");
    watch_cgroup_find(&c, sys, "/no/such", "", 0);
    assert_false(c.is_known);
    assert_string_equal(c.procs_folder, "");
}

static void an_absolute_path_is_that_below_the_mount(void **state)
{
    (void)state;
    watch_cgroup c;
    char path[256];
    put_v1("job/inner");
    snprintf(path, sizeof path, "%s/fs/cgroup/memory/job/inner", sys);
    watch_cgroup_find(&c, sys, path, "", 0);
    assert_true(c.is_known);
    assert_string_equal(c.folder, path);
    watch_cgroup_find(&c, sys, "job/inner", "", 0);
    assert_string_equal(c.folder, path);
}

/* Version 1 without memory accounting: only systemd's own hierarchy knows the unit. */
static void a_unit_is_found_in_version_1_without_the_memory_controller(void **state)
{
    (void)state;
    char path[WATCH_PATH_BYTES];
    watch_cgroup c;
    put("systemd/system.slice/camera.service/cgroup.procs", "12\n");
    put("memory/memory.usage_in_bytes", "1\n");
    assert_true(watch_cgroup_find_unit(path, sys, "camera", 1000));
    assert_string_equal(path, "/system.slice/camera.service");
    watch_cgroup_find(&c, sys, path, "", 0);
    assert_false(c.is_known);
    assert_non_null(strstr(c.procs_folder, "systemd/system.slice/camera.service"));
}

static void a_users_own_unit_comes_before_another_users(void **state)
{
    (void)state;
    char path[WATCH_PATH_BYTES];
    put("cgroup.controllers", "memory\n");
    put("user.slice/user-1000.slice/user@1000.service/app.slice/train.service/cgroup.procs", "");
    put("user.slice/user-1001.slice/user@1001.service/app.slice/train.service/cgroup.procs", "");
    assert_true(watch_cgroup_find_unit(path, sys, "train", 1001));
    assert_non_null(strstr(path, "user-1001.slice"));
    assert_true(watch_cgroup_find_unit(path, sys, "train.service", 1000));
    assert_non_null(strstr(path, "user-1000.slice"));
    assert_true(watch_cgroup_find_unit(path, sys, "user-1001.slice", 0));
    assert_string_equal(path, "/user.slice/user-1001.slice");
    assert_false(watch_cgroup_find_unit(path, sys, "nothing", 1000));
    assert_false(watch_cgroup_find_unit(path, sys, "../user.slice", 1000));
}

static void the_machine_is_read_and_what_nobody_owns_is_told(void **state)
{
    (void)state;
    static const char text[] = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n"
                               "Buffers: 10 kB\nCached: 200 kB\nSwapCached: 0 kB\n"
                               "AnonPages: 400 kB\nSlab: 50 kB\nSUnreclaim: 30 kB\n"
                               "KernelStack: 5 kB\nPageTables: 5 kB\n";
    watch_sample s;
    watch_sample_clear(&s, 0);
    watch_machine_read(&s, text, sizeof text - 1);
    assert_true(s.value[WATCH_LIMIT_MACHINE_BYTES] == 1024000);
    assert_true(s.value[WATCH_MACHINE_USED_BYTES] == 750 * 1024);
    assert_true(s.value[WATCH_MACHINE_SLAB_BYTES] == 30 * 1024);
    assert_true(s.value[WATCH_MACHINE_UNEXPLAINED_BYTES] == 230 * 1024);
    watch_sample_clear(&s, 0);
    watch_machine_read(&s, "", 0);
    assert_true(isnan(s.value[WATCH_LIMIT_MACHINE_BYTES]));
    assert_true(isnan(s.value[WATCH_MACHINE_UNEXPLAINED_BYTES]));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(version_2_is_read_with_the_least_limit_above),
        T(an_older_version_2_has_its_kernel_memory_summed_up),
        T(version_1_is_read_under_the_same_names),
        T(a_container_whose_path_is_not_seen_is_its_mounts_root),
        T(a_cgroup_that_was_given_and_does_not_exist_is_none),
        T(an_absolute_path_is_that_below_the_mount),
        T(a_unit_is_found_in_version_1_without_the_memory_controller),
        T(a_users_own_unit_comes_before_another_users),
        T(the_machine_is_read_and_what_nobody_owns_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_world.c: what a job is, which files it holds, and which part of its memory a limit bounds.
 */
#include "support/test.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/sample/bound.h"
#include "watch/sample/charged.h"
#include "watch/sample/descriptors.h"
#include "watch/sample/spaces.h"
#include "watch/sample/world_look.h"
#include "watch/watch.h"

enum { MB = 1 << 20 };

/* ---- words ---- */

static unsigned of_command(const char *words, size_t n)
{
    return watch_world_of_command(words, n);
}

static void a_command_line_tells_what_runs(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        size_t n;
        unsigned bits;
    } rows[] = {
#define ROW(words, bits) {words, sizeof words, bits}
        ROW("/usr/bin/python3.11\0train.py", WATCH_WORLD_PYTHON | WATCH_WORLD_TRAINS),
        ROW("python\0-m\0ultralytics\0predict",
            WATCH_WORLD_PYTHON | WATCH_WORLD_ULTRALYTICS | WATCH_WORLD_PREDICTS),
        ROW("python3\0/usr/local/bin/yolo\0detect\0train",
            WATCH_WORLD_PYTHON | WATCH_WORLD_ULTRALYTICS | WATCH_WORLD_TRAINS |
                WATCH_WORLD_PREDICTS),
        ROW("gunicorn: worker [app]", WATCH_WORLD_WEB),
        ROW("node\0server.js", WATCH_WORLD_NODE),
        ROW("/usr/lib/jvm/bin/java\0-jar\0app.jar", WATCH_WORLD_JAVA),
        ROW("php-fpm: pool www", WATCH_WORLD_PHP),
        ROW("./constrained\0yolov8n.pt\0trainer", 0),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(of_command(rows[i].words, rows[i].n), rows[i].bits);
    assert_int_equal(of_command("", 0), 0);
    static const char cut[] = {'n', 'o', 'd', 'e'}; /* no zero at its end */
    assert_int_equal(of_command(cut, sizeof cut), 0);
}

static void a_script_and_its_libraries_tell_more(void **state)
{
    (void)state;
    static const char line[] = "python3\0-u\0/srv/app/predict.py\0--all";
    assert_string_equal(watch_world_script(line, sizeof line), "/srv/app/predict.py");
    assert_null(watch_world_script("node\0a.js", 10));
    static const char text[] = "from ultralytics import YOLO\nYOLO('a.pt').predict('b')\n";
    assert_int_equal(watch_world_of_script(text, sizeof text - 1),
                     WATCH_WORLD_ULTRALYTICS | WATCH_WORLD_PREDICTS);
    static const char torch[] = "/v/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so";
    assert_int_equal(watch_world_of_map(torch, sizeof torch - 1), WATCH_WORLD_TENSORS);
    static const uint8_t go[] = "\177ELF....\4\0\0\0\123\0\0\0\4\0\0\0Go\0\0";
    assert_int_equal(watch_world_of_program(go, sizeof go), WATCH_WORLD_GO);
    assert_int_equal(watch_world_of_program(go, 8), 0);
}

/* ---- processes ---- */

typedef struct bench {
    base_mem mem;
    vg_error err;
    watch_tree *tree;
    pid_t job;
    int ready;
    char folder[64], ours[96], others[96];
} bench;

static bool make_file(const char *path, size_t bytes, bool keep)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
        return false;
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return false;
    memset(p, 1, bytes);
    close(fd); /* the map holds it */
    return keep || munmap(p, bytes) == 0;
}

static _Noreturn void be_job(const bench *b, int ready)
{
    char path[128];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    base_format(path, sizeof path, "%s/app.out", b->folder);
    for (int i = 0; i < 20; i++) /* one log, twenty handlers */
        if (open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) < 0)
            _exit(1);
    for (int i = 0; i < 2; i++) {
        base_format(path, sizeof path, "%s/state.sqlite3", b->folder);
        if (open(path, O_RDWR | O_CREAT, 0600) < 0)
            _exit(1);
    }
    base_format(path, sizeof path, "%s/gone", b->folder);
    const int fd = open(path, O_RDWR | O_CREAT, 0600);
    char piece[4096] = {1};
    for (int i = 0; i < 256; i++)
        if (write(fd, piece, sizeof piece) != sizeof piece)
            _exit(1);
    if (unlink(path) != 0 || dup(fd) < 0 || (b->ours[0] != '\0' && !make_file(b->ours, MB, true)))
        _exit(1);
    if (write(ready, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static int setup(void **state)
{
    static bench b;
    int ready[2];
    char byte;
    bool is_there;
    b = (bench){.mem = {.tag = "test"}, .folder = "/tmp/vigil-world-XXXXXX"};
    *state = &b;
    if (mkdtemp(b.folder) == NULL || pipe(ready) != 0)
        return -1;
    if (access("/dev/shm", W_OK) == 0) {
        base_format(b.ours, sizeof b.ours, "/dev/shm/vigil-ours-%d-x", (int)getpid());
        base_format(b.others, sizeof b.others, "/dev/shm/vigil-others-%d-x", (int)getpid());
        if (!make_file(b.others, MB, false))
            return -1;
    }
    b.job = fork();
    if (b.job == 0) {
        close(ready[0]);
        be_job(&b, ready[1]);
    }
    close(ready[1]);
    const ssize_t n = read(ready[0], &byte, 1);
    close(ready[0]);
    const watch_tree_options o = {.main_pid = b.job, .proc = "/proc"};
    return n == 1 && watch_tree_create(&b.tree, &o, &b.mem, &b.err) == VG_OK &&
                   watch_tree_look(b.tree, 0, &is_there, &b.mem, &b.err) == VG_OK && is_there
               ? 0
               : -1;
}

static int teardown(void **state)
{
    bench *b = *state;
    static const char *const names[] = {"app.out", "state.sqlite3"};
    char path[128];
    watch_tree_destroy(&b->tree);
    kill(b->job, SIGKILL);
    waitpid(b->job, NULL, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        base_format(path, sizeof path, "%s/%s", b->folder, names[i]);
        unlink(path);
    }
    rmdir(b->folder);
    unlink(b->ours);
    unlink(b->others);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static void descriptors_are_told_with_the_commonest_file(void **state)
{
    bench *b = *state;
    watch_descriptors d;
    const watch_member *m = watch_tree_peek(b->tree, watch_tree_main(b->tree));
    assert_true(watch_descriptors_read(&d, b->tree, m));
    assert_true(d.kinds[PROC_FD_LOG] >= 20); /* by how it was opened: its name says nothing */
    assert_true(d.kinds[PROC_FD_SQLITE] == 2);
    assert_non_null(strstr(d.deleted, "/gone (deleted), 1.0 MB"));
    assert_true(d.kinds[PROC_FD_DELETED] == 2);
    assert_true(d.deleted_bytes >= MB && d.deleted_bytes < 2 * MB); /* one file, two descriptors */
    assert_true(d.files >= 22);
    assert_non_null(strstr(d.most, "20 times "));
    assert_non_null(strstr(d.most, "/app.out"));
    assert_int_equal(watch_descriptors_count(b->tree, m),
                     (int)(d.files + d.kinds[PROC_FD_DELETED] + d.kinds[PROC_FD_SOCKET] +
                           d.kinds[PROC_FD_PIPE] + d.kinds[PROC_FD_DEVICE] +
                           d.kinds[PROC_FD_EVENT] + d.kinds[PROC_FD_SHM] +
                           d.kinds[PROC_FD_EVENTS_FILE] + d.kinds[PROC_FD_CAMERA]));
}

/* Both are the same user's. */
static void shared_memory_of_another_process_is_not_the_jobs(void **state)
{
    bench *b = *state;
    static watch_held held;
    double v[WATCH_N_SERIES], unclaimed;
    if (b->ours[0] == '\0')
        skip();
    held = (watch_held){0};
    const watch_member *m = watch_tree_peek(b->tree, watch_tree_main(b->tree));
    watch_spaces_read_shm(v, &held, b->tree, m, getuid(), 0, &unclaimed);
    assert_true(v[WATCH_SHM_BYTES] == MB);
    assert_true(v[WATCH_SHM_FILES] == 1);
    assert_true(unclaimed >= MB); /* the other's, and whatever else lies there */
    /* What the job was seen to hold stays its own when it lets go of it without unlinking. */
    kill(b->job, SIGKILL);
    bool is_there;
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)b->job, &ended, WEXITED | WNOWAIT), 0);
    assert_int_equal(watch_tree_look(b->tree, 1, &is_there, &b->mem, &b->err), VG_OK);
    for (int i = 0; i < 3; i++)
        watch_spaces_read_shm(v, &held, b->tree, NULL, getuid(), 0, &unclaimed);
    assert_true(v[WATCH_SHM_BYTES] == MB);
    unlink(b->ours);
    watch_spaces_read_shm(v, &held, b->tree, NULL, getuid(), 0, &unclaimed);
    assert_true(v[WATCH_SHM_BYTES] == 0);
}

/* PyTorch's segments bear the number of the process that made them. */
static void a_file_with_a_number_of_the_tree_is_the_jobs(void **state)
{
    bench *b = *state;
    static watch_held held;
    char name[64];
    held = (watch_held){0};
    base_format(name, sizeof name, "torch_%d_17_0", (int)b->job);
    assert_true(watch_held_is_ours(&held, b->tree, 1234567, name));
    assert_true(watch_held_is_ours(&held, b->tree, 1234567, "renamed"));
    base_format(name, sizeof name, "torch_%d1_17_0", (int)b->job);
    assert_false(watch_held_is_ours(&held, b->tree, 7654321, name));
    assert_false(watch_held_is_ours(&held, b->tree, 7654321, ""));
}

/* ---- what a job's own settings let it keep ---- */

static void settings_bound_what_is_kept(void **state)
{
    (void)state;
    static const double mib = MB;
    const char *settings;
    static const struct {
        const char *words;
        size_t n;
        double bytes; /* 0: nothing is said */
    } rows[] = {
#define ROW(words, bytes) {words, sizeof words, bytes}
        ROW("redis-server\0--maxmemory\000140mb\0--maxmemory-policy\0allkeys-lru", 140 * mib),
        ROW("prlimit\0--nofile=99\0/usr/bin/redis-server\0--maxmemory-policy\0volatile-ttl\0"
            "--maxmemory\0002G",
            2e9),
        ROW("redis-server\0--maxmemory\000140mb", 0), /* it refuses, and evicts nothing */
        ROW("redis-server\0--maxmemory\000140mb\0--maxmemory-policy\0noeviction", 0),
        ROW("redis-server\0--maxmemory\000many\0--maxmemory-policy\0allkeys-lru", 0),
        ROW("redis-server 127.0.0.1:6379", 0), /* its title */
        ROW("memcached\0-u\0nobody\0-m\000100", 100 * mib),
        ROW("/usr/bin/memcached\0-m256", 256 * mib),
        ROW("memcached\0--memory-limit=1g", 1024 * mib),
        ROW("memcached\0-d", 64 * mib),
        ROW("memcached\0-M\0-m\000100", 0),
        ROW("java\0-cp\0a.jar\0-Xmx300m\0Main", 300 * mib),
        ROW("env\0X=1\0/opt/jvm/bin/java\0-XX:MaxHeapSize=2g\0-jar\0a.jar", 2048 * mib),
        ROW("java\0-Xmx1g\0-Xmx256M\0Main", 256 * mib), /* the last one holds */
        ROW("java\0Main\0-Xmx300m", 0),                 /* the program's own word */
        ROW("python3\0-Xmx300m", 0),
        ROW("", 0),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const watch_bound b = watch_bound_of_command(rows[i].words, rows[i].n, &settings);
        const double bytes = watch_bound_bytes(&b);
        assert_true(rows[i].bytes > 0 ? bytes == rows[i].bytes : isnan(bytes));
        assert_null(settings);
    }
    static const char cut[] = {'j', 'a', 'v', 'a', 0, '-', 'X', 'm', 'x', '1', 'g'};
    const watch_bound none = watch_bound_of_command(cut, sizeof cut, &settings);
    assert_true(isnan(watch_bound_bytes(&none)));

    static const char named[] = "redis-server\0/etc/r.conf\0--maxmemory\0001mb",
                      text[] = "# maxmemory 5gb\nmaxmemory 2gb\r\n\n"
                               "  maxmemory-policy\tallkeys-lfu\nsave";
    watch_bound b = watch_bound_of_command(named, sizeof named, &settings);
    assert_string_equal(settings, "/etc/r.conf");
    assert_true(isnan(watch_bound_bytes(&b)));
    watch_bound_of_settings(&b, text, sizeof text - 1);
    assert_true(watch_bound_bytes(&b) == mib); /* what the command line said holds */
    b = (watch_bound){.bytes = NAN, .may_need_policy = true};
    watch_bound_of_settings(&b, text, sizeof text - 1);
    assert_true(watch_bound_bytes(&b) == 2048 * mib);

    static const char with[] = "HOME=/\0GOMEMLIMIT=100MiB", off[] = "GOMEMLIMIT=off\0A=1";
    assert_true(watch_bound_of_environment(with, sizeof with) == 100 * mib);
    assert_true(isnan(watch_bound_of_environment(off, sizeof off)));
}

/* Some overwrite their command line by a title: that with which it was started is asked, too. */
static void a_bound_is_read_of_the_job(void **state)
{
    bench *b = *state;
    static char buf[1 << 15];
    static const char started[] = "redis-server\0r.conf\0--maxmemory-policy\0allkeys-lru";
    char path[128];
    const watch_member *m = watch_tree_peek(b->tree, watch_tree_main(b->tree));
    assert_true(isnan(watch_world_bound(b->tree, m, "", 0, buf, sizeof buf)));
    assert_true(isnan(watch_world_bound(b->tree, m, started, sizeof started, buf, sizeof buf)));
    char words[256];
    const int size = snprintf(words, sizeof words, "redis-server%c%s/r.conf", 0, b->folder);
    base_format(path, sizeof path, "%s/r.conf", b->folder);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    static const char text[] = "maxmemory 3mb\nmaxmemory-policy allkeys-lru\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    assert_true(watch_world_bound(b->tree, m, words, (size_t)size + 1, buf, sizeof buf) ==
                3.0 * MB);
    unlink(path);
}

static void what_a_program_is_is_looked_up(void **state)
{
    bench *b = *state;
    static char buf[1 << 15];
    const watch_member *m = watch_tree_peek(b->tree, watch_tree_main(b->tree));
    assert_int_equal(watch_world_look(0, b->tree, m, buf, sizeof buf), WATCH_WORLD_NATIVE);
    /* Libraries come later, and what was seen stays seen. */
    assert_int_equal(watch_world_look(WATCH_WORLD_NATIVE | WATCH_WORLD_PYTHON | WATCH_WORLD_TENSORS,
                                      b->tree, m, buf, sizeof buf),
                     WATCH_WORLD_PYTHON | WATCH_WORLD_TENSORS);
}

/* ---- memory that is charged ---- */

static void pages_of_files_are_no_charge(void **state)
{
    (void)state;
    watch_sample s;
    watch_sample_clear(&s, 0);
    double *v = s.value;
    assert_true(watch_charged_files(&s, WATCH_MAIN_RSS_BYTES) == 0);
    assert_true(isnan(watch_charged_tree(&s)) && isnan(watch_charged_in_use(&s)));
    v[WATCH_MAIN_RSS_BYTES] = 633;
    v[WATCH_MAIN_ANON_BYTES] = 330;
    v[WATCH_MAIN_SHMEM_BYTES] = 5;
    assert_true(watch_charged_files(&s, WATCH_MAIN_RSS_BYTES) == 298); /* of an old trace */
    v[WATCH_MAIN_FILE_BYTES] = 297;
    assert_true(watch_charged_files(&s, WATCH_MAIN_RSS_BYTES) == 297);
    assert_true(watch_charged_files(&s, WATCH_MAIN_ANON_BYTES) == 0);
    v[WATCH_CHILDREN_RSS_BYTES] = 100;
    v[WATCH_CHILDREN_ANON_BYTES] = 40;
    v[WATCH_SHM_BYTES] = 50; /* may be mapped by them */
    assert_true(watch_charged_files(&s, WATCH_CHILDREN_RSS_BYTES) == 10);
    v[WATCH_CHILDREN_FILE_BYTES] = 30;
    assert_true(watch_charged_files(&s, WATCH_CHILDREN_RSS_BYTES) == 30);
    /* A limit of a cgroup: what is on its account, whose page cache does not count. */
    v[WATCH_CGROUP_ANON_BYTES] = 372;
    v[WATCH_CGROUP_SHMEM_BYTES] = 6;
    v[WATCH_CGROUP_KERNEL_BYTES] = 2;
    v[WATCH_CGROUP_CURRENT_BYTES] = 449;
    v[WATCH_LIMIT_MEMORY_BYTES] = 450;
    v[WATCH_LIMIT_MACHINE_BYTES] = 10000;
    assert_true(watch_charged_in_use(&s) == 335); /* the limit is not the cgroup's */
    v[WATCH_LIMIT_CGROUP_BYTES] = 450;
    assert_true(watch_charged_in_use(&s) == 380);
    v[WATCH_CGROUP_ANON_BYTES] = 9000; /* other jobs' */
    assert_false(watch_charged_is_ours(&s));
    assert_true(watch_charged_in_use(&s) == 335);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_command_line_tells_what_runs),
                                       cmocka_unit_test(a_script_and_its_libraries_tell_more),
                                       cmocka_unit_test(pages_of_files_are_no_charge),
                                       cmocka_unit_test(settings_bound_what_is_kept),
                                       T(a_bound_is_read_of_the_job),
                                       T(descriptors_are_told_with_the_commonest_file),
                                       T(shared_memory_of_another_process_is_not_the_jobs),
                                       T(a_file_with_a_number_of_the_tree_is_the_jobs),
                                       T(what_a_program_is_is_looked_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

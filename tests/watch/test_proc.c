/* test_proc.c: what kernels of different age write is read; what is broken is passed over. The
 * texts are recordings (tests/fixtures/proc). */
#include "support/test.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "watch/sample/proc.h"

typedef struct text {
    char bytes[8192];
    size_t n;
} text;

static text load(const char *name)
{
    text t = {.n = 0};
    char path[512];
    snprintf(path, sizeof path, "%s/proc/%s", TEST_FIXTURES_DIR, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    t.n = fread(t.bytes, 1, sizeof t.bytes, f);
    fclose(f);
    return t;
}

static double field(const text *t, const char *key)
{
    return proc_field(t->bytes, t->n, key);
}

static void a_name_with_blanks_and_brackets_does_not_shift_the_fields(void **state)
{
    (void)state;
    const text t = load("stat.txt");
    proc_stat s;
    assert_true(proc_stat_parse(&s, t.bytes, t.n));
    assert_string_equal(s.name, "tmux: server) a");
    assert_true(s.pid == 4711);
    assert_true(s.state == 'S');
    assert_true(s.parent == 4242);
    assert_true(s.group == 4700);
    assert_int_equal(s.minor_faults, 12345);
    assert_int_equal(s.major_faults, 9);
    assert_int_equal(s.cpu_ticks, 300);
    assert_true(s.threads == 17);
    assert_int_equal(s.start_ticks, 987654);
}

static void every_cut_of_a_stat_line_is_refused_or_whole(void **state)
{
    (void)state;
    const text t = load("stat.txt");
    const char *start = strstr(t.bytes, " 987654");
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    assert_int_equal(mprotect(page + size, size, PROT_NONE), 0); /* who reads on, dies */
    for (size_t n = 0; n < t.n; n++) {
        proc_stat s;
        memcpy(page + size - n, t.bytes, n);
        const bool read = proc_stat_parse(&s, page + size - n, n);
        assert_true(read == (n > (size_t)(start - t.bytes) + 1));
    }
}

static void status_of_new_and_old_kernels_is_read(void **state)
{
    (void)state;
    const text new = load("status_6.18.txt"), old = load("status_3.10.txt");
    assert_true(field(&new, "VmRSS:") == 2110044.0 * 1024);
    assert_true(field(&new, "RssAnon:") == 1900000.0 * 1024);
    assert_true(field(&new, "Uid:") == 1000);
    assert_true(field(&old, "VmRSS:") == 2110044.0 * 1024);
    assert_true(field(&old, "VmLck:") == 65536);
    assert_true(field(&old, "Threads:") == 17);
    assert_true(isnan(field(&old, "RssAnon:"))); /* since 4.5 */
    assert_true(proc_inner_pid(new.bytes, new.n) == 12);
    assert_true(proc_inner_pid(old.bytes, old.n) == 0); /* since 4.1 */
}

static void rollup_io_and_limits_are_read(void **state)
{
    (void)state;
    const text rollup = load("smaps_rollup.txt"), io = load("io.txt"), limits = load("limits.txt");
    assert_true(field(&rollup, "Pss:") > 0);
    assert_true(field(&rollup, "Pss:") > field(&rollup, "Private_Dirty:"));
    assert_true(field(&io, "rchar:") > 0);
    assert_true(proc_limit(limits.bytes, limits.n, "Max open files") >= 1024);
    assert_true(isinf(proc_limit(limits.bytes, limits.n, "Max cpu time")));
    assert_true(isnan(proc_limit(limits.bytes, limits.n, "Max nothing")));
}

static void a_number_too_large_or_missing_is_not_a_number(void **state)
{
    (void)state;
    static const char lines[] = "a 99999999999999999999999\nb:\nc: kB\nd: 7";
    assert_true(isnan(proc_field(lines, sizeof lines - 1, "a ")));
    assert_true(isnan(proc_field(lines, sizeof lines - 1, "b:")));
    assert_true(isnan(proc_field(lines, sizeof lines - 1, "c:")));
    assert_true(proc_field(lines, sizeof lines - 1, "d:") == 7);
    assert_true(isnan(proc_field(lines, sizeof lines - 1, "e:")));
}

static void pressure_is_a_share(void **state)
{
    (void)state;
    const text t = load("pressure.txt");
    assert_float_equal(proc_pressure(t.bytes, t.n), 0.1234, 1e-12);
    assert_true(isnan(proc_pressure("", 0)));
}

static void cgroup_paths_of_both_versions_are_found(void **state)
{
    (void)state;
    char path[256];
    bool is_v2;
    const text v1 = load("cgroup_v1.txt"), v2 = load("cgroup_v2.txt"),
               docker = load("cgroup_docker_v1.txt");
    assert_true(proc_cgroup(path, sizeof path, &is_v2, v1.bytes, v1.n));
    assert_false(is_v2);
    assert_string_equal(path, "/system.slice/camera.service");
    assert_true(proc_cgroup(path, sizeof path, &is_v2, v2.bytes, v2.n));
    assert_true(is_v2);
    assert_string_equal(path,
                        "/user.slice/user-1000.slice/user@1000.service/app.slice/train.service");
    assert_true(proc_cgroup(path, sizeof path, &is_v2, docker.bytes, docker.n));
    assert_string_equal(path, "/docker/6f2a9d0c");
    assert_false(proc_cgroup(path, sizeof path, &is_v2, "1:name=systemd:/a\n", 18));
}

static void descriptors_are_of_their_kind(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        proc_fd kind;
    } rows[] = {{"socket:[123]", PROC_FD_SOCKET},
                {"pipe:[9]", PROC_FD_PIPE},
                {"anon_inode:[eventfd]", PROC_FD_EVENT},
                {"/dev/shm/torch_1_2 (deleted)", PROC_FD_SHM},
                {"/memfd:x (deleted)", PROC_FD_SHM},
                {"/dev/video0", PROC_FD_CAMERA},
                {"/dev/nvidia0", PROC_FD_DEVICE},
                {"/r/events.out.tfevents.1.host", PROC_FD_EVENTS_FILE},
                {"/tmp/x (deleted)", PROC_FD_DELETED},
                {"/torch_12_3 (deleted)", PROC_FD_SHM}, /* a mount that is not seen here */
                {"/srv/a.db", PROC_FD_SQLITE},
                {"/srv/state-wal", PROC_FD_SQLITE},
                {"/srv/a.dbx", PROC_FD_FILE},
                {"/var/log/app.log", PROC_FD_LOG},
                {"/var/log/app.log.1", PROC_FD_LOG},
                {"/srv/app.login", PROC_FD_FILE},
                {"/srv/app.log (deleted)", PROC_FD_DELETED},
                {"/tmp/x", PROC_FD_FILE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(proc_fd_kind(rows[i].target), rows[i].kind);
}

static void maps_are_the_same_at_any_cut(void **state)
{
    (void)state;
    const text t = load("maps.txt");
    for (size_t piece = 1; piece < t.n; piece += 13) {
        proc_maps m = {0};
        for (size_t at = 0; at < t.n; at += piece)
            proc_maps_add(&m, t.bytes + at, t.n - at < piece ? t.n - at : piece);
        proc_maps_end(&m);
        assert_true(m.heap_bytes == 0x400000);
        assert_true(m.device_bytes == 0x200000);         /* not /dev/zero, not /dev/shm */
        assert_true(m.anon_bytes == 0x8000000 + 0x4000); /* two arenas and a small one */
        assert_int_equal(m.arenas, 2);
    }
}

static void only_open_connections_have_a_peer(void **state)
{
    (void)state;
    const text t = load("net_tcp.txt");
    proc_socket s;
    int n = 0;
    for (const char *line = t.bytes; line < t.bytes + t.n;) {
        const char *end = strchr(line, '\n');
        if (proc_socket_parse(&s, line, (size_t)(end - line))) {
            assert_int_equal(s.inode, 31337);
            n++;
        }
        line = end + 1;
    }
    assert_int_equal(n, 1);
    static const char left[] = "1: 0100007F:A1B2 0200007F:01BB 08 0:0 00:0 0  1000  0 42 1",
                      wait[] = "1: 0100007F:A1B2 0200007F:01BB 06 0:0 00:0 0  1000  0 42 1";
    assert_true(proc_socket_parse(&s, left, sizeof left - 1) && s.is_left && s.inode == 42);
    assert_false(proc_socket_parse(&s, wait, sizeof wait - 1));
    assert_int_equal(proc_socket_inode("socket:[31337]"), 31337);
    assert_int_equal(proc_socket_inode("socket:[31337"), 0);
    assert_int_equal(proc_socket_inode("pipe:[31337]"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_with_blanks_and_brackets_does_not_shift_the_fields),
        cmocka_unit_test(every_cut_of_a_stat_line_is_refused_or_whole),
        cmocka_unit_test(status_of_new_and_old_kernels_is_read),
        cmocka_unit_test(rollup_io_and_limits_are_read),
        cmocka_unit_test(a_number_too_large_or_missing_is_not_a_number),
        cmocka_unit_test(pressure_is_a_share),
        cmocka_unit_test(cgroup_paths_of_both_versions_are_found),
        cmocka_unit_test(descriptors_are_of_their_kind),
        cmocka_unit_test(maps_are_the_same_at_any_cut),
        cmocka_unit_test(only_open_connections_have_a_peer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

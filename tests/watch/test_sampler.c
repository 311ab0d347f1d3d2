/* test_sampler.c: a whole sample of real jobs: what grows is seen where it grows, what may not be
 * read is not guessed, and a steady tree costs no allocation. */
#include "support/test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/sample/connections.h"
#include "watch/sample/pace.h"
#include "watch/watch.h"

enum { MB = 1 << 20, MANY = 40 };

typedef struct bench {
    base_mem mem;
    vg_error err;
    watch_sampler *sampler;
    pid_t job;
    int orders, answers;
} bench;

static void touch(size_t bytes)
{
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        _exit(1);
    for (size_t i = 0; i < bytes; i += 4096)
        p[i] = 1;
}

static void start_child(void)
{
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        touch(4 * MB);
        for (;;)
            pause();
    }
}

static _Noreturn void be_job(int orders, int answers)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (char order; read(orders, &order, 1) == 1;) {
        switch (order) {
        case 'a':
            touch(32 * MB);
            break;
        case 'c':
            start_child();
            break;
        case 'f':
            for (int i = 0; i < 10; i++)
                if (open("/dev/null", O_RDONLY) < 0 || socket(AF_INET, SOCK_DGRAM, 0) < 0)
                    _exit(1);
            break;
        case 'u':
            if (setuid(65534) != 0)
                _exit(1);
            break;
        default:
            break;
        }
        if (write(answers, &order, 1) != 1)
            break;
    }
    _exit(0);
}

static void order(bench *b, char what)
{
    char answer;
    assert_int_equal(write(b->orders, &what, 1), 1);
    assert_int_equal(read(b->answers, &answer, 1), 1);
}

static int setup(void **state)
{
    static bench b;
    int orders[2], answers[2];
    b = (bench){.mem = {.tag = "test"}};
    *state = &b;
    if (pipe(orders) != 0 || pipe(answers) != 0)
        return -1;
    b.job = fork();
    if (b.job == 0) {
        close(orders[1]);
        be_job(orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    b.orders = orders[1];
    b.answers = answers[0];
    order(&b, ' '); /* it is past its start, and has closed what is not its own */
    const watch_target t = {.pid = b.job, .nvml = "libvigil-no-such-driver.so.1"};
    return watch_sampler_create(&b.sampler, &t, &b.mem, &b.err) == VG_OK ? 0 : -1;
}

static int teardown(void **state)
{
    bench *b = *state;
    watch_sampler_destroy(&b->sampler);
    kill(b->job, SIGKILL);
    close(b->orders);
    close(b->answers);
    waitpid(b->job, NULL, 0);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static watch_sample take(bench *b)
{
    watch_sample s;
    assert_int_equal(watch_sampler_take(b->sampler, &s, &b->mem, &b->err), VG_OK);
    return s;
}

static double grew(const watch_sample *a, const watch_sample *b, watch_series s)
{
    return b->value[s] - a->value[s];
}

static void memory_of_main_is_seen_in_every_measure(void **state)
{
    static const watch_series all[] = {WATCH_MAIN_RSS_BYTES, WATCH_MAIN_ANON_BYTES,
                                       WATCH_MAIN_PSS_BYTES, WATCH_MAIN_USS_BYTES,
                                       WATCH_TREE_PSS_BYTES};
    const watch_sample before = take(*state);
    order(*state, 'a');
    const watch_sample after = take(*state);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_true(grew(&before, &after, all[i]) > 31 * MB);
        assert_true(grew(&before, &after, all[i]) < 36 * MB);
    }
    assert_true(grew(&before, &after, WATCH_MAIN_MINOR_FAULTS) > 1);
    assert_true(grew(&before, &after, WATCH_CHILDREN_PSS_BYTES) == 0);
    assert_true(after.value[WATCH_MAIN_THREADS] == 1);
    assert_true(after.value[WATCH_LIMIT_MEMORY_BYTES] > 32 * MB);
}

static void descriptors_are_told_by_kind(void **state)
{
    const watch_sample before = take(*state);
    order(*state, 'f');
    const watch_sample after = take(*state);
    assert_true(grew(&before, &after, WATCH_MAIN_FDS) == 20);
    assert_true(grew(&before, &after, WATCH_MAIN_FDS_SOCKET) == 10);
    assert_true(grew(&before, &after, WATCH_MAIN_FDS_DEVICE) == 10);
    assert_true(after.value[WATCH_LIMIT_FDS] >= after.value[WATCH_MAIN_FDS]);
}

static void children_are_summed_apart_from_main(void **state)
{
    bench *b = *state;
    const watch_process *p;
    const watch_sample before = take(b);
    for (int i = 0; i < 3; i++)
        order(b, 'c');
    watch_sample after; /* the children touch their memory in their own time */
    do
        after = take(b);
    while (!(after.value[WATCH_CHILDREN_ANON_BYTES] > 12 * MB) ||
           !(after.value[WATCH_CHILDREN_PRIVATE_BYTES] > 12 * MB));
    assert_true(after.value[WATCH_CHILDREN_COUNT] == 3);
    assert_true(after.value[WATCH_CHILDREN_STARTED] == 3);
    assert_true(after.value[WATCH_CHILDREN_THREADS] == 3);
    assert_true(grew(&before, &after, WATCH_MAIN_ANON_BYTES) < MB);
    assert_true(isnan(after.value[WATCH_CHILDREN_STALE])); /* no epoch is known */
    assert_int_equal(watch_sampler_processes(b->sampler, &p), 4);
    int n_workers = 0;
    for (int i = 0; i < 4; i++)
        n_workers += p[i].role == WATCH_WORKER;
    assert_int_equal(n_workers, 3);
}

static void a_steady_tree_costs_no_allocation_and_no_descriptor(void **state)
{
    bench *b = *state;
    for (int i = 0; i < MANY; i++)
        order(b, 'c');
    take(b);
    take(b);
    const uint64_t allocs = b->mem.n_allocs;
    const size_t library = base_mem_library_bytes();
    for (int i = 0; i < 50; i++)
        take(b);
    assert_int_equal(b->mem.n_allocs, allocs);
    assert_true(base_mem_library_bytes() == library);
}

/* Anybody but root is refused smaps_rollup, io and fd of another user's process. */
static void what_may_not_be_read_is_not_a_number(void **state)
{
    bench *b = *state;
    if (getuid() != 0)
        skip();
    order(b, 'a');
    int report[2];
    assert_int_equal(pipe(report), 0);
    const pid_t reader = fork();
    if (reader == 0) {
        watch_sampler *s = NULL;
        watch_sample v;
        const watch_target t = {.pid = b->job, .nvml = "libvigil-no-such-driver.so.1"};
        const bool good = setgid(65534) == 0 && setuid(65534) == 0 &&
                          watch_sampler_create(&s, &t, &b->mem, &b->err) == VG_OK &&
                          watch_sampler_take(s, &v, &b->mem, &b->err) == VG_OK;
        _exit(good && write(report[1], &v, sizeof v) == sizeof v ? 0 : 1);
    }
    watch_sample v;
    assert_int_equal(read(report[0], &v, sizeof v), sizeof v);
    waitpid(reader, NULL, 0);
    close(report[0]);
    close(report[1]);
    assert_true(v.value[WATCH_MAIN_RSS_BYTES] > 32 * MB);
    assert_true(isnan(v.value[WATCH_MAIN_PSS_BYTES]));
    assert_true(isnan(v.value[WATCH_TREE_PSS_BYTES])); /* not the sum of what is left */
    assert_true(isnan(v.value[WATCH_MAIN_FDS]));
    assert_true(isnan(v.value[WATCH_MAIN_READ_BYTES]));
    assert_true(isnan(v.value[WATCH_WORK_INPUT_BYTES]));
}

static void the_end_of_main_is_seen_and_a_missing_driver_said_once(void **state)
{
    bench *b = *state;
    char text[200];
    assert_true(watch_sampler_note(b->sampler, text, sizeof text));
    assert_non_null(strstr(text, "no NVIDIA driver"));
    assert_false(watch_sampler_note(b->sampler, text, sizeof text));
    watch_sample s = take(b);
    assert_true(s.value[WATCH_MAIN_RSS_BYTES] > 0);
    kill(b->job, SIGKILL);
    waitid(P_PID, (id_t)b->job, &(siginfo_t){0}, WEXITED);
    s = take(b);
    assert_true(isnan(s.value[WATCH_MAIN_RSS_BYTES]));
}

static void a_stopped_job_is_sampled(void **state)
{
    bench *b = *state;
    kill(b->job, SIGSTOP);
    siginfo_t stopped;
    assert_int_equal(waitid(P_PID, (id_t)b->job, &stopped, WSTOPPED), 0);
    const watch_sample s = take(b);
    assert_true(s.value[WATCH_MAIN_RSS_BYTES] > 0);
    kill(b->job, SIGCONT);
}

/* ---- parts ---- */

static void an_idle_day_does_not_allow_a_busy_minute(void **state)
{
    (void)state;
    watch_pace p = {.share = 0.002};
    assert_false(watch_pace_may(&p, 0));
    assert_true(watch_pace_may(&p, 1));
    assert_true(watch_pace_may(&p, 86400));
    assert_true(p.purse_s <= WATCH_PURSE_S);
    p.purse_s = -0.02; /* a dear reading */
    assert_false(watch_pace_may(&p, 86409));
    assert_true(watch_pace_may(&p, 86411));
    p.purse_s = WATCH_FIRST_PURSE_S; /* is used up, not filled up */
    assert_true(watch_pace_may(&p, 100000) && p.purse_s == WATCH_FIRST_PURSE_S);
}

static int connect_to(uint16_t port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Later and later, until the pace allows it: what a look costs is the machine's affair. */
static void look_again(watch_connections *c, const watch_tree *t, const watch_member *m,
                       double *now_s)
{
    const double was_s = c->looked_s;
    do
        watch_connections_look(c, t, m, *now_s += 10);
    while (c->looked_s == was_s);
}

static void a_new_socket_to_the_same_peer_is_a_reconnect(void **state)
{
    bench *b = *state;
    watch_tree *tree = NULL;
    watch_connections c;
    bool is_there;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    const int server = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at_other = at;
    assert_int_equal(bind(server, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(bind(other, (const struct sockaddr *)&at_other, sizeof at_other), 0);
    assert_int_equal(listen(server, 8), 0);
    assert_int_equal(listen(other, 8), 0);
    getsockname(server, (struct sockaddr *)&at, &n);
    getsockname(other, (struct sockaddr *)&at_other, &n);
    const watch_tree_options o = {.main_pid = getppid(), .proc = "/proc"};
    assert_int_equal(watch_tree_create(&tree, &o, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_tree_look(tree, 0, &is_there, &b->mem, &b->err), VG_OK);
    watch_member self = {.dir = open("/proc/self", O_RDONLY | O_DIRECTORY)};
    watch_connections_init(&c);
    double now_s = 0;
    look_again(&c, tree, &self, &now_s);
    int fd = connect_to(ntohs(at.sin_port));
    look_again(&c, tree, &self, &now_s);
    assert_true(watch_connections_get(&c) == 0);
    close(fd);
    fd = connect_to(ntohs(at.sin_port));
    const int second = connect_to(ntohs(at_other.sin_port));
    watch_connections_look(&c, tree, &self, now_s + 5); /* too soon */
    assert_true(watch_connections_get(&c) == 0);
    look_again(&c, tree, &self, &now_s);
    assert_true(watch_connections_get(&c) == 1);
    look_again(&c, tree, &self, &now_s);
    assert_true(watch_connections_get(&c) == 1);
    assert_true(watch_connections_left(&c) == 0);
    /* The other side closes one: when the sockets change next, it is seen to be left. */
    int accepted = accept(server, NULL, NULL); /* of the first connection, which was closed here */
    close(accepted);
    accepted = accept(server, NULL, NULL);
    close(accepted);
    const struct pollfd is_closed = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll((struct pollfd[]){is_closed}, 1, -1), 1);
    const int third = connect_to(ntohs(at_other.sin_port));
    look_again(&c, tree, &self, &now_s);
    assert_true(watch_connections_left(&c) == 1);
    close(third);
    close(fd);
    close(second);
    close(server);
    close(other);
    close(self.dir);
    watch_tree_destroy(&tree);
}

/* Users read and write traces by these names. */
static void the_docs_list_every_series_with_its_kind(void **state)
{
    static const char *const kinds[] = {[WATCH_LEVEL] = "level",
                                        [WATCH_FACT] = "fact",
                                        [WATCH_COUNTER] = "counter",
                                        [WATCH_LIMIT] = "limit",
                                        [WATCH_WORK] = "work"};
    static char docs[1 << 18];
    (void)state;
    FILE *f = fopen(TEST_FIXTURES_DIR "/../../docs/leaks.md", "r");
    assert_non_null(f);
    docs[fread(docs, 1, sizeof docs - 1, f)] = '\0';
    fclose(f);
    for (int i = 0; i < WATCH_N_SERIES; i++) {
        const watch_series_info *info = watch_series_get((watch_series)i);
        char row[512];
        snprintf(row, sizeof row, "| `%s` | %s | %s | ", info->name, kinds[info->kind], info->help);
        if (strstr(docs, row) == NULL)
            fail_msg("docs/leaks.md lacks %s", row);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {T(memory_of_main_is_seen_in_every_measure),
                                       T(descriptors_are_told_by_kind),
                                       T(children_are_summed_apart_from_main),
                                       T(a_steady_tree_costs_no_allocation_and_no_descriptor),
                                       T(what_may_not_be_read_is_not_a_number),
                                       T(the_end_of_main_is_seen_and_a_missing_driver_said_once),
                                       T(a_stopped_job_is_sampled),
                                       cmocka_unit_test(an_idle_day_does_not_allow_a_busy_minute),
                                       cmocka_unit_test(the_docs_list_every_series_with_its_kind),
                                       T(a_new_socket_to_the_same_peer_is_a_reconnect)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

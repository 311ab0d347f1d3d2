/* test_tree.c: who belongs to the job, with real processes: children of children, orphans, the
 * dead, the stopped, strangers, and ten thousand that come and go. */
#include "support/test.h"

#include <dirent.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/sample/tree.h"

typedef struct bench {
    base_mem mem;
    vg_error err;
    watch_tree *tree;
    pid_t main; /* a child of the test, which does as it is told */
    int orders, answers;
    double now_s;
} bench;

enum {
    GRANDCHILD = 'g',
    ORPHAN = 'o',
    ZOMBIE = 'z',
    REAP = 'r',
    BUSY = 'b',
    MANY = 'm',
    END = 'e'
};

static _Noreturn void wait_for_ever(void)
{
    alarm(120); /* a test that fails leaves nobody behind for long */
    for (;;)
        pause();
}

/* The job's main process: an order is a byte; it answers with a pid. */
static _Noreturn void be_main(int orders, int answers)
{
    char order;
    pid_t pid = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    while (read(orders, &order, 1) == 1) {
        int link[2];
        switch (order) {
        case GRANDCHILD:
            pid = fork();
            if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                wait_for_ever();
            }
            break;
        case ORPHAN: /* the child between says who the grandchild is, and is gone when told */
            if (pipe(link) != 0)
                _exit(1);
            pid = fork();
            if (pid == 0) {
                const pid_t orphan = fork();
                if (orphan == 0)
                    wait_for_ever();
                if (write(link[1], &orphan, sizeof orphan) != sizeof orphan)
                    _exit(1);
                wait_for_ever();
            }
            if (read(link[0], &pid, sizeof pid) != sizeof pid)
                _exit(1);
            close(link[0]);
            close(link[1]);
            break;
        case ZOMBIE:
            pid = fork();
            if (pid == 0)
                _exit(0);
            waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
            break;
        case REAP:
            while (waitpid(-1, NULL, WNOHANG) > 0)
                continue;
            break;
        case BUSY:
            for (volatile int i = 0; i < 50000000; i++)
                continue;
            break;
        case MANY:
            for (int i = 0; i < 200; i++) {
                pid = fork();
                if (pid == 0) {
                    wait_for_ever();
                }
                if (i % 2 == 0) { /* half of them are gone before anybody looks */
                    kill(pid, SIGKILL);
                    waitpid(pid, NULL, 0);
                }
            }
            break;
        case END:
            kill(0, SIGKILL);
            break;
        default:
            break;
        }
        if (write(answers, &pid, sizeof pid) != sizeof pid)
            break;
    }
    kill(0, SIGKILL);
    _exit(0);
}

static int setup(void **state)
{
    static bench b;
    int orders[2], answers[2];
    b = (bench){.mem = {.tag = "test"}};
    if (pipe(orders) != 0 || pipe(answers) != 0)
        return -1;
    b.main = fork();
    if (b.main == 0)
        be_main(orders[0], answers[1]);
    close(orders[0]);
    close(answers[1]);
    b.orders = orders[1];
    b.answers = answers[0];
    *state = &b;
    const watch_tree_options o = {.main_pid = b.main, .proc = "/proc"};
    return watch_tree_create(&b.tree, &o, &b.mem, &b.err) == VG_OK ? 0 : -1;
}

static int teardown(void **state)
{
    bench *b = *state;
    watch_tree_destroy(&b->tree);
    close(b->orders);
    close(b->answers);
    kill(-b->main, SIGKILL);
    kill(b->main, SIGKILL);
    waitpid(b->main, NULL, 0);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static pid_t order(bench *b, char what)
{
    pid_t pid = 0;
    assert_int_equal(write(b->orders, &what, 1), 1);
    assert_int_equal(read(b->answers, &pid, sizeof pid), sizeof pid);
    return pid;
}

static bool look(bench *b)
{
    bool is_there;
    b->now_s += 1;
    assert_int_equal(watch_tree_look(b->tree, b->now_s, &is_there, &b->mem, &b->err), VG_OK);
    return is_there;
}

static const watch_member *member(const bench *b, pid_t pid)
{
    for (size_t i = 0; i < watch_tree_size(b->tree); i++)
        if (watch_tree_peek(b->tree, i)->stat.pid == pid)
            return watch_tree_peek(b->tree, i);
    return NULL;
}

static int n_fds(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static void descendants_belong_and_strangers_do_not(void **state)
{
    bench *b = *state;
    const pid_t stranger = fork();
    if (stranger == 0)
        wait_for_ever();
    const pid_t child = order(b, GRANDCHILD);
    assert_true(look(b));
    assert_int_equal(watch_tree_size(b->tree), 2);
    assert_non_null(member(b, b->main));
    assert_non_null(member(b, child));
    const pid_t later = order(b, GRANDCHILD);
    look(b);
    assert_non_null(member(b, later));
    assert_int_equal(watch_tree_started(b->tree), 2);
    assert_null(member(b, stranger));
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
}

static void an_orphan_stays_a_member(void **state)
{
    bench *b = *state;
    const pid_t orphan = order(b, ORPHAN);
    look(b);
    assert_int_equal(watch_tree_size(b->tree), 3);
    assert_false(watch_tree_is_orphan(b->tree, member(b, orphan)));
    kill(member(b, orphan)->stat.parent, SIGKILL);
    for (int i = 0; i < 100 && watch_tree_size(b->tree) == 3; i++) {
        order(b, REAP);
        look(b);
        poll(NULL, 0, 10);
    }
    look(b);
    assert_non_null(member(b, orphan));
    assert_true(watch_tree_is_orphan(b->tree, member(b, orphan)));
    kill(orphan, SIGKILL);
}

static void zombies_and_stopped_ones_are_read(void **state)
{
    bench *b = *state;
    const pid_t zombie = order(b, ZOMBIE), stopped = order(b, GRANDCHILD);
    kill(stopped, SIGSTOP);
    waitid(P_PID, (id_t)stopped, &(siginfo_t){0}, WSTOPPED | WNOWAIT | WNOHANG);
    for (int i = 0; i < 100; i++) {
        look(b);
        if (member(b, stopped)->stat.state == 'T')
            break;
        poll(NULL, 0, 10);
    }
    assert_true(member(b, zombie)->stat.state == 'Z');
    assert_true(member(b, stopped)->stat.state == 'T');
    order(b, REAP);
    look(b);
    assert_null(member(b, zombie));
    kill(stopped, SIGKILL);
}

static void the_main_process_is_missed_when_it_ends(void **state)
{
    bench *b = *state;
    assert_true(look(b));
    kill(b->main, SIGKILL);
    waitid(P_PID, (id_t)b->main, &(siginfo_t){0}, WEXITED);
    assert_false(look(b));
    assert_int_equal(watch_tree_size(b->tree), 0);
    assert_true(watch_tree_main(b->tree) == (size_t)-1);
}

/* What is read through a member is never another process's. */
static void the_dead_cannot_be_read(void **state)
{
    bench *b = *state;
    char text[64];
    const pid_t child = order(b, GRANDCHILD);
    look(b);
    const watch_member *m = member(b, child);
    assert_true(watch_member_read(b->tree, m, "stat", text, sizeof text) > 0);
    kill(child, SIGKILL);
    for (int i = 0; i < 100 && kill(child, 0) == 0; i++) {
        order(b, REAP);
        poll(NULL, 0, 5);
    }
    assert_int_equal(watch_member_read(b->tree, m, "stat", text, sizeof text), -1);
}

static void ten_thousand_processes_come_and_go_and_leave_nothing(void **state)
{
    bench *b = *state;
    order(b, MANY); /* the tables grow to what they need */
    look(b);
    assert_int_equal(watch_tree_size(b->tree), 101);
    const int fds = n_fds() - 100; /* without those of the living */
    const size_t bytes = b->mem.in_use_bytes;
    const uint64_t allocs = b->mem.n_allocs;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < watch_tree_size(b->tree); i++)
            if (watch_tree_peek(b->tree, i)->stat.pid != b->main)
                kill(watch_tree_peek(b->tree, i)->stat.pid, SIGKILL);
        while (watch_tree_size(b->tree) > 1) {
            order(b, REAP);
            look(b);
        }
        assert_int_equal(n_fds(), fds);
        order(b, MANY);
        look(b);
        assert_int_equal(watch_tree_size(b->tree), 101);
    }
    assert_int_equal(b->mem.in_use_bytes, bytes);
    assert_int_equal(b->mem.n_allocs, allocs);
    assert_int_equal(watch_tree_started(b->tree), 5100);
    for (size_t i = 0; i < watch_tree_size(b->tree); i++)
        if (watch_tree_peek(b->tree, i)->stat.pid != b->main)
            kill(watch_tree_peek(b->tree, i)->stat.pid, SIGKILL);
}

/* A subreaper's children are the job's orphans, but not those that it started itself. */
static void helpers_of_the_guard_are_not_the_jobs(void **state)
{
    bench *b = *state;
    watch_tree *tree = NULL;
    bool is_there;
    const watch_tree_options o = {.main_pid = b->main, .proc = "/proc", .reaper = getpid()};
    const pid_t helper = fork();
    if (helper == 0)
        wait_for_ever();
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const pid_t orphan = order(b, ORPHAN);
    look(b);
    kill(member(b, orphan)->stat.parent, SIGKILL);
    do { /* until it is ours */
        order(b, REAP);
        poll(NULL, 0, 5);
        look(b);
    } while (member(b, orphan)->stat.parent != getpid());
    /* It never saw the process between. */
    assert_int_equal(watch_tree_create(&tree, &o, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_tree_look(tree, 1, &is_there, &b->mem, &b->err), VG_OK);
    assert_true(watch_tree_has(tree, orphan));
    assert_false(watch_tree_has(tree, helper));
    watch_tree_destroy(&tree);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    kill(helper, SIGKILL);
    waitpid(helper, NULL, 0);
    kill(orphan, SIGKILL);
    waitpid(orphan, NULL, 0);
}

/* ---- a /proc of our own: what the kernel would take too long to do ---- */

static void put_process(const char *root, int pid, int parent, int start, bool is_whole)
{
    char path[128];
    snprintf(path, sizeof path, "mkdir -p %s/%d", root, pid);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/%d/stat", root, pid);
    FILE *f = fopen(path, "w");
    fprintf(f, "%d (x) S %d 1 1 0 -1 0 1 0 1 0 5", pid, parent);
    if (is_whole)
        fprintf(f, " 5 0 0 20 0 1 0 %d 0 0\n", start);
    fclose(f);
}

static void a_number_used_again_is_another_process(void **state)
{
    bench *b = *state;
    char root[] = "/tmp/vigil-proc-XXXXXX", command[64];
    watch_tree *tree = NULL;
    bool is_there;
    assert_non_null(mkdtemp(root));
    const watch_tree_options o = {.main_pid = 10, .proc = root};
    put_process(root, 10, 1, 100, true);
    put_process(root, 11, 10, 200, true);
    put_process(root, 12, 10, 300, false); /* vanishes as it is read */
    put_process(root, 9, 11, 250, true);   /* a number below its parent's */
    assert_int_equal(watch_tree_create(&tree, &o, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_tree_look(tree, 0, &is_there, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_tree_size(tree), 3);
    put_process(root, 11, 1, 900, true); /* a stranger with the old number */
    put_process(root, 10, 1, 950, true);
    assert_int_equal(watch_tree_look(tree, 1, &is_there, &b->mem, &b->err), VG_OK);
    assert_false(is_there);
    assert_int_equal(watch_tree_size(tree), 1); /* 9 lives on as an orphan */
    assert_true(watch_tree_is_orphan(tree, watch_tree_peek(tree, 0)));
    assert_int_equal(watch_tree_look(tree, 100, &is_there, &b->mem, &b->err), VG_OK);
    assert_false(is_there); /* read anew: and still not the one that was meant */
    watch_tree_destroy(&tree);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void a_cgroup_is_followed_with_those_below_it(void **state)
{
    bench *b = *state;
    char root[] = "/tmp/vigil-proc-XXXXXX", path[128];
    watch_tree *tree = NULL;
    bool is_there;
    assert_non_null(mkdtemp(root));
    put_process(root, 20, 1, 500, true);
    put_process(root, 21, 1, 400, true); /* older, of the cgroup below */
    put_process(root, 22, 20, 600, true);
    put_process(root, 30, 1, 10, true);
    snprintf(path, sizeof path, "mkdir -p %s/cg/a/b", root);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "echo 20 > %s/cg/cgroup.procs; echo 21 > %s/cg/a/b/cgroup.procs",
             root, root);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/cg", root);
    const watch_tree_options o = {.proc = root, .cgroup = path};
    assert_int_equal(watch_tree_create(&tree, &o, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_tree_look(tree, 0, &is_there, &b->mem, &b->err), VG_OK);
    assert_true(is_there);
    assert_int_equal(watch_tree_look(tree, 1, &is_there, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_tree_size(tree), 3);
    assert_false(watch_tree_has(tree, 30));
    assert_true(watch_tree_peek(tree, watch_tree_main(tree))->stat.pid == 21);
    assert_int_equal(watch_tree_started(tree), 2);
    watch_tree_destroy(&tree);
    snprintf(path, sizeof path, "rm -r %s", root);
    assert_int_equal(system(path), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {T(descendants_belong_and_strangers_do_not),
                                       T(an_orphan_stays_a_member),
                                       T(zombies_and_stopped_ones_are_read),
                                       T(the_main_process_is_missed_when_it_ends),
                                       T(the_dead_cannot_be_read),
                                       T(ten_thousand_processes_come_and_go_and_leave_nothing),
                                       T(helpers_of_the_guard_are_not_the_jobs),
                                       T(a_number_used_again_is_another_process),
                                       T(a_cgroup_is_followed_with_those_below_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_told.c: what jobs report of themselves: only well-formed, only from the tree, only bounded.
 */
#include "support/test.h"

#include <math.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/sample/vigil_socket.h"

enum { EPOCH = 3, FRAMES = 5 }; /* rows of the table */

static bool parse(watch_said *t, const char *text)
{
    return watch_said_parse(t, text, strlen(text));
}

static void numbers_are_taken_and_strange_keys_passed_over(void **state)
{
    (void)state;
    watch_said t;
    assert_true(parse(&t, " {\"epoch\": 4, \"what\":1e3,\"frames\":12.0 } \n"));
    assert_true(t.value[EPOCH] == 4 && t.value[FRAMES] == 12);
    assert_true(isnan(t.value[0]));
    assert_true(parse(&t, "{}"));
    assert_true(isnan(t.value[EPOCH]));
}

static void what_is_no_flat_object_of_numbers_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "{\"epoch\"}",
                                      "{\"epoch\":}",
                                      "{\"epoch\":1",
                                      "{\"epoch\":1,}",
                                      "{\"epoch\":-1}",
                                      "{\"epoch\":nan}",
                                      "{\"epoch\":1e999}",
                                      "{\"epoch\":\"1\"}",
                                      "{\"epoch\":{}}",
                                      "{\"ep\\u006fch\":1}",
                                      "{\"epoch\":1}x",
                                      "[1]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        watch_said t = {{0}};
        assert_false(parse(&t, bad[i]));
        assert_true(t.value[EPOCH] == 0); /* untouched */
    }
}

/* ---- the socket ---- */

typedef struct bench {
    base_mem mem;
    vg_error err;
    watch_tree *tree;
    watch_senders senders;
    char name[64];
    pid_t job;
    int orders, answers;
} bench;

static bool tell(const char *name, const char *text)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path + 1, name + 1, strlen(name) - 1);
    const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    const ssize_t n = sendto(fd, text, strlen(text), MSG_DONTWAIT, (const struct sockaddr *)&to,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
    close(fd);
    return n == (ssize_t)strlen(text);
}

static _Noreturn void be_job(const char *name, int orders, int answers)
{
    char text[4096];
    for (ssize_t n; (n = read(orders, text, sizeof text - 1)) > 0;) {
        text[n] = '\0';
        const char done = tell(name, text) ? 'y' : 'n';
        if (write(answers, &done, 1) != 1)
            break;
    }
    _exit(0);
}

static int setup(void **state)
{
    static bench b;
    int orders[2], answers[2];
    bool is_there;
    b = (bench){.mem = {.tag = "test"}};
    *state = &b;
    snprintf(b.name, sizeof b.name, "@vigil-watch-test-%d", (int)getpid());
    if (pipe(orders) != 0 || pipe(answers) != 0)
        return -1;
    b.job = fork();
    if (b.job == 0) {
        close(orders[1]);
        be_job(b.name, orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    b.orders = orders[1];
    b.answers = answers[0];
    watch_senders_open(&b.senders, b.name);
    const watch_tree_options o = {.main_pid = b.job, .proc = "/proc"};
    return b.senders.fd >= 0 && watch_tree_create(&b.tree, &o, &b.mem, &b.err) == VG_OK &&
                   watch_tree_look(b.tree, 0, &is_there, &b.mem, &b.err) == VG_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    bench *b = *state;
    watch_senders_close(&b->senders);
    watch_tree_destroy(&b->tree);
    close(b->orders);
    close(b->answers);
    waitpid(b->job, NULL, 0);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static bool job_tells(bench *b, const char *text)
{
    char done;
    assert_true(write(b->orders, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(read(b->answers, &done, 1), 1);
    return done == 'y';
}

static watch_sample hear(bench *b)
{
    watch_sample s;
    watch_sample_clear(&s, 0);
    watch_senders_hear(&b->senders, b->tree, &s);
    return s;
}

static void the_job_is_heard_and_strangers_are_not(void **state)
{
    bench *b = *state;
    assert_true(isnan(hear(b).value[WATCH_WORK_EPOCH]));
    assert_true(job_tells(b, "{\"epoch\":1,\"in_use_bytes\":500}"));
    assert_true(job_tells(b, "{\"epoch\":2}"));
    assert_true(tell(b->name, "{\"epoch\":77}")); /* the test is no part of the job */
    const watch_sample s = hear(b);
    assert_true(s.value[WATCH_WORK_EPOCH] == 2);
    assert_true(s.value[WATCH_VIGIL_IN_USE_BYTES] == 500); /* the last that was told of it */
    assert_true(hear(b).value[WATCH_WORK_EPOCH] == 2);     /* stays without news */
}

static void counts_of_the_gone_stay_and_their_memory_goes(void **state)
{
    bench *b = *state;
    bool is_there;
    job_tells(b, "{\"frames\":30,\"in_use_bytes\":9}");
    assert_true(hear(b).value[WATCH_WORK_FRAMES] == 30);
    close(b->orders);
    waitid(P_PID, (id_t)b->job, &(siginfo_t){0}, WEXITED);
    assert_int_equal(watch_tree_look(b->tree, 1, &is_there, &b->mem, &b->err), VG_OK);
    const watch_sample s = hear(b);
    assert_true(s.value[WATCH_WORK_FRAMES] == 30);
    assert_true(isnan(s.value[WATCH_VIGIL_IN_USE_BYTES]));
    b->orders = -1;
}

static void a_message_too_long_is_dropped_and_a_full_socket_stops_nobody(void **state)
{
    bench *b = *state;
    char text[3000];
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, "{\"epoch\":5}", 11);
    assert_true(job_tells(b, text));
    assert_true(isnan(hear(b).value[WATCH_WORK_EPOCH]));
    int sent = 0;
    while (sent < 10000 && job_tells(b, "{\"epoch\":6}"))
        sent++;
    assert_true(sent < 10000); /* refused at once, not waited for */
    while (hear(b).value[WATCH_WORK_EPOCH] != 6)
        continue;
    assert_true(job_tells(b, "{\"epoch\":7}"));
}

static void a_name_that_is_taken_is_no_error(void **state)
{
    bench *b = *state;
    watch_senders second;
    watch_sample s;
    watch_sample_clear(&s, 0);
    watch_senders_open(&second, b->name);
    assert_int_equal(second.fd, -1);
    watch_senders_hear(&second, b->tree, &s);
    watch_senders_close(&second);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_taken_and_strange_keys_passed_over),
        cmocka_unit_test(what_is_no_flat_object_of_numbers_is_refused),
        T(the_job_is_heard_and_strangers_are_not),
        T(counts_of_the_gone_stay_and_their_memory_goes),
        T(a_message_too_long_is_dropped_and_a_full_socket_stops_nobody),
        T(a_name_that_is_taken_is_no_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_web.c: a POST and its budget of tries, against a server that misbehaves by a script. */
#include "programs.h"

#include <pthread.h>
#include <stdatomic.h>

#include "net/net.h"
#include "support/ok.h"

enum { STALL = -1, HANG_UP = -2, MOST = 16 };

/* One connection a request; answers script[i] to the i-th, the last for ever. */
typedef struct server {
    int fd, port, script[MOST];
    int n_script;
    atomic_int n_asked;
    atomic_bool stops;
    pthread_t thread;
    char body[MOST][256];
} server;

static base_mem mem;
static server s;
static net_web *w;
static atomic_bool stop;

static size_t read_request(int fd, char *text, size_t room)
{
    size_t n = 0;
    ssize_t got;
    text[0] = '\0';
    for (;;) {
        const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
        if (end != NULL &&
            n >= (size_t)(end + 4 - text) + (length != NULL ? strtoul(length + 15, NULL, 10) : 0))
            return (size_t)(end + 4 - text);
        if ((got = recv(fd, text + n, room - 1 - n, 0)) <= 0)
            return n;
        n += (size_t)got;
        text[n] = '\0';
    }
}

static void *serve(void *arg)
{
    int held[MOST], n_held = 0;
    (void)arg;
    for (;;) {
        static char text[8192];
        char answer[128];
        const int fd = accept(s.fd, NULL, NULL);
        if (fd < 0 || s.stops) {
            if (fd >= 0)
                close(fd);
            break;
        }
        const size_t at = read_request(fd, text, sizeof text);
        const int i = s.n_asked, status = s.script[i < s.n_script ? i : s.n_script - 1];
        if (i < MOST)
            snprintf(s.body[i], sizeof s.body[i], "%s", text + at);
        s.n_asked++;
        if (status == STALL && n_held < MOST) {
            held[n_held++] = fd;
            continue;
        }
        if (status > 0) {
            snprintf(answer, sizeof answer,
                     "HTTP/1.1 %d Whatever\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
                     status);
            send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        }
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    while (n_held > 0)
        close(held[--n_held]);
    return NULL;
}

static void start(int n, const int *script)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n_a = sizeof a;
    s = (server){.n_script = n};
    memcpy(s.script, script, (size_t)n * sizeof *script);
    s.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s.fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s.fd, 8), 0);
    getsockname(s.fd, (struct sockaddr *)&a, &n_a);
    s.port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s.thread, NULL, serve, NULL), 0);
}
#define START(...) start(sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

static int set_up(void **state)
{
    (void)state;
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    mem = (base_mem){.tag = "test"};
    stop = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_web_close(&w);
    if (s.port != 0) {
        s.stops = true;
        const int fd = dial_port(s.port);
        pthread_join(s.thread, NULL);
        if (fd >= 0)
            close(fd);
        close(s.fd);
        s.port = 0;
    }
    return mem.in_use_bytes != 0;
}

static void open_web(const net_web_options *given)
{
    char url[100];
    net_web_options o = *given;
    snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%d/hook", s.port);
    o.url = url;
    o.agent = "test";
    o.stop = &stop;
    const vg_status st = net_web_open(&w, &o, &mem, NULL);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(st, VG_OK);
}

static vg_status post(vg_error *err)
{
    return net_web_post(w, "{\"n\":1}", 7, err);
}

static const net_web_options quick = {.most_tries = 5, .first_wait_s = 0.01, .most_wait_s = 0.05};

static void what_fails_for_now_is_tried_again_until_it_is_taken(void **state)
{
    (void)state;
    START(500, HANG_UP, 503, 429, 200);
    open_web(&quick);
    OK(post(err));
    assert_int_equal(s.n_asked, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(s.body[i], "{\"n\":1}");
    OK(post(err));
    assert_int_equal(s.n_asked, 6);
}

static void what_is_refused_is_not_tried_again(void **state)
{
    static const int refusals[] = {400, 401, 403, 404, 410, 413, 422, 301};
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        vg_error err;
        START(refusals[i], 200);
        open_web(&quick);
        assert_int_equal(post(&err), VG_ERR_IO);
        assert_int_equal(s.n_asked, 1);
        assert_null(strstr(err.what, "secret"));
        assert_null(strstr(err.where, "secret"));
        assert_int_equal(post(NULL), VG_OK);
        tear_down(NULL);
    }
    START(408, 200);
    open_web(&quick);
    OK(post(err));
    assert_int_equal(s.n_asked, 2);
}

static void tries_are_counted(void **state)
{
    (void)state;
    START(500);
    open_web(&quick);
    assert_int_equal(post(NULL), VG_ERR_IO);
    assert_int_equal(s.n_asked, 5);
}

/* Waits of 0.05, 0.1, 0.2, 0.4 ... seconds: the one that would pass the budget is not begun. */
static void the_budget_of_time_ends_it_before_the_tries_do(void **state)
{
    (void)state;
    START(500);
    open_web(&(net_web_options){
        .most_tries = 1000, .first_wait_s = 0.05, .most_wait_s = 60, .budget_s = 0.5});
    const int64_t began_ns = base_now_ns();
    assert_int_equal(post(NULL), VG_ERR_IO);
    assert_true(s.n_asked >= 1 && s.n_asked <= 4);
    assert_true(base_now_ns() - began_ns < INT64_C(60000000000));
}

static void a_server_that_stalls_is_left_when_its_time_is_up(void **state)
{
    (void)state;
    START(STALL, STALL, 200);
    open_web(&(net_web_options){
        .timeout_ms = 300, .most_tries = 3, .first_wait_s = 0.01, .most_wait_s = 0.05});
    OK(post(err));
    assert_int_equal(s.n_asked, 3);
}

static void a_stalled_try_fits_into_the_budget(void **state)
{
    vg_error err;
    (void)state;
    START(STALL);
    open_web(&(net_web_options){.timeout_ms = 3600000, .most_tries = 3, .budget_s = 0.3});
    assert_int_equal(post(&err), VG_ERR_IO);
    assert_int_equal(s.n_asked, 1);
}

static void *stop_it(void *arg)
{
    (void)arg;
    UNTIL(s.n_asked == 1);
    stop = true;
    return NULL;
}

static void it_can_be_stopped_in_the_middle(void **state)
{
    pthread_t thread;
    vg_error err;
    (void)state;
    START(STALL);
    open_web(&(net_web_options){.timeout_ms = 3600000, .most_tries = 3});
    pthread_create(&thread, NULL, stop_it, NULL);
    assert_int_equal(post(&err), VG_ERR_INTERRUPTED);
    pthread_join(thread, NULL);
}

static void it_can_be_stopped_between_tries(void **state)
{
    pthread_t thread;
    (void)state;
    START(500);
    open_web(&(net_web_options){.most_tries = 3, .first_wait_s = 3600, .most_wait_s = 3600});
    pthread_create(&thread, NULL, stop_it, NULL);
    assert_int_equal(post(NULL), VG_ERR_IO);
    pthread_join(thread, NULL);
    assert_int_equal(s.n_asked, 1);
}

static void nobody_there_is_an_error_that_tells(void **state)
{
    vg_error err;
    bool again;
    (void)state;
    s.port = 0;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", free_port());
    const vg_status st = net_web_open(
        &w, &(net_web_options){.url = url, .agent = "test", .most_tries = 2, .first_wait_s = 0.01},
        &mem, &err);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(net_web_try(w, "{}", 2, &again, &err), VG_ERR_IO);
    assert_true(again);
    assert_non_null(strstr(err.what, "no answer"));
    assert_int_equal(net_web_post(w, "{}", 2, &err), VG_ERR_IO);
}

static void what_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "ftp://x", "http://", "https://", "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(net_web_open(&w, &(net_web_options){.url = wrong[i]}, &mem, NULL),
                         VG_ERR_ARGUMENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_fails_for_now_is_tried_again_until_it_is_taken),
        TEST(what_is_refused_is_not_tried_again),
        TEST(tries_are_counted),
        TEST(the_budget_of_time_ends_it_before_the_tries_do),
        TEST(a_server_that_stalls_is_left_when_its_time_is_up),
        TEST(a_stalled_try_fits_into_the_budget),
        TEST(it_can_be_stopped_in_the_middle),
        TEST(it_can_be_stopped_between_tries),
        TEST(nobody_there_is_an_error_that_tells),
        TEST(what_is_no_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

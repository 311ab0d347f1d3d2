/* test_serve.c: the page and the metrics are answered, to those who may ask, however readers
 * behave.
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "job.h"
#include "watch/tell/serve.h"

typedef struct bench {
    base_mem mem;
    vg_error err;
    made_job job;
    watch_server *server;
    size_t n_answer;
    char answer[4 << 20];
} bench;

static int setup(void **state)
{
    static bench b;
    b.mem = (base_mem){.tag = "test"};
    b.server = NULL;
    made_job_init(&b.job, &b.mem);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    watch_server_close(&b->server);
    made_job_fini(&b->job);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static void add_sample(bench *b, double t)
{
    made_job_step(&b->job, t, 0);
    watch_story_add(watch_server_begin(b->server), &b->job.moment);
    watch_server_done(b->server);
}

static void serve(bench *b, const char *token)
{
    const vg_status st = watch_server_open(&b->server, "127.0.0.1:0", token, &b->mem, &b->err);
    if (st == VG_ERR_UNSUPPORTED)
        skip(); /* no libmicrohttpd here */
    assert_int_equal(st, VG_OK);
    assert_true(watch_server_port(b->server) > 0);
    add_sample(b, 0);
    add_sample(b, 5);
}

static int dial(const bench *b)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)watch_server_port(b->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 20};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Status of the answer to a whole request as it is sent; 0: none. */
static int send_raw(bench *b, const char *text, size_t n)
{
    const int fd = dial(b);
    b->n_answer = 0;
    send(fd, text, n, MSG_NOSIGNAL);
    ssize_t got;
    while (b->n_answer < sizeof b->answer - 1 &&
           (got = recv(fd, b->answer + b->n_answer, sizeof b->answer - 1 - b->n_answer, 0)) > 0)
        b->n_answer += (size_t)got;
    close(fd);
    b->answer[b->n_answer] = '\0';
    return b->n_answer > 12 ? (int)strtol(b->answer + 9, NULL, 10) : 0;
}

static int ask(bench *b, const char *path, const char *headers)
{
    char text[1024];
    base_format(text, sizeof text,
                "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", path, headers);
    return send_raw(b, text, strlen(text));
}

/* ---- tests ---- */

static void page_metrics_and_json_are_answered(void **state)
{
    bench *b = *state;
    serve(b, "");
    assert_int_equal(ask(b, "/", ""), 200);
    assert_non_null(strstr(b->answer, "<h1>python3 train.py"));
    assert_non_null(strstr(b->answer, "data-events='/events"));
    assert_non_null(strstr(b->answer, "data-part='verdicts'"));
    assert_int_equal(ask(b, "/?part=causes", ""), 200);
    assert_non_null(strstr(b->answer, "What is thought of it"));
    assert_null(strstr(b->answer, "<h1>"));
    assert_int_equal(ask(b, "/?part=none", ""), 404);
    assert_int_equal(ask(b, "/page.css", ""), 200);
    assert_int_equal(ask(b, "/", ""), 200);
    assert_non_null(strstr(b->answer, "default-src 'none'"));
    assert_int_equal(ask(b, "/metrics", ""), 200);
    assert_non_null(strstr(b->answer, "\nvigil_watch_samples_total 2\n"));
    add_sample(b, 10);
    assert_int_equal(ask(b, "/metrics", ""), 200);
    assert_non_null(strstr(b->answer, "\nvigil_watch_samples_total 3\n"));
    assert_int_equal(ask(b, "/report.json", ""), 200);
    assert_int_equal(ask(b, "/../etc/passwd", ""), 404);
}

static void a_token_must_be_known(void **state)
{
    bench *b = *state;
    serve(b, "sesame");
    assert_int_equal(ask(b, "/", ""), 401);
    assert_null(strstr(b->answer, "train.py"));
    assert_int_equal(ask(b, "/metrics", "Authorization: Bearer sesam\r\n"), 401);
    assert_int_equal(ask(b, "/metrics", "Authorization: Bearer sesamee\r\n"), 401);
    assert_int_equal(ask(b, "/?token=", ""), 401);
    assert_int_equal(ask(b, "/metrics", "Authorization: Bearer sesame\r\n"), 200);
    assert_int_equal(ask(b, "/?token=sesame", ""), 200);
    assert_non_null(strstr(b->answer, "Set-Cookie: vigil=sesame; HttpOnly"));
    assert_int_equal(ask(b, "/", "Cookie: vigil=sesame\r\n"), 200);
    assert_int_equal(ask(b, "/", "Cookie: vigil=other\r\n"), 401);
}

static void pages_of_others_in_a_browser_here_are_refused(void **state)
{
    bench *b = *state;
    static const char evil[] =
        "GET / HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n";
    serve(b, "");
    assert_int_equal(send_raw(b, evil, sizeof evil - 1), 403);
    assert_null(strstr(b->answer, "train.py"));
}

static void malformed_requests_leave_it_standing(void **state)
{
    bench *b = *state;
    static const char endless[] =
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999"
        "\r\nConnection: close\r\n\r\n";
    static const char *const requests[] = {"\r\n\r\n", "GET\r\n\r\n", endless,
                                           "GET / HTTP/9.9\r\n\r\n",
                                           "GET /%00%ff HTTP/1.0\r\n\r\n"};
    serve(b, "");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const int fd = dial(b);
        send(fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL);
        close(fd);
    }
    static char large[200000];
    memset(large, 'a', sizeof large);
    memcpy(large, "GET /", 5);
    assert_true(send_raw(b, large, sizeof large) != 200);
    assert_int_equal(ask(b, "/metrics", ""), 200);
}

/* Half requests hold places, but only so many, and never the writer. */
static void slow_readers_do_not_hold_the_guard(void **state)
{
    bench *b = *state;
    int fds[40];
    serve(b, "");
    for (int i = 0; i < 40; i++) {
        fds[i] = dial(b);
        send(fds[i], "GET / HT", 8, MSG_NOSIGNAL);
    }
    const int64_t began = base_now_ns();
    for (int i = 0; i < 20; i++)
        add_sample(b, 20 + i);
    assert_true(base_now_ns() - began < INT64_C(5000000000));
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    for (int i = 0; i < 50 && ask(b, "/metrics", "") != 200; i++)
        usleep(100000);
    assert_int_equal(ask(b, "/metrics", ""), 200);
}

typedef struct reader {
    bench *b;
    atomic_int n;
} reader;

static void *read_often(void *r_)
{
    reader *r = r_;
    for (int i = 0; i < 30; i++) {
        char buf[4096];
        static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        const int fd = dial(r->b);
        send(fd, text, sizeof text - 1, MSG_NOSIGNAL);
        if (recv(fd, buf, 15, 0) > 12 && memcmp(buf + 9, "200", 3) == 0)
            r->n++;
        while (recv(fd, buf, sizeof buf, 0) > 0)
            ;
        close(fd);
    }
    return NULL;
}

static void a_page_is_read_while_samples_come(void **state)
{
    bench *b = *state;
    pthread_t threads[3];
    reader r = {.b = b};
    serve(b, "");
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &r), 0);
    for (int i = 0; i < 200; i++)
        add_sample(b, 10 + 5 * i);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(r.n, 90);
}

static void samples_cost_no_allocation(void **state)
{
    bench *b = *state;
    serve(b, "");
    const uint64_t before = b->mem.n_allocs;
    for (int i = 0; i < 500; i++)
        add_sample(b, 10 + 5 * i);
    assert_int_equal(b->mem.n_allocs, before);
}

static void addresses_and_tokens_are_checked(void **state)
{
    bench *b = *state;
    static const char *const wrong[] = {"",        "127.0.0.1", "127.0.0.1:99999", "example.org:80",
                                        "[::1:80", "1.2.3:80"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(watch_server_open(&b->server, wrong[i], "", &b->mem, &b->err),
                         VG_ERR_ARGUMENT);
        assert_null(b->server);
    }
    assert_int_equal(watch_server_open(&b->server, ":0", "a b;c", &b->mem, &b->err),
                     VG_ERR_ARGUMENT);
    serve(b, "");
    char where[32];
    watch_server *second;
    base_format(where, sizeof where, "127.0.0.1:%d", watch_server_port(b->server));
    assert_true(watch_server_is_loopback(b->server));
    assert_int_equal(watch_server_open(&second, where, "", &b->mem, &b->err), VG_ERR_SYSTEM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(page_metrics_and_json_are_answered),
        TEST(a_token_must_be_known),
        TEST(pages_of_others_in_a_browser_here_are_refused),
        TEST(malformed_requests_leave_it_standing),
        TEST(slow_readers_do_not_hold_the_guard),
        TEST(a_page_is_read_while_samples_come),
        TEST(samples_cost_no_allocation),
        TEST(addresses_and_tokens_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

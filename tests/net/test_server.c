/* test_server.c: pages and streams are answered, however readers behave. */
#include "served.h"

/* ---- pages ---- */

static void pages_are_answered_by_the_callback(void **state)
{
    (void)state;
    serve_with("", 16, 0);
    assert_int_equal(ask("/page?name=you&x", ""), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nhello you"));
    assert_non_null(strstr(b.answer, "default-src 'none'"));
    assert_non_null(strstr(b.answer, "nosniff"));
    assert_int_equal(ask("/none", ""), 404);
    assert_non_null(strstr(b.answer, "there is /page"));
    assert_int_equal(ask("/stream", ""), 503); /* none may be open */
}

static void an_answer_without_memory_is_a_busy_one(void **state)
{
    (void)state;
    serve_with("", 16, 0);
    b.mem.fail_in = 1;
    assert_int_equal(ask("/page", ""), 503);
    assert_non_null(strstr(b.answer, "Retry-After"));
    assert_int_equal(ask("/page", ""), 200);
}

/* ---- streams ---- */

static void a_stream_tells_what_is_new_when_it_is_woken(void **state)
{
    (void)state;
    serve_with("", 16, 4);
    b.counter = 7;
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = request("/stream", "");
        assert_true(reads(fds[i], "<7>"));
    }
    assert_int_equal(net_server_n_streams(b.server), 3);
    for (int n = 8; n < 40; n++) {
        char want[16];
        snprintf(want, sizeof want, "<%d>", n);
        b.counter = n;
        net_server_wake(b.server);
        for (int i = 0; i < 3; i++)
            assert_true(reads(fds[i], want));
    }
    b.ends = true;
    net_server_wake(b.server);
    for (int i = 0; i < 3; i++) {
        assert_false(reads(fds[i], "never"));
        close(fds[i]);
    }
    UNTIL(net_server_n_streams(b.server) == 0);
    assert_int_equal(b.n_closed, 3);
}

static void streams_are_bounded_and_pages_are_left_room(void **state)
{
    (void)state;
    serve_with("", 16, 3);
    b.counter = 1;
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = request("/stream", "");
        assert_true(reads(fds[i], "<1>"));
    }
    assert_int_equal(ask("/stream", ""), 503);
    assert_int_equal(ask("/page", ""), 200);
    close(fds[0]);
    UNTIL(n_streams_after_news() == 2);
    fds[0] = request("/stream", "");
    assert_true(reads(fds[0], "<"));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* Who asks for a stream and takes nothing of it: one place, no memory of ours, until cut off. */
static void a_stuck_reader_holds_one_place_and_no_memory(void **state)
{
    (void)state;
    serve_with("", 16, 4);
    const size_t bytes = b.mem.in_use_bytes;
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = request("/pour", "");
    UNTIL(net_server_n_streams(b.server) == 4);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask("/page", ""), 200);
    assert_int_equal(b.mem.in_use_bytes, bytes);
    UNTIL(net_server_n_streams(b.server) == 0); /* their time is up */
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

static void close_ends_streams_that_sleep(void **state)
{
    (void)state;
    serve_with("", 32, 20);
    b.counter = 1;
    int fds[20];
    for (int i = 0; i < 20; i++) {
        fds[i] = request("/stream", "");
        assert_true(reads(fds[i], "<1>"));
    }
    net_server_close(&b.server);
    for (int i = 0; i < 20; i++) {
        assert_false(reads(fds[i], "never"));
        close(fds[i]);
    }
    assert_int_equal(b.n_closed, 20);
}

static atomic_bool writer_stops;

static void *write_often(void *arg)
{
    (void)arg;
    while (!writer_stops) {
        b.counter++;
        net_server_wake(b.server);
        nap_ms(1);
    }
    return NULL;
}

/* Readers come and go while a writer writes; nothing is lost but theirs. */
static void readers_come_and_go_while_there_is_news(void **state)
{
    pthread_t writer;
    (void)state;
    serve_with("", 16, 6);
    writer_stops = false;
    assert_int_equal(pthread_create(&writer, NULL, write_often, NULL), 0);
    int n_seen = 0;
    for (int round = 0; round < 40; round++) {
        int fds[4];
        for (int i = 0; i < 4; i++)
            fds[i] = request("/stream", "");
        n_seen += reads(fds[round % 4], "HTTP/1.1 "); /* 200, or 503 when all are taken */
        for (int i = 0; i < 4; i++)
            close(fds[i]);
    }
    UNTIL(net_server_n_streams(b.server) == 0);
    const int fd = request("/stream", "");
    assert_true(reads(fd, "<"));
    writer_stops = true;
    pthread_join(writer, NULL);
    close(fd);
    assert_int_equal(n_seen, 40);
}

/* ---- bad manners ---- */

static void garbage_leaves_it_standing(void **state)
{
    uint32_t seed = 7;
    (void)state;
    serve_with("", 16, 4);
    static const char *const requests[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /%00%ff HTTP/1.0\r\n\r\n",
        ("GET /page HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
         "chunked\r\n\r\nfffffffffffffff\r\n"),
        "GET /page HTTP/1.1\r\nHost: localhost\r\nHost: other\r\nContent-Length: -1\r\n\r\n"};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const int fd = dial();
        send(fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL);
        close(fd);
    }
    for (int i = 0; i < 200; i++) {
        char noise[4000];
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        const int fd = dial();
        send(fd, noise, sizeof noise, MSG_NOSIGNAL);
        close(fd);
    }
    UNTIL(ask("/page", "") == 200);
}

/* 200 at once, of whom few get in; then as many again in turn, all of whom are served. */
static void two_hundred_readers_are_survived(void **state)
{
    enum { N = 200 };
    static int fds[N];
    (void)state;
    serve_with("", 32, 8);
    const int n_fds = count_folder("fd"), n_threads = count_folder("task");
    b.counter = 1;
    for (int i = 0; i < N; i++)
        fds[i] = request(i % 2 == 0 ? "/stream" : "/large", "");
    assert_true(net_server_n_connections(b.server) <= 32);
    for (int i = 0; i < N; i++)
        close(fds[i]);
    UNTIL(ask_after_news("/page") == 200);
    for (int i = 0; i < N; i++)
        assert_int_equal(ask("/large", ""), 200);
    UNTIL(n_connections_after_news() == 0);
    assert_int_equal(count_folder("fd"), n_fds);
    assert_int_equal(count_folder("task"), n_threads);
}

static int stuck(void)
{
    const int fd = dial();
    send(fd, "GET /page HTTP/1.1\r\nX: ", 24, MSG_NOSIGNAL);
    return fd;
}

/* Whoever holds the places of this address: six of eight, then the spare ones as well. */
static void a_probe_is_answered_when_all_places_are_taken(void **state)
{
    int fds[10];
    (void)state;
    serve_with("", 8, 0);
    for (int i = 0; i < 6; i++)
        fds[i] = stuck();
    UNTIL(net_server_n_connections(b.server) == 6);
    assert_int_equal(ask("/open", ""), 200);
    assert_int_equal(ask("/page", ""), 503);
    for (int i = 6; i < 10; i++)
        fds[i] = stuck();
    UNTIL(ask("/open", "") == 200);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
    UNTIL(ask("/page", "") == 200);
}

static atomic_bool drip_stops;

/* A byte now and then, so that the connection is never quiet. */
static void *drip(void *fds)
{
    while (!drip_stops) {
        for (int i = 0; i < 12; i++)
            send(((int *)fds)[i], "x", 1, MSG_NOSIGNAL);
        nap_ms(200);
    }
    return NULL;
}

static void heads_that_drip_are_cut_off(void **state)
{
    int fds[12];
    pthread_t thread;
    (void)state;
    serve_with("", 16, 4);
    for (int i = 0; i < 12; i++) {
        fds[i] = dial();
        send(fds[i], "GET /page HTTP/1.1\r\nHost: localhost\r\nX: ", 40, MSG_NOSIGNAL);
    }
    UNTIL(net_server_n_connections(b.server) == 12);
    drip_stops = false;
    assert_int_equal(pthread_create(&thread, NULL, drip, fds), 0);
    UNTIL(net_server_n_connections(b.server) == 0);
    drip_stops = true;
    pthread_join(thread, NULL);
    for (int i = 0; i < 12; i++)
        close(fds[i]);
    assert_int_equal(ask("/page", ""), 200);
}

/* ---- opening ---- */

static void addresses_and_tokens_are_checked(void **state)
{
    static const char *const wrong[] = {
        "",         "127.0.0.1", "127.0.0.1:99999", "example.org:80", "[::1:80",
        "1.2.3:80", "[::1]x:80", "[]:80",           "1.2.3.4.5:1",    "127.0.0.1:-1"};
    net_address a;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (net_address_parse(&a, wrong[i], NULL) != VG_ERR_ARGUMENT)
            fail_msg("was read: \"%s\"", wrong[i]);
    OK(net_address_parse(&a, ":9", err));
    assert_true(a.is_loopback);
    assert_int_equal(a.port, 9);
    OK(net_address_parse(&a, "localhost:0", err));
    assert_true(a.is_loopback);
    OK(net_address_parse(&a, "0.0.0.0:80", err));
    assert_false(a.is_loopback);
    OK(net_address_parse(&a, "[::1]:80", err));
    assert_true(a.is_v6 && a.is_loopback);
    OK(net_address_parse(&a, "[2001:db8::1]:80", err));
    assert_false(a.is_loopback);
    net_server_options o = {.where = ":0", .token = "a b;c", .pages = "", .answer = answer};
    assert_int_equal(net_server_open(&b.server, &o, &b.mem, NULL), VG_ERR_ARGUMENT);
    serve_with("", 16, 0);
    char where[32];
    snprintf(where, sizeof where, "127.0.0.1:%d", net_server_port(b.server));
    o = (net_server_options){
        .where = where, .token = "", .pages = "", .most_connections = 4, .answer = answer};
    net_server *second;
    assert_int_equal(net_server_open(&second, &o, &b.mem, NULL), VG_ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED_TEST(addresses_and_tokens_are_checked),
        SERVED_TEST(pages_are_answered_by_the_callback),
        SERVED_TEST(an_answer_without_memory_is_a_busy_one),
        SERVED_TEST(a_stream_tells_what_is_new_when_it_is_woken),
        SERVED_TEST(streams_are_bounded_and_pages_are_left_room),
        SERVED_TEST(a_stuck_reader_holds_one_place_and_no_memory),
        SERVED_TEST(close_ends_streams_that_sleep),
        SERVED_TEST(readers_come_and_go_while_there_is_news),
        SERVED_TEST(garbage_leaves_it_standing),
        SERVED_TEST(two_hundred_readers_are_survived),
        SERVED_TEST(a_probe_is_answered_when_all_places_are_taken),
        SERVED_TEST(heads_that_drip_are_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

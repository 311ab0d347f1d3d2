/* test_server.c: pages and streams are answered, to those who may ask, however readers behave. */
#include "programs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "net/net.h"
#include "support/ok.h"

typedef struct bench {
    base_mem mem;
    net_server *server;
    atomic_int n_open, n_closed, counter, n_acts; /* of streams; what they tell */
    atomic_bool ends;
    size_t n_answer;
    char answer[1 << 20];
} bench;

static bench b;
static const char *act_token;                  /* of the next server */
static const char *method = "GET", *body = ""; /* of the next request */

/* ---- what is served: a page, an endless text that tells a number, one that is large ---- */

typedef struct looker {
    bool is_used;
    int told;
} looker;
static looker lookers[64];

static net_more tell(void *ctx, char *out, size_t most, size_t *n)
{
    looker *l = ctx;
    if (b.ends)
        return NET_MORE_NONE;
    if (l->told == b.counter)
        return NET_MORE_LATER;
    l->told = b.counter;
    assert_true(most > 32);
    *n = (size_t)snprintf(out, most, "<%d>", l->told);
    return NET_MORE_BYTES;
}

static net_more pour(void *ctx, char *out, size_t most, size_t *n)
{
    (void)ctx;
    memset(out, 'x', most);
    *n = most;
    return NET_MORE_BYTES;
}

static void leave(void *ctx)
{
    ((looker *)ctx)->is_used = false;
    b.n_closed++;
}

static bool answer(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem)
{
    assert_ptr_equal(ctx, &b);
    if (strcmp(path, "/open") == 0) {
        const char *text = net_request_is_trusted(r) ? "all of it" : "little";
        return base_str_add(&a->body, 64, mem, NULL, "%s", text) == VG_OK;
    }
    if (strcmp(path, "/page") == 0) {
        const char *name = net_request_query(r, "name");
        if (base_str_add(&a->body, 1 << 20, mem, NULL, "hello %s", name != NULL ? name : "") !=
            VG_OK)
            net_answer_busy(a);
        return true;
    }
    if (strcmp(path, "/act") == 0) {
        assert_true(net_request_is_post(r));
        assert_true(net_request_may_act(r));
        b.n_acts++;
        a->go_to = "/page";
        return true;
    }
    if (strcmp(path, "/kept") == 0) {
        a->keeps = true;
        a->policy = "default-src 'self'";
        return base_str_add(&a->body, 64, mem, NULL, "%s", net_request_may_act(r) ? "acts" : "") ==
               VG_OK;
    }
    if (strcmp(path, "/large") == 0) {
        static char text[300000];
        memset(text, 'y', sizeof text);
        if (base_str_add_bytes(&a->body, 1 << 20, text, sizeof text, mem, NULL) != VG_OK)
            net_answer_busy(a);
        return true;
    }
    if (strcmp(path, "/stream") != 0 && strcmp(path, "/pour") != 0)
        return false;
    for (size_t i = 0; i < sizeof lookers / sizeof *lookers; i++)
        if (!lookers[i].is_used) {
            lookers[i] = (looker){.is_used = true};
            b.n_open++;
            a->type = "text/plain";
            a->stream = (net_stream){
                .ctx = &lookers[i], .read = path[1] == 's' ? tell : pour, .close = leave};
            return true;
        }
    return false;
}

static int set_up(void **state)
{
    (void)state;
    memset(&b, 0, offsetof(bench, answer));
    act_token = NULL;
    method = "GET";
    body = "";
    b.mem = (base_mem){.tag = "test"};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_server_close(&b.server);
    return b.mem.in_use_bytes != 0 || b.n_open != b.n_closed;
}

static void serve_with(const char *token, int connections, int streams)
{
    const vg_status st = net_server_open(&b.server,
                                         &(net_server_options){.where = "127.0.0.1:0",
                                                               .token = token,
                                                               .act_token = act_token,
                                                               .open_page = "/open",
                                                               .pages = "there is /page",
                                                               .most_connections = connections,
                                                               .most_streams = streams,
                                                               .most_answer_bytes = 4 << 20,
                                                               .ctx = &b,
                                                               .answer = answer},
                                         &b.mem, NULL);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(st, VG_OK);
}

static int dial(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int fd = dial_port(net_server_port(b.server));
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static int request(const char *path, const char *headers)
{
    char text[8192];
    const int fd = dial();
    const int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s",
                           method, path, headers, body);
    send(fd, text, (size_t)n, MSG_NOSIGNAL);
    return fd;
}

/* Status; 0: none. */
static int ask(const char *path, const char *headers)
{
    char all[900];
    ssize_t got;
    snprintf(all, sizeof all, "Connection: close\r\n%s", headers);
    const int fd = request(path, all);
    b.n_answer = 0;
    while (b.n_answer < sizeof b.answer - 1 &&
           (got = recv(fd, b.answer + b.n_answer, sizeof b.answer - 1 - b.n_answer, 0)) > 0)
        b.n_answer += (size_t)got;
    close(fd);
    b.answer[b.n_answer] = '\0';
    return b.n_answer > 12 ? (int)strtol(b.answer + 9, NULL, 10) : 0;
}

static bool reads(int fd, const char *want)
{
    static char text[1 << 16];
    size_t n = 0;
    ssize_t got;
    while (n < sizeof text - 1 && (got = recv(fd, text + n, sizeof text - 1 - n, 0)) > 0) {
        n += (size_t)got;
        text[n] = '\0';
        if (strstr(text, want) != NULL)
            return true;
    }
    return false;
}

/* Whoever sleeps is told something, so that those who left are noticed. */
static void give_news(void)
{
    b.counter++;
    net_server_wake(b.server);
}

static int n_streams_after_news(void)
{
    give_news();
    return net_server_n_streams(b.server);
}

static int n_connections_after_news(void)
{
    give_news();
    return net_server_n_connections(b.server);
}

static int ask_after_news(const char *path)
{
    give_news();
    return ask(path, "");
}

/* ---- acts ---- */

static int post(const char *path, const char *headers)
{
    char all[700];
    snprintf(all, sizeof all, "Content-Length: %zu\r\n%s", strlen(body), headers);
    method = "POST";
    const int status = ask(path, all);
    method = "GET";
    return status;
}

#define KNOWS "Authorization: Bearer sesame\r\n"

static void a_post_needs_its_token_and_the_own_page(void **state)
{
    (void)state;
    serve_with("", 16, 0);
    assert_int_equal(post("/act", KNOWS), 405);
    assert_null(strstr(b.answer, "Allow: GET, HEAD, POST"));
    net_server_close(&b.server);
    act_token = "sesame";
    serve_with("", 16, 0);
    assert_int_equal(ask("/page", ""), 200); /* pages are open as before */
    assert_int_equal(post("/act", ""), 401);
    assert_int_equal(post("/act", "Authorization: Bearer sesam\r\n"), 401);
    assert_int_equal(post("/act", "Cookie: vigil=sesame\r\n"), 401); /* another port's */
    assert_int_equal(post("/act", KNOWS "Origin: http://evil.example\r\n"), 403);
    assert_int_equal(post("/act", KNOWS "Origin: null\r\n"), 403);
    assert_int_equal(post("/act", KNOWS "Origin: http://localhost.evil\r\n"), 403);
    assert_int_equal(post("/act", KNOWS "Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_int_equal(
        post("/act", KNOWS "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost\r\n"), 403);
    assert_int_equal(b.n_acts, 0);
    assert_int_equal(post("/act", KNOWS), 303);
    assert_non_null(strstr(b.answer, "Location: /page\r\n"));
    assert_int_equal(post("/act", KNOWS "Origin: http://localhost\r\n"), 303);
    assert_int_equal(post("/act", KNOWS "Origin: null\r\nSec-Fetch-Site: same-origin\r\n"), 303);
    assert_int_equal(b.n_acts, 3);
    method = "PUT";
    assert_int_equal(ask("/act", KNOWS), 405);
}

static void a_rebound_name_cannot_act(void **state)
{
    (void)state;
    act_token = "sesame";
    serve_with("", 16, 0);
    const int fd = dial();
    static const char evil[] = "POST /act HTTP/1.1\r\nHost: evil.example\r\nOrigin: "
                               "http://evil.example\r\n" KNOWS "Content-Length: 0\r\n\r\n";
    send(fd, evil, sizeof evil - 1, MSG_NOSIGNAL);
    assert_true(reads(fd, " 403 "));
    close(fd);
    assert_int_equal(b.n_acts, 0);
}

static void the_cookie_that_acts_is_of_this_port(void **state)
{
    (void)state;
    char want[64], cookie[64];
    act_token = "sesame";
    serve_with("", 16, 0);
    assert_int_equal(ask("/?token=sesame", ""), 200);
    snprintf(want, sizeof want, "Set-Cookie: vigil-%d=sesame; HttpOnly; SameSite=Strict",
             net_server_port(b.server));
    assert_non_null(strstr(b.answer, want));
    assert_int_equal(ask("/kept?token=other", ""), 200); /* none that is known: the page */
    snprintf(cookie, sizeof cookie, "Cookie: vigil-%d=sesame\r\n", net_server_port(b.server));
    assert_int_equal(ask("/kept", cookie), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nacts"));
    assert_non_null(strstr(b.answer, "Cache-Control: private, max-age="));
    assert_non_null(strstr(b.answer, "Content-Security-Policy: default-src 'self'\r\n"));
    assert_int_equal(ask("/kept", ""), 200);
    assert_null(strstr(b.answer, "acts"));
    assert_int_equal(post("/act", cookie), 303);
}

static void a_body_is_thrown_away_up_to_a_bound(void **state)
{
    (void)state;
    static char large[6000];
    act_token = "sesame";
    serve_with("", 16, 0);
    memset(large, 'x', sizeof large - 1);
    body = large + 3000;
    assert_int_equal(post("/act", KNOWS), 303);
    body = large;
    assert_int_equal(post("/act", KNOWS), 0); /* cut off */
    body = "";
    assert_int_equal(b.n_acts, 1);
    assert_int_equal(post("/act", KNOWS), 303);
}

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

static void a_token_and_the_own_host_are_wanted(void **state)
{
    (void)state;
    serve_with("sesame", 16, 4);
    assert_int_equal(ask("/page", ""), 401);
    assert_int_equal(ask("/stream", ""), 401);
    assert_int_equal(b.n_open, 0);
    assert_int_equal(ask("/page", "Authorization: Bearer sesame\r\n"), 200);
    assert_int_equal(ask("/page", "Cookie: vigil=sesame\r\n"), 200);
    assert_int_equal(ask("/?token=sesame", ""), 200);
    net_server_close(&b.server);
    serve_with("", 16, 4);
    static const struct {
        const char *host, *status;
    } cases[] = {{"rebound.example", " 403 "},
                 {"localhost.example", " 403 "},
                 {"127.0.0.1.example", " 403 "},
                 {"[::1].example", " 403 "},
                 {"[::1]x:80", " 403 "},
                 {"[", " 403 "},
                 {"localhost:80.example", " 403 "},
                 {"", " 403 "},
                 {"localhost", " 200 "},
                 {"127.0.0.1:9200", " 200 "},
                 {"[::1]", " 200 "},
                 {"[::1]:9200", " 200 "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        const int fd = dial();
        const int n =
            snprintf(text, sizeof text, "GET /page HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        send(fd, text, (size_t)n, MSG_NOSIGNAL);
        if (!reads(fd, cases[i].status))
            fail_msg("Host: %s is not answered by %s", cases[i].host, cases[i].status);
        close(fd);
    }
}

/* A probe knows no token; what it is told tells whoever asks. */
static void one_page_is_open_and_knows_whom_it_trusts(void **state)
{
    (void)state;
    serve_with("sesame", 16, 4);
    assert_int_equal(ask("/open", ""), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nlittle"));
    assert_int_equal(ask("/open", "Authorization: Bearer sesam\r\n"), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nlittle"));
    assert_int_equal(ask("/open", "Authorization: Bearer sesame\r\n"), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nall of it"));
    assert_int_equal(ask("/open/", ""), 401);
    assert_int_equal(ask("/page", ""), 401);
    net_server_close(&b.server);
    serve_with("", 16, 4);
    assert_int_equal(ask("/open", ""), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nall of it"));
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(addresses_and_tokens_are_checked),
        TEST(a_post_needs_its_token_and_the_own_page),
        TEST(a_rebound_name_cannot_act),
        TEST(the_cookie_that_acts_is_of_this_port),
        TEST(a_body_is_thrown_away_up_to_a_bound),
        TEST(pages_are_answered_by_the_callback),
        TEST(an_answer_without_memory_is_a_busy_one),
        TEST(a_token_and_the_own_host_are_wanted),
        TEST(one_page_is_open_and_knows_whom_it_trusts),
        TEST(a_stream_tells_what_is_new_when_it_is_woken),
        TEST(streams_are_bounded_and_pages_are_left_room),
        TEST(a_stuck_reader_holds_one_place_and_no_memory),
        TEST(close_ends_streams_that_sleep),
        TEST(readers_come_and_go_while_there_is_news),
        TEST(garbage_leaves_it_standing),
        TEST(two_hundred_readers_are_survived),
        TEST(a_probe_is_answered_when_all_places_are_taken),
        TEST(heads_that_drip_are_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

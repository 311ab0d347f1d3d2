/* served.h: a server with a few pages and streams, and readers of it, for the tests of net/server.
 */
#ifndef TESTS_NET_SERVED_H
#define TESTS_NET_SERVED_H

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

static inline net_more tell(void *ctx, char *out, size_t most, size_t *n)
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

static inline net_more pour(void *ctx, char *out, size_t most, size_t *n)
{
    (void)ctx;
    memset(out, 'x', most);
    *n = most;
    return NET_MORE_BYTES;
}

static inline void leave(void *ctx)
{
    ((looker *)ctx)->is_used = false;
    b.n_closed++;
}

static inline bool answer(void *ctx, const net_request *r, const char *path, net_answer *a,
                          base_mem *mem)
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

static inline int set_up(void **state)
{
    (void)state;
    memset(&b, 0, offsetof(bench, answer));
    act_token = NULL;
    method = "GET";
    body = "";
    b.mem = (base_mem){.tag = "test"};
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    net_server_close(&b.server);
    return b.mem.in_use_bytes != 0 || b.n_open != b.n_closed;
}

static inline void serve_with(const char *token, int connections, int streams)
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

static inline int dial(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int fd = dial_port(net_server_port(b.server));
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static inline int request(const char *path, const char *headers)
{
    char text[8192];
    const int fd = dial();
    const int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s",
                           method, path, headers, body);
    send(fd, text, (size_t)n, MSG_NOSIGNAL);
    return fd;
}

/* Status; 0: none. */
static inline int ask(const char *path, const char *headers)
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

static inline bool reads(int fd, const char *want)
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
static inline void give_news(void)
{
    b.counter++;
    net_server_wake(b.server);
}

static inline int n_streams_after_news(void)
{
    give_news();
    return net_server_n_streams(b.server);
}

static inline int n_connections_after_news(void)
{
    give_news();
    return net_server_n_connections(b.server);
}

static inline int ask_after_news(const char *path)
{
    give_news();
    return ask(path, "");
}

#define SERVED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

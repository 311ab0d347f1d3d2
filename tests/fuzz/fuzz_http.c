/* fuzz_http.c: any bytes as a request to vigil's server, over a real socket: it stays up, answers
 * as HTTP does or not at all, and never gives a page to one who did not bring the token, nor,
 * without one, to one who asked for it by a name that is not this machine's; and nobody acts by a
 * POST without the token, however open the pages are. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/server.h"

enum { MOST_BYTES = 1 << 16, MOST_WAITS = 5000 };
/* Long enough not to be met by chance; a mutation of one byte makes a wrong one of it. */
static const char TOKEN[] = "k7Qw-vigil", PAGE[] = "a page for those who may";

/* ---- what is served ---- */

typedef struct looker {
    int n_read; /* -1: free */
} looker;
static looker lookers[4];
static int n_looking; /* of the server's thread */
static int n_acts;    /* likewise */

static net_more tell(void *ctx, char *out, size_t most, size_t *n)
{
    looker *l = ctx;
    switch (l->n_read++) {
    case 0:
        assert(most >= sizeof PAGE);
        memcpy(out, PAGE, *n = sizeof PAGE - 1);
        return NET_MORE_BYTES;
    case 1:
        return NET_MORE_LATER;
    default:
        return NET_MORE_NONE;
    }
}

static void leave(void *ctx)
{
    ((looker *)ctx)->n_read = -1;
    __atomic_sub_fetch(&n_looking, 1, __ATOMIC_RELAXED);
}

static bool look(net_answer *a)
{
    for (size_t i = 0; i < sizeof lookers / sizeof *lookers; i++)
        if (lookers[i].n_read < 0) {
            lookers[i].n_read = 0;
            __atomic_add_fetch(&n_looking, 1, __ATOMIC_RELAXED);
            a->stream = (net_stream){.ctx = &lookers[i], .read = tell, .close = leave};
            return true;
        }
    net_answer_busy(a);
    return true;
}

static bool answer(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem)
{
    (void)ctx;
    if (net_request_is_post(r)) {
        assert(net_request_may_act(r));
        __atomic_add_fetch(&n_acts, 1, __ATOMIC_RELAXED);
        a->go_to = "/";
        return true;
    }
    if (strcmp(path, "/stream") == 0)
        return look(a);
    const bool is_open = strcmp(path, "/healthz") == 0;
    if (!is_open && strcmp(path, "/") != 0)
        return false;
    const bool is_trusted = net_request_is_trusted(r);
    assert(is_open || is_trusted);
    const char *name = net_request_query(r, "name");
    if (base_str_add(&a->body, MOST_BYTES, mem, NULL, "%s %.64s\n", is_trusted ? PAGE : "well",
                     name != NULL && is_trusted ? name : "") != VG_OK)
        net_answer_busy(a);
    return true;
}

/* ---- a request ---- */

/* libFuzzer's clock is a signal that comes every few seconds: every wait here may be cut short. */
static int dial(const net_server *s)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)net_server_port(s)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    const int status =
        (int)TEMP_FAILURE_RETRY(connect(fd, (const struct sockaddr *)&to, sizeof to));
    assert(status == 0);
    return fd;
}

/* The whole answer, ended by a 0. A server that is alive closes a connection whose other end has
 * said all; one that sleeps over a stream is woken. */
static const char *ask(net_server *s, const char *bytes, size_t n)
{
    static char got[4 * MOST_BYTES];
    size_t length = 0;
    ssize_t k = 1;
    const int fd = dial(s);
    for (size_t sent = 0; sent < n && k > 0; sent += k > 0 ? (size_t)k : 0)
        k = TEMP_FAILURE_RETRY(send(fd, bytes + sent, n - sent, MSG_NOSIGNAL));
    shutdown(fd, SHUT_WR);
    for (int waits = 0;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 1) == 0) {
            net_server_wake(s);
            assert(++waits < MOST_WAITS);
            continue;
        }
        k = TEMP_FAILURE_RETRY(recv(fd, got + length, sizeof got - 1 - length, 0));
        if (k <= 0)
            break;
        length += (size_t)k;
        assert(length < sizeof got - 1);
    }
    close(fd);
    for (size_t i = 0; i < length; i++) /* so that it is one text; no page of ours has one */
        got[i] = got[i] != '\0' ? got[i] : ' ';
    got[length] = '\0';
    assert(length == 0 || base_starts_with(got, "HTTP/1."));
    assert(net_server_n_streams(s) <= 2 && __atomic_load_n(&n_looking, __ATOMIC_RELAXED) <= 2);
    return got;
}

/* ---- who may ask ---- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 87 : -1;
}

/* Whether the token is among the bytes, as it is or with %41 for A. */
static bool brings_token(const char *bytes, size_t n)
{
    static char plain[MOST_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        const bool is_escape = bytes[i] == '%' && i + 2 < n && digit_of(bytes[i + 1]) >= 0 &&
                               digit_of(bytes[i + 2]) >= 0;
        plain[length++] =
            is_escape ? (char)(digit_of(bytes[i + 1]) * 16 + digit_of(bytes[i + 2])) : bytes[i];
        i += is_escape ? 2 : 0;
    }
    return memmem(bytes, n, TOKEN, strlen(TOKEN)) != NULL ||
           memmem(plain, length, TOKEN, strlen(TOKEN)) != NULL;
}

static void ask_with_token(net_server *s, const char *bytes, size_t n)
{
    const char *got = ask(s, bytes, n);
    const bool is_given = strstr(got, PAGE) != NULL || strstr(got, TOKEN) != NULL;
    assert(!is_given || brings_token(bytes, n));
}

static void ask_to_act(net_server *s, const char *bytes, size_t n)
{
    const int before = __atomic_load_n(&n_acts, __ATOMIC_RELAXED);
    const char *got = ask(s, bytes, n);
    assert(strstr(got, TOKEN) == NULL || brings_token(bytes, n));
    assert(__atomic_load_n(&n_acts, __ATOMIC_RELAXED) == before || brings_token(bytes, n));
}

/* The bytes as the name that this server is asked for by. */
static void ask_by_name(net_server *s, const char *bytes, size_t n)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]"};
    char name[300], request[400];
    size_t length = 0;
    while (n > 0 && (bytes[0] == ' ' || bytes[0] == '\t'))
        bytes++, n--;
    while (length < n && length < sizeof name - 1 && bytes[length] != '\0' &&
           bytes[length] != '\r' && bytes[length] != '\n')
        length++;
    memcpy(name, bytes, length);
    while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '\t'))
        length--;
    name[length] = '\0';
    base_format(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", name);
    if (strstr(ask(s, request, strlen(request)), PAGE) == NULL)
        return;
    bool is_own = false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (!base_starts_with(name, own[i]))
            continue;
        const char *port = name + strlen(own[i]);
        is_own |= port[0] == '\0' ||
                  (port[0] == ':' && strspn(port + 1, "0123456789") == strlen(port + 1));
    }
    assert(is_own);
}

/* ---- the servers ---- */

static base_mem mem = {.tag = "fuzz"};

static net_server *serve(const char *token, const char *act_token)
{
    net_server *s = NULL;
    vg_error err = {0};
    const net_server_options o = {.where = "127.0.0.1:0",
                                  .token = token,
                                  .act_token = act_token,
                                  .open_page = "/healthz",
                                  .pages = "there are /, /stream and /healthz",
                                  .most_connections = NET_MOST_CONNECTIONS,
                                  .most_streams = 2,
                                  .most_answer_bytes = 1 << 20,
                                  .answer = answer};
    if (net_server_open(&s, &o, &mem, &err) != VG_OK) {
        fprintf(stderr, "%s: %s\n", err.where, err.what);
        abort();
    }
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static net_server *with_token, *without;
    if (with_token == NULL) {
        for (size_t i = 0; i < sizeof lookers / sizeof *lookers; i++)
            lookers[i].n_read = -1;
        with_token = serve(TOKEN, NULL);
        without = serve("", TOKEN);
    }
    if (n > MOST_BYTES)
        return 0;
    ask_with_token(with_token, (const char *)bytes, n);
    ask_to_act(without, (const char *)bytes, n);
    ask_by_name(without, (const char *)bytes, n);
    return 0;
}

/* serve.h: a server of the test's own on a loopback port: gives every client the same bytes, then
 * does as it is told. */
#ifndef TESTS_VIDEO_SERVE_H
#define TESTS_VIDEO_SERVE_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/test.h"

typedef enum serve_end {
    SERVE_CLOSE, /* politely */
    SERVE_RESET, /* as a machine that lost its memory */
    SERVE_HOLD   /* keeps the connection and says nothing more */
} serve_end;

typedef struct server {
    const char *bytes;
    size_t n;
    serve_end end;
    bool hears_first; /* waits for the client's first words, as HTTP and RTSP do */
    int fd, port;
    pthread_t thread;
    atomic_bool stop;
    atomic_int n_clients;
} server;

static inline void serve_one(server *s, int client)
{
    char words[2048];
    struct pollfd p = {.fd = client, .events = POLLIN};
    while (s->hears_first && !atomic_load(&s->stop) && poll(&p, 1, 50) == 0)
        ;
    if (s->hears_first && read(client, words, sizeof words) <= 0)
        return;
    for (size_t at = 0; at < s->n;) {
        const ssize_t sent = send(client, s->bytes + at, s->n - at, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += (size_t)sent;
    }
    p.events = POLLRDHUP; /* until the client goes */
    while (s->end == SERVE_HOLD && !atomic_load(&s->stop) && poll(&p, 1, 20) == 0)
        ;
    const struct linger now = {.l_onoff = 1};
    if (s->end == SERVE_RESET) {
        usleep(100 * 1000); /* for the bytes to be read: a reset throws away what waits */
        setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
}

static inline void *serve_all(void *of)
{
    server *s = of;
    while (!atomic_load(&s->stop)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 50) <= 0)
            continue;
        const int client = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        atomic_fetch_add(&s->n_clients, 1);
        serve_one(s, client);
        close(client);
    }
    return NULL;
}

/* A loopback port that nobody had a moment ago. */
static inline int serve_socket(int *port, int kind)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    const int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static inline int serve_free_port(int kind)
{
    int port;
    close(serve_socket(&port, kind));
    return port;
}

static inline void serve_start(server *s)
{
    s->fd = serve_socket(&s->port, SOCK_STREAM);
    assert_int_equal(listen(s->fd, 16), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve_all, s), 0);
}

static inline void serve_stop(server *s)
{
    atomic_store(&s->stop, true);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

#endif

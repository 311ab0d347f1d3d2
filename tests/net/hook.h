/* hook.h: a server for POSTs that misbehaves by a script. */
#ifndef TESTS_NET_HOOK_H
#define TESTS_NET_HOOK_H

#include "programs.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STALL = -1, HANG_UP = -2, MOST = 16 };

/* One connection a request; answers script[i] to the i-th, the last for ever. */
typedef struct hook {
    int fd, port, script[MOST];
    int n_script;
    atomic_int n_asked;
    atomic_bool holds; /* answers nobody for now */
    atomic_bool stops;
    pthread_t thread;
    char body[MOST][4096];
} hook;

static hook hooked;

static inline size_t read_request(int fd, char *text, size_t room)
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

static inline void *hook_serve(void *arg)
{
    int held[MOST], n_held = 0;
    (void)arg;
    for (;;) {
        static char text[16384];
        char answer[128];
        const int fd = accept(hooked.fd, NULL, NULL);
        if (fd < 0 || hooked.stops) {
            if (fd >= 0)
                close(fd);
            break;
        }
        const size_t at = read_request(fd, text, sizeof text);
        const int i = hooked.n_asked,
                  status = hooked.script[i < hooked.n_script ? i : hooked.n_script - 1];
        if (i < MOST)
            snprintf(hooked.body[i], sizeof hooked.body[i], "%s", text + at);
        hooked.n_asked++;
        while (hooked.holds && !hooked.stops)
            nap_ms(5);
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

static inline void hook_start(int n, const int *script)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n_a = sizeof a;
    hooked = (hook){.n_script = n};
    memcpy(hooked.script, script, (size_t)n * sizeof *script);
    hooked.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(hooked.fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(hooked.fd, 8), 0);
    getsockname(hooked.fd, (struct sockaddr *)&a, &n_a);
    hooked.port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&hooked.thread, NULL, hook_serve, NULL), 0);
}
#define HOOK(...) hook_start(sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

static inline void hook_stop(void)
{
    if (hooked.port == 0)
        return;
    hooked.stops = true;
    const int fd = dial_port(hooked.port);
    pthread_join(hooked.thread, NULL);
    if (fd >= 0)
        close(fd);
    close(hooked.fd);
    hooked.port = 0;
}

#endif

/* service.c: datagrams to NOTIFY_SOCKET. */
#include "service.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void say(const net_service *s, const char *text)
{
    if (s->fd >= 0)
        send(s->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void net_service_open(net_service *out)
{
    const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC"),
               *pid = getenv("WATCHDOG_PID");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int64_t v;
    *out = NET_SERVICE_NONE;
    if (usec != NULL && base_parse_i64(&v, usec, 1, INT64_MAX) &&
        (pid == NULL || (base_parse_i64(&v, pid, 1, INT32_MAX) && v == getpid())) &&
        base_parse_i64(&v, usec, 1, INT64_MAX))
        out->watchdog_s = (double)v * 1e-6;
    if (path != NULL && (path[0] == '/' || path[0] == '@') && path[1] != '\0' &&
        strlen(path) < sizeof address.sun_path) {
        const size_t n = strlen(path);
        memcpy(address.sun_path, path, n);
        if (path[0] == '@') /* an abstract name */
            address.sun_path[0] = '\0';
        out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (out->fd >= 0 && connect(out->fd, (const struct sockaddr *)&address,
                                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0)
            net_service_close(out);
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void net_service_ready(net_service *s)
{
    char text[64];
    base_format(text, sizeof text, "READY=1\nMAINPID=%d", (int)getpid());
    say(s, text);
}

void net_service_status(net_service *s, const char *status)
{
    char text[600];
    const uint64_t hash = base_hash(BASE_HASH_START, status, strlen(status));
    if (s->fd < 0 || hash == s->last_status)
        return;
    s->last_status = hash;
    char shown[512]; /* a line end in it would begin a message of its own */
    base_line_escape(shown, sizeof shown, status);
    base_format(text, sizeof text, "STATUS=%s", shown);
    say(s, text);
}

void net_service_beat(net_service *s)
{
    if (s->watchdog_s > 0)
        say(s, "WATCHDOG=1");
}

void net_service_stopping(net_service *s)
{
    say(s, "STOPPING=1");
}

void net_service_reloading(net_service *s)
{
    char text[64];
    base_format(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                (long long)(base_now_ns() / 1000));
    say(s, text);
}

void net_service_close(net_service *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

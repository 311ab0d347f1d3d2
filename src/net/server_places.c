/* server_places.c: who is connected, and how long each is waited for.
 *
 * A connection has a place in a table of fixed length, where it is written down what it is waited
 * for and since when. libmicrohttpd's own patience counts from the last byte, so a reader that
 * drips one now and then would stay for ever; the timekeeper's counts from the beginning. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "server_parts.h"

enum { SPARE_HEAD_S = 2, ANSWER_S = 60, STREAM_S = 20 };

int net_places_n(const net_server *s)
{
    return s->most_connections + NET_SPARE_PLACES;
}

bool net_place_is_spare(const net_place *p)
{
    return p->server != NULL && p - p->server->places >= p->server->most_connections;
}

net_place *net_place_of(const net_server *s, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        s->mhd.MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

void net_place_set(net_place *p, net_doing what)
{
    pthread_mutex_lock(&p->server->lock);
    p->doing = what;
    p->since_ns = base_now_ns();
    pthread_mutex_unlock(&p->server->lock);
}

static net_in6 from_of(const struct sockaddr *a)
{
    net_in6 from = {{0}};
    if (a != NULL && a->sa_family == AF_INET)
        memcpy(from.bytes, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
    if (a != NULL && a->sa_family == AF_INET6)
        memcpy(from.bytes, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    return from;
}

/* Of one address three quarters of the places for all, and the spare ones. */
static int first_place(const net_server *s, const net_in6 *from)
{
    int n = 0;
    for (int i = 0; i < s->most_connections; i++)
        n += s->places[i].doing != NET_NOTHING &&
             memcmp(&s->places[i].from, from, sizeof *from) == 0;
    return n < s->most_connections * 3 / 4 ? 0 : s->most_connections;
}

/* A connection has come, or gone: its descriptor is closed after this. */
void net_places_note(void *server, struct MHD_Connection *c, void **context,
                     enum MHD_ConnectionNotificationCode code)
{
    net_server *s = server;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context != NULL)
            net_place_set(*context, NET_NOTHING);
        return;
    }
    const union MHD_ConnectionInfo *info =
        s->mhd.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int fd = info != NULL ? (int)info->connect_fd : -1;
    info = s->mhd.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const net_in6 from = from_of(info != NULL ? info->client_addr : NULL);
    pthread_mutex_lock(&s->lock);
    for (int i = first_place(s, &from); i < net_places_n(s) && *context == NULL; i++)
        if (s->places[i].doing == NET_NOTHING) {
            s->places[i] = (net_place){.server = s,
                                       .connection = c,
                                       .doing = NET_HEAD,
                                       .fd = fd,
                                       .from = from,
                                       .since_ns = base_now_ns()};
            *context = &s->places[i];
        }
    pthread_mutex_unlock(&s->lock);
    if (*context == NULL && fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

void net_places_completed(void *server, struct MHD_Connection *c, void **ctx,
                          enum MHD_RequestTerminationCode code)
{
    net_place *p = net_place_of(server, c);
    (void)ctx;
    (void)code;
    if (p != NULL)
        net_place_set(p, NET_HEAD); /* of the next request on it, if there is one */
}

void net_places_wake(net_server *s)
{
    for (int i = 0; i < net_places_n(s); i++)
        if (s->places[i].sleeps) {
            s->places[i].sleeps = false;
            s->places[i].since_ns = base_now_ns();
            s->mhd.MHD_resume_connection(s->places[i].connection);
        }
}

/* Whoever lets others wait for too long is cut off; libmicrohttpd does the rest. */
static void cut_late(const net_server *s, int64_t now_ns)
{
    static const int64_t most_s[] = {
        [NET_HEAD] = NET_HEAD_S, [NET_ANSWER] = ANSWER_S, [NET_STREAM] = STREAM_S};
    for (int i = 0; i < net_places_n(s); i++) {
        const net_place *p = &s->places[i];
        const int64_t patience_s =
            p->doing == NET_HEAD && net_place_is_spare(p) ? SPARE_HEAD_S : most_s[p->doing];
        if (p->doing != NET_NOTHING && p->fd >= 0 &&
            now_ns - p->since_ns > patience_s * INT64_C(1000000000))
            shutdown(p->fd, SHUT_RDWR);
    }
}

void *net_places_keep_time(void *server)
{
    net_server *s = server;
    pthread_mutex_lock(&s->lock);
    while (!s->stops) {
        cut_late(s, base_now_ns());
        net_places_wake(s);
        base_cond_wait(&s->stop, &s->lock, base_now_ns() + INT64_C(1000000000));
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

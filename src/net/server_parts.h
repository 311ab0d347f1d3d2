/* server_parts.h: what the parts of the server share. For server*.c alone.
 */
#ifndef NET_SERVER_PARTS_H
#define NET_SERVER_PARTS_H

#include <microhttpd.h>
#include <pthread.h>

#include "server.h"

enum {
    NET_HEAD_S = 15,
    /* Beyond the places for all: who comes when these are taken hears of the open page alone, and
     * has less time to ask for it. So a probe is answered whoever else holds on to the server. */
    NET_SPARE_PLACES = 4
};

#define NET_MHD_FUNCTIONS(X)                                                                       \
    X(MHD_start_daemon)                                                                            \
    X(MHD_stop_daemon)                                                                             \
    X(MHD_get_daemon_info)                                                                         \
    X(MHD_get_connection_info)                                                                     \
    X(MHD_create_response_from_buffer_with_free_callback)                                          \
    X(MHD_create_response_from_callback)                                                           \
    X(MHD_add_response_header)                                                                     \
    X(MHD_queue_response)                                                                          \
    X(MHD_destroy_response)                                                                        \
    X(MHD_suspend_connection)                                                                      \
    X(MHD_resume_connection)                                                                       \
    X(MHD_lookup_connection_value)

typedef struct net_mhd {
#define X(name) __typeof__(&name) name;
    NET_MHD_FUNCTIONS(X)
#undef X
} net_mhd;

typedef enum net_doing { NET_NOTHING, NET_HEAD, NET_ANSWER, NET_STREAM } net_doing;

typedef struct net_in6 {
    unsigned char bytes[16];
} net_in6;

typedef struct net_place {
    net_server *server;
    struct MHD_Connection *connection;
    net_doing doing; /* NET_NOTHING: free */
    int fd;
    net_in6 from; /* whose it is */
    int64_t since_ns;
    size_t n_body; /* of its request, thrown away */
    bool sleeps;
    net_stream stream;
} net_place;

struct net_server {
    net_mhd mhd;
    struct MHD_Daemon *daemon;
    pthread_t keeper;
    bool has_keeper;
    pthread_mutex_t lock; /* of places and stops */
    pthread_cond_t stop;
    bool stops;
    net_address address;
    int port, most_connections, most_streams, n_streams;
    base_mem answers; /* what is being sent */
    void *ctx;
    bool (*answer)(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem);
    char token[NET_TOKEN_BYTES], act_token[NET_TOKEN_BYTES], cookie[32], pages[256];
    const char *open_page; /* NULL: none */
    net_place places[NET_MOST_CONNECTIONS + NET_SPARE_PLACES];
};

struct net_request {
    net_server *s;
    struct MHD_Connection *connection;
    bool is_post;
};

int net_places_n(const net_server *s);
/* A free one is nobody's. */
bool net_place_is_spare(const net_place *p);
/* NULL: it got none, and is being closed. */
net_place *net_place_of(const net_server *s, struct MHD_Connection *c);
/* What it is waited for from now on. Takes the lock. */
void net_place_set(net_place *p, net_doing what);
/* Streams that sleep are asked again. With the lock held. */
void net_places_wake(net_server *s);
/* A thread: cuts off who is late and wakes streams, every second until the server stops. */
void *net_places_keep_time(void *server);
/* Callbacks of libmicrohttpd: a connection has come or gone; a request on it is over. */
void net_places_note(void *server, struct MHD_Connection *c, void **context,
                     enum MHD_ConnectionNotificationCode code);
void net_places_completed(void *server, struct MHD_Connection *c, void **ctx,
                          enum MHD_RequestTerminationCode code);

#endif

/* server.h: pages and streams over HTTP, for few readers, in bounded memory.
 *
 * libmicrohttpd's one thread answers, a second one keeps time: a request's head must be in within
 * 15 s, however slowly its bytes drip; an answer must be taken within 60 s, and of a stream some
 * 16 KB every 20 s. Who takes longer is cut off. With a token every request must know it:
 * Authorization: Bearer TOKEN, or /?token=TOKEN once, which a browser keeps as a cookie; but for
 * one page that may be open to all, as probes know no token. Without one, on loopback, requests
 * whose Host is not of this machine are refused (pages of others that a browser here has open).
 * A POST acts, and needs a token of its own however open the pages are; one that a browser says it
 * sends for a page of others is refused. Its body says nothing here and is thrown away.
 * libmicrohttpd is loaded when a server is first asked for. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <stdbool.h>

#include "base/base.h"

enum { NET_TOKEN_BYTES = 1024, NET_MOST_CONNECTIONS = 64 };

typedef struct net_server net_server;
typedef struct net_request net_request; /* alive during the call of answer */

typedef enum net_more {
    NET_MORE_BYTES, /* *n bytes were written, at least one */
    NET_MORE_LATER, /* none now: the reader sleeps until net_server_wake, at most a second */
    NET_MORE_NONE   /* the stream has ended */
} net_more;

/* An answer without an end, of one reader. Both are called by the server's thread, which serves all
 * others, too: they must not wait. */
typedef struct net_stream {
    void *ctx; /* NULL: no stream */
    net_more (*read)(void *ctx, char *out, size_t most, size_t *n);
    void (*close)(void *ctx); /* once, whatever happened */
} net_stream;

typedef struct net_answer {
    unsigned status;   /* 200 */
    const char *type;  /* Content-Type; static text. "text/plain; charset=utf-8" */
    base_str body;     /* taken */
    net_stream stream; /* instead of the body. Taken: closed also when there is no room for it */
    /* Content-Security-Policy; static text. NULL: styles and scripts within the page alone */
    const char *policy;
    const char *go_to; /* a path here, to which a browser goes on (303); until answer returns */
    bool keeps; /* the same address is the same answer for ever: a browser need not ask again */
} net_answer;

typedef struct net_server_options {
    /* "127.0.0.1:9200", "[::1]:9200", "localhost:9200", ":9200" (loopback), port 0: any free one */
    const char *where;
    const char *token; /* "": none */
    /* What a POST must know, by the same ways; its cookie has the port in its name, since a browser
     * keeps one set for all ports of a machine. NULL or "": no POST is taken. */
    const char *act_token;
    /* A page that is answered without the token, too; static text. NULL: none. Its answer asks
     * net_request_is_trusted what it may tell. */
    const char *open_page;
    const char *pages;    /* what a 404 says: "there are / and /metrics" */
    int most_connections; /* at most NET_MOST_CONNECTIONS; of one address three quarters of them.
                             Four more are taken for open_page alone */
    int most_streams;     /* of the connections; 0: no streams */
    size_t most_answer_bytes; /* of all bodies that are being sent */
    void *ctx;
    /* Answers a GET, a HEAD or a POST that may act by the server's thread; false: there is no such
     * page. *a is as said above when it comes; a body is to be made on mem. What is left undone
     * when memory is short (a failed status of anything) is best told by net_answer_busy. */
    bool (*answer)(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem);
} net_server_options;

/* Everything is copied but ctx. mem must outlive the server. Errors: VG_ERR_ARGUMENT,
 * VG_ERR_UNSUPPORTED (no library), VG_ERR_SYSTEM (address in use). */
vg_status net_server_open(net_server **out, const net_server_options *o, base_mem *mem,
                          vg_error *err);
/* Ends all streams and connections. */
void net_server_close(net_server **s);
int net_server_port(const net_server *s);
bool net_server_is_loopback(const net_server *s);
/* Streams that had nothing to send are asked again. Any thread; never waits for readers. */
void net_server_wake(net_server *s);
int net_server_n_streams(net_server *s);
int net_server_n_connections(net_server *s);

/* It knows the token, or none is set. */
bool net_request_is_trusted(const net_request *r);
/* It may act: it knows act_token. */
bool net_request_may_act(const net_request *r);
bool net_request_is_post(const net_request *r);
/* The value of "?name=value"; NULL: not given. */
const char *net_request_query(const net_request *r, const char *name);
/* 503: come again. Frees the body. */
void net_answer_busy(net_answer *a);

/* An address as above. host: "127.0.0.1", "[::1]". Errors: VG_ERR_ARGUMENT. For net alone, and
 * those who test it. */
typedef struct net_address {
    char host[64];
    int port;
    bool is_v6, is_loopback;
    unsigned char bytes[16]; /* of the address, in network order: 4 or 16 */
} net_address;
vg_status net_address_parse(net_address *out, const char *where, vg_error *err);

#endif

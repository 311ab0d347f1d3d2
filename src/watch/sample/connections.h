/* connections.h: work.reconnects: new sockets of the main process to peers it had before: a camera
 * or a broker that was lost and found again. From its descriptors and the kernel's table of TCP
 * connections, which is only read when the set of sockets has changed. Bounded. For this folder. */
#ifndef WATCH_CONNECTIONS_H
#define WATCH_CONNECTIONS_H

#include "pace.h"
#include "tree.h"

enum { WATCH_MOST_SOCKETS = 512, WATCH_MOST_PEERS = 128 };

/* init, then look; a plain value. */
typedef struct watch_connections {
    uint64_t inodes[WATCH_MOST_SOCKETS]; /* rising */
    size_t n_inodes;
    uint64_t peers[WATCH_MOST_PEERS];      /* a ring of hashes */
    size_t n_peers;                        /* ever */
    double n_reconnects, n_left, looked_s; /* n_left: in CLOSE_WAIT when the table was read */
    bool has_looked;
    watch_pace pace;
} watch_connections;

void watch_connections_init(watch_connections *c);
/* At its own pace. */
void watch_connections_look(watch_connections *c, const watch_tree *t, const watch_member *main,
                            double now_s);
/* NAN: it never had a peer. */
double watch_connections_get(const watch_connections *c);
/* main.close_wait; NAN as above. */
double watch_connections_left(const watch_connections *c);

#endif

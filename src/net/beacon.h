/* beacon.h: what a vigil process tells the guard that watches it (vigil watch): its plan, its
 * accounts and its progress, once a second at most, into a socket that nobody need listen to.
 * Never waits, never fails, allocates nothing. Protocol: docs/leaks.md. */
#ifndef NET_BEACON_H
#define NET_BEACON_H

#include "base/base.h"
#include "vigil/types.h"

/* A plain value; zeroed is valid, and opened when it is first due. One thread. */
typedef struct net_beacon {
    bool is_open;
    int fd; /* -1: there is none */
    int64_t told_ns;
    struct {
        char bytes[108];
        unsigned n;
    } name;
} net_beacon;

/* True once a second: then it is worth gathering what is told. */
bool net_beacon_is_due(net_beacon *b);
/* epoch, step, frames: below 0: not told. */
void net_beacon_tell(net_beacon *b, const vg_memory *m, int64_t epoch, int64_t step,
                     int64_t frames);
void net_beacon_close(net_beacon *b);

#endif

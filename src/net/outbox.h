/* outbox.h: messages on their way to another machine, in fixed memory: a ring of bytes and a list
 * of their lengths. At a full one the oldest message gives way and is counted. One lock; nothing is
 * allocated after create. */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include <stdbool.h>

#include "base/base.h"

enum { NET_TOPIC_BYTES = 512 };

typedef struct net_outbox net_outbox;

/* Errors: VG_ERR_ARGUMENT (a bound of 0), VG_ERR_MEMORY. */
vg_status net_outbox_create(net_outbox **out, size_t most_messages, size_t most_bytes,
                            base_mem *mem, vg_error *err);
void net_outbox_destroy(net_outbox **o);
/* What create takes. */
size_t net_outbox_bytes(size_t most_messages, size_t most_bytes);

/* Copies; never waits. topic: "" where there are none, shorter than NET_TOPIC_BYTES. Returns how
 * many older ones gave way. VG_ERR_LIMIT: larger than the whole outbox, or than a topic may be. */
vg_status net_outbox_put(net_outbox *o, const char *topic, const void *bytes, size_t n, bool retain,
                         size_t *n_gave_way, vg_error *err);

typedef struct net_message {
    char topic[NET_TOPIC_BYTES];
    size_t n;
    bool retain;
} net_message;
/* The oldest one. bytes: room for the largest that is ever put. Waits up to timeout_ms (0: not) for
 * one; false: none, or closed and empty. */
bool net_outbox_take(net_outbox *o, net_message *m, char *bytes, int timeout_ms);
void net_outbox_close(net_outbox *o); /* wakes who waits; puts are dropped and counted */
size_t net_outbox_length(net_outbox *o);
uint64_t net_outbox_dropped(net_outbox *o);

#endif

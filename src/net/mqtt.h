/* mqtt.h: a lasting connection to an MQTT broker (libmosquitto), and one message by itself.
 *
 * A client has one thread, which alone talks: it connects, and connects again with exponential
 * back-off and jitter; messages wait in an outbox of fixed memory meanwhile, whose oldest give way.
 * Handed to libmosquitto at a time are at most NET_MQTT_FLYING messages. With QoS 1 and 2 these
 * survive a broken connection; with QoS 0 they count as dropped. Built without libmosquitto's
 * headers, opening says so. */
#ifndef NET_MQTT_H
#define NET_MQTT_H

#include <stdbool.h>

#include "outbox.h"

enum { NET_MQTT_FLYING = 16 };

/* mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] or mqtts://...; ports 1883 and 8883; an IPv6 host in
 * brackets; %XX in user and password. */
typedef struct net_mqtt_address {
    char host[256], user[128], password[128], topic[NET_TOPIC_BYTES];
    int port;
    bool has_tls;
} net_mqtt_address;
/* Errors: VG_ERR_ARGUMENT; the URL, which may hold a secret, is not in the text. */
vg_status net_mqtt_parse(net_mqtt_address *out, const char *url, vg_error *err);

typedef struct net_mqtt net_mqtt;

typedef struct net_mqtt_options {
    const char *url; /* its topic is the prefix of all */
    const char *ca, *cert,
        *key; /* PEM files, for mqtts; "": the system's authorities, no own one */
    int qos;  /* 0..2 */
    const char
        *status; /* topic below the prefix: "online" and, by will, "offline", retained. "": none */
    size_t most_messages, most_bytes;   /* of the outbox */
    size_t message_bytes;               /* of one message; 0: most_bytes */
    double retry_first_s, retry_most_s; /* 0: 1, 60 */
} net_mqtt_options;

/* What open would say of the options, before anything is taken: the URL, the files and the library.
 */
vg_status net_mqtt_check_options(const net_mqtt_options *o, vg_error *err);
/* Starts the thread; there need not be a broker yet. Errors: VG_ERR_ARGUMENT, VG_ERR_IO (a
 * certificate's file), VG_ERR_UNSUPPORTED, VG_ERR_MEMORY, VG_ERR_SYSTEM. */
vg_status net_mqtt_open(net_mqtt **out, const net_mqtt_options *o, base_mem *mem, vg_error *err);
/* What open takes. */
size_t net_mqtt_bytes(const net_mqtt_options *o);
/* To PREFIX/subtopic, the prefix alone when it is "". Copies; never waits. Errors: VG_ERR_LIMIT
 * (too large). */
vg_status net_mqtt_send(net_mqtt *m, const char *subtopic, const void *bytes, size_t n, bool retain,
                        vg_error *err);

typedef struct net_mqtt_counts {
    uint64_t sent;    /* the broker has them; QoS 0: the system has */
    uint64_t dropped; /* gave way, or were lost with a connection */
    uint64_t connects;
    size_t waiting; /* flying ones included */
    bool is_connected;
    bool is_refused; /* the broker has said no to the last attempt */
} net_mqtt_counts;
void net_mqtt_get_counts(net_mqtt *m, net_mqtt_counts *out);
/* Why there is no connection now: VG_ERR_IO; VG_OK while there is one. */
vg_status net_mqtt_problem(net_mqtt *m, vg_error *err);
/* Sends what waits and says "offline", for at most patience_s, and ends. Returns what was left. */
size_t net_mqtt_close(net_mqtt **m, double patience_s);
vg_status net_mqtt_find_library(vg_error *err); /* VG_ERR_UNSUPPORTED */

/* Loads the library and reads the URL, which needs a topic: what net_mqtt_tell would fail with for
 * ever. */
vg_status net_mqtt_check(const char *url, vg_error *err);
/* One connection, one message of QoS 1: returns when the broker has it, after ten seconds at most.
 * *again: trying once more may help. Errors: as open, VG_ERR_IO. */
vg_status net_mqtt_tell(const char *url, const char *json, bool *again, base_mem *mem,
                        vg_error *err);

#endif

/* kafka.h: messages to a topic of Kafka (librdkafka), each delivered once and in order of its key.
 *
 * The producer is idempotent: the brokers throw away what a try that was thought lost had brought
 * already, and keep the order. Messages wait in an outbox of fixed memory until their delivery is
 * known; at a full one the newest is dropped and counted, for those that librdkafka has cannot be
 * taken back. What is not delivered within MOST_WAIT_S has failed. One thread at a time.
 *
 * librdkafka is loaded when a producer is opened, and has threads of its own. Built without its
 * headers, opening says so. */
#ifndef NET_KAFKA_H
#define NET_KAFKA_H

#include <stdbool.h>

#include "base/base.h"

enum { NET_KAFKA_MOST_WAIT_S = 60, NET_KAFKA_TOPIC_BYTES = 250, NET_KAFKA_BROKERS_BYTES = 1024 };

/* kafka://HOST[:PORT][,HOST[:PORT]...]/TOPIC; port 9092; an IPv6 host in brackets. */
typedef struct net_kafka_address {
    char brokers[NET_KAFKA_BROKERS_BYTES]; /* as librdkafka takes them */
    char topic[NET_KAFKA_TOPIC_BYTES];
} net_kafka_address;
/* Errors: VG_ERR_ARGUMENT; the URL is not in the text. */
vg_status net_kafka_parse(net_kafka_address *out, const char *url, vg_error *err);
/* What open would say before it takes anything: the URL and the library. */
vg_status net_kafka_check(const char *url, vg_error *err);

typedef struct net_kafka net_kafka;

typedef struct net_kafka_options {
    const char *url;
    size_t most_messages, most_bytes; /* of the outbox */
} net_kafka_options;

/* There need not be a broker yet. Errors: VG_ERR_ARGUMENT, VG_ERR_UNSUPPORTED, VG_ERR_MEMORY,
 * VG_ERR_SYSTEM. */
vg_status net_kafka_open(net_kafka **out, const net_kafka_options *o, base_mem *mem, vg_error *err);
/* What open takes of ours; librdkafka takes some hundred bytes beside each message. */
size_t net_kafka_bytes(const net_kafka_options *o);
/* Copies; never waits. Messages of one key stay in order, in one partition. Errors: VG_ERR_LIMIT
 * (larger than the outbox). */
vg_status net_kafka_send(net_kafka *k, const char *key, const void *bytes, size_t n, vg_error *err);

typedef struct net_kafka_counts {
    uint64_t delivered; /* all brokers that must have them do */
    uint64_t failed;    /* refused, or not delivered in time */
    uint64_t dropped;   /* there was no room in the outbox */
    size_t waiting;
} net_kafka_counts;
/* Looks at what has become of messages, and counts. */
void net_kafka_get_counts(net_kafka *k, net_kafka_counts *out);
/* Why the newest failure was one, since the last call; VG_OK: there was none. */
vg_status net_kafka_problem(net_kafka *k, vg_error *err);
/* Waits for deliveries for at most patience_s, and ends. Returns how many were given up; last
 * (NULL: no matter): the counts then, with these among the failed. */
size_t net_kafka_close(net_kafka **k, double patience_s, net_kafka_counts *last);

#endif

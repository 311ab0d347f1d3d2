/* kafka.c: the outbox is a ring of bytes and a list of what is in it, in order. librdkafka is
 * handed pointers into the ring, and says later which are done; room comes back in the order in
 * which it was given, so one message that waits holds what is behind it, up to MOST_WAIT_S. */
#include "kafka.h"

#ifdef VIGIL_HAVE_RDKAFKA

#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <string.h>

#define FUNCTIONS(X)                                                                               \
    X(rd_kafka_conf_new)                                                                           \
    X(rd_kafka_conf_destroy)                                                                       \
    X(rd_kafka_conf_set)                                                                           \
    X(rd_kafka_conf_set_dr_msg_cb)                                                                 \
    X(rd_kafka_conf_set_error_cb)                                                                  \
    X(rd_kafka_conf_set_log_cb)                                                                    \
    X(rd_kafka_conf_set_opaque)                                                                    \
    X(rd_kafka_new)                                                                                \
    X(rd_kafka_destroy)                                                                            \
    X(rd_kafka_topic_new)                                                                          \
    X(rd_kafka_topic_destroy)                                                                      \
    X(rd_kafka_produce)                                                                            \
    X(rd_kafka_last_error)                                                                         \
    X(rd_kafka_err2str)                                                                            \
    X(rd_kafka_poll)                                                                               \
    X(rd_kafka_flush)                                                                              \
    X(rd_kafka_purge)

typedef struct entry {
    size_t at, n;
    bool is_done;
} entry;

struct net_kafka {
#define X(name) __typeof__((name)) *name;
    FUNCTIONS(X)
#undef X
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    net_kafka_counts counts;
    bool has_failed;
    char why[256];
    size_t most_messages, most_bytes;
    size_t first, n;   /* entries */
    size_t begin, end; /* bytes: used from begin to end, round the ring; begin == end: empty when
                          n is 0 */
    char *ring;        /* (most_bytes) behind the entries */
    entry entries[];   /* (most_messages) */
};

size_t net_kafka_bytes(const net_kafka_options *o)
{
    return sizeof(net_kafka) + o->most_messages * sizeof(entry) + o->most_bytes;
}

static vg_status load(net_kafka *k, vg_error *err)
{
    void *library;
    vg_status st = base_library_open(&library, "librdkafka.so.1", "--kafka needs librdkafka",
                                     "install librdkafka1", err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&k->name, library, #name, err);
    FUNCTIONS(X)
#undef X
    return st;
}

vg_status net_kafka_check(const char *url, vg_error *err)
{
    net_kafka probe;
    net_kafka_address address;
    const vg_status st = net_kafka_parse(&address, url, err);
    return st == VG_OK ? load(&probe, err) : st;
}

/* ---- what librdkafka says: from poll, flush and destroy alone ---- */

static void note_failure(net_kafka *k, const char *why)
{
    k->has_failed = true;
    base_format(k->why, sizeof k->why, "%s", why);
}

static void see_delivery(rd_kafka_t *producer, const rd_kafka_message_t *m, void *opaque)
{
    net_kafka *k = opaque;
    (void)producer;
    ((entry *)m->_private)->is_done = true;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        k->counts.delivered++;
        return;
    }
    k->counts.failed++;
    note_failure(k, k->rd_kafka_err2str(m->err));
}

static void see_error(rd_kafka_t *producer, int error, const char *reason, void *opaque)
{
    (void)producer, (void)error;
    note_failure(opaque, reason);
}

/* It writes to standard error on its own otherwise. */
static void see_log(const rd_kafka_t *producer, int level, const char *facility, const char *text)
{
    (void)producer, (void)level, (void)facility, (void)text;
}

/* ---- open ---- */

static vg_status set_up(net_kafka *k, const net_kafka_address *a, vg_error *err)
{
    char messages[32], kilobytes[32], wait_ms[32], why[256] = "";
    base_format(messages, sizeof messages, "%zu", k->most_messages);
    base_format(kilobytes, sizeof kilobytes, "%zu", 2 * k->most_bytes / 1024 + 1024);
    base_format(wait_ms, sizeof wait_ms, "%d", NET_KAFKA_MOST_WAIT_S * 1000);
    const char *const settings[][2] = {{"bootstrap.servers", a->brokers},
                                       {"client.id", "vigil"},
                                       {"enable.idempotence", "true"},
                                       {"partitioner", "murmur2_random"}, /* as Java's clients */
                                       {"queue.buffering.max.messages", messages},
                                       {"queue.buffering.max.kbytes", kilobytes},
                                       {"message.timeout.ms", wait_ms}};
    rd_kafka_conf_t *conf = k->rd_kafka_conf_new();
    rd_kafka_conf_res_t is_set = conf != NULL ? RD_KAFKA_CONF_OK : RD_KAFKA_CONF_INVALID;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && is_set == RD_KAFKA_CONF_OK; i++)
        is_set = k->rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why);
    if (is_set == RD_KAFKA_CONF_OK) {
        k->rd_kafka_conf_set_dr_msg_cb(conf, see_delivery);
        k->rd_kafka_conf_set_error_cb(conf, see_error);
        k->rd_kafka_conf_set_log_cb(conf, see_log);
        k->rd_kafka_conf_set_opaque(conf, k);
        k->producer = k->rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    }
    if (k->producer == NULL && conf != NULL)
        k->rd_kafka_conf_destroy(conf); /* with a producer it is the producer's */
    if (k->producer != NULL)
        k->topic = k->rd_kafka_topic_new(k->producer, a->topic, NULL);
    return k->topic != NULL ? VG_OK
                            : base_fail(err, VG_ERR_SYSTEM, "option kafka",
                                        "look at the address; librdkafka 1.0 or newer is needed",
                                        "librdkafka cannot begin: %s", why);
}

vg_status net_kafka_open(net_kafka **out, const net_kafka_options *o, base_mem *mem, vg_error *err)
{
    net_kafka_address address;
    *out = NULL;
    vg_status st = net_kafka_parse(&address, o->url, err);
    if (st != VG_OK)
        return st;
    net_kafka *k = base_alloc_zero(mem, 1, net_kafka_bytes(o), err);
    if (k == NULL)
        return VG_ERR_MEMORY;
    k->most_messages = o->most_messages;
    k->most_bytes = o->most_bytes;
    k->ring = (char *)&k->entries[o->most_messages];
    sigset_t before; /* its threads take no signals */
    base_signals_block(&before);
    st = load(k, err);
    if (st == VG_OK)
        st = set_up(k, &address, err);
    base_signals_restore(&before);
    *out = k;
    if (st != VG_OK)
        net_kafka_close(out, 0, NULL);
    return st;
}

/* ---- the outbox ---- */

static void take_back(net_kafka *k)
{
    k->rd_kafka_poll(k->producer, 0);
    while (k->n > 0 && k->entries[k->first].is_done) {
        const entry *e = &k->entries[k->first];
        k->begin = e->at + e->n;
        k->first = (k->first + 1) % k->most_messages;
        k->n--;
    }
    if (k->n == 0)
        k->begin = k->end = 0;
}

/* Where n bytes in a row are free; SIZE_MAX: nowhere. */
static size_t find_room(const net_kafka *k, size_t n)
{
    if (k->n == k->most_messages)
        return SIZE_MAX;
    if (k->n == 0 || k->end > k->begin) {
        if (k->most_bytes - k->end >= n)
            return k->end;
        return k->n > 0 && k->begin > n ? 0 : SIZE_MAX; /* round the end */
    }
    return k->begin - k->end > n ? k->end : SIZE_MAX;
}

vg_status net_kafka_send(net_kafka *k, const char *key, const void *bytes, size_t n, vg_error *err)
{
    if (n > k->most_bytes)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL,
                         "a message of %zu bytes for an outbox of %zu", n, k->most_bytes);
    take_back(k);
    const size_t at = find_room(k, n);
    if (at == SIZE_MAX) {
        k->counts.dropped++;
        return VG_OK;
    }
    entry *e = &k->entries[(k->first + k->n) % k->most_messages];
    *e = (entry){.at = at, .n = n};
    memcpy(k->ring + at, bytes, n);
    if (k->rd_kafka_produce(k->topic, RD_KAFKA_PARTITION_UA, 0, k->ring + at, n, key, strlen(key),
                            e) != 0) {
        const rd_kafka_resp_err_t why = k->rd_kafka_last_error();
        if (why == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            k->counts.dropped++;
        } else {
            k->counts.failed++;
            note_failure(k, k->rd_kafka_err2str(why));
        }
        return VG_OK;
    }
    k->n++;
    k->end = at + n;
    return VG_OK;
}

void net_kafka_get_counts(net_kafka *k, net_kafka_counts *out)
{
    take_back(k);
    *out = k->counts;
    out->waiting = k->n;
    for (size_t i = 0; i < k->n; i++) /* done, behind one that is not */
        out->waiting -= k->entries[(k->first + i) % k->most_messages].is_done;
}

vg_status net_kafka_problem(net_kafka *k, vg_error *err)
{
    if (!k->has_failed)
        return VG_OK;
    k->has_failed = false;
    return base_fail(err, VG_ERR_IO, "option kafka", "look at the brokers and the topic",
                     "messages are not delivered: %s", k->why);
}

size_t net_kafka_close(net_kafka **kafka, double patience_s, net_kafka_counts *last)
{
    net_kafka *k = *kafka;
    net_kafka_counts counts = {.waiting = 0};
    if (k == NULL)
        return 0;
    if (k->topic != NULL) {
        k->rd_kafka_flush(k->producer, (int)(patience_s * 1e3));
        net_kafka_get_counts(k, &counts);
        k->rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        k->rd_kafka_flush(k->producer, 100); /* no pointer into the ring is left */
        if (last != NULL)
            net_kafka_get_counts(k, last);
        k->rd_kafka_topic_destroy(k->topic);
    }
    if (k->producer != NULL)
        k->rd_kafka_destroy(k->producer);
    base_free(k);
    *kafka = NULL;
    return counts.waiting;
}

#else

static vg_status unsupported(vg_error *err)
{
    return base_fail(err, VG_ERR_UNSUPPORTED, "option kafka",
                     "install librdkafka-dev and build again",
                     "this vigil was built without librdkafka");
}

vg_status net_kafka_check(const char *url, vg_error *err)
{
    net_kafka_address address;
    const vg_status st = net_kafka_parse(&address, url, err);
    return st == VG_OK ? unsupported(err) : st;
}

size_t net_kafka_bytes(const net_kafka_options *o)
{
    (void)o;
    return 0;
}

vg_status net_kafka_open(net_kafka **out, const net_kafka_options *o, base_mem *mem, vg_error *err)
{
    (void)mem;
    *out = NULL;
    return net_kafka_check(o->url, err);
}

vg_status net_kafka_send(net_kafka *k, const char *key, const void *bytes, size_t n, vg_error *err)
{
    (void)k, (void)key, (void)bytes, (void)n;
    return unsupported(err);
}

void net_kafka_get_counts(net_kafka *k, net_kafka_counts *out)
{
    (void)k;
    *out = (net_kafka_counts){0};
}

vg_status net_kafka_problem(net_kafka *k, vg_error *err)
{
    (void)k;
    return unsupported(err);
}

size_t net_kafka_close(net_kafka **k, double patience_s, net_kafka_counts *last)
{
    (void)patience_s, (void)last;
    *k = NULL;
    return 0;
}

#endif

/* sink_mqtt.c: PREFIX/STEM/results and PREFIX/STEM/events, one JSON object a message; changes
 * of health to PREFIX/health; PREFIX/status is "online", and "offline" by will; of a
 * shard PREFIX/shard-I/status, so that all of them may share one tree.
 *
 * Nothing here waits: messages go to the client's outbox, of which a mebibyte or two results are
 * kept for a broker that is gone. A write fails when messages have been lost since the last one. */
#include "messages.h"
#include "net/net.h"
#include "stream/fleet/shard.h"

enum {
    MOST_MESSAGES = 1000,
    LEAST_OUTBOX_BYTES = 1 << 20,
    STATUS_BYTES = 32,
    TELL_S = 60 /* between two lines of the log on the same matter */
};
static const double LAST_S = 0.25;

typedef struct state {
    net_mqtt *client;
    sink_messages messages;
    uint64_t n_dropped;
    bool was_connected;
    int64_t told_ns;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->mqtt[0] != '\0';
}

/* Where it says whether it is there: one place for each that shares the tree. shard is I/N. */
static const char *status_of(char out[STATUS_BYTES], const stream_options *o)
{
    stream_shard shard;
    if (stream_shard_parse(&shard, o->shard, NULL) == VG_OK && shard.of > 0)
        base_format(out, STATUS_BYTES, "shard-%d/status", shard.index);
    else
        base_format(out, STATUS_BYTES, "status");
    return out;
}

static vg_status check(const stream_options *o, base_mem *mem, vg_error *err)
{
    char status[STATUS_BYTES];
    const net_mqtt_options client = {.url = o->mqtt,
                                     .ca = o->mqtt_ca,
                                     .cert = o->mqtt_cert,
                                     .key = o->mqtt_key,
                                     .status = status_of(status, o)};
    (void)mem;
    return net_mqtt_check_options(&client, err);
}

static net_mqtt_options client_options(const stream_setting *s, char status[STATUS_BYTES])
{
    const stream_options *o = s->options;
    const size_t two = 2 * (stream_json_message_bytes(s) + NET_TOPIC_BYTES);
    return (net_mqtt_options){.url = o->mqtt,
                              .ca = o->mqtt_ca,
                              .cert = o->mqtt_cert,
                              .key = o->mqtt_key,
                              .qos = o->mqtt_qos,
                              .status = status_of(status, o),
                              .most_messages = MOST_MESSAGES,
                              .most_bytes = two > LEAST_OUTBOX_BYTES ? two : LEAST_OUTBOX_BYTES,
                              .message_bytes = stream_json_message_bytes(s),
                              .retry_first_s = o->retry_first_s,
                              .retry_most_s = o->retry_most_s};
}

static size_t need_bytes(const stream_setting *s)
{
    char status[STATUS_BYTES];
    const net_mqtt_options o = client_options(s, status);
    return stream_json_message_bytes(s) + net_mqtt_bytes(&o);
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    const size_t n_left = net_mqtt_close(&t->client, LAST_S);
    sink_messages_close(&t->messages);
    (void)err; /* the job has done its part: it does not fail for a broker that is gone */
    if (n_left > 0)
        base_log(BASE_LOG_WARN, "messages left", "sink=mqtt messages=%zu", n_left);
    return VG_OK;
}

static vg_status send_one(void *self, const sink_message *m, vg_error *err)
{
    char topic[NET_TOPIC_BYTES];
    base_format(topic, sizeof topic, "%s%s%s", m->stem, m->stem[0] != '\0' ? "/" : "", m->what);
    return net_mqtt_send(((state *)self)->client, topic, m->text, m->n, false, err);
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    char status[STATUS_BYTES];
    const net_mqtt_options o = client_options(s, status);
    t->messages.send = send_one;
    t->messages.self = t;
    vg_status st = sink_messages_open(&t->messages, s, s->options->mqtt_what, err);
    if (st == VG_OK)
        st = net_mqtt_open(&t->client, &o, s->mem, err);
    if (st != VG_OK)
        sink_messages_close(&t->messages);
    return st;
}

/* Fails when messages were lost since it was last asked. */
static vg_status check_lost(state *t, vg_error *err)
{
    net_mqtt_counts counts;
    net_mqtt_get_counts(t->client, &counts);
    const uint64_t n = counts.dropped - t->n_dropped;
    t->n_dropped = counts.dropped;
    if (n == 0)
        return VG_OK;
    if (net_mqtt_problem(t->client, err) != VG_OK)
        return VG_ERR_IO;
    return base_fail(err, VG_ERR_LIMIT, "option mqtt", "send less: mqtt_what events",
                     "%llu messages were dropped for newer ones", (unsigned long long)n);
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    const vg_status st = sink_messages_write(&t->messages, s, r, err);
    return st == VG_OK ? check_lost(t, err) : st;
}

/* The log is told when the broker comes and goes; of one that does so often, once a minute. */
static void tell_connection(state *t)
{
    vg_error err = {0};
    net_mqtt_counts counts;
    net_mqtt_get_counts(t->client, &counts);
    const vg_status st = net_mqtt_problem(t->client, &err);
    const int64_t now_ns = base_now_ns();
    const bool is_known = counts.is_connected || st != VG_OK; /* else it is connecting */
    if (!is_known || (t->told_ns != 0 && (counts.is_connected == t->was_connected ||
                                          now_ns - t->told_ns < TELL_S * INT64_C(1000000000))))
        return;
    if (counts.is_connected)
        base_log(BASE_LOG_INFO, "broker connected", "connects=%llu waiting=%zu dropped=%llu",
                 (unsigned long long)counts.connects, counts.waiting,
                 (unsigned long long)counts.dropped);
    else
        base_log(BASE_LOG_WARN, "broker gone", "what=\"%s\" where=\"%s\" waiting=%zu", err.what,
                 err.where, counts.waiting);
    t->was_connected = counts.is_connected;
    t->told_ns = now_ns;
}

static vg_status tick(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    tell_connection(t);
    return sink_messages_tick(&t->messages, s, err);
}

const stream_sink stream_sink_mqtt = {.name = "mqtt",
                                      .help = "events and results to an MQTT broker",
                                      .queue_length = 16,
                                      .state_bytes = sizeof(state),
                                      .is_wanted = is_wanted,
                                      .check = check,
                                      .need_bytes = need_bytes,
                                      .open = open_,
                                      .write = write_,
                                      .tick = tick,
                                      .close = close_};

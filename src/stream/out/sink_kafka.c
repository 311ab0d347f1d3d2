/* sink_kafka.c: results and events to a topic of Kafka, one JSON object a message, with the
 * source's name as its key: what one camera saw stays in order, whichever shard read it.
 *
 * A write hands over and never waits. What became of the messages is known later: written counts
 * those that were delivered, failed those that were not, or found no room in the outbox. */
#include "messages.h"
#include "net/net.h"

enum { MOST_MESSAGES = 1000, LEAST_OUTBOX_BYTES = 4 << 20 };
static const double LAST_S = 0.25;

typedef struct state {
    net_kafka *producer;
    sink_messages messages;
    net_kafka_counts settled, last; /* told to the job; at the end */
    uint64_t n_dropped;             /* that were told */
} state;

static bool is_wanted(const stream_options *o)
{
    return o->kafka[0] != '\0';
}

static vg_status check(const stream_options *o, base_mem *mem, vg_error *err)
{
    (void)mem;
    return net_kafka_check(o->kafka, err);
}

static net_kafka_options producer_options(const stream_setting *s)
{
    const size_t four = 4 * stream_json_message_bytes(s);
    return (net_kafka_options){.url = s->options->kafka,
                               .most_messages = MOST_MESSAGES,
                               .most_bytes = four > LEAST_OUTBOX_BYTES ? four : LEAST_OUTBOX_BYTES};
}

static size_t need_bytes(const stream_setting *s)
{
    const net_kafka_options o = producer_options(s);
    return stream_json_message_bytes(s) + net_kafka_bytes(&o);
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    const size_t n_left = net_kafka_close(&t->producer, LAST_S, &t->last);
    sink_messages_close(&t->messages);
    (void)err; /* the job has done its part: it does not fail for brokers that are gone */
    if (n_left > 0)
        base_log(BASE_LOG_WARN, "messages left", "sink=kafka messages=%zu", n_left);
    return VG_OK;
}

static vg_status send_one(void *self, const sink_message *m, vg_error *err)
{
    return net_kafka_send(((state *)self)->producer, m->source, m->text, m->n, err);
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    const net_kafka_options o = producer_options(s);
    t->messages.send = send_one;
    t->messages.self = t;
    vg_status st = sink_messages_open(&t->messages, s, s->options->kafka_what, err);
    if (st == VG_OK)
        st = net_kafka_open(&t->producer, &o, s->mem, err);
    if (st != VG_OK)
        sink_messages_close(&t->messages);
    return st;
}

/* Fails when messages were lost since it was last asked. */
static vg_status check_lost(state *t, vg_error *err)
{
    net_kafka_counts counts;
    net_kafka_get_counts(t->producer, &counts);
    const uint64_t n = counts.dropped - t->n_dropped;
    t->n_dropped = counts.dropped;
    if (net_kafka_problem(t->producer, err) != VG_OK)
        return VG_ERR_IO;
    return n == 0 ? VG_OK
                  : base_fail(err, VG_ERR_LIMIT, "option kafka", "send less: kafka_what events",
                              "%llu messages found no room in the outbox", (unsigned long long)n);
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    const vg_status st = sink_messages_write(&t->messages, s, r, err);
    return st == VG_OK ? check_lost(t, err) : st;
}

static vg_status tick(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    const vg_status st = sink_messages_tick(&t->messages, s, err);
    return st == VG_OK ? check_lost(t, err) : st;
}

static void settle(void *self, stream_settled *out)
{
    state *t = self;
    net_kafka_counts now = t->last;
    if (t->producer != NULL)
        net_kafka_get_counts(t->producer, &now);
    out->n_written = now.delivered - t->settled.delivered;
    out->n_lost = now.failed - t->settled.failed + now.dropped - t->settled.dropped;
    t->settled = now;
}

const stream_sink stream_sink_kafka = {.name = "kafka",
                                       .help = "events and results to a topic of Kafka",
                                       .queue_length = 16,
                                       .state_bytes = sizeof(state),
                                       .is_wanted = is_wanted,
                                       .check = check,
                                       .need_bytes = need_bytes,
                                       .open = open_,
                                       .write = write_,
                                       .tick = tick,
                                       .settle = settle,
                                       .close = close_};

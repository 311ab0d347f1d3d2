/* A producer against librdkafka's own cluster of three brokers within this process: what is sent
 * arrives once and in order, whatever the brokers do; what cannot arrive is counted. */
#include "support/test.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "support/ok.h"

#include "net/kafka.h"

enum { PRODUCE = 0, N_PARTITIONS = 4, MOST_SEEN = 4000, PATIENCE_S = 120 };

typedef struct seen {
    char key[16], value[32];
    int partition;
} seen;

typedef struct bench {
    base_mem mem;
    rd_kafka_t *host, *consumer;
    rd_kafka_mock_cluster_t *cluster;
    net_kafka *k;
    char url[400];
    seen seen[MOST_SEEN];
    int n_seen;
} bench;

static void quiet(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
    (void)rk, (void)level, (void)fac, (void)buf;
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, quiet);
    if (brokers != NULL) {
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
        rd_kafka_conf_set(conf, "group.id", "test", why, sizeof why);
    }
    rd_kafka_t *out = rd_kafka_new(type, conf, why, sizeof why);
    assert_non_null(out);
    return out;
}

static int set_up(void **state)
{
    static bench the_bench;
    bench *t = &the_bench;
    memset(t, 0, sizeof *t);
    *state = t;
    base_mem_init(&t->mem, "test", NULL, 0);
    t->host = make(RD_KAFKA_PRODUCER, NULL);
    t->cluster = rd_kafka_mock_cluster_new(t->host, 3);
    if (t->cluster == NULL || rd_kafka_mock_topic_create(t->cluster, "boxes", N_PARTITIONS, 3) != 0)
        return -1;
    snprintf(t->url, sizeof t->url, "kafka://%s/boxes",
             rd_kafka_mock_cluster_bootstraps(t->cluster));
    return 0;
}

static int tear_down(void **state)
{
    bench *t = *state;
    net_kafka_close(&t->k, 0, NULL);
    if (t->consumer != NULL)
        rd_kafka_destroy(t->consumer);
    rd_kafka_mock_cluster_destroy(t->cluster);
    rd_kafka_destroy(t->host);
    const int left = t->mem.in_use_bytes != 0;
    return left ? -1 : 0;
}

static void open_(bench *t, size_t most_messages, size_t most_bytes)
{
    const net_kafka_options o = {
        .url = t->url, .most_messages = most_messages, .most_bytes = most_bytes};
    OK(net_kafka_open(&t->k, &o, &t->mem, err));
    assert_int_equal(t->mem.in_use_bytes, net_kafka_bytes(&o));
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static net_kafka_counts until_settled(bench *t)
{
    net_kafka_counts c;
    const int64_t end_ns = base_now_ns() + PATIENCE_S * INT64_C(1000000000);
    for (net_kafka_get_counts(t->k, &c); c.waiting > 0; net_kafka_get_counts(t->k, &c)) {
        if (base_now_ns() > end_ns)
            fail_msg("%zu messages still wait", c.waiting);
        nap();
    }
    return c;
}

/* All that is in the topic. */
static void consume(bench *t, int n)
{
    const int64_t end_ns = base_now_ns() + PATIENCE_S * INT64_C(1000000000);
    t->consumer = make(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(t->cluster));
    rd_kafka_poll_set_consumer(t->consumer);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(N_PARTITIONS);
    for (int p = 0; p < N_PARTITIONS; p++)
        rd_kafka_topic_partition_list_add(all, "boxes", p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(t->consumer, all), 0);
    rd_kafka_topic_partition_list_destroy(all);
    bool has_rest = true;
    while (t->n_seen < n || has_rest) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(t->consumer, t->n_seen < n ? 100 : 300);
        if (base_now_ns() > end_ns)
            fail_msg("%d of %d messages came", t->n_seen, n);
        has_rest = t->n_seen < n || m != NULL;
        if (m == NULL)
            continue;
        if (m->err == 0) {
            assert_in_range(t->n_seen, 0, MOST_SEEN - 1);
            seen *s = &t->seen[t->n_seen++];
            snprintf(s->key, sizeof s->key, "%.*s", (int)m->key_len, (const char *)m->key);
            snprintf(s->value, sizeof s->value, "%.*s", (int)m->len, (const char *)m->payload);
            s->partition = m->partition;
        }
        rd_kafka_message_destroy(m);
    }
}

static void send_some(bench *t, int first, int n)
{
    for (int i = first; i < first + n; i++) {
        char key[16], value[32];
        snprintf(key, sizeof key, "camera%d", i % 7);
        snprintf(value, sizeof value, "%d", i);
        OK(net_kafka_send(t->k, key, value, strlen(value), err));
    }
}

/* Each once, those of a key in order and in one partition. */
static void are_once_and_in_order(const bench *t, int n)
{
    int last[7], partition[7], of_key[7] = {0};
    assert_int_equal(t->n_seen, n);
    for (int i = 0; i < n; i++) {
        const int key = t->seen[i].key[6] - '0';
        const int value = (int)strtol(t->seen[i].value, NULL, 10);
        assert_in_range(key, 0, 6);
        assert_int_equal(value % 7, key);
        if (of_key[key]++ > 0) {
            assert_int_equal(partition[key], t->seen[i].partition);
            assert_int_equal(value, last[key] + 7);
        }
        last[key] = value;
        partition[key] = t->seen[i].partition;
    }
}

static void messages_arrive_once_in_the_order_of_their_key(void **state)
{
    bench *t = *state;
    open_(t, 2000, 1 << 20);
    send_some(t, 0, 1000);
    const net_kafka_counts c = until_settled(t);
    assert_true(c.delivered == 1000 && c.failed == 0 && c.dropped == 0);
    OK(net_kafka_problem(t->k, err));
    consume(t, 1000);
    are_once_and_in_order(t, 1000);
}

/* What was refused is tried again, without a gap, without a second copy. */
static void brokers_that_refuse_for_a_while_lose_and_double_nothing(void **state)
{
    bench *t = *state;
    open_(t, 2000, 1 << 20);
    rd_kafka_mock_push_request_errors(
        t->cluster, PRODUCE, 6, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    for (int i = 0; i < 10; i++) {
        send_some(t, 70 * i, 70);
        nap();
    }
    const net_kafka_counts c = until_settled(t);
    assert_true(c.delivered == 700 && c.failed == 0 && c.dropped == 0);
    consume(t, 700);
    are_once_and_in_order(t, 700);
}

static void what_will_never_be_taken_has_failed_and_says_why(void **state)
{
    bench *t = *state;
    vg_error e;
    open_(t, 100, 1 << 16);
    rd_kafka_mock_push_request_errors(t->cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    send_some(t, 0, 1);
    const net_kafka_counts c = until_settled(t);
    assert_true(c.delivered == 0 && c.failed == 1);
    assert_int_equal(net_kafka_problem(t->k, &e), VG_ERR_IO);
    assert_string_equal(e.where, "option kafka");
    OK(net_kafka_problem(t->k, err)); /* told once */
}

/* Brokers are gone: the outbox fills, the newest gives way, no memory is taken; then they return.
 */
static void a_full_outbox_drops_the_newest_and_memory_stands_still(void **state)
{
    bench *t = *state;
    net_kafka_counts c;
    open_(t, 50, 4096);
    send_some(t, 0, 7);
    until_settled(t);
    for (int b = 1; b <= 3; b++)
        rd_kafka_mock_broker_set_down(t->cluster, b);
    const size_t bytes = t->mem.in_use_bytes;
    const uint64_t n_allocs = t->mem.n_allocs;
    send_some(t, 7, 500);
    net_kafka_get_counts(t->k, &c);
    assert_int_equal(c.waiting, 50);
    assert_int_equal(c.dropped, 450);
    assert_true(t->mem.in_use_bytes == bytes && t->mem.n_allocs == n_allocs);
    for (int b = 1; b <= 3; b++)
        rd_kafka_mock_broker_set_up(t->cluster, b);
    c = until_settled(t);
    assert_int_equal(c.delivered, 57);
    consume(t, 57);
    are_once_and_in_order(t, 57);
}

/* Long and short messages in a ring that goes round many times. */
static void bytes_are_whole_when_the_ring_goes_round(void **state)
{
    bench *t = *state;
    char text[400];
    open_(t, 20, 1000);
    for (int i = 0; i < 300; i++) {
        const size_t n = (size_t)(i * 37 % 390) + 1;
        memset(text, 'a' + i % 26, n);
        text[n < 31 ? n : 31] = '\0';
        net_kafka_counts before, after;
        do { /* until there is room */
            net_kafka_get_counts(t->k, &before);
            OK(net_kafka_send(t->k, "k", text, n < 31 ? n : 31, err));
            net_kafka_get_counts(t->k, &after);
            if (after.dropped > before.dropped)
                nap();
        } while (after.dropped > before.dropped);
    }
    until_settled(t);
    consume(t, 300);
    assert_int_equal(t->n_seen, 300);
    for (int i = 0; i < 300; i++)
        for (const char *at = t->seen[i].value; *at != '\0'; at++)
            assert_int_equal(*at, 'a' + i % 26);
    vg_error e;
    assert_int_equal(net_kafka_send(t->k, "k", text, 1001, &e), VG_ERR_LIMIT);
}

static void the_end_waits_for_a_while_and_says_what_is_left(void **state)
{
    bench *t = *state;
    net_kafka_counts last;
    open_(t, 100, 4096);
    send_some(t, 0, 21);
    assert_int_equal(net_kafka_close(&t->k, PATIENCE_S, &last), 0);
    assert_int_equal(last.delivered, 21);
    for (int b = 1; b <= 3; b++)
        rd_kafka_mock_broker_set_down(t->cluster, b);
    open_(t, 100, 4096);
    send_some(t, 0, 5);
    assert_int_equal(net_kafka_close(&t->k, 0.05, &last), 5);
    assert_true(last.delivered == 0 && last.failed == 5);
    assert_null(t->k);
}

static void an_address_is_brokers_and_a_topic(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "kafka://",          "kafka:///t",           "kafka://h",
        "kafka://h/",        "mqtt://h/t",           "kafka://h/a/b",
        "kafka://h,/t",      "kafka://,h/t",         "kafka://h:0/t",
        "kafka://h:70000/t", "kafka://u:secret@h/t", "kafka://h h/t",
        "kafka://h/t?x=1"};
    net_kafka_address a;
    vg_error e;
    OK(net_kafka_parse(&a, "kafka://broker/boxes", err));
    assert_string_equal(a.brokers, "broker:9092");
    assert_string_equal(a.topic, "boxes");
    OK(net_kafka_parse(&a, "kafka://a:1,b,[::1]:3/site.boxes_2-x", err));
    assert_string_equal(a.brokers, "a:1,b:9092,[::1]:3");
    assert_string_equal(a.topic, "site.boxes_2-x");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(net_kafka_parse(&a, wrong[i], &e), VG_ERR_ARGUMENT);
        assert_null(strstr(e.what, "secret"));
        assert_string_equal(e.where, "option kafka");
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(messages_arrive_once_in_the_order_of_their_key),
        T(brokers_that_refuse_for_a_while_lose_and_double_nothing),
        T(what_will_never_be_taken_has_failed_and_says_why),
        T(a_full_outbox_drops_the_newest_and_memory_stands_still),
        T(bytes_are_whole_when_the_ring_goes_round),
        T(the_end_waits_for_a_while_and_says_what_is_left),
        cmocka_unit_test(an_address_is_brokers_and_a_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* kafka_mock: a cluster of three brokers, librdkafka's own, for tests of the program. The first
 * line that it prints is where they are; then one for each message of the topic "boxes": partition,
 * key, value. It ends when its standard input does. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { N_PARTITIONS = 4 };

static void quiet(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
    (void)rk, (void)level, (void)fac, (void)buf;
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, quiet);
    if (brokers != NULL)
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", "test", why, sizeof why);
    return rd_kafka_new(type, conf, why, sizeof why);
}

static int is_over(void)
{
    char byte;
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

int main(void)
{
    rd_kafka_t *host = make(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 3);
    if (cluster == NULL || rd_kafka_mock_topic_create(cluster, "boxes", N_PARTITIONS, 3) != 0)
        return 1;
    puts(rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    rd_kafka_t *consumer = make(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(cluster));
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(N_PARTITIONS);
    for (int p = 0; p < N_PARTITIONS; p++)
        rd_kafka_topic_partition_list_add(all, "boxes", p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(consumer, all);
    rd_kafka_topic_partition_list_destroy(all);
    while (!is_over()) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 50);
        if (m == NULL)
            continue;
        if (m->err == 0) {
            printf("%d %.*s %.*s\n", (int)m->partition, (int)m->key_len, (const char *)m->key,
                   (int)m->len, (const char *)m->payload);
            fflush(stdout);
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_destroy(consumer);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}

/* kafka_address.c: the URL of a topic: brokers, one behind the other, and its name. */
#include <string.h>

#include "kafka.h"
#include "url/url.h"

enum { PORT = 9092 };
static const char SCHEME[] = "kafka://";

static vg_status cannot_be_read(vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, "option kafka",
                     "give kafka://HOST[:PORT][,HOST[:PORT]]/TOPIC, the topic of letters, digits, "
                     "'.', '_' and '-'",
                     "a Kafka address that cannot be read");
}

/* HOST[:PORT] behind those that are there. */
static vg_status add_broker(net_kafka_address *a, const char *text, size_t n, vg_error *err)
{
    char url[400];
    url_parts u;
    const size_t k = strlen(a->brokers);
    if (n == 0 || !base_format(url, sizeof url, "%s%.*s", SCHEME, (int)n, text))
        return cannot_be_read(err);
    const vg_status st = url_parse(&u, url, false, "option kafka", err);
    if (st != VG_OK)
        return st;
    if (u.user != NULL)
        return base_fail(err, VG_ERR_ARGUMENT, "option kafka",
                         "use a listener without a login, inside the network",
                         "a Kafka address with a user: logins are not supported");
    if (u.rest[0] != '\0' || !base_format(a->brokers + k, sizeof a->brokers - k,
                                          strchr(u.host, ':') != NULL ? "%s[%s]:%d" : "%s%s:%d",
                                          k > 0 ? "," : "", u.host, u.port > 0 ? u.port : PORT))
        return cannot_be_read(err);
    return VG_OK;
}

vg_status net_kafka_parse(net_kafka_address *out, const char *url, vg_error *err)
{
    *out = (net_kafka_address){.brokers = ""};
    if (!base_starts_with(url, SCHEME))
        return cannot_be_read(err);
    const char *at = url + strlen(SCHEME), *slash = strchr(at, '/');
    if (slash == NULL || slash[1] == '\0' ||
        !base_format(out->topic, sizeof out->topic, "%s", slash + 1) ||
        strspn(out->topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
            strlen(out->topic))
        return cannot_be_read(err);
    for (;;) {
        const size_t n = strcspn(at, ",/");
        const vg_status st = add_broker(out, at, n, err);
        if (st != VG_OK || at[n] == '/')
            return st;
        at += n + 1;
    }
}

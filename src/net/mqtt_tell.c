/* mqtt_tell.c: one message by itself: a client that lives as long as it is under way. */
#include <string.h>
#include <time.h>

#include "mqtt.h"

enum { MOST_MS = 10000, SLICE_MS = 20 };

vg_status net_mqtt_check(const char *url, vg_error *err)
{
    net_mqtt_address address;
    const vg_status st = net_mqtt_parse(&address, url, err);
    if (st == VG_OK && address.topic[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "option mqtt", "give mqtt://HOST[:PORT]/TOPIC",
                         "an MQTT address without a topic");
    return st == VG_OK ? net_mqtt_find_library(err) : st;
}

/* Until the broker has it, or has given a reason why not. */
static vg_status wait_for_it(net_mqtt *m, net_mqtt_counts *counts, vg_error *err)
{
    const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000};
    const int64_t until_ns = base_now_ns() + MOST_MS * INT64_C(1000000);
    vg_status st = VG_OK;
    do {
        nanosleep(&slice, NULL);
        st = net_mqtt_problem(m, err);
        net_mqtt_get_counts(m, counts);
    } while (st == VG_OK && counts->sent == 0 && counts->dropped == 0 && base_now_ns() < until_ns);
    if (counts->sent > 0)
        return VG_OK;
    return st != VG_OK
               ? st
               : base_fail(err, VG_ERR_IO, "MQTT", NULL, "the broker did not take the message%s",
                           counts->dropped > 0 ? "" : ": no answer");
}

vg_status net_mqtt_tell(const char *url, const char *json, bool *again, base_mem *mem,
                        vg_error *err)
{
    const size_t n = strlen(json);
    const net_mqtt_options o = {
        .url = url, .qos = 1, .most_messages = 1, .most_bytes = n + NET_TOPIC_BYTES};
    net_mqtt_counts counts = {.sent = 0};
    net_mqtt *m;
    *again = true;
    vg_status st = net_mqtt_open(&m, &o, mem, err);
    if (st != VG_OK)
        return st;
    st = net_mqtt_send(m, "", json, n, false, err);
    if (st == VG_OK)
        st = wait_for_it(m, &counts, err);
    *again = !counts.is_refused && counts.dropped == 0;
    net_mqtt_close(&m, 0);
    return st;
}

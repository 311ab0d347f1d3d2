/* mqtt_none.c: MQTT of a build without libmosquitto's headers: opening says so. */
#include "mqtt.h"

#ifndef VIGIL_HAVE_MOSQUITTO

static vg_status unsupported(vg_error *err)
{
    return base_fail(err, VG_ERR_UNSUPPORTED, "option mqtt",
                     "install libmosquitto-dev and build again",
                     "this vigil was built without libmosquitto");
}

size_t net_mqtt_bytes(const net_mqtt_options *o)
{
    (void)o;
    return 0;
}

vg_status net_mqtt_open(net_mqtt **out, const net_mqtt_options *o, base_mem *mem, vg_error *err)
{
    net_mqtt_address address;
    (void)mem;
    *out = NULL;
    const vg_status st = net_mqtt_parse(&address, o->url, err);
    return st == VG_OK ? unsupported(err) : st;
}

vg_status net_mqtt_send(net_mqtt *m, const char *subtopic, const void *bytes, size_t n, bool retain,
                        vg_error *err)
{
    (void)m, (void)subtopic, (void)bytes, (void)n, (void)retain;
    return unsupported(err);
}

void net_mqtt_get_counts(net_mqtt *m, net_mqtt_counts *out)
{
    (void)m;
    *out = (net_mqtt_counts){.sent = 0};
}

vg_status net_mqtt_problem(net_mqtt *m, vg_error *err)
{
    (void)m;
    return unsupported(err);
}

size_t net_mqtt_close(net_mqtt **m, double patience_s)
{
    (void)patience_s;
    *m = NULL;
    return 0;
}

vg_status net_mqtt_find_library(vg_error *err)
{
    return unsupported(err);
}

#endif

/* mqtt_address.c: the URL of a broker, and what can be said of a client's options without one. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "mqtt.h"
#include "url/url.h"

static bool take(char *out, size_t room, const char *text, size_t n)
{
    return n < room && base_format(out, room, "%.*s", (int)n, text);
}

/* What stands in the URL with its escapes. */
static bool take_user(net_mqtt_address *a, const url_parts *u)
{
    return u->user == NULL ||
           (u->n_user > 0 && url_decode(a->user, sizeof a->user, u->user, u->n_user) &&
            (u->password == NULL ||
             url_decode(a->password, sizeof a->password, u->password, u->n_password)));
}

static vg_status cannot_be_read(vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, "option mqtt",
                     "give mqtt://HOST[:PORT]/TOPIC, with USER:PASSWORD@ if it is asked for",
                     "an MQTT address that cannot be read");
}

vg_status net_mqtt_parse(net_mqtt_address *out, const char *url, vg_error *err)
{
    url_parts u;
    *out = (net_mqtt_address){.port = 1883};
    if (strncasecmp(url, "mqtt://", 7) != 0 && strncasecmp(url, "mqtts://", 8) != 0)
        return cannot_be_read(err);
    vg_status st = url_parse(&u, url, false, "option mqtt", err);
    if (st != VG_OK)
        return st;
    out->has_tls = strcmp(u.scheme, "mqtts") == 0;
    out->port = u.port > 0 ? u.port : out->has_tls ? 8883 : 1883;
    const char *topic = u.rest[0] == '/' ? u.rest + 1 : u.rest;
    const bool good = (out->has_tls || strcmp(u.scheme, "mqtt") == 0) && take_user(out, &u) &&
                      take(out->host, sizeof out->host, u.host, strlen(u.host)) &&
                      (u.rest[0] == '\0' || u.rest[0] == '/') &&
                      (u.rest[0] == '\0' || topic[0] != '\0') &&
                      take(out->topic, sizeof out->topic, topic, strlen(topic)) &&
                      strpbrk(out->topic, "#+") == NULL;
    return good ? VG_OK : cannot_be_read(err);
}

static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static vg_status check_files(const net_mqtt_address *a, const net_mqtt_options *o, vg_error *err)
{
    const char *const files[] = {given(o->ca), given(o->cert), given(o->key)};
    const char *const names[] = {"option mqtt_ca", "option mqtt_cert", "option mqtt_key"};
    for (size_t i = 0; i < 3; i++)
        if (files[i] != NULL && !a->has_tls)
            return base_fail(err, VG_ERR_ARGUMENT, "option mqtt", "give mqtts://...",
                             "certificates for a connection without TLS");
    if ((files[1] == NULL) != (files[2] == NULL))
        return base_fail(err, VG_ERR_ARGUMENT, "options mqtt_cert and mqtt_key", "give both",
                         "a certificate and its key go together");
    for (size_t i = 0; i < 3; i++)
        if (files[i] != NULL && access(files[i], R_OK) != 0)
            return base_fail_errno(err, VG_ERR_IO, names[i], "give a PEM file",
                                   "%.300s, a file for mqtts, cannot be read", files[i]);
    return VG_OK;
}

vg_status net_mqtt_check_options(const net_mqtt_options *o, vg_error *err)
{
    net_mqtt_address a;
    const char *status = given(o->status);
    vg_status st = net_mqtt_parse(&a, o->url, err);
    if (st == VG_OK && status != NULL && strlen(a.topic) + 1 + strlen(status) >= NET_TOPIC_BYTES)
        st = base_fail(err, VG_ERR_ARGUMENT, "option mqtt", "a shorter one",
                       "a topic that is too long");
    if (st == VG_OK)
        st = check_files(&a, o, err);
    return st == VG_OK ? net_mqtt_find_library(err) : st;
}

/* mqtt_address.c: the URL of a broker, and what can be said of a client's options without one. */
#include <string.h>
#include <unistd.h>

#include "mqtt.h"

static bool take(char *out, size_t room, const char *text, size_t n)
{
    return n < room && base_format(out, room, "%.*s", (int)n, text);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* %XX in place; false where that gives a zero byte. What only looks like it stays as it is. */
static bool decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++, out++) {
        const int high = in[0] == '%' ? hex(in[1]) : -1, low = high >= 0 ? hex(in[2]) : -1;
        *out = *in;
        if (low < 0)
            continue;
        *out = (char)(high * 16 + low);
        in += 2;
        if (*out == '\0')
            return false;
    }
    *out = '\0';
    return true;
}

/* USER[:PASSWORD] in n bytes. */
static bool take_user(net_mqtt_address *a, const char *text, size_t n)
{
    const char *colon = memchr(text, ':', n);
    const size_t n_user = colon != NULL ? (size_t)(colon - text) : n;
    return take(a->user, sizeof a->user, text, n_user) && decode(a->user) && a->user[0] != '\0' &&
           (colon == NULL || (take(a->password, sizeof a->password, colon + 1, n - n_user - 1) &&
                              decode(a->password)));
}

/* HOST[:PORT] or [V6][:PORT] in n bytes. */
static bool take_host(net_mqtt_address *a, const char *text, size_t n)
{
    char digits[8];
    int64_t port;
    const char *close = n > 0 && text[0] == '[' ? memchr(text, ']', n) : NULL;
    if (n > 0 && text[0] == '[' && close == NULL)
        return false;
    const char *host = close != NULL ? text + 1 : text;
    const char *rest = close != NULL ? close + 1 : memchr(text, ':', n);
    if (rest == NULL)
        rest = text + n;
    const size_t n_host = (size_t)((close != NULL ? close : rest) - host),
                 n_rest = n - (size_t)(rest - text);
    if (!take(a->host, sizeof a->host, host, n_host) || a->host[0] == '\0')
        return false;
    if (n_rest == 0)
        return true;
    if (rest[0] != ':' || !take(digits, sizeof digits, rest + 1, n_rest - 1) ||
        !base_parse_i64(&port, digits, 1, 65535))
        return false;
    a->port = (int)port;
    return true;
}

vg_status net_mqtt_parse(net_mqtt_address *out, const char *url, vg_error *err)
{
    static const char plain[] = "mqtt://", tls[] = "mqtts://";
    *out = (net_mqtt_address){.has_tls = base_starts_with(url, tls)};
    out->port = out->has_tls ? 8883 : 1883;
    bool good = out->has_tls || base_starts_with(url, plain);
    if (good) {
        const char *at = url + (out->has_tls ? sizeof tls : sizeof plain) - 1;
        const size_t n = strcspn(at, "/");
        const char *sign = memchr(at, '@', n), *host = sign != NULL ? sign + 1 : at;
        good = (sign == NULL || take_user(out, at, (size_t)(sign - at))) &&
               take_host(out, host, n - (size_t)(host - at)) &&
               (at[n] == '\0' || (at[n + 1] != '\0' && take(out->topic, sizeof out->topic,
                                                            at + n + 1, strlen(at + n + 1)))) &&
               strpbrk(out->topic, "#+") == NULL;
    }
    return good ? VG_OK
                : base_fail(err, VG_ERR_ARGUMENT, "option mqtt",
                            "give mqtt://HOST[:PORT]/TOPIC, with USER:PASSWORD@ if it is asked for",
                            "an MQTT address that cannot be read");
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

/* address.c: where a server listens: a number, so that no name server decides it. */
#include <arpa/inet.h>
#include <string.h>

#include "server.h"

vg_status net_address_parse(net_address *out, const char *where, vg_error *err)
{
    const char *colon = strrchr(where, ':'), *port_text = colon != NULL ? colon + 1 : where;
    int64_t port;
    *out = (net_address){.port = 0};
    bool fits = base_format(out->host, sizeof out->host, "%.*s",
                            colon != NULL ? (int)(colon - where) : 0, where);
    if (out->host[0] == '\0' || strcmp(out->host, "localhost") == 0)
        fits = base_format(out->host, sizeof out->host, "127.0.0.1");
    if (!base_parse_i64(&port, port_text, 0, 65535))
        return base_fail(err, VG_ERR_ARGUMENT, "--serve", "ADDRESS:PORT, such as 127.0.0.1:9200",
                         "no port in \"%s\"", where);
    out->port = (int)port;
    const size_t n = strlen(out->host);
    if (fits && out->host[0] == '[' && out->host[n - 1] == ']') {
        char text[64];
        base_format(text, sizeof text, "%.*s", (int)n - 2, out->host + 1);
        if (inet_pton(AF_INET6, text, out->bytes) == 1) {
            static const unsigned char loopback[16] = {[15] = 1};
            out->is_v6 = true;
            out->is_loopback = memcmp(out->bytes, loopback, sizeof loopback) == 0;
            return VG_OK;
        }
    } else if (fits && inet_pton(AF_INET, out->host, out->bytes) == 1) {
        out->is_loopback = out->bytes[0] == 127;
        return VG_OK;
    }
    return base_fail(err, VG_ERR_ARGUMENT, "--serve",
                     "127.0.0.1:9200, [::1]:9200, or 0.0.0.0:9200 with --token",
                     "no address in numbers: \"%s\"", where);
}

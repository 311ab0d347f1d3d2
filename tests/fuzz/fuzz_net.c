/* Any text as an address to listen on and as the URL of a broker: refused, or read into parts that
 * are within their bounds; what was read is written again and read to the same. */
#include <string.h>

#include "net/net.h"

static void read_address(const char *text)
{
    net_address a, again;
    if (net_address_parse(&a, text, NULL) != VG_OK)
        return;
    char where[128];
    base_format(where, sizeof where, "%s:%d", a.host, a.port);
    if (strlen(a.host) >= sizeof a.host || a.port < 0 || a.port > 65535 ||
        net_address_parse(&again, where, NULL) != VG_OK ||
        memcmp(a.bytes, again.bytes, sizeof a.bytes) != 0 || a.is_v6 != again.is_v6 ||
        a.port != again.port)
        __builtin_trap();
}

static void escape(char *out, const char *text)
{
    for (; *text != '\0'; text++, out += 3)
        base_format(out, 4, "%%%02x", (unsigned)(unsigned char)*text);
    *out = '\0';
}

static void read_url(const char *text)
{
    static char user[400], password[400], url[2048];
    net_mqtt_address a, again;
    if (net_mqtt_parse(&a, text, NULL) != VG_OK)
        return;
    if (a.host[0] == '\0' || a.port < 1 || a.port > 65535 || strpbrk(a.topic, "#+") != NULL)
        __builtin_trap();
    escape(user, a.user);
    escape(password, a.password);
    const bool has_v6 = strchr(a.host, ':') != NULL;
    if (3 * strlen(a.user) >= sizeof a.user || 3 * strlen(a.password) >= sizeof a.password ||
        strpbrk(a.host, "[]@") != NULL || strchr(a.topic, '@') != NULL)
        return; /* with a port before it, an @ in a topic may belong to a password: it is refused */
    base_format(url, sizeof url, "mqtt%s://%s%s%s%s%s%s%s:%d%s%s", a.has_tls ? "s" : "", user,
                a.password[0] != '\0' ? ":" : "", password, a.user[0] != '\0' ? "@" : "",
                has_v6 ? "[" : "", a.host, has_v6 ? "]" : "", a.port, a.topic[0] != '\0' ? "/" : "",
                a.topic);
    if (net_mqtt_parse(&again, url, NULL) != VG_OK || strcmp(a.host, again.host) != 0 ||
        strcmp(a.user, again.user) != 0 || strcmp(a.password, again.password) != 0 ||
        strcmp(a.topic, again.topic) != 0 || a.port != again.port)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char text[1 << 16];
    if (n >= sizeof text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    read_address(text);
    read_url(text);
    return 0;
}

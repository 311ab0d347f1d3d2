/* url.c: RFC 3986 without its generosity. */
#include "url.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/base.h"

static const char ESCAPES[] = "in user and password write @ as %40, # as %23, / as %2F, ? as %3F, "
                              ": as %3A, % as %25, a space as %20, \\ as %5C, ' as %27";

static vg_status refuse(const url_parts *u, const char *where, const char *mend, const char *why,
                        vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, where, mend, "a URL (%s://) %s", u->scheme, why);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex(char c)
{
    return is_digit(c)              ? c - '0'
           : (c >= 'a' && c <= 'f') ? c - 'a' + 10
           : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                    : -1;
}

bool url_decode(char *out, size_t room, const char *text, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < n && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
            c = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        }
        if (c == '\0' || k + 1 >= room)
            return false;
        out[k++] = c;
    }
    if (room > 0)
        out[k] = '\0';
    return room > 0;
}

/* Letter, then letters, digits, + - and .; then "://". What follows, NULL: none. */
static const char *take_scheme(url_parts *u, const char *url)
{
    const char *colon = strstr(url, "://");
    const size_t n = colon != NULL ? (size_t)(colon - url) : 0;
    if (n == 0 || n >= sizeof u->scheme || !is_letter(url[0]))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (!is_letter(url[i]) && !is_digit(url[i]) && strchr("+-.", url[i]) == NULL)
            return NULL;
        u->scheme[i] = url[i] >= 'A' && url[i] <= 'Z' ? (char)(url[i] - 'A' + 'a') : url[i];
    }
    return colon + 3;
}

static bool is_clean(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

/* Nothing is there that another parser, or a line of a log, ends a name with. */
static const char *fault_of_user(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '@')
            return "with more than one @ before its host";
        if (s[i] == ' ' || s[i] == '\\' || strchr("[]'\"", s[i]) != NULL)
            return "with a space, a bracket, a quote or a backslash in user or password";
        if (s[i] == '%' && i + 2 < n && s[i + 1] == '0' && s[i + 2] == '0')
            return "with a zero byte in user or password";
    }
    return NULL;
}

static const char *take_user(url_parts *u, const char *s, size_t n)
{
    const char *colon = memchr(s, ':', n);
    u->user = s;
    u->n_user = colon != NULL ? (size_t)(colon - s) : n;
    if (colon != NULL) {
        u->password = colon + 1;
        u->n_password = n - u->n_user - 1;
    }
    return fault_of_user(s, n);
}

static bool is_zone(const char *s)
{
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if (!is_letter(*s) && !is_digit(*s) && strchr("._-", *s) == NULL)
            return false;
    return true;
}

/* What stands between [ and ], in u->host. */
static const char *check_v6(url_parts *u)
{
    char number[64];
    unsigned char bytes[16];
    const char *zone = strchr(u->host, '%');
    const size_t n = zone != NULL ? (size_t)(zone - u->host) : strlen(u->host);
    if (!base_format(number, sizeof number, "%.*s", (int)n, u->host) ||
        inet_pton(AF_INET6, number, bytes) != 1)
        return "whose host in [] is no IPv6 address";
    if (zone != NULL && (!is_zone(zone + 1) || base_starts_with(zone, "%25")))
        return "whose IPv6 zone is not written as %eth0";
    u->is_address = true;
    return NULL;
}

static const char *check_name(url_parts *u)
{
    unsigned char bytes[16];
    for (const char *s = u->host; *s != '\0'; s++)
        if (!is_letter(*s) && !is_digit(*s) && strchr(".-_", *s) == NULL)
            return (unsigned char)*s >= 0x80
                       ? "whose host has letters that are not ASCII: it is written as xn--..."
                       : "whose host has a character that no host has";
    u->is_address = inet_pton(AF_INET, u->host, bytes) == 1;
    return NULL;
}

/* HOST[:PORT] in n bytes. */
static const char *take_host(url_parts *u, const char *s, size_t n)
{
    int64_t port;
    char digits[8];
    const bool is_v6 = n > 0 && s[0] == '[';
    const char *end = is_v6 ? memchr(s, ']', n) : memchr(s, ':', n);
    if (is_v6 && end == NULL)
        return "with a [ that is not closed";
    const char *host = is_v6 ? s + 1 : s, *after = end == NULL ? s + n : end + is_v6;
    const size_t n_host = (size_t)((end != NULL ? end : s + n) - host),
                 n_after = n - (size_t)(after - s);
    if (!base_format(u->host, sizeof u->host, "%.*s", (int)n_host, host))
        return "whose host is too long";
    const char *fault = is_v6 ? check_v6(u) : check_name(u);
    if (fault != NULL || n_after == 0)
        return fault;
    for (size_t i = 1; i < n_after; i++)
        if (!is_digit(after[i]))
            return "whose port is no number";
    if (after[0] != ':' ||
        !base_format(digits, sizeof digits, "%.*s", (int)n_after - 1, after + 1) ||
        !base_parse_i64(&port, digits, 1, 65535))
        return "whose port is not 1 to 65535";
    u->port = (int)port;
    return NULL;
}

vg_status url_parse(url_parts *out, const char *url, bool may_lack_host, const char *where,
                    vg_error *err)
{
    *out = (url_parts){.rest = ""};
    const char *s = take_scheme(out, url);
    if (s == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, where, "write SCHEME://HOST/...",
                         "a URL without its scheme");
    if (!is_clean(url))
        return refuse(out, where, "take them out; in names they are %09, %0A and so on",
                      "with control characters", err);
    const size_t n = strcspn(s, "/?#");
    const char *at = memchr(s, '@', n);
    for (const char *more = at; more != NULL;
         more = memchr(more + 1, '@', n - (size_t)(more + 1 - s)))
        at = more; /* the last one: the others are told of */
    out->rest = s + n;
    const char *host = at != NULL ? at + 1 : s, *fault = NULL;
    const size_t n_host = n - (size_t)(host - s);
    if (at != NULL)
        fault = take_user(out, s, (size_t)(at - s));
    if (fault == NULL)
        fault = take_host(out, host, n_host);
    const bool has_colon = memchr(s, ':', n) != NULL;
    if (fault == NULL && !out->is_address && (at != NULL || has_colon) &&
        strchr(out->rest, '@') != NULL)
        fault = "with an @ behind a /, ? or #: what its host is cannot be told";
    if (fault == NULL && out->host[0] == '\0' && (!may_lack_host || out->port == 0))
        fault = "without a host";
    if (fault == NULL)
        return VG_OK;
    *out = (url_parts){.rest = ""};
    take_scheme(out, url);
    return refuse(out, where, ESCAPES, fault, err);
}

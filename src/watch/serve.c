/* serve.c: libmicrohttpd by dlopen, as FFmpeg is: it brings GnuTLS, which every other command would
 * pay for at its start. */
#include "serve.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "metrics.h"

enum { MOST_CONNECTIONS = 16, MOST_OF_ONE_ADDRESS = 12, PATIENCE_S = 15, MEMORY_BYTES = 16 << 10 };
static const char SONAME[] = "libmicrohttpd.so.12";

#define FUNCTIONS(X)                                                                               \
    X(MHD_start_daemon)                                                                            \
    X(MHD_stop_daemon)                                                                             \
    X(MHD_get_daemon_info)                                                                         \
    X(MHD_create_response_from_buffer_with_free_callback)                                          \
    X(MHD_add_response_header)                                                                     \
    X(MHD_queue_response)                                                                          \
    X(MHD_destroy_response)                                                                        \
    X(MHD_lookup_connection_value)

typedef struct library {
#define X(name) __typeof__(&name) name;
    FUNCTIONS(X)
#undef X
} library;

struct watch_server {
    library mhd;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock; /* of story */
    bool is_loopback;
    int port;
    double refresh_s;
    base_mem pages; /* what is being sent */
    char host[64], token[WATCH_TEXT_BYTES];
    watch_story story;
    watch_story shown; /* the server thread's copy */
};

/* ---- answers ---- */

typedef struct request {
    watch_server *s;
    struct MHD_Connection *connection;
} request;

static enum MHD_Result send_text(const request *r, unsigned status, const char *type,
                                 base_str *text, const char *header, const char *value)
{
    const library *l = &r->s->mhd;
    struct MHD_Response *answer =
        l->MHD_create_response_from_buffer_with_free_callback(text->length, text->text, base_free);
    if (answer == NULL) {
        base_str_fini(text);
        return MHD_NO;
    }
    *text = (base_str){0}; /* the response's now */
    l->MHD_add_response_header(answer, "Content-Type", type);
    l->MHD_add_response_header(answer, "Cache-Control", "no-store");
    l->MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
    l->MHD_add_response_header(answer, "Referrer-Policy", "no-referrer");
    l->MHD_add_response_header(answer, "Content-Security-Policy",
                               "default-src 'none'; style-src 'unsafe-inline'; script-src "
                               "'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'");
    if (header != NULL)
        l->MHD_add_response_header(answer, header, value);
    const enum MHD_Result sent = l->MHD_queue_response(r->connection, status, answer);
    l->MHD_destroy_response(answer);
    return sent;
}

static enum MHD_Result send_line(const request *r, unsigned status, const char *line,
                                 const char *header, const char *value)
{
    base_str text = {0};
    if (base_str_add(&text, 4096, &r->s->pages, NULL, "%s\n", line) != VG_OK)
        return MHD_NO;
    return send_text(r, status, "text/plain; charset=utf-8", &text, header, value);
}

/* ---- who may ask ---- */

/* In a time that tells nothing of where they differ. */
static bool same_secret(const char *a, const char *b, size_t n_b)
{
    const size_t n = strlen(a);
    unsigned char difference = n != n_b;
    for (size_t i = 0; i < n; i++)
        difference |= (unsigned char)a[i] ^ (unsigned char)(i < n_b ? b[i] : 0);
    return difference == 0;
}

static const char *value_of(const request *r, enum MHD_ValueKind kind, const char *name)
{
    return r->s->mhd.MHD_lookup_connection_value(r->connection, kind, name);
}

static bool knows_token(const request *r)
{
    const char *given = value_of(r, MHD_HEADER_KIND, "Authorization"),
               *cookie = value_of(r, MHD_COOKIE_KIND, "vigil");
    static const char bearer[] = "Bearer ";
    if (given != NULL && base_starts_with(given, bearer) &&
        same_secret(r->s->token, given + strlen(bearer), strlen(given + strlen(bearer))))
        return true;
    return cookie != NULL && same_secret(r->s->token, cookie, strlen(cookie));
}

/* A name that leads here only by a DNS of others' is no name of this machine. */
static bool is_own_host(const request *r)
{
    const char *host = value_of(r, MHD_HEADER_KIND, "Host");
    if (host == NULL || !r->s->is_loopback)
        return true;
    const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    const size_t n = end == NULL ? strlen(host) : (size_t)(end - host) + (host[0] == '[');
    const char *const names[] = {"localhost", "127.0.0.1", "[::1]", r->s->host};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == n && strncmp(names[i], host, n) == 0)
            return true;
    return false;
}

static enum MHD_Result give_cookie(const request *r)
{
    char cookie[WATCH_TEXT_BYTES + 64];
    base_format(cookie, sizeof cookie, "vigil=%s; HttpOnly; SameSite=Strict; Path=/", r->s->token);
    base_str text = {0};
    if (base_str_add(&text, 64, &r->s->pages, NULL,
                     "<meta http-equiv=refresh content='0;url=/'>") != VG_OK)
        return MHD_NO;
    /* Not a redirection: the address with the token in it would stay in the history's list. */
    return send_text(r, MHD_HTTP_OK, "text/html; charset=utf-8", &text, "Set-Cookie", cookie);
}

/* ---- requests ---- */

static enum MHD_Result show(const request *r, const char *path)
{
    watch_server *s = r->s;
    base_str text = {0};
    const char *type;
    vg_status st;
    pthread_mutex_lock(&s->lock);
    s->shown = s->story;
    pthread_mutex_unlock(&s->lock);
    if (strcmp(path, "/metrics") == 0) {
        type = "text/plain; version=0.0.4; charset=utf-8";
        st = watch_metrics(&text, &s->shown, s->pages.parent->in_use_bytes, &s->pages, NULL);
    } else if (strcmp(path, "/report.json") == 0) {
        type = "application/json";
        st = watch_report_json(&text, &s->shown, &s->pages, NULL);
    } else {
        type = "text/html; charset=utf-8";
        st = watch_report_html(&text, &s->shown, s->refresh_s, &s->pages, NULL);
    }
    if (st != VG_OK) {
        base_str_fini(&text);
        return send_line(r, MHD_HTTP_SERVICE_UNAVAILABLE, "too many readers at once", "Retry-After",
                         "5");
    }
    return send_text(r, MHD_HTTP_OK, type, &text, NULL, NULL);
}

static enum MHD_Result answer(void *server, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *n_body, void **ctx)
{
    static char begun;
    const request r = {.s = server, .connection = connection};
    (void)version;
    (void)body;
    (void)n_body;
    if (*ctx == NULL) { /* the head is in; the whole request is asked about next */
        *ctx = &begun;
        if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
            return MHD_YES;
        return send_line(&r, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD", "Allow",
                         "GET, HEAD");
    }
    if (r.s->token[0] != '\0') {
        const char *given = value_of(&r, MHD_GET_ARGUMENT_KIND, "token");
        if (given != NULL && same_secret(r.s->token, given, strlen(given)))
            return give_cookie(&r);
        if (!knows_token(&r))
            return send_line(&r, MHD_HTTP_UNAUTHORIZED,
                             "a token is needed: Authorization: Bearer TOKEN, or /?token=TOKEN",
                             "WWW-Authenticate", "Bearer");
    } else if (!is_own_host(&r)) {
        return send_line(&r, MHD_HTTP_FORBIDDEN, "asked for by a name that is not this machine's",
                         NULL, NULL);
    }
    static const char *const pages[] = {"/", "/metrics", "/report.json"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(path, pages[i]) == 0)
            return show(&r, path);
    return send_line(&r, MHD_HTTP_NOT_FOUND, "there are /, /metrics and /report.json", NULL, NULL);
}

/* ---- open ---- */

static vg_status load(library *l, vg_error *err)
{
    void *handle;
    vg_status st = base_library_open(&handle, SONAME, "the live page needs libmicrohttpd",
                                     "install libmicrohttpd12", err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&l->name, handle, #name, err);
    FUNCTIONS(X)
#undef X
    return st;
}

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static vg_status parse_address(address *out, watch_server *s, const char *where, vg_error *err)
{
    const char *colon = strrchr(where, ':'), *port_text = colon != NULL ? colon + 1 : where;
    int64_t port;
    memset(out, 0, sizeof *out);
    base_format(s->host, sizeof s->host, "%.*s", colon != NULL ? (int)(colon - where) : 0, where);
    if (s->host[0] == '\0' || strcmp(s->host, "localhost") == 0)
        base_format(s->host, sizeof s->host, "127.0.0.1");
    if (!base_parse_i64(&port, port_text, 0, 65535))
        return base_fail(err, VG_ERR_ARGUMENT, "--serve", "ADDRESS:PORT, such as 127.0.0.1:9200",
                         "no port in \"%s\"", where);
    const size_t n = strlen(s->host);
    if (s->host[0] == '[' && s->host[n - 1] == ']') {
        char text[64];
        base_format(text, sizeof text, "%.*s", (int)n - 2, s->host + 1);
        if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
            out->v6.sin6_family = AF_INET6;
            out->v6.sin6_port = htons((uint16_t)port);
            s->is_loopback = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
            return VG_OK;
        }
    } else if (inet_pton(AF_INET, s->host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        s->is_loopback = ntohl(out->v4.sin_addr.s_addr) >> 24 == 127;
        return VG_OK;
    }
    return base_fail(err, VG_ERR_ARGUMENT, "--serve",
                     "127.0.0.1:9200, [::1]:9200, or 0.0.0.0:9200 with --token",
                     "no address in numbers: \"%s\"", where);
}

/* Says nothing: a reader that breaks off is no news. */
static void ignore(void *ctx, const char *format, va_list args)
{
    (void)ctx;
    (void)format;
    (void)args;
}

static vg_status start(watch_server *s, const address *a, const char *where, vg_error *err)
{
    /* Not epoll: with it libmicrohttpd 0.9.75, once full, sees readers leave only when its patience
     * ends (test_serve: 15 s against none). */
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG |
                           (a->any.sa_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u);
    sigset_t all, before; /* signals are the guard's thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->daemon = s->mhd.MHD_start_daemon(
        flags, 0, NULL, NULL, answer, s, MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL,
        MHD_OPTION_SOCK_ADDR, &a->any, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)MOST_OF_ONE_ADDRESS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY_BYTES, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (s->daemon == NULL)
        return base_fail_errno(err, VG_ERR_SYSTEM, "--serve", "take another port",
                               "cannot serve on %s", where);
    const union MHD_DaemonInfo *info =
        s->mhd.MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    s->port = info != NULL ? info->port : 0;
    return VG_OK;
}

vg_status watch_server_open(watch_server **out, const char *where, const char *token,
                            double refresh_s, base_mem *mem, vg_error *err)
{
    *out = NULL;
    address a;
    for (const char *c = token; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || strchr("\",;\\", *c) != NULL)
            return base_fail(err, VG_ERR_ARGUMENT, "--token", "letters and digits",
                             "a token that no cookie can hold");
    watch_server *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    base_mem_init(&s->pages, "pages", mem, (size_t)64 << 20);
    pthread_mutex_init(&s->lock, NULL);
    s->refresh_s = refresh_s > 1 ? refresh_s : 1;
    base_format(s->token, sizeof s->token, "%s", token);
    watch_story_init(&s->story);
    vg_status st = parse_address(&a, s, where, err);
    if (st == VG_OK)
        st = load(&s->mhd, err);
    if (st == VG_OK)
        st = start(s, &a, where, err);
    if (st != VG_OK)
        watch_server_close(&s);
    *out = s;
    return st;
}

void watch_server_close(watch_server **server)
{
    watch_server *s = *server;
    if (s == NULL)
        return;
    if (s->daemon != NULL)
        s->mhd.MHD_stop_daemon(s->daemon);
    pthread_mutex_destroy(&s->lock);
    base_free(s);
    *server = NULL;
}

int watch_server_port(const watch_server *s)
{
    return s->port;
}

bool watch_server_is_loopback(const watch_server *s)
{
    return s->is_loopback;
}

watch_story *watch_server_begin(watch_server *s)
{
    pthread_mutex_lock(&s->lock);
    return &s->story;
}

void watch_server_done(watch_server *s)
{
    pthread_mutex_unlock(&s->lock);
}

/* server.c: libmicrohttpd by dlopen, as FFmpeg is: it brings GnuTLS, which every other command
 * would pay for at its start. Requests, who may ask, answers and streams; who is waited for and how
 * long is in server_places.c.
 *
 * A stream with nothing to send is suspended, since libmicrohttpd would ask it again at once, for
 * ever. Suspended connections are not looked at, so the timekeeper wakes them every second: what
 * the stream then sends is how a reader who left is noticed. */
#include "server.h"

#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "server_parts.h"

enum {
    MEMORY_BYTES = 16 << 10, /* of libmicrohttpd, for each connection */
    STREAM_BYTES = 16 << 10, /* handed over at a time */
    MOST_BODY_BYTES = 4 << 10,
    KEEPER_STACK_BYTES = 128 << 10
};
static const char SONAME[] = "libmicrohttpd.so.12";
static const char PLAIN[] = "text/plain; charset=utf-8";

/* ---- answers ---- */

/* What is said of an answer beside its bytes. */
typedef struct head {
    unsigned status;
    const char *type, *policy;
    bool keeps;
    const char *header, *value; /* one more; NULL: none */
} head;

/* No page of others may show this one, and it fetches nothing from elsewhere. */
static const char POLICY[] = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
                             "script-src 'unsafe-inline'; connect-src 'self'; "
                             "frame-ancestors 'none'";

static enum MHD_Result queue(const net_request *r, const head *h, struct MHD_Response *answer)
{
    const net_mhd *l = &r->s->mhd;
    l->MHD_add_response_header(answer, "Content-Type", h->type);
    l->MHD_add_response_header(answer, "Cache-Control",
                               h->keeps ? "private, max-age=604800, immutable" : "no-store");
    l->MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
    l->MHD_add_response_header(answer, "Referrer-Policy", "no-referrer");
    l->MHD_add_response_header(answer, "Content-Security-Policy",
                               h->policy != NULL ? h->policy : POLICY);
    if (h->header != NULL)
        l->MHD_add_response_header(answer, h->header, h->value);
    const enum MHD_Result sent = l->MHD_queue_response(r->connection, h->status, answer);
    l->MHD_destroy_response(answer);
    return sent;
}

static enum MHD_Result send_text(const net_request *r, const head *h, base_str *text)
{
    struct MHD_Response *answer = r->s->mhd.MHD_create_response_from_buffer_with_free_callback(
        text->length, text->text, base_free);
    if (answer == NULL) {
        base_str_fini(text);
        return MHD_NO;
    }
    *text = (base_str){0}; /* the response's now */
    return queue(r, h, answer);
}

static enum MHD_Result send_line(const net_request *r, unsigned status, const char *line,
                                 const char *header, const char *value)
{
    base_str text = {0};
    const head h = {.status = status, .type = PLAIN, .header = header, .value = value};
    if (base_str_add(&text, 4096, &r->s->answers, NULL, "%s\n", line) != VG_OK)
        return MHD_NO;
    return send_text(r, &h, &text);
}

static enum MHD_Result send_busy(const net_request *r)
{
    return send_line(r, MHD_HTTP_SERVICE_UNAVAILABLE, "too many readers at once", "Retry-After",
                     "5");
}

void net_answer_busy(net_answer *a)
{
    base_str_fini(&a->body);
    a->status = MHD_HTTP_SERVICE_UNAVAILABLE;
}

/* ---- streams ---- */

static ssize_t read_stream(void *ctx, uint64_t at, char *out, size_t most)
{
    net_place *p = ctx;
    net_server *s = p->server;
    size_t n = 0;
    (void)at;
    /* Asked under the lock: what is put between its answer and its sleep wakes it. */
    pthread_mutex_lock(&s->lock);
    p->since_ns = base_now_ns();
    const net_more more = s->stops ? NET_MORE_NONE : p->stream.read(p->stream.ctx, out, most, &n);
    if (more == NET_MORE_LATER) {
        p->sleeps = true;
        s->mhd.MHD_suspend_connection(p->connection);
    }
    pthread_mutex_unlock(&s->lock);
    if (more == NET_MORE_NONE)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return more == NET_MORE_LATER ? 0 : (ssize_t)n;
}

static void close_stream(void *ctx)
{
    net_place *p = ctx;
    net_server *s = p->server;
    pthread_mutex_lock(&s->lock);
    const net_stream stream = p->stream;
    p->stream = (net_stream){0};
    p->sleeps = false;
    s->n_streams--;
    pthread_mutex_unlock(&s->lock);
    stream.close(stream.ctx);
}

static enum MHD_Result send_stream(const net_request *r, net_answer *a)
{
    net_server *s = r->s;
    net_place *p = net_place_of(s, r->connection);
    pthread_mutex_lock(&s->lock);
    const bool has_room = p != NULL && !s->stops && s->n_streams < s->most_streams;
    if (has_room) {
        s->n_streams++;
        p->stream = a->stream;
        p->doing = NET_STREAM;
        p->since_ns = base_now_ns();
    }
    pthread_mutex_unlock(&s->lock);
    if (!has_room) {
        a->stream.close(a->stream.ctx);
        return send_busy(r);
    }
    struct MHD_Response *answer = s->mhd.MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BYTES, read_stream, p, close_stream);
    if (answer == NULL) {
        close_stream(p);
        return MHD_NO;
    }
    const head h = {.status = MHD_HTTP_OK,
                    .type = a->type,
                    .policy = a->policy,
                    .header = "Connection",
                    .value = "close"};
    return queue(r, &h, answer);
}

void net_server_wake(net_server *s)
{
    pthread_mutex_lock(&s->lock);
    if (!s->stops)
        net_places_wake(s);
    pthread_mutex_unlock(&s->lock);
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

static const char *value_of(const net_request *r, enum MHD_ValueKind kind, const char *name)
{
    return r->s->mhd.MHD_lookup_connection_value(r->connection, kind, name);
}

const char *net_request_query(const net_request *r, const char *name)
{
    return value_of(r, MHD_GET_ARGUMENT_KIND, name);
}

static bool knows(const net_request *r, const char *token)
{
    const char *given = value_of(r, MHD_HEADER_KIND, "Authorization"),
               *cookie = value_of(r, MHD_COOKIE_KIND, r->s->cookie);
    static const char bearer[] = "Bearer ";
    if (token[0] == '\0')
        return false;
    if (given != NULL && base_starts_with(given, bearer) &&
        same_secret(token, given + strlen(bearer), strlen(given + strlen(bearer))))
        return true;
    return cookie != NULL && same_secret(token, cookie, strlen(cookie));
}

bool net_request_is_trusted(const net_request *r)
{
    return r->s->token[0] == '\0' || knows(r, r->s->token) || knows(r, r->s->act_token);
}

bool net_request_may_act(const net_request *r)
{
    return knows(r, r->s->act_token);
}

bool net_request_is_post(const net_request *r)
{
    return r->is_post;
}

/* What a browser says of the page that sends a POST; other programs say nothing. Of a page that
 * tells no address it says Origin: null, and Sec-Fetch-Site alone knows more. */
static bool is_own_origin(const net_request *r)
{
    const char *origin = value_of(r, MHD_HEADER_KIND, "Origin"),
               *host = value_of(r, MHD_HEADER_KIND, "Host"),
               *site = value_of(r, MHD_HEADER_KIND, "Sec-Fetch-Site");
    if (site != NULL && strcmp(site, "same-origin") != 0)
        return false;
    if (origin == NULL || (strcmp(origin, "null") == 0 && site != NULL))
        return true;
    const char *named = strstr(origin, "://");
    return named != NULL && host != NULL && strcmp(named + 3, host) == 0;
}

/* A name that leads here only by a DNS of others' is no name of this machine. */
static bool is_own_host(const net_request *r)
{
    const char *host = value_of(r, MHD_HEADER_KIND, "Host");
    if (host == NULL || !r->s->address.is_loopback)
        return true;
    const char *const names[] = {"localhost", "127.0.0.1", "[::1]", r->s->address.host};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!base_starts_with(host, names[i]))
            continue;
        const char *rest = host + strlen(names[i]);
        if (rest[0] == '\0' || (rest[0] == ':' && rest[1 + strspn(rest + 1, "0123456789")] == '\0'))
            return true;
    }
    return false;
}

static enum MHD_Result give_cookie(const net_request *r, const char *token)
{
    char cookie[NET_TOKEN_BYTES + 96];
    base_format(cookie, sizeof cookie, "%s=%s; HttpOnly; SameSite=Strict; Path=/", r->s->cookie,
                token);
    base_str text = {0};
    if (base_str_add(&text, 64, &r->s->answers, NULL,
                     "<meta http-equiv=refresh content='0;url=/'>") != VG_OK)
        return MHD_NO;
    /* Not a redirection: the address with the token in it would stay in the history's list. */
    const head h = {.status = MHD_HTTP_OK,
                    .type = "text/html; charset=utf-8",
                    .header = "Set-Cookie",
                    .value = cookie};
    return send_text(r, &h, &text);
}

/* By "?token=", once. NULL: it brought none, or none that is known. */
static const char *brought(const net_request *r)
{
    const char *given = net_request_query(r, "token");
    const char *const tokens[] = {r->s->act_token, r->s->token};
    for (size_t i = 0; given != NULL && i < 2; i++)
        if (tokens[i][0] != '\0' && same_secret(tokens[i], given, strlen(given)))
            return tokens[i];
    return NULL;
}

/* ---- requests ---- */

static enum MHD_Result show(const net_request *r, const char *path, bool is_head)
{
    net_server *s = r->s;
    net_answer a = {.status = MHD_HTTP_OK, .type = PLAIN};
    if (!s->answer(s->ctx, r, path, &a, &s->answers)) {
        base_str_fini(&a.body);
        return send_line(r, MHD_HTTP_NOT_FOUND, s->pages, NULL, NULL);
    }
    head h = {.status = a.status, .type = a.type, .policy = a.policy, .keeps = a.keeps};
    if (a.go_to != NULL) {
        h.status = MHD_HTTP_SEE_OTHER;
        h.header = "Location";
        h.value = a.go_to;
    }
    if (a.stream.ctx != NULL && is_head) {
        a.stream.close(a.stream.ctx);
        return send_text(r, &h, &a.body);
    }
    if (a.stream.ctx != NULL)
        return send_stream(r, &a);
    if (a.status == MHD_HTTP_SERVICE_UNAVAILABLE && a.body.length == 0)
        return send_busy(r);
    return send_text(r, &h, &a.body);
}

static enum MHD_Result refuse_method(const net_request *r)
{
    const bool acts = r->s->act_token[0] != '\0';
    return send_line(r, MHD_HTTP_METHOD_NOT_ALLOWED,
                     acts ? "only GET, HEAD and POST" : "only GET and HEAD", "Allow",
                     acts ? "GET, HEAD, POST" : "GET, HEAD");
}

/* The head is in: whether the rest is waited for, and the whole request asked about next. */
static enum MHD_Result begin(const net_request *r, const char *method)
{
    net_place *p = net_place_of(r->s, r->connection);
    if (p != NULL) {
        net_place_set(p, NET_ANSWER);
        p->n_body = 0;
    }
    if (r->is_post ? r->s->act_token[0] != '\0'
                   : strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return MHD_YES;
    return refuse_method(r);
}

/* A part of a body: nothing here reads one. */
static enum MHD_Result throw_away(const net_request *r, size_t *n_body)
{
    net_place *p = net_place_of(r->s, r->connection);
    if (p == NULL || *n_body > MOST_BODY_BYTES - p->n_body)
        return MHD_NO;
    p->n_body += *n_body;
    *n_body = 0;
    return MHD_YES;
}

static enum MHD_Result answer(void *server, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *n_body, void **ctx)
{
    static char begun;
    const net_request r = {
        .s = server, .connection = connection, .is_post = strcmp(method, "POST") == 0};
    (void)version;
    (void)body;
    if (*ctx == NULL) {
        *ctx = &begun;
        return begin(&r, method);
    }
    if (*n_body > 0)
        return throw_away(&r, n_body);
    const bool is_open = r.s->open_page != NULL && strcmp(path, r.s->open_page) == 0;
    const net_place *at = net_place_of(r.s, connection);
    if (!is_open && (at == NULL || net_place_is_spare(at)))
        return send_busy(&r);
    const char *token = r.is_post ? NULL : brought(&r);
    if (r.s->token[0] == '\0' && !is_own_host(&r))
        return send_line(&r, MHD_HTTP_FORBIDDEN, "asked for by a name that is not this machine's",
                         NULL, NULL);
    if (token != NULL)
        return give_cookie(&r, token);
    if (!is_open && !net_request_is_trusted(&r))
        return send_line(&r, MHD_HTTP_UNAUTHORIZED,
                         "a token is needed: Authorization: Bearer TOKEN, or /?token=TOKEN",
                         "WWW-Authenticate", "Bearer");
    if (r.is_post && !is_own_origin(&r))
        return send_line(&r, MHD_HTTP_FORBIDDEN, "sent for a page that is not of this server", NULL,
                         NULL);
    if (r.is_post && !net_request_may_act(&r))
        return send_line(&r, MHD_HTTP_UNAUTHORIZED,
                         "to act, a token is needed: open the address that the terminal shows",
                         "WWW-Authenticate", "Bearer");
    return show(&r, path, strcmp(method, "HEAD") == 0);
}

/* ---- open ---- */

static vg_status load(net_mhd *l, vg_error *err)
{
    void *handle;
    vg_status st = base_library_open(&handle, SONAME, "the live page needs libmicrohttpd",
                                     "install libmicrohttpd12", err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&l->name, handle, #name, err);
    NET_MHD_FUNCTIONS(X)
#undef X
    return st;
}

/* Says nothing: a reader that breaks off is no news. */
static void ignore(void *ctx, const char *format, va_list args)
{
    (void)ctx;
    (void)format;
    (void)args;
}

static vg_status start_daemon(net_server *s, const char *where, vg_error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    memset(&a, 0, sizeof a);
    if (s->address.is_v6) {
        a.v6.sin6_family = AF_INET6;
        a.v6.sin6_port = htons((uint16_t)s->address.port);
        memcpy(&a.v6.sin6_addr, s->address.bytes, 16);
    } else {
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons((uint16_t)s->address.port);
        memcpy(&a.v4.sin_addr, s->address.bytes, 4);
    }
    /* Not epoll: with it libmicrohttpd 0.9.75, once full, sees readers leave only when its patience
     * ends (test_serve: 15 s against none). */
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG |
                           MHD_ALLOW_SUSPEND_RESUME |
                           (s->address.is_v6 ? (unsigned)MHD_USE_IPv6 : 0u);
    s->daemon = s->mhd.MHD_start_daemon(
        flags, 0, NULL, NULL, answer, s, MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL,
        MHD_OPTION_SOCK_ADDR, &a.any, MHD_OPTION_CONNECTION_LIMIT, (unsigned)net_places_n(s),
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)NET_HEAD_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY_BYTES, MHD_OPTION_NOTIFY_CONNECTION, net_places_note, s,
        MHD_OPTION_NOTIFY_COMPLETED, net_places_completed, s, MHD_OPTION_END);
    if (s->daemon == NULL)
        return base_fail_errno(err, VG_ERR_SYSTEM, "--serve", "take another port",
                               "cannot serve on %s", where);
    const union MHD_DaemonInfo *info =
        s->mhd.MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    s->port = info != NULL ? info->port : 0;
    if (s->act_token[0] != '\0')
        base_format(s->cookie, sizeof s->cookie, "vigil-%d", s->port);
    return VG_OK;
}

static vg_status start_keeper(net_server *s, vg_error *err)
{
    const vg_status st = base_thread_start(&s->keeper, "vigil-serve", KEEPER_STACK_BYTES,
                                           net_places_keep_time, s, err);
    s->has_keeper = st == VG_OK;
    return st;
}

static vg_status check_token(const char *token, vg_error *err)
{
    for (const char *c = token; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || strchr("\",;\\", *c) != NULL)
            return base_fail(err, VG_ERR_ARGUMENT, "--token", "letters and digits",
                             "a token that no cookie can hold");
    if (strlen(token) >= NET_TOKEN_BYTES)
        return base_fail(err, VG_ERR_ARGUMENT, "--token", "a shorter one",
                         "a token of more than %d bytes", NET_TOKEN_BYTES - 1);
    return VG_OK;
}

vg_status net_server_open(net_server **out, const net_server_options *o, base_mem *mem,
                          vg_error *err)
{
    *out = NULL;
    const char *act_token = o->act_token != NULL ? o->act_token : "";
    vg_status st = check_token(o->token, err);
    if (st == VG_OK)
        st = check_token(act_token, err);
    if (st != VG_OK)
        return st;
    net_server *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    base_mem_init(&s->answers, "pages", mem, o->most_answer_bytes);
    base_cond_init(&s->stop);
    pthread_mutex_init(&s->lock, NULL);
    s->most_connections =
        o->most_connections < NET_MOST_CONNECTIONS ? o->most_connections : NET_MOST_CONNECTIONS;
    s->most_streams = o->most_streams;
    s->ctx = o->ctx;
    s->answer = o->answer;
    s->open_page = o->open_page;
    base_format(s->cookie, sizeof s->cookie, "vigil");
    base_format(s->token, sizeof s->token, "%s", o->token);
    base_format(s->act_token, sizeof s->act_token, "%s", act_token);
    base_format(s->pages, sizeof s->pages, "%s", o->pages);
    st = net_address_parse(&s->address, o->where, err);
    if (st == VG_OK)
        st = load(&s->mhd, err);
    sigset_t before; /* the library starts a thread of its own */
    base_signals_block(&before);
    if (st == VG_OK)
        st = start_daemon(s, o->where, err);
    if (st == VG_OK)
        st = start_keeper(s, err);
    base_signals_restore(&before);
    if (st != VG_OK)
        net_server_close(&s);
    *out = s;
    return st;
}

void net_server_close(net_server **server)
{
    net_server *s = *server;
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    net_places_wake(
        s); /* libmicrohttpd ends the program when it is stopped while connections sleep */
    s->stops = true;
    pthread_cond_signal(&s->stop);
    pthread_mutex_unlock(&s->lock);
    if (s->has_keeper)
        pthread_join(s->keeper, NULL);
    if (s->daemon != NULL)
        s->mhd.MHD_stop_daemon(s->daemon);
    pthread_cond_destroy(&s->stop);
    pthread_mutex_destroy(&s->lock);
    base_free(s);
    *server = NULL;
}

int net_server_port(const net_server *s)
{
    return s->port;
}

bool net_server_is_loopback(const net_server *s)
{
    return s->address.is_loopback;
}

int net_server_n_streams(net_server *s)
{
    pthread_mutex_lock(&s->lock);
    const int n = s->n_streams;
    pthread_mutex_unlock(&s->lock);
    return n;
}

int net_server_n_connections(net_server *s)
{
    int n = 0;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < net_places_n(s); i++)
        n += s->places[i].doing != NET_NOTHING;
    pthread_mutex_unlock(&s->lock);
    return n;
}

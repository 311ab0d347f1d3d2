/* sink_serve.c: --serve: the job's page, /metrics, /healthz and pictures.
 *
 * The server's thread reads the job's numbers and makes pages; this sink's thread draws pictures,
 * while somebody looks. Answers are bounded, and so are readers (net/server.h). */
#include <string.h>

#include "job_page.h"
#include "metrics.h"
#include "painter.h"
#include "preview.h"
#include "stream/shared/health.h"

enum {
    MOST_CONNECTIONS = 48,
    MOST_READERS = 12, /* pages that are kept up to date */
    MOST_ANSWER_BYTES = 16 << 20
};

typedef struct state {
    const stream_setting *setting;
    net_server *server;
    stream_painter *painter;
    stream_preview *preview;
    stream_job_page *page;
    page_feed *feed;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->serve[0] != '\0';
}

static vg_status check(const stream_options *o, base_mem *mem, vg_error *err)
{
    net_address address;
    (void)mem;
    const vg_status st = net_address_parse(&address, o->serve, err);
    if (st != VG_OK && err != NULL)
        base_format(err->where, sizeof err->where, "option serve");
    return st;
}

static size_t need_bytes(const stream_setting *s)
{
    return stream_painter_bytes(s) +
           stream_preview_bytes(s->n_channels, s->options->preview_width) +
           stream_job_page_bytes() + page_feed_bytes(MOST_READERS) +
           (32 << 10); /* the server, the encoder and the scaler's tables */
}

/* ---- pages: by the server's thread ---- */

static stream_moment moment_of(const state *t)
{
    const stream_setting *s = t->setting;
    const int64_t now_ns = base_now_ns();
    return (stream_moment){.stats = s->stats,
                           .rates = stream_job_page_rates(t->page),
                           .now_ns = now_ns,
                           .is_healthy = stream_stats_is_healthy(s->stats, s->options, now_ns)};
}

/* stem "": of the first source that plays. */
static bool answer_preview(state *t, const char *stem, bool is_single, net_answer *a)
{
    const int channel = stream_job_page_channel(t->page, stem);
    if (channel < 0)
        return false;
    a->type = is_single ? "image/jpeg" : STREAM_PREVIEW_TYPE;
    if (!(is_single ? stream_preview_look_once(t->preview, channel, &a->stream)
                    : stream_preview_look(t->preview, channel, &a->stream)))
        net_answer_busy(a);
    return true;
}

/* What is behind "/preview/"; NULL: path does not begin so. */
static const char *behind(const char *path, const char *begin)
{
    return base_starts_with(path, begin) ? path + strlen(begin) : NULL;
}

static bool answer_picture(state *t, const char *path, net_answer *a, base_mem *mem)
{
    const char *rest;
    if (strcmp(path, "/preview") == 0)
        return answer_preview(t, "", false, a);
    if ((rest = behind(path, "/preview/")) != NULL)
        return answer_preview(t, rest, false, a);
    if ((rest = behind(path, "/still/")) != NULL)
        return answer_preview(t, rest, true, a);
    return (rest = behind(path, "/snapshot/")) != NULL &&
           stream_job_page_snapshot(t->page, rest, a, mem);
}

static bool answer(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem)
{
    state *t = ctx;
    vg_status st = VG_OK;
    if (strcmp(path, "/metrics") == 0) {
        const stream_moment m = moment_of(t);
        a->type = "text/plain; version=0.0.4; charset=utf-8";
        st = stream_metrics(&a->body, &m, mem, NULL);
    } else if (strcmp(path, "/healthz") == 0) {
        const stream_moment m = moment_of(t);
        a->type = "application/json";
        a->status = m.is_healthy ? 200 : 503;
        st = net_request_is_trusted(r) ? stream_health_json(&a->body, &m, mem, NULL)
                                       : stream_health_word(&a->body, &m, mem, NULL);
    } else if (strcmp(path, "/") == 0) {
        stream_job_page_answer(t->page, r, a, mem);
    } else if (strcmp(path, "/events") == 0) {
        page_feed_join(t->feed, "", a);
    } else if (!page_answer_asset(a, path, mem)) {
        return answer_picture(t, path, a, mem);
    }
    if (st != VG_OK)
        net_answer_busy(a);
    return true;
}

/* ---- the sink ---- */

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    (void)err;
    net_server_close(&t->server); /* and with it all who look */
    stream_preview_destroy(&t->preview);
    stream_painter_destroy(&t->painter);
    page_feed_destroy(&t->feed);
    stream_job_page_destroy(&t->page);
    return VG_OK;
}

static void tell_address(const state *t, const stream_options *o)
{
    char host[64]; /* as it was given, without its port: which may have been chosen just now */
    const char *colon = strrchr(o->serve, ':');
    base_format(host, sizeof host, "%.*s", colon != NULL ? (int)(colon - o->serve) : 0, o->serve);
    if (!net_server_is_loopback(t->server) && o->token[0] == '\0')
        base_log(BASE_LOG_WARN, "the pictures can be seen by everyone who reaches this machine",
                 "serve=%s try=--token", o->serve);
    base_log(BASE_LOG_INFO, "serving", "url=http://%s:%d/", host[0] != '\0' ? host : "127.0.0.1",
             net_server_port(t->server));
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    const stream_options *o = s->options;
    t->setting = s;
    vg_status st = stream_painter_create(&t->painter, s, s->mem, err);
    if (st == VG_OK)
        st = stream_job_page_create(&t->page, s, s->mem, err);
    const page_feed_options feed = {
        .most_readers = MOST_READERS, .ctx = t->page, .news = stream_job_page_news};
    if (st == VG_OK)
        st = page_feed_create(&t->feed, &feed, s->mem, err);
    if (st == VG_OK)
        st = stream_preview_create(&t->preview, s->n_channels, o->preview_width, o->preview_fps,
                                   s->mem, err);
    const net_server_options server = {
        .where = o->serve,
        .token = o->token,
        .open_page = "/healthz",
        .pages = "there are /, /metrics, /healthz, /preview, /preview/SOURCE and /still/SOURCE",
        .most_connections = MOST_CONNECTIONS,
        .most_streams = STREAM_MOST_LOOKERS + MOST_READERS,
        .most_answer_bytes = MOST_ANSWER_BYTES,
        .ctx = t,
        .answer = answer};
    if (st == VG_OK)
        st = net_server_open(&t->server, &server, s->mem, err);
    if (st == VG_OK)
        tell_address(t, o);
    else
        close_(t, NULL);
    return st;
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    const int64_t now_ns = base_now_ns();
    image_view picture;
    stream_job_page_learn(t->page, r);
    if (r->pixels == NULL || !stream_preview_wants(t->preview, r->channel, now_ns))
        return VG_OK;
    vg_status st = stream_painter_drawn(t->painter, &picture, s, r, err);
    if (st == VG_OK)
        st = stream_preview_show(t->preview, r->channel, &picture, now_ns, s->mem, err);
    if (st == VG_OK)
        net_server_wake(t->server);
    return st;
}

static vg_status tick(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    (void)err;
    (void)s;
    stream_job_page_step(t->page, base_now_ns());
    net_server_wake(t->server);
    return VG_OK;
}

const stream_sink stream_sink_serve = {.name = "serve",
                                       .help = "a page of the job; /metrics, /healthz, /preview",
                                       .needs_pixels = true,
                                       .queue_length = 2,
                                       .state_bytes = sizeof(state),
                                       .is_wanted = is_wanted,
                                       .check = check,
                                       .need_bytes = need_bytes,
                                       .open = open_,
                                       .write = write_,
                                       .tick = tick,
                                       .close = close_};

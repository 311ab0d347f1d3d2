/* sink_serve.c: --serve: /metrics, /healthz, /preview and a page that leads to them.
 *
 * The server's thread reads the job's numbers and makes pages; this sink's thread draws pictures,
 * while somebody looks. Answers are bounded, and so are readers (net/server.h). */
#include <pthread.h>
#include <string.h>

#include "metrics.h"
#include "painter.h"
#include "preview.h"
#include "stream/shared/health.h"

enum {
    MOST_CONNECTIONS = 32,
    MOST_ANSWER_BYTES = 16 << 20,
    MOST_PAGE_BYTES = 1 << 20,
    STEM_BYTES = 64
};

typedef struct state {
    const stream_setting *setting;
    net_server *server;
    stream_painter *painter;
    stream_preview *preview;
    stream_rates rates;
    bool has_lock;
    pthread_mutex_t lock; /* of stems */
    char stems[STREAM_MOST_CHANNELS][STEM_BYTES];
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
           (32 << 10); /* the server, the encoder and the scaler's tables */
}

/* ---- pages: by the server's thread ---- */

static stream_moment moment_of(const state *t)
{
    const stream_setting *s = t->setting;
    const int64_t now_ns = base_now_ns();
    return (stream_moment){.stats = s->stats,
                           .rates = &t->rates,
                           .now_ns = now_ns,
                           .is_healthy = stream_stats_is_healthy(s->stats, s->options, now_ns)};
}

static vg_status add_escaped(base_str *out, const char *text, base_mem *mem)
{
    char escaped[6 * STREAM_NAME_BYTES];
    base_html_escape(escaped, sizeof escaped, text);
    return base_str_add(out, MOST_PAGE_BYTES, mem, NULL, "%s", escaped);
}

static vg_status add_source(base_str *out, state *t, int channel, base_mem *mem)
{
    const stream_channel_stats *c = &t->setting->stats->channels[channel];
    char name[STREAM_NAME_BYTES], stem[STEM_BYTES];
    if (!stream_channel_name(name, c))
        return VG_OK;
    pthread_mutex_lock(&t->lock);
    memcpy(stem, t->stems[channel], sizeof stem);
    pthread_mutex_unlock(&t->lock);
    vg_status st = base_str_add(out, MOST_PAGE_BYTES, mem, NULL, "<tr><td>");
    if (st == VG_OK && stem[0] != '\0') {
        st = base_str_add(out, MOST_PAGE_BYTES, mem, NULL, "<a href=\"/preview/");
        if (st == VG_OK)
            st = add_escaped(out, stem, mem);
        if (st == VG_OK)
            st = base_str_add(out, MOST_PAGE_BYTES, mem, NULL, "\">");
    }
    if (st == VG_OK)
        st = add_escaped(out, name, mem);
    if (st == VG_OK)
        st = base_str_add(out, MOST_PAGE_BYTES, mem, NULL,
                          "%s</td><td>%s</td><td>%.1f</td><td>%llu</td><td>%llu</td></tr>\n",
                          stem[0] != '\0' ? "</a>" : "", stream_state_name((stream_state)c->state),
                          (double)t->rates.per_s[channel], (unsigned long long)c->n_results,
                          (unsigned long long)c->n_dropped);
    return st;
}

/* The table reads itself anew; the picture is a stream of its own and is left alone. */
static const char index_head[] =
    "<!DOCTYPE html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
    "<title>vigil</title>\n<style>body{font:15px sans-serif;margin:2em}img{max-width:100%%;"
    "background:#ddd}td,th{text-align:left;padding:.2em 1em .2em 0}</style>\n<h1>vigil %s</h1>\n"
    "<p><a href=/preview>preview</a> &middot; <a href=/healthz>health</a> &middot; "
    "<a href=/metrics>metrics</a></p>\n<p><img src=/preview alt=\"the newest picture\"></p>\n"
    "<table id=t>\n<tr><th>source</th><th>state</th><th>fps</th><th>results</th><th>dropped</th>"
    "</tr>\n";
static const char index_tail[] =
    "</table>\n<script>setInterval(()=>fetch('/').then(r=>r.text()).then(x=>{"
    "document.getElementById('t').innerHTML=new DOMParser().parseFromString(x,'text/html')"
    ".getElementById('t').innerHTML}).catch(()=>0),5000)</script>\n";

static vg_status write_index(base_str *out, state *t, base_mem *mem)
{
    vg_status st = base_str_add(out, MOST_PAGE_BYTES, mem, NULL, index_head, stream_version());
    for (int i = 0; i < t->setting->n_channels && st == VG_OK; i++)
        st = add_source(out, t, i, mem);
    return st == VG_OK ? base_str_add_bytes(out, MOST_PAGE_BYTES, index_tail, sizeof index_tail - 1,
                                            mem, NULL)
                       : st;
}

/* stem "": the first that gives pictures, else the first. -1: there is none of that name. */
static int find_channel(state *t, const char *stem)
{
    const stream_stats *stats = t->setting->stats;
    int found = stem[0] != '\0' ? -1 : 0;
    pthread_mutex_lock(&t->lock);
    for (int i = t->setting->n_channels - 1; i >= 0; i--)
        if (stem[0] != '\0' ? strcmp(stem, t->stems[i]) == 0
                            : stats->channels[i].state == STREAM_PLAYING)
            found = i;
    pthread_mutex_unlock(&t->lock);
    return found;
}

static bool answer_preview(state *t, const char *path, net_answer *a)
{
    static const char prefix[] = "/preview/";
    const int channel =
        find_channel(t, strcmp(path, "/preview") == 0 ? "" : path + sizeof prefix - 1);
    if (channel < 0)
        return false;
    if (stream_preview_look(t->preview, channel, &a->stream))
        a->type = STREAM_PREVIEW_TYPE;
    else
        net_answer_busy(a);
    return true;
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
        a->type = "text/html; charset=utf-8";
        st = write_index(&a->body, t, mem);
    } else if (strcmp(path, "/preview") == 0 || base_starts_with(path, "/preview/")) {
        return answer_preview(t, path, a);
    } else {
        return false;
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
    if (t->has_lock)
        pthread_mutex_destroy(&t->lock);
    t->has_lock = false;
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
    pthread_mutex_init(&t->lock, NULL);
    t->has_lock = true;
    vg_status st = stream_painter_create(&t->painter, s, s->mem, err);
    if (st == VG_OK)
        st = stream_preview_create(&t->preview, s->n_channels, o->preview_width, o->preview_fps,
                                   s->mem, err);
    const net_server_options server = {
        .where = o->serve,
        .token = o->token,
        .open_page = "/healthz",
        .pages = "there are /, /metrics, /healthz, /preview and /preview/SOURCE",
        .most_connections = MOST_CONNECTIONS,
        .most_streams = STREAM_MOST_LOOKERS,
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

static void learn_stem(state *t, const stream_result *r)
{
    if (r->channel < 0 || r->channel >= STREAM_MOST_CHANNELS)
        return;
    pthread_mutex_lock(&t->lock);
    if (strcmp(t->stems[r->channel], r->stem) != 0)
        base_format(t->stems[r->channel], STEM_BYTES, "%s", r->stem);
    pthread_mutex_unlock(&t->lock);
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    const int64_t now_ns = base_now_ns();
    image_view picture;
    learn_stem(t, r);
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
    stream_rates_step(&t->rates, s->stats, base_now_ns());
    return VG_OK;
}

const stream_sink stream_sink_serve = {.name = "serve",
                                       .help = "a server of /metrics, /healthz and /preview",
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

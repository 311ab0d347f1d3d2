/* serve.c: the story behind net's server: copied under its lock, written as a page without it. */
#include "serve.h"

#include <pthread.h>
#include <string.h>

#include "metrics.h"
#include "net/net.h"
#include "report.h"

enum { MOST_CONNECTIONS = 32, MOST_READERS = 12, MOST_PAGES_BYTES = 64 << 20 };

struct watch_server {
    net_server *net;
    page_feed *feed;
    pthread_mutex_t lock; /* of story and version */
    uint64_t version;     /* of story */
    watch_story story;
    watch_story shown; /* the server thread's copy, of shown_version: a page is read in parts */
    uint64_t shown_version;
};

/* What is new, to pages that are open. */
static bool news(void *ctx, const char *topic, uint64_t *seen, page_news *e)
{
    watch_server *s = ctx;
    (void)topic;
    pthread_mutex_lock(&s->lock);
    const uint64_t version = s->version;
    const char *state = watch_state_name(watch_story_worst(&s->story, NULL));
    pthread_mutex_unlock(&s->lock);
    if (version == *seen)
        return false;
    watch_page_tell(e, state, version);
    *seen = version;
    return true;
}

static void answer_page(const watch_server *s, uint64_t version, const net_request *r,
                        net_answer *a, base_mem *mem)
{
    const page_link way = {s->shown.command, NULL};
    watch_page p;
    watch_page_make(&p, &s->shown, version);
    p.document.events = "/events";
    p.document.way = &way;
    p.document.n_way = 1;
    page_answer(a, r, &p.document, mem);
}

/* mem is an account of the server's, below the guard's. */
static vg_status write_numbers(watch_server *s, const char *path, net_answer *a, base_mem *mem)
{
    if (strcmp(path, "/metrics") == 0) {
        a->type = "text/plain; version=0.0.4; charset=utf-8";
        return watch_metrics(&a->body, &s->shown, mem->parent->in_use_bytes, mem, NULL);
    }
    a->type = "application/json";
    return watch_report_json(&a->body, &s->shown, mem, NULL);
}

static bool answer(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem)
{
    watch_server *s = ctx;
    if (page_answer_asset(a, path, mem))
        return true;
    if (strcmp(path, "/events") == 0) {
        page_feed_join(s->feed, "", a);
        return true;
    }
    if (strcmp(path, "/") != 0 && strcmp(path, "/metrics") != 0 &&
        strcmp(path, "/report.json") != 0)
        return false;
    pthread_mutex_lock(&s->lock);
    const uint64_t version = s->version;
    if (s->shown_version != version)
        s->shown = s->story;
    s->shown_version = version;
    pthread_mutex_unlock(&s->lock);
    if (strcmp(path, "/") == 0)
        answer_page(s, version, r, a, mem);
    else if (write_numbers(s, path, a, mem) != VG_OK)
        net_answer_busy(a);
    return true;
}

vg_status watch_server_open(watch_server **out, const char *where, const char *token, base_mem *mem,
                            vg_error *err)
{
    *out = NULL;
    watch_server *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    pthread_mutex_init(&s->lock, NULL);
    watch_story_init(&s->story);
    s->version = 1;
    const page_feed_options feed = {.most_readers = MOST_READERS, .ctx = s, .news = news};
    const net_server_options o = {.where = where,
                                  .token = token,
                                  .pages = "there are /, /metrics and /report.json",
                                  .most_connections = MOST_CONNECTIONS,
                                  .most_streams = MOST_READERS,
                                  .most_answer_bytes = MOST_PAGES_BYTES,
                                  .ctx = s,
                                  .answer = answer};
    vg_status st = page_feed_create(&s->feed, &feed, mem, err);
    if (st == VG_OK)
        st = net_server_open(&s->net, &o, mem, err);
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
    net_server_close(&s->net);
    page_feed_destroy(&s->feed);
    pthread_mutex_destroy(&s->lock);
    base_free(s);
    *server = NULL;
}

int watch_server_port(const watch_server *s)
{
    return net_server_port(s->net);
}

bool watch_server_is_loopback(const watch_server *s)
{
    return net_server_is_loopback(s->net);
}

watch_story *watch_server_begin(watch_server *s)
{
    pthread_mutex_lock(&s->lock);
    return &s->story;
}

void watch_server_done(watch_server *s)
{
    s->version++;
    pthread_mutex_unlock(&s->lock);
    net_server_wake(s->net);
}

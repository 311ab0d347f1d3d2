/* serve.c: the story behind net's server: copied under its lock, written as a page without it. */
#include "serve.h"

#include <pthread.h>
#include <string.h>

#include "metrics.h"
#include "net/net.h"

enum { MOST_CONNECTIONS = 16, MOST_PAGES_BYTES = 64 << 20 };

struct watch_server {
    net_server *net;
    pthread_mutex_t lock; /* of story */
    double refresh_s;
    watch_story story;
    watch_story shown; /* the server thread's copy */
};

/* mem is an account of the server's, below the guard's. */
static vg_status write_page(watch_server *s, const char *path, net_answer *a, base_mem *mem)
{
    if (strcmp(path, "/metrics") == 0) {
        a->type = "text/plain; version=0.0.4; charset=utf-8";
        return watch_metrics(&a->body, &s->shown, mem->parent->in_use_bytes, mem, NULL);
    }
    if (strcmp(path, "/report.json") == 0) {
        a->type = "application/json";
        return watch_report_json(&a->body, &s->shown, mem, NULL);
    }
    a->type = "text/html; charset=utf-8";
    return watch_report_html(&a->body, &s->shown, s->refresh_s, mem, NULL);
}

static bool answer(void *ctx, const net_request *r, const char *path, net_answer *a, base_mem *mem)
{
    watch_server *s = ctx;
    (void)r;
    if (strcmp(path, "/") != 0 && strcmp(path, "/metrics") != 0 &&
        strcmp(path, "/report.json") != 0)
        return false;
    pthread_mutex_lock(&s->lock);
    s->shown = s->story;
    pthread_mutex_unlock(&s->lock);
    if (write_page(s, path, a, mem) != VG_OK)
        net_answer_busy(a);
    return true;
}

vg_status watch_server_open(watch_server **out, const char *where, const char *token,
                            double refresh_s, base_mem *mem, vg_error *err)
{
    *out = NULL;
    watch_server *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    pthread_mutex_init(&s->lock, NULL);
    s->refresh_s = refresh_s > 1 ? refresh_s : 1;
    watch_story_init(&s->story);
    const net_server_options o = {.where = where,
                                  .token = token,
                                  .pages = "there are /, /metrics and /report.json",
                                  .most_connections = MOST_CONNECTIONS,
                                  .most_answer_bytes = MOST_PAGES_BYTES,
                                  .ctx = s,
                                  .answer = answer};
    const vg_status st = net_server_open(&s->net, &o, mem, err);
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
    pthread_mutex_unlock(&s->lock);
}

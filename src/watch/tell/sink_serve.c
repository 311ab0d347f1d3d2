/* sink_serve.c: --serve: the live page and /metrics. What they show is kept here; they are made by
 * the server's thread when someone asks. */
#include <string.h>

#include "serve.h"
#include "sinks.h"

typedef struct state {
    watch_server *server;
} state;

static vg_status open_server(void *state_, bool *wanted, const watch_moment *m, base_mem *mem,
                             vg_error *err)
{
    state *s = state_;
    const watch_options *o = m->options;
    *wanted = o->serve[0] != '\0';
    if (!*wanted)
        return VG_OK;
    const vg_status st = watch_server_open(&s->server, o->serve, o->token, mem, err);
    if (st != VG_OK)
        return st;
    if (!watch_server_is_loopback(s->server) && o->token[0] == '\0')
        base_log(BASE_LOG_WARN, "the page can be read by everyone who reaches this machine",
                 "serve=%s try=--token", o->serve);
    char host[64]; /* as it was given, without its port: which may have been chosen just now */
    const char *colon = strrchr(o->serve, ':');
    base_format(host, sizeof host, "%.*s", colon != NULL ? (int)(colon - o->serve) : 0, o->serve);
    base_log(BASE_LOG_INFO, "live page", "url=http://%s:%d/", host[0] != '\0' ? host : "127.0.0.1",
             watch_server_port(s->server));
    watch_story_describe(watch_server_begin(s->server), m);
    watch_server_done(s->server);
    return VG_OK;
}

static vg_status add_sample(void *state_, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    (void)err;
    watch_story_add(watch_server_begin(s->server), m);
    watch_server_done(s->server);
    return VG_OK;
}

static vg_status add_event(void *state_, const watch_event *e, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    (void)m;
    (void)err;
    watch_story_event(watch_server_begin(s->server), e);
    watch_server_done(s->server);
    return VG_OK;
}

static vg_status add_note(void *state_, const char *what, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    (void)err;
    watch_story *story = watch_server_begin(s->server);
    watch_story_describe(story, m);
    watch_story_note(story, m->sample != NULL ? m->sample->time_s : 0, what);
    watch_server_done(s->server);
    return VG_OK;
}

static void close_server(void *state_)
{
    watch_server_close(&((state *)state_)->server);
}

const watch_sink watch_sink_serve = {.name = "serve",
                                     .state_bytes = sizeof(state),
                                     .open = open_server,
                                     .sample = add_sample,
                                     .event = add_event,
                                     .note = add_note,
                                     .close = close_server};

/* serve.h: the live page, its JSON and /metrics over HTTP, for few readers: net's server with at
 * most 32 connections, 12 of them pages that are kept up to date. The writer's lock is held for the
 * copy of a story, never while a page is made. */
#ifndef WATCH_SERVE_H
#define WATCH_SERVE_H

#include "story.h"

typedef struct watch_server watch_server;

/* where: "127.0.0.1:9200", "[::1]:9200", "localhost:9200", ":9200" (loopback), port 0: any free
 * one. token "": none. mem must outlive the server. Errors: VG_ERR_ARGUMENT, VG_ERR_UNSUPPORTED (no
 * library), VG_ERR_SYSTEM (address in use). */
vg_status watch_server_open(watch_server **out, const char *where, const char *token, base_mem *mem,
                            vg_error *err);
void watch_server_close(watch_server **s);
int watch_server_port(const watch_server *s);
bool watch_server_is_loopback(const watch_server *s);
/* The story that is shown, for its one writer, until done. */
watch_story *watch_server_begin(watch_server *s);
void watch_server_done(watch_server *s);

#endif

/* listener.h: the program that runs the guard or a replay: it hears what the sinks hear. */
#ifndef WATCH_LISTENER_H
#define WATCH_LISTENER_H

#include "sink.h"

/* Functions may be NULL. wants_stop is asked at least every half second; then a job that the guard
 * started is ended politely, and one that it was pointed to is left alone. */
typedef struct watch_listener {
    void *ctx;
    void (*event)(void *ctx, const watch_event *e, const watch_moment *m);
    void (*note)(void *ctx, const char *what, const watch_moment *m);
    void (*sample)(void *ctx, const watch_moment *m);
    bool (*wants_stop)(void *ctx);
    int (*impatience)(void *ctx); /* 1: KILL at once; 2: leave at once, saying what is left */
} watch_listener;

#endif

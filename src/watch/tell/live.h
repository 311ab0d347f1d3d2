/* live.h: the live view of a job: its story so far, drawn again after each sample. */
#ifndef WATCH_LIVE_H
#define WATCH_LIVE_H

#include "story.h"
#include "vigil/types.h"

typedef struct watch_live_options {
    void *ctx;
    void (*screen)(void *ctx, const char *text);          /* writes it to the terminal as it is */
    bool (*screen_size)(void *ctx, vg_watch_screen *out); /* NULL or false: there is no terminal */
    bool plain; /* lines of 80 columns where there is none, else nothing */
} watch_live_options;

typedef struct watch_live watch_live;
vg_status watch_live_create(watch_live **out, const watch_live_options *o, base_mem *mem,
                            vg_error *err);
void watch_live_show(watch_live *l, const watch_moment *m);
/* The view goes, and the whole terminal scrolls again. */
void watch_live_destroy(watch_live **l);

#endif

/* teller.h: reports to the sinks and the listener. A sink that fails is reported once, until
 * it works again, and the guard goes on. For this folder. */
#ifndef WATCH_TELLER_H
#define WATCH_TELLER_H

#include "guard.h"

enum { WATCH_MOST_SINKS = 16 };

typedef struct watch_open_sink {
    const watch_sink *sink;
    void *state;
    bool has_failed;
} watch_open_sink;

/* A zeroed one is empty: destroyable, and tells nobody. */
typedef struct watch_teller {
    watch_open_sink sinks[WATCH_MOST_SINKS];
    size_t n_sinks;
    const watch_listener *listener; /* NULL: nobody */
} watch_teller;

vg_status watch_teller_open(watch_teller *t, const watch_moment *m, base_mem *mem, vg_error *err);
void watch_teller_close(watch_teller *t);

void watch_tell_note(watch_teller *t, const char *text, const watch_moment *m);
void watch_tell_sample(watch_teller *t, const watch_moment *m);
/* Before the event is reported: sinks that know more add to its evidence. */
void watch_tell_explain(watch_teller *t, watch_event *e, const watch_moment *m);
void watch_tell_event(watch_teller *t, const watch_event *e, const watch_moment *m);

#endif

/* replay.h: a recorded trace through the judge, as if it were sampled now. */
#ifndef WATCH_REPLAY_H
#define WATCH_REPLAY_H

#include "listener.h"

/* The same judge as the guard's. Events go to the listener (m has sample, judge and options); the
 * judge as it is at the end is handed to `end`, which may be NULL. */
vg_status watch_replay(const watch_options *o, const char *path, const watch_listener *listener,
                       void (*end)(void *ctx, const watch_judge *j, size_t n_unknown),
                       base_mem *mem, vg_error *err);

#endif

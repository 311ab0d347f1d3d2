/* changes.h: when a source begins or ceases to give frames: what people want to be told of a
 * camera's health. Its attempts in between are no news. */
#ifndef STREAM_LIVE_CHANGES_H
#define STREAM_LIVE_CHANGES_H

#include "stream/shared/stats.h"

/* Zeroed is valid: nothing seen yet. One owner. */
typedef struct live_changes {
    int was[LIVE_MOST_CHANNELS]; /* live_state: EMPTY, PLAYING, WAITING or ENDED */
} live_changes;

typedef struct live_change {
    char source[LIVE_NAME_BYTES];
    live_state was, now;
    int fault; /* video_fault, -1: none */
    uint64_t n_reconnects;
} live_change;

/* The next change since it was last asked; false: no more. A change that came and went in between
 * is not seen. */
bool live_changes_next(live_changes *c, live_change *out, const live_stats *s);

#endif

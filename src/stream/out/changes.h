/* changes.h: when a source begins or ceases to give frames: what people want to be told of a
 * camera's health. Its attempts in between are no news. */
#ifndef STREAM_CHANGES_H
#define STREAM_CHANGES_H

#include "stream/shared/stats.h"

/* Zeroed is valid: nothing seen yet. One owner. */
typedef struct stream_changes {
    int was[STREAM_MOST_CHANNELS]; /* stream_state: EMPTY, PLAYING, WAITING or ENDED */
} stream_changes;

typedef struct stream_change {
    char source[STREAM_NAME_BYTES];
    stream_state was, now;
    int fault; /* video_fault, -1: none */
    uint64_t n_reconnects;
} stream_change;

/* The next change since it was last asked; false: no more. A change that came and went in between
 * is not seen. */
bool stream_changes_next(stream_changes *c, stream_change *out, const stream_stats *s);

#endif

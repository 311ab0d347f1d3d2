/* changes.c: the states of sources, seen from time to time. */
#include "changes.h"

bool stream_changes_next(stream_changes *c, stream_change *out, const stream_stats *s)
{
    for (int i = 0; i < s->n_channels; i++) {
        const stream_channel_stats *channel = &s->channels[i];
        stream_state now = (stream_state)channel->state;
        const stream_state was = (stream_state)c->was[i];
        if (now == STREAM_CONNECTING) /* before the first frame as between two attempts */
            now = was == STREAM_PLAYING ? STREAM_WAITING : was;
        if (now == was)
            continue;
        c->was[i] = (int)now;
        if (now == STREAM_EMPTY)
            continue; /* it was taken out of the list: its user knows */
        *out = (stream_change){.was = was,
                               .now = now,
                               .fault = now == STREAM_PLAYING ? -1 : channel->last_fault,
                               .n_reconnects = channel->n_reconnects};
        base_format(out->source, sizeof out->source, "%s", channel->name);
        return true;
    }
    return false;
}

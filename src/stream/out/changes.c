/* changes.c: the states of sources, seen from time to time. */
#include "changes.h"

bool live_changes_next(live_changes *c, live_change *out, const live_stats *s)
{
    for (int i = 0; i < s->n_channels; i++) {
        const live_channel_stats *channel = &s->channels[i];
        live_state now = (live_state)channel->state;
        const live_state was = (live_state)c->was[i];
        if (now == LIVE_CONNECTING) /* before the first frame as between two attempts */
            now = was == LIVE_PLAYING ? LIVE_WAITING : was;
        if (now == was)
            continue;
        c->was[i] = (int)now;
        if (now == LIVE_EMPTY)
            continue; /* it was taken out of the list: its user knows */
        *out = (live_change){.was = was,
                             .now = now,
                             .fault = now == LIVE_PLAYING ? -1 : channel->last_fault,
                             .n_reconnects = channel->n_reconnects};
        base_format(out->source, sizeof out->source, "%s", channel->name);
        return true;
    }
    return false;
}

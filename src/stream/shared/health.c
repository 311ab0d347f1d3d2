/* health.c: how long each state may last without progress. */
#include "health.h"

static const double GRACE_S = 30;    /* a loaded machine is not a sick one */
static const double MOST_RUN_S = 60; /* of the network: it cannot be that slow */

/* What a state takes at most when all is well. */
static double patience_s(stream_state state, const stream_options *o)
{
    switch (state) {
    case STREAM_CONNECTING:
        return o->connect_timeout_s + GRACE_S;
    case STREAM_PLAYING:
        return o->stall_timeout_s + GRACE_S;
    case STREAM_WAITING:
        return 1.25 * o->retry_most_s + GRACE_S; /* with its jitter */
    case STREAM_EMPTY:
    case STREAM_ENDED:
        break;
    }
    return 0;
}

static bool is_stuck(const stream_channel_stats *c, const stream_options *o, int64_t now_ns)
{
    const stream_state state = (stream_state)c->state;
    if (state == STREAM_EMPTY || state == STREAM_ENDED)
        return false;
    return (double)(now_ns - c->last_progress_ns) * 1e-9 > patience_s(state, o);
}

bool stream_stats_is_healthy(const stream_stats *s, const stream_options *o, int64_t now_ns)
{
    const int64_t began = s->run_began_ns;
    if (began != 0 && (double)(now_ns - began) * 1e-9 > MOST_RUN_S)
        return false;
    for (int i = 0; i < s->n_channels; i++)
        if (is_stuck(&s->channels[i], o, now_ns))
            return false;
    return true;
}

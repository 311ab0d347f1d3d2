/* health.c: how long each state may last without progress. */
#include "health.h"

static const double GRACE_S = 30;    /* a loaded machine is not a sick one */
static const double MOST_RUN_S = 60; /* of the network: it cannot be that slow */

/* What a state takes at most when all is well. */
static double patience_s(live_state state, const live_options *o)
{
    switch (state) {
    case LIVE_CONNECTING:
        return o->connect_timeout_s + GRACE_S;
    case LIVE_PLAYING:
        return o->stall_timeout_s + GRACE_S;
    case LIVE_WAITING:
        return 1.25 * o->retry_most_s + GRACE_S; /* with its jitter */
    case LIVE_EMPTY:
    case LIVE_ENDED:
        break;
    }
    return 0;
}

static bool is_stuck(const live_channel_stats *c, const live_options *o, int64_t now_ns)
{
    const live_state state = (live_state)c->state;
    if (state == LIVE_EMPTY || state == LIVE_ENDED)
        return false;
    return (double)(now_ns - c->last_progress_ns) * 1e-9 > patience_s(state, o);
}

bool live_stats_is_healthy(const live_stats *s, const live_options *o, int64_t now_ns)
{
    const int64_t began = s->run_began_ns;
    if (began != 0 && (double)(now_ns - began) * 1e-9 > MOST_RUN_S)
        return false;
    for (int i = 0; i < s->n_channels; i++)
        if (is_stuck(&s->channels[i], o, now_ns))
            return false;
    return true;
}

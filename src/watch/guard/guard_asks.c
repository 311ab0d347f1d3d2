/* guard_asks.c: what an event, a limit or a kill asks for, by the options. */
#include <math.h>
#include <string.h>

#include "guard_own.h"

static void act(watch_guard *g, int actions, const watch_event *e, const char *reason)
{
    if (g->phase != RUNNING)
        return;
    if ((actions & WATCH_DO_RESTART) && guard_recent_restarts(g) >= g->options.max_restarts) {
        guard_note(g, "%s: it is not restarted, for it was %d times within an hour", reason,
                   g->options.max_restarts);
        actions &= ~WATCH_DO_RESTART & ~WATCH_DO_STOP;
    }
    g->wish = (wish){.actions = actions, .event = *e};
    base_format(g->wish.reason, sizeof g->wish.reason, "%s", reason);
    const bool hooks = (actions & WATCH_DO_HOOK) && watch_acts_hook(g->acts, e, g->mem);
    if (!(actions & (WATCH_DO_STOP | WATCH_DO_RESTART | WATCH_DO_CHECKPOINT)))
        return;
    if (hooks)
        guard_enter(g, HOOKING);
    else
        guard_end_for(g, &g->wish);
}

void guard_obey(watch_guard *g, const watch_event *e)
{
    const char *name = watch_series_get(e->series)->name;
    char reason[160];
    base_format(reason, sizeof reason, "%s is %s", name, watch_state_name(e->verdict.state));
    switch (e->verdict.state) {
    case WATCH_LEAKING:
        act(g, g->options.on_leaking, e, reason);
        break;
    case WATCH_CRITICAL:
        act(g, g->options.on_critical, e, reason);
        break;
    case WATCH_HUNG:
        act(g, g->options.on_hang, e, "the job hangs");
        break;
    default:
        break;
    }
}

/* Memory in use against its limit, and kills by the kernel that left the main process alive. */
void guard_check_limits(watch_guard *g)
{
    const double used = watch_acts_memory(g->acts, &g->sample),
                 limit = g->sample.value[WATCH_LIMIT_MEMORY_BYTES];
    watch_event e = guard_own_event(g, WATCH_CRITICAL, "the memory limit is near");
    if (used >= g->options.limit_0_1 * limit && !g->limit_reported) {
        char a[32], b[32];
        g->limit_reported = true;
        e.verdict.exhaustion_s = e.verdict.exhaustion_low_s = 0;
        guard_note(g, "memory is at %s of %s", base_format_bytes(a, sizeof a, used),
                   base_format_bytes(b, sizeof b, limit));
        if (g->phase == CHECKPOINTING)
            guard_stop_job(g, g->wants_restart); /* the forecast was too kind */
        act(g, g->options.on_limit, &e, "the memory limit is near");
    }
    /* A job that it was pointed to is only ended where an action says so. */
    if (g->argv != NULL && g->phase != STOPPING && watch_acts_is_over(g->acts, &g->sample)) {
        guard_note(g, "memory is above --memory-max, and there is no cgroup to hold it");
        guard_stop_job(g, g->options.on_limit & WATCH_DO_RESTART);
    }
    if (guard_sees_oom(g, &g->sample)) {
        watch_job_reap(&g->job);
        if (g->job.has_ended)
            return; /* that was the job itself */
        e = guard_own_event(g, WATCH_CRITICAL, "the kernel ended a process for want of memory");
        e.verdict.exhaustion_s = e.verdict.exhaustion_low_s = 0;
        guard_note(g, "%s", e.cause);
        act(g, g->options.on_oom, &e, "a process was ended for want of memory");
    }
}

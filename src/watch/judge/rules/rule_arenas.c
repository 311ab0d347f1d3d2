/* rule_arenas.c: R14: the allocator keeps what was freed: xiaomi-miloco PR #459, omi #6938.
 *
 * glibc makes an arena of 64 MiB maps for each busy thread and gives little back. The number of
 * such maps rises, or what is resident rises while what the program holds does not; descriptors
 * stay. It comes in high-water marks. */
#include "rules.h"

#include "facts.h"

/* At least this share of the growth must be memory that nobody holds. */
static const double LEAST_IDLE = 0.5;
/* And of the arenas, in the later half of the rise. */
static const double LEAST_LATE = 0.25;
static const double ARENA_BYTES = 64.0 * 1024 * 1024;

/* How many arenas came while the memory rose. Those that all came at the start, with the threads of
 * a runtime, hold none of what has risen since. */
static double arenas_made(const watch_judge *j, const watch_verdict *v)
{
    watch_verdict later = *v;
    later.since_s = (v->since_s + watch_judge_sample(j)->time_s) / 2;
    const double all = facts_growth(j, WATCH_MAIN_ARENA_MAPS, v),
                 late = facts_growth(j, WATCH_MAIN_ARENA_MAPS, &later);
    return late >= LEAST_LATE * all ? all : 0;
}

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (facts_scope_of(j, s, v) != FACTS_MAIN || !(v->growth > 0))
        return false;
    const double maps = arenas_made(j, v);
    const bool live_known = facts_known(j, WATCH_MAIN_LIVE_BYTES, v);
    const double idle = v->growth - facts_growth(j, WATCH_MAIN_LIVE_BYTES, v);
    const bool by_live = live_known && idle >= LEAST_IDLE * v->growth,
               by_maps = maps >= 1 && maps * ARENA_BYTES >= LEAST_IDLE * v->growth &&
                         !(live_known && !by_live);
    if (!by_live && !by_maps)
        return false;
    static const watch_series with[] = {WATCH_MAIN_ARENA_MAPS, WATCH_MAIN_LIVE_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS, WATCH_MAIN_LIVE_BYTES, WATCH_NONE};
    out->confidence_0_1 = by_live && by_maps ? 0.95 : by_live ? 0.9 : 0.83;
    base_format(out->cause, sizeof out->cause,
                "the C library's allocator keeps freed memory in the arenas of many threads");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy,
                "set MALLOC_ARENA_MAX=2, or preload jemalloc (--remedies arenas,jemalloc tries "
                "them at a restart)");
    return true;
}

const watch_rule watch_rule_arenas = {
    .name = "R14", .title = "allocator keeps it", .explain = explain};

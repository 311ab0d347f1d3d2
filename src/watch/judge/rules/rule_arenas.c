/* rule_arenas.c: R14: the allocator keeps what was freed: xiaomi-miloco PR #459, omi #6938.
 *
 * glibc makes an arena of 64 MiB maps for each busy thread and gives little back. The number of
 * such maps rises, or what is resident rises while what the program holds does not; descriptors
 * stay. It comes in high-water marks. */
#include "rules.h"

#include "facts.h"

/* At least this share of the growth must be memory that nobody holds. */
static const double LEAST_IDLE = 0.5;
static const double ARENA_BYTES = 64.0 * 1024 * 1024;
/* A thread has one arena, and an arena one such map until that is full. Where there are more maps
 * than this for each thread, the arenas were filled: somebody holds it. */
static const double MOST_PER_THREAD = 1.5;

/* How many arenas came while the memory rose, when what rose in the later half could lie in those
 * that came then. Those that came with a pool's threads at the start and fill up since then do so
 * because somebody holds what is in them. */
static double arenas_made(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    const watch_sample *now = watch_judge_sample(j);
    const double maps = now->value[WATCH_MAIN_ARENA_MAPS], threads = now->value[WATCH_MAIN_THREADS];
    watch_verdict later = *v;
    later.since_s = (v->since_s + now->time_s) / 2;
    if (maps > MOST_PER_THREAD * threads ||
        facts_rises(j, WATCH_MAIN_THREADS, v) || /* ever more threads, an arena each: R23 */
        ARENA_BYTES * facts_growth(j, WATCH_MAIN_ARENA_MAPS, &later) < facts_growth(j, s, &later))
        return 0;
    return facts_growth(j, WATCH_MAIN_ARENA_MAPS, v);
}

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (facts_scope_of(j, s, v) != FACTS_MAIN || !(v->growth > 0))
        return false;
    const double maps = arenas_made(j, s, v);
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

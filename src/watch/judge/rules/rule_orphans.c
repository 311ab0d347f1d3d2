/* rule_orphans.c: R17: orphans that hold on to GPUs and memory: EgoVerse PR #682, Megatron PR
 * #3684.
 *
 * After a restart, processes of the last life are still there: their parent is gone, they are
 * outside the live tree, and they hold a GPU or the job's cgroup. */
#include "rules.h"

#include "facts.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool is_theirs = facts_scope_of(j, s, v) == FACTS_CHILDREN || s == WATCH_CHILDREN_COUNT ||
                           s == WATCH_CHILDREN_FDS || s == WATCH_CHILDREN_THREADS;
    if (s != WATCH_GPU_ORPHANS && s != WATCH_CHILDREN_ORPHANS &&
        !(is_theirs && facts_rises(j, WATCH_CHILDREN_ORPHANS, v)))
        return false;
    static const watch_series with[] = {WATCH_GPU_ORPHANS, WATCH_CHILDREN_ORPHANS, WATCH_GPU0_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_NONE};
    out->confidence_0_1 = 0.95;
    base_format(out->cause, sizeof out->cause, "processes that lost their parent still hold %s",
                s == WATCH_GPU_ORPHANS ? "a GPU" : "memory");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy,
                "end them before the next start; run the job under vigil watch, which sweeps what "
                "its job leaves behind");
    return true;
}

const watch_rule watch_rule_orphans = {.name = "R17", .title = "orphans", .explain = explain};

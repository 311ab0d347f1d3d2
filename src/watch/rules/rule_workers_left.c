/* rule_workers_left.c: R3: workers that are never joined: pytorch #62066.
 *
 * More and more children, or children that are older than the epoch that made them; whatever else
 * grows, grows with their number. */
#include "rules.h"

#include "facts.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool more = facts_rises(j, WATCH_CHILDREN_COUNT, v) ||
                      facts_rises(j, WATCH_CHILDREN_STALE, v) ||
                      facts_rises(j, WATCH_CHILDREN_ZOMBIES, v);
    const bool is_number =
        s == WATCH_CHILDREN_COUNT || s == WATCH_CHILDREN_STALE || s == WATCH_CHILDREN_ZOMBIES;
    const bool is_theirs = facts_scope_of(j, s, v) == FACTS_CHILDREN || s == WATCH_CHILDREN_FDS ||
                           s == WATCH_CHILDREN_THREADS ||
                           s == WATCH_MAIN_FDS; /* a pipe or two to each */
    if ((!is_number && !(more && is_theirs)) || facts_rises(j, WATCH_CHILDREN_ORPHANS, v)) /* R17 */
        return false;
    static const watch_series with[] = {WATCH_CHILDREN_COUNT, WATCH_CHILDREN_STALE,
                                        WATCH_CHILDREN_ZOMBIES, WATCH_CHILDREN_PRIVATE_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_MAIN_THREADS, WATCH_NONE};
    out->confidence_0_1 = is_number ? 0.94 : 0.91; /* R11 is sure by 0.9 of its pipes */
    const bool zombies = facts_rises(j, WATCH_CHILDREN_ZOMBIES, v);
    base_format(out->cause, sizeof out->cause,
                zombies ? "child processes have ended and nobody waits for them"
                        : "loader workers of earlier epochs linger: they are never joined");
    facts_evidence(out, j, s, v, with, flat);
    base_format(
        out->remedy, sizeof out->remedy,
        "make the loader once and not in every epoch, drop its iterator at the epoch's end, "
        "and set persistent_workers=False (or workers=0)");
    return true;
}

const watch_rule watch_rule_workers_left = {
    .name = "R3", .title = "workers not joined", .explain = explain};

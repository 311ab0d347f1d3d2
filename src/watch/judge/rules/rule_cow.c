/* rule_cow.c: R1: copy-on-write of loader data: pytorch #5902, #13246.
 *
 * Forked workers share the parent's pages until they write to them, and counting references of a
 * Python list writes. So the children's private memory grows by what their shared memory shrinks,
 * while nobody asked for memory: the parent stays, and so does what children hold in sum. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

/* So much of the private growth must have left the shared side; more than 1.5 times as much would
 * be something else going away. */
static const double LEAST_SHARE = 0.5, MOST_SHARE = 1.5;

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (!facts_known(j, WATCH_CHILDREN_PRIVATE_BYTES, v) ||
        !facts_known(j, WATCH_CHILDREN_SHARED_BYTES, v))
        return false;
    /* The parent's pages become its own, too, when the children have copies of theirs. */
    const bool is_part = facts_scope_of(j, s, v) == FACTS_CHILDREN || s == WATCH_MAIN_USS_BYTES ||
                         s == WATCH_MAIN_PSS_BYTES || s == WATCH_TREE_PSS_BYTES;
    if (!is_part)
        return false;
    /* By their slopes: at the beginning the workers were being forked. */
    const double private = watch_judge_slope(j, WATCH_CHILDREN_PRIVATE_BYTES, v->since_s),
                 shared = -watch_judge_slope(j, WATCH_CHILDREN_SHARED_BYTES, v->since_s);
    if (private <= 0 || shared < LEAST_SHARE * private || shared > MOST_SHARE * private ||
        facts_rises(j, WATCH_MAIN_ANON_BYTES, v) || facts_rises(j, WATCH_CHILDREN_COUNT, v))
        return false;
    static const watch_series with[] = {WATCH_CHILDREN_PRIVATE_BYTES, WATCH_CHILDREN_SHARED_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_CHILDREN_COUNT, WATCH_NONE};
    out->confidence_0_1 = 0.93;
    base_format(
        out->cause, sizeof out->cause,
        "%s copy the parent's memory page by page, since reading Python objects writes their "
        "reference counts",
        facts_world_of(j) == FACTS_WEB ? "workers" : "loader workers");
    facts_evidence(out, j, s, v, with, flat);
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] =
            "hold the dataset's lists in numpy arrays, torch tensors or one bytes buffer, or "
            "let workers end with the epoch (persistent_workers=False)",
        [FACTS_WEB] =
            "gc.freeze() before the workers are forked (gunicorn: --preload and a pre_fork hook), "
            "load large lists as arrays or from a database, renew workers (--max-requests)"};
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_cow = {
    .name = "R1", .title = "copy-on-write of loader data", .explain = explain};

/* rule_pinned.c: R4: the cache of pinned memory: pytorch #97432.
 *
 * Pinned blocks are rounded up to powers of two and never given back. They show as locked pages,
 * or as large mappings of the GPU's device files, in the parent alone. */
#include "rules.h"

#include "facts.h"

static const double LEAST_SHARE = 0.5; /* of the growth that is pinned */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool is_memory = facts_scope_of(j, s, v) == FACTS_MAIN || s == WATCH_MAIN_SHMEM_BYTES;
    const double pinned =
        facts_growth(j, WATCH_MAIN_LOCKED_BYTES, v) + facts_growth(j, WATCH_MAIN_DEVICE_BYTES, v);
    if (s != WATCH_MAIN_LOCKED_BYTES &&
        !(is_memory && v->growth > 0 && pinned >= LEAST_SHARE * v->growth))
        return false;
    static const watch_series with[] = {WATCH_MAIN_LOCKED_BYTES, WATCH_MAIN_DEVICE_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_CHILDREN_ANON_BYTES, WATCH_GPU0_BYTES, WATCH_MAIN_FDS,
                                        WATCH_NONE};
    out->confidence_0_1 = 0.9;
    base_format(out->cause, sizeof out->cause,
                "pinned (page-locked) memory is cached in powers of two and never given back");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy,
                "lower the loader's prefetch_factor, or set pin_memory=False");
    return true;
}

const watch_rule watch_rule_pinned = {
    .name = "R4", .title = "pinned-memory cache", .explain = explain};

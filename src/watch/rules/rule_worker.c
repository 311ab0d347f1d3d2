/* rule_worker.c: R2: a leak inside the workers, as in augmentation: yolov5 #12293.
 *
 * Their anonymous memory grows, and nothing shared shrinks for it; there are as many of them as
 * before, and the parent stays. */
#include "rules.h"

#include "facts.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (facts_scope_of(j, s, v) != FACTS_CHILDREN || facts_rises(j, WATCH_CHILDREN_COUNT, v))
        return false;
    static const watch_series with[] = {WATCH_CHILDREN_ANON_BYTES, WATCH_CHILDREN_SHARED_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_CHILDREN_COUNT,
                                        WATCH_CHILDREN_FDS, WATCH_NONE};
    out->confidence_0_1 = facts_stays(j, WATCH_MAIN_ANON_BYTES, v) ? 0.85 : 0.6;
    base_format(out->cause, sizeof out->cause,
                "the workers themselves keep memory: a cache or list in the dataset or the "
                "augmentation");
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy,
                "switch augmentations off one by one (mosaic first), bound the dataset's caches, "
                "or let workers end with the epoch (persistent_workers=False)");
    return true;
}

const watch_rule watch_rule_worker = {
    .name = "R2", .title = "leak in a loader worker", .explain = explain};

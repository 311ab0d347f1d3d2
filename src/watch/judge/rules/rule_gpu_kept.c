/* rule_gpu_kept.c: R5: tensors or graphs kept on the GPU: Lightning #4556, torchtitan #763.
 *
 * The same step with every batch or epoch, and host memory that stays. */
#include "rules.h"

#include "facts.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (s < WATCH_GPU0_BYTES || s > WATCH_GPU3_BYTES)
        return false;
    static const watch_series with[] = {WATCH_MAIN_ANON_BYTES, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_MAIN_RSS_BYTES,
                                        WATCH_CHILDREN_ANON_BYTES, WATCH_NONE};
    const bool host_rises = facts_rises(j, WATCH_MAIN_ANON_BYTES, v);
    out->confidence_0_1 = host_rises ? 0.6 : 0.8;
    base_format(out->cause, sizeof out->cause,
                "tensors, or the graphs behind losses, are kept on the GPU");
    facts_evidence(out, j, s, v, host_rises ? with : NULL, flat);
    base_format(out->remedy, sizeof out->remedy,
                "log loss.item() or loss.detach() instead of loss, and do not keep outputs in "
                "lists beyond the step");
    return true;
}

const watch_rule watch_rule_gpu_kept = {
    .name = "R5", .title = "tensors kept on the GPU", .explain = explain};

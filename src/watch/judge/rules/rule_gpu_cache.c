/* rule_gpu_cache.c: R6: the allocator's cache on the GPU: ultralytics #730; no leak.
 *
 * It rises to new maxima, with shapes or instance counts not seen before, and slows down: what GPU
 * tools show is reserved memory. */
#include "rules.h"

#include "facts.h"

/* The later half of the rise brought at most so much of what the earlier half did. */
static const double SLOWING = 0.5;

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (s < WATCH_GPU0_BYTES || s > WATCH_GPU3_BYTES)
        return false;
    const double now_s = watch_judge_sample(j)->time_s;
    double begin, middle, end;
    if (!watch_judge_ends(j, s, (v->since_s + now_s) / 2, &middle, &end) ||
        !watch_judge_ends(j, s, v->since_s, &begin, &end))
        return false;
    const double first = middle - begin, second = end - middle;
    if (first <= 0 || second > SLOWING * first)
        return false;
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_NONE};
    out->confidence_0_1 = 0.85;
    out->is_no_leak = true;
    base_format(out->cause, sizeof out->cause,
                "the GPU allocator's cache reaches new maxima and slows down: reserved memory, no "
                "leak");
    facts_evidence(out, j, s, v, NULL, flat);
    base_format(out->remedy, sizeof out->remedy,
                "nothing to do; fewer distinct input shapes, or a lower batch, lower the maximum");
    return true;
}

const watch_rule watch_rule_gpu_cache = {
    .name = "R6", .title = "GPU cache, no leak", .explain = explain};

/* rule_kept.c: R8: frames, results or logged values kept: ultralytics #1586, #3983, #1413.
 *
 * The parent's anonymous memory grows with its work and nothing else does: no descriptor, no
 * thread, no child, no GPU memory. The work that it follows says what is kept. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const char *cause_of(const watch_judge *j)
{
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "frames, batches or results are kept after use",
        [FACTS_PREDICTING] = "results are kept after use, each with its picture",
        [FACTS_WEB] = "what requests make is kept after they are answered",
        [FACTS_PYTHON] = "objects are kept after use: a list, dict or cache grows",
        [FACTS_NODE] = "objects or Buffers are kept: by listeners, timers, closures or a Map",
        [FACTS_JAVA] = "objects or direct buffers are kept after use",
        [FACTS_GO] = "objects are kept after use, by a map, a slice or a goroutine that waits",
        [FACTS_SCRIPTED] = "objects are kept after use: an array, a cache or a static grows",
        [FACTS_NATIVE] = "memory is allocated and never freed"};
    return facts_in_words(j, rows);
}

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (facts_scope_of(j, s, v) != FACTS_MAIN || facts_rises(j, WATCH_MAIN_FDS, v) ||
        facts_rises(j, WATCH_MAIN_THREADS, v) || facts_any_gpu_rises(j, v))
        return false;
    /* What is only shared with fewer others is not kept: R1, R15. */
    if (s != WATCH_MAIN_ANON_BYTES && facts_stays(j, WATCH_MAIN_ANON_BYTES, v))
        return false;
    static const watch_series flat[] = {WATCH_MAIN_FDS,
                                        WATCH_MAIN_THREADS,
                                        WATCH_CHILDREN_COUNT,
                                        WATCH_CHILDREN_ANON_BYTES,
                                        WATCH_GPU0_BYTES,
                                        WATCH_SHM_BYTES,
                                        WATCH_NONE};
    /* The units are those of trainings and streams, which are Python's or not known. */
    const bool knows = facts_may_be_python(j);
    const bool by_frame = knows && (v->unit == WATCH_WORK_FRAMES || v->unit == WATCH_WORK_REQUESTS),
               by_training =
                   knows && (v->unit == WATCH_WORK_EPOCH || v->unit == WATCH_WORK_STEP ||
                             v->unit == WATCH_WORK_CHECKPOINTS || v->unit == WATCH_WORK_LOG_BYTES),
               by_shape = v->unit == WATCH_WORK_SHAPES, by_run = v->unit == WATCH_WORK_RUNS;
    out->confidence_0_1 = v->unit != WATCH_NONE ? 0.8 : 0.7;
    base_format(out->cause, sizeof out->cause, "%s",
                by_frame ? "frames or results are kept after use"
                : by_training
                    ? "a callback, logger or list keeps what every step or epoch makes: values, "
                      "buffers, frames or results"
                : by_shape ? "a plan or cache per input shape is never evicted"
                : by_run   ? "each further training in one process leaves memory behind"
                           : cause_of(j));
    facts_evidence(out, j, s, v, NULL, flat);
    base_format(
        out->remedy, sizeof out->remedy, "%s",
        by_frame ? "iterate with stream=True and drop each result, or bound the list "
                   "(collections.deque(maxlen=N)); release the capture"
        : by_training
            ? "keep numbers, not tensors (loss.item()), bound the lists of callbacks and of "
              "results, and flush log buffers each epoch"
        : by_shape ? "pad inputs to few shapes, or bound the cache"
        : by_run   ? "one process a run"
                   : facts_kept_remedy(j));
    return true;
}

const watch_rule watch_rule_kept = {
    .name = "R8", .title = "frames or results kept", .explain = explain};

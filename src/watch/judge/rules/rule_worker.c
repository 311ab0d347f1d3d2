/* rule_worker.c: R2: a leak inside the workers, as in augmentation: yolov5 #12293.
 *
 * Their anonymous memory grows, and nothing shared shrinks for it; there are as many of them as
 * before, and the parent stays. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

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
    static const char *const causes[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "the workers themselves keep memory: a cache or list in them (in training: "
                      "in the dataset or the augmentation)",
        [FACTS_TRAINING] = "the workers themselves keep memory: a cache or list in the dataset or "
                           "the augmentation",
        [FACTS_WEB] = "the workers keep what requests or tasks make: a cache, a list, a global",
        [FACTS_PYTHON] = "the worker processes keep memory: a cache, a list, a global in them",
        [FACTS_NODE] = "the worker processes keep memory: listeners, closures, a Map in them",
        [FACTS_JAVA] = "the processes that were started keep memory",
        [FACTS_GO] = "the processes that were started keep memory",
        [FACTS_SCRIPTED] = "the workers keep what requests make: an array, a cache, a static",
        [FACTS_NATIVE] = "the processes that were started keep memory"};
    static const char *const remedies[FACTS_N_WORLDS] = {
        [FACTS_ANY] =
            "bound the workers' caches, or let them end after some work (persistent_workers=False, "
            "Pool(maxtasksperchild=N), gunicorn --max-requests N); in training switch "
            "augmentations off one by one, mosaic first",
        [FACTS_TRAINING] =
            "switch augmentations off one by one (mosaic first), bound the dataset's caches, "
            "or let workers end with the epoch (persistent_workers=False)",
        [FACTS_PYTHON] =
            "bound what the workers keep between tasks, or let them end after some: "
            "multiprocessing.Pool(maxtasksperchild=N), ProcessPoolExecutor(max_tasks_per_child=N)"};
    /* One child is no crowd of workers: a shell or a launcher stands before the program. */
    const bool is_one = !(watch_judge_sample(j)->value[WATCH_CHILDREN_COUNT] > 1);
    const char *remedy = remedies[facts_world_of(j)];
    base_format(out->cause, sizeof out->cause, "%s",
                is_one ? "the process that was started keeps memory: objects or results after use"
                       : facts_in_words(j, causes));
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s",
                is_one || remedy == NULL ? facts_kept_remedy(j) : remedy);
    return true;
}

const watch_rule watch_rule_worker = {
    .name = "R2", .title = "leak in a loader worker", .explain = explain};

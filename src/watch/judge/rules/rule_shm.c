/* rule_shm.c: R12: shared memory that nobody unlinks: pytorch #5040.
 *
 * /dev/shm fills while anonymous memory stays. When it is full, the next write to a mapped page is
 * a bus error (SIGBUS), not an error message. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (s != WATCH_SHM_BYTES && s != WATCH_CGROUP_SHMEM_BYTES && s != WATCH_MAIN_SHMEM_BYTES)
        return false;
    static const watch_series with[] = {WATCH_SHM_BYTES, WATCH_SHM_FILES, WATCH_CGROUP_SHMEM_BYTES,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_ANON_BYTES, WATCH_CHILDREN_ANON_BYTES,
                                        WATCH_NONE};
    out->confidence_0_1 = facts_rises(j, WATCH_MAIN_ANON_BYTES, v) ? 0.7 : 0.92;
    base_format(
        out->cause, sizeof out->cause,
        "shared memory (/dev/shm) is made%s and not removed; when it is full the job dies of "
        "SIGBUS",
        facts_world_of(j) <= FACTS_PREDICTING ? " for each batch" : "");
    facts_evidence(out, j, s, v, with, flat);
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] =
            "drop references to the loader's batches, end its workers each epoch, unlink "
            "segments (SharedMemory.unlink()); in a container raise --shm-size to win time",
        [FACTS_WEB] = "unlink each segment (SharedMemory.close() and unlink()) and remove files in "
                      "/dev/shm; gunicorn's --worker-tmp-dir is there, too",
        [FACTS_PYTHON] = "close() and unlink() each multiprocessing.shared_memory.SharedMemory, "
                         "and remove files in /dev/shm",
        [FACTS_JAVA] = "remove files that are mapped in /dev/shm when they are done with",
        [FACTS_NATIVE] = "shm_unlink() each segment when both sides have opened it, munmap() and "
                         "close() it when it is done with"};
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_shm = {.name = "R12", .title = "shared memory", .explain = explain};

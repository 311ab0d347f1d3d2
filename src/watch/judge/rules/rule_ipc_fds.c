/* rule_ipc_fds.c: R11: descriptors of inter-process tensors: ami-data-companion #145, pytorch #973.
 *
 * Pipes, memfds and /dev/shm/torch_* descriptors rise with the batches while memory stays; the run
 * ends with "too many open files". */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static const double LEAST_SHARE = 0.5; /* of the new descriptors that must be of these kinds */

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (s != WATCH_MAIN_FDS && s != WATCH_CHILDREN_FDS)
        return false;
    /* Of children whose kinds were never seen it is judged by main's, which has the other ends. */
    const watch_series whose = facts_known(j, WATCH_CHILD_FDS, v) ? s : WATCH_MAIN_FDS;
    const double ipc = facts_kind_growth(j, whose, v, WATCH_MAIN_FDS_PIPE) +
                       facts_kind_growth(j, whose, v, WATCH_MAIN_FDS_SHM);
    const bool kinds_known = facts_known(j, WATCH_MAIN_FDS_PIPE, v);
    if ((kinds_known && !facts_descriptors_explain(j, whose, v, ipc, LEAST_SHARE)) ||
        facts_rises(j, WATCH_MAIN_FDS_EVENTS_FILE, v) ||
        facts_are_of_threads(j, s, v, WATCH_MAIN_FDS_PIPE))
        return false;
    static const watch_series with[] = {WATCH_MAIN_FDS_PIPE, WATCH_MAIN_FDS_SHM,
                                        WATCH_CHILD_FDS_PIPE, WATCH_CHILD_FDS_SHM, WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_RSS_BYTES, WATCH_MAIN_ANON_BYTES,
                                        WATCH_MAIN_THREADS, WATCH_MAIN_FDS_SOCKET, WATCH_NONE};
    const bool rss_flat = facts_not_rising(j, WATCH_MAIN_ANON_BYTES, v);
    out->confidence_0_1 = kinds_known ? 0.9 : rss_flat ? 0.6 : 0.4;
    base_format(out->cause, sizeof out->cause,
                "descriptors of pipes and shared memory between processes are not closed");
    facts_evidence(out, j, s, v, with, flat);
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] =
            "share tensors by file (torch.multiprocessing.set_sharing_strategy('file_system')), "
            "start workers by forkserver; close pipes of subprocesses (communicate(), "
            "p.stdout.close()); raise `ulimit -n` only to win time",
        [FACTS_WEB] = "close the pipes of subprocesses (subprocess.run(), communicate(), with "
                      "Popen(...) as p), and make pools and queues once, not in each request",
        [FACTS_PYTHON] = "close the pipes of subprocesses (subprocess.run(), communicate(), with "
                         "Popen(...) as p), queue.close() those of multiprocessing, and close() "
                         "and unlink() each SharedMemory",
        [FACTS_NODE] = "end or destroy() the streams of child processes, and close message ports",
        [FACTS_JAVA] = "close the three streams of each Process, also when they are not read",
        [FACTS_GO] = "close both ends of each os.Pipe; cmd.Wait() closes those of cmd.StdoutPipe",
        [FACTS_NATIVE] = "close() both ends of pipes, and the end that a child does not need, on "
                         "every way out"};
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_ipc_fds = {
    .name = "R11", .title = "IPC descriptors", .explain = explain};

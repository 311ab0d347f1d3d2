/* rule_threads.c: R23: threads that never end: tornado #2168 (an executor per request).
 *
 * Threads rise, and with them their stacks; descriptors stay, or each thread has a few. Captures
 * (R10) and log writers (R13) have threads, too, and say more. */
#include "rules.h"

#include "facts.h"
#include "worlds.h"

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    const bool is_number = s == WATCH_MAIN_THREADS || s == WATCH_CHILDREN_THREADS,
               theirs = s == WATCH_CHILDREN_THREADS || s == WATCH_CHILDREN_FDS;
    const bool is_part = facts_scope_of(j, s, v) == FACTS_MAIN || facts_is_descriptors(s);
    if (!is_number &&
        !(is_part && facts_rises(j, theirs ? WATCH_CHILDREN_THREADS : WATCH_MAIN_THREADS, v)))
        return false;
    if (theirs && facts_rises(j, WATCH_CHILDREN_COUNT, v)) /* more processes: R3 */
        return false;
    static const watch_series with[] = {WATCH_MAIN_THREADS, WATCH_MAIN_ANON_BYTES, WATCH_MAIN_FDS,
                                        WATCH_NONE};
    static const watch_series flat[] = {WATCH_MAIN_FDS, WATCH_MAIN_FDS_SOCKET, WATCH_CHILDREN_COUNT,
                                        WATCH_NONE};
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] = "make one pool at the start and use it for all (ThreadPoolExecutor), or end "
                      "it: with ThreadPoolExecutor(...) as pool, pool.shutdown(); join() threads "
                      "and give loops a way to stop",
        [FACTS_NODE] = "await worker.terminate(), or use one pool of worker_threads (piscina) for "
                       "all; UV_THREADPOOL_SIZE bounds the library's own",
        [FACTS_JAVA] = "make one ExecutorService for all, or shutdown() each (try (...) since Java "
                       "19); bound caches of threads; jcmd PID Thread.print names them",
        [FACTS_GO] = "system threads rise when goroutines block in calls of the system or of C: "
                     "bound them, give them deadlines; pprof's threadcreate shows where from",
        [FACTS_NATIVE] = "join or detach each thread, and use one pool; an OpenMP team is made for "
                         "each thread that opens a parallel region: open them from one"};
    out->confidence_0_1 = is_number ? 0.86 : facts_is_descriptors(s) ? 0.55 : 0.72;
    base_format(out->cause, sizeof out->cause,
                "threads are made and never end: a pool or a thread for each request or call");
    facts_add_text(out->cause, sizeof out->cause, j, theirs ? NULL : ": ", WATCH_TEXT_THREADS);
    facts_evidence(out, j, s, v, with, flat);
    base_format(out->remedy, sizeof out->remedy, "%s", facts_in_words(j, rows));
    return true;
}

const watch_rule watch_rule_threads = {
    .name = "R23", .title = "threads that never end", .explain = explain};
